//! Lists the keys.

use web_sys::HtmlDialogElement;
use yew::{Callback, Html, Properties, component, html, use_effect_with, use_node_ref};

/// Properties of [`KeyboardHelp`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct KeyboardHelpProps {
    /// Whether the list is shown.
    pub is_open: bool,
    /// The list was closed.
    pub on_close: Callback<()>,
}

/// Keys and what they do.
const KEYS: [(&[&str], &str); 4] = [
    (&["Ctrl", "Enter"], "Analyze the text; ⌘ Enter on a Mac"),
    (&["/"], "Go to the text"),
    (&["Esc"], "Stop a call that is under way; close this list"),
    (&["?"], "Show this list"),
];

/// A dialog of the browser: it keeps the focus inside and closes by Escape.
#[component]
pub fn KeyboardHelp(props: &KeyboardHelpProps) -> Html {
    let dialog = use_node_ref();
    use_effect_with((props.is_open, dialog.clone()), |(is_open, dialog)| {
        if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
            if *is_open && !dialog.open() {
                // Fails only for a dialog that is open or not on the page.
                let _ = dialog.show_modal();
            } else if !*is_open && dialog.open() {
                dialog.close();
            }
        }
    });
    let close = {
        let (dialog, on_close) = (dialog.clone(), props.on_close.clone());
        Callback::from(move |_| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                dialog.close();
            }
            on_close.emit(());
        })
    };
    let on_close = {
        let (dialog, on_close) = (dialog.clone(), props.on_close.clone());
        Callback::from(move |_| {
            // The event comes later than the closing; by then the list may be open again.
            if dialog
                .cast::<HtmlDialogElement>()
                .is_some_and(|dialog| !dialog.open())
            {
                on_close.emit(());
            }
        })
    };
    html! {
        <dialog
            id="keyboard-help"
            class="dialog"
            aria-labelledby="keyboard-help-title"
            closedby="any"
            ref={dialog}
            onclose={on_close}
        >
            <h2 id="keyboard-help-title">{ "Keyboard" }</h2>
            <dl class="keys">
                { for KEYS.iter().map(|(keys, meaning)| html! {
                    <div>
                        <dt>{ for keys.iter().map(|key| html! { <kbd>{ *key }</kbd> }) }</dt>
                        <dd>{ *meaning }</dd>
                    </div>
                }) }
            </dl>
            <button type="button" class="button" onclick={close}>{ "Close" }</button>
        </dialog>
    }
}
