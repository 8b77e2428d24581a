//! Copies text, and says whether that worked.

use gloo_timers::callback::Timeout;
use js_sys::Reflect;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use yew::{AttrValue, Callback, hook, use_effect_with, use_state};

const CONFIRMATION_MILLISECONDS: u32 = 2_000;

/// Where the last copy stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CopyState {
    /// Nothing was copied lately.
    #[default]
    Idle,
    /// The text is in the clipboard.
    Copied,
    /// The browser does not allow it; the text has to be copied by hand.
    Denied(AttrValue),
}

/// A way to copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Copy {
    /// Where the last copy stands.
    pub state: CopyState,
    /// Copies a text.
    pub copy: Callback<AttrValue>,
    /// Takes note that the text was copied by hand, or not wanted.
    pub dismiss: Callback<()>,
}

/// Copies text to the clipboard where the browser lets it.
#[hook]
pub fn use_copy() -> Copy {
    let state = use_state(CopyState::default);

    let setter = state.setter();
    use_effect_with((*state).clone(), move |state| {
        let timeout = (*state == CopyState::Copied)
            .then(|| Timeout::new(CONFIRMATION_MILLISECONDS, move || setter.set(CopyState::Idle)));
        move || drop(timeout)
    });

    let setter = state.setter();
    let copy = Callback::from(move |text: AttrValue| {
        let setter = setter.clone();
        spawn_local(async move {
            let copied = write(&text).await;
            setter.set(if copied {
                CopyState::Copied
            } else {
                CopyState::Denied(text)
            });
        });
    });
    let setter = state.setter();
    let dismiss = Callback::from(move |()| setter.set(CopyState::Idle));
    Copy {
        state: (*state).clone(),
        copy,
        dismiss,
    }
}

async fn write(text: &str) -> bool {
    let Some(navigator) = web_sys::window().map(|window| window.navigator()) else {
        return false;
    };
    // Absent on pages that came by plain HTTP from another machine.
    let is_there =
        Reflect::get(&navigator, &JsValue::from_str("clipboard")).is_ok_and(|found| found.is_object());
    is_there
        && JsFuture::from(navigator.clipboard().write_text(text))
            .await
            .is_ok()
}
