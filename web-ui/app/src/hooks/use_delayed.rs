//! What is over at once need not be shown.

use gloo_timers::callback::Timeout;
use yew::{hook, use_effect_with, use_state_eq};

/// Whether `active` has held for so many milliseconds without a break.
#[hook]
pub fn use_delayed(active: bool, milliseconds: u32) -> bool {
    let elapsed = use_state_eq(|| false);
    let setter = elapsed.setter();
    use_effect_with(active, move |&active| {
        setter.set(false);
        let timeout = active.then(|| Timeout::new(milliseconds, move || setter.set(true)));
        move || drop(timeout)
    });
    active && *elapsed
}
