//! Asks the model server how it is, now and then.

use gloo_events::EventListener;
use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, hook, use_callback, use_effect_with, use_reducer_eq};

use crate::{
    services,
    state::{Inquiry, Server},
};

const PERIOD_MILLISECONDS: u32 = 10_000;

/// How the model server is, and a way to ask again at once.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerHandle {
    /// What is known.
    pub server: Server,
    /// Asks now.
    pub refresh: Callback<()>,
}

/// Asks every ten seconds while the page is visible, and when it becomes so.
#[hook]
pub fn use_server() -> ServerHandle {
    let server = use_reducer_eq(Server::default);
    let refresh = use_callback(server.dispatcher(), |(), dispatcher| {
        let dispatcher = dispatcher.clone();
        spawn_local(async move {
            let info = services::info().await;
            let is_ready = info.is_ok() && services::is_ready().await;
            dispatcher.dispatch(Inquiry { info, is_ready });
        });
    });

    use_effect_with(refresh.clone(), |refresh| {
        refresh.emit(());
        let ask = {
            let refresh = refresh.clone();
            move || {
                if !is_hidden() {
                    refresh.emit(());
                }
            }
        };
        let interval = Interval::new(PERIOD_MILLISECONDS, ask.clone());
        let listener = web_sys::window()
            .and_then(|window| window.document())
            .map(|document| EventListener::new(&document, "visibilitychange", move |_| ask()));
        move || drop((interval, listener))
    });

    ServerHandle {
        server: (*server).clone(),
        refresh,
    }
}

fn is_hidden() -> bool {
    web_sys::window()
        .and_then(|window| window.document())
        .is_some_and(|document| document.hidden())
}
