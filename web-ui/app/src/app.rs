//! The shell around all pages.

use yew::{Callback, ContextProvider, Html, component, html, use_state_eq};
use yew_router::{BrowserRouter, Switch};

use crate::{
    components::{KeyboardHelp, OfflineNotice, Sidebar},
    hooks::{is_typing, use_online, use_server, use_shortcut},
    pages::{AnalyzePage, NotFoundPage},
    route::Route,
};

/// The whole app.
#[component]
pub fn App() -> Html {
    let server = use_server();
    let is_online = use_online();
    let help_is_open = use_state_eq(|| false);

    let setter = help_is_open.setter();
    let open_help = Callback::from(move |()| setter.set(true));
    let setter = help_is_open.setter();
    let close_help = Callback::from(move |()| setter.set(false));

    let open_by_key = open_help.clone();
    use_shortcut(Callback::from(move |event: web_sys::KeyboardEvent| {
        if event.key() == "?" && !is_typing(&event) {
            event.prevent_default();
            open_by_key.emit(());
        }
    }));

    html! {
        <ContextProvider<crate::hooks::ServerHandle> context={server.clone()}>
            <BrowserRouter>
                <a class="skip-link visually-hidden" href="#main">{ "Skip to the content" }</a>
                <div class="shell">
                    <Sidebar server={server.server.clone()} on_help={open_help} />
                    <main id="main" class="main" tabindex="-1">
                        if !is_online {
                            <OfflineNotice />
                        }
                        <Switch<Route> render={page} />
                    </main>
                </div>
                <KeyboardHelp is_open={*help_is_open} on_close={close_help} />
            </BrowserRouter>
        </ContextProvider<crate::hooks::ServerHandle>>
    }
}

fn page(route: Route) -> Html {
    match route {
        Route::Analyze => html! { <AnalyzePage /> },
        Route::NotFound => html! { <NotFoundPage /> },
    }
}
