//! Keys that work wherever the focus is.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};
use yew::{Callback, hook, use_effect_with, use_mut_ref};

use super::browser::listen;

/// Calls `handler` for every key pressed on the page.
#[hook]
pub fn use_shortcut(handler: Callback<KeyboardEvent>) {
    // One listener for good, which calls the newest handler.
    let newest = use_mut_ref(|| handler.clone());
    newest.replace(handler);
    use_effect_with((), move |()| {
        let document = web_sys::window().and_then(|window| window.document());
        let listener = listen(document.as_deref().map(AsRef::as_ref), "keydown", move |event| {
            if let Some(event) = event.dyn_ref::<KeyboardEvent>() {
                let handler = newest.borrow().clone();
                handler.emit(event.clone());
            }
        });
        move || drop(listener)
    });
}

/// Whether a key lands in a field and means a character there.
#[must_use]
pub fn is_typing(event: &KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|element| {
            matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
                && element.get_attribute("type").as_deref() != Some("radio")
                || element
                    .dyn_ref::<HtmlElement>()
                    .is_some_and(HtmlElement::is_content_editable)
        })
}
