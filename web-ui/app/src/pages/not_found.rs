//! What is shown for an address that leads nowhere.

use yew::{Html, component, html};
use yew_router::components::Link;

use crate::route::Route;

/// What is shown for an address that leads nowhere.
#[component]
pub fn NotFoundPage() -> Html {
    html! {
        <div class="page" id="not-found">
            <h1>{ "No such page" }</h1>
            <p class="lead">{ "The address may be mistyped, or the page is gone." }</p>
            <Link<Route> classes="button primary" to={Route::Analyze}>{ "Analyze a text" }</Link<Route>>
        </div>
    }
}
