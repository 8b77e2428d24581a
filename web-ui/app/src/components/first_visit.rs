//! What stands in the place of a verdict before there is one.

use yew::{Html, component, html};

use super::{Icon, IconName};

/// One line that says what to do.
#[component]
pub fn FirstVisit() -> Html {
    html! {
        <div class="card placeholder" id="first-visit">
            <span class="placeholder-icon"><Icon name={IconName::Analyze} /></span>
            <h2>{ "No verdict yet" }</h2>
            <p>{ "Type a text and press Analyze, or pick one of the examples." }</p>
        </div>
    }
}
