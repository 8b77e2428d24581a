//! Whether the browser has a network.

use gloo_events::EventListener;
use yew::{hook, use_effect_with, use_state_eq};

/// Whether the browser has a network, as far as it knows.
#[hook]
pub fn use_online() -> bool {
    let online = use_state_eq(|| true);
    let setter = online.setter();
    use_effect_with((), move |()| {
        let listeners = web_sys::window().map(|window| {
            setter.set(window.navigator().on_line());
            ["online", "offline"].map(|event| {
                let setter = setter.clone();
                EventListener::new(&window, event, move |_| setter.set(event == "online"))
            })
        });
        move || drop(listeners)
    });
    *online
}
