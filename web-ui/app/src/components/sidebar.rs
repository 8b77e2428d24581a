//! What stands around every page: brand, navigation, status of the server, theme.

use yew::{Callback, Html, Properties, component, html};

use super::{Brand, Icon, IconName, Navigation, ServerStatus, ThemeSwitch};
use crate::state::Server;

/// Properties of [`Sidebar`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct SidebarProps {
    /// How the model server is.
    pub server: Server,
    /// The list of keys is wanted.
    pub on_help: Callback<()>,
}

/// A column at the side; on a phone a line at the top and one at the bottom.
#[component]
pub fn Sidebar(props: &SidebarProps) -> Html {
    let on_help = props.on_help.reform(|_| ());
    html! {
        <header class="sidebar">
            <Brand />
            <Navigation />
            <div class="sidebar-tools">
                <button type="button" class="keyboard-button" id="keyboard-help-button" onclick={on_help}>
                    <Icon name={IconName::Keyboard} />
                    <span>{ "Keyboard" }</span>
                    <kbd>{ "?" }</kbd>
                </button>
                <ThemeSwitch />
            </div>
            <ServerStatus server={props.server.clone()} />
        </header>
    }
}
