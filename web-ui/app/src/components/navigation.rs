//! The ways to the pages: at the side on a desk, at the bottom on a phone.

use yew::{Html, component, html};
use yew_router::{components::Link, hooks::use_route};

use super::{Icon, IconName};
use crate::route::Route;

/// The ways to the pages.
#[component]
pub fn Navigation() -> Html {
    let is_current = use_route::<Route>() == Some(Route::Analyze);
    html! {
        <nav class="navigation" aria-label="Pages">
            <ul>
                <li>
                    <Link<Route>
                        to={Route::Analyze}
                        classes={if is_current { "navigation-link current" } else { "navigation-link" }}
                    >
                        <Icon name={IconName::Analyze} />
                        <span>{ "Analyze" }</span>
                        if is_current {
                            <span class="visually-hidden">{ " (current page)" }</span>
                        }
                    </Link<Route>>
                </li>
                <li>
                    // In a tab of its own, so that the text on the page is not lost.
                    <a class="navigation-link" href="/api/docs" target="_blank" rel="noopener">
                        <Icon name={IconName::Api} />
                        <span>{ "API" }</span>
                        <span class="visually-hidden">{ " documentation, opens in a new tab" }</span>
                        <span class="navigation-external"><Icon name={IconName::External} /></span>
                    </a>
                </li>
            </ul>
        </nav>
    }
}
