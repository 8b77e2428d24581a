//! Says that the browser has no network.

use yew::{Html, component, html};

use super::{Icon, IconName};

/// One line above the page.
#[component]
pub fn OfflineNotice() -> Html {
    html! {
        <p class="notice" id="offline" role="status">
            <Icon name={IconName::Offline} />
            { "You are offline. What is on the page stays; new texts wait for the connection." }
        </p>
    }
}
