//! The call of the page as a command to paste into a shell.

use web_sys::{FocusEvent, HtmlTextAreaElement};
use yew::{AttrValue, Html, Properties, TargetCast, component, html};

use super::{Icon, IconName};
use crate::{
    hooks::{CopyState, use_copy},
    presentation::curl_command,
    services::request_for,
};

/// Properties of [`CopyCurl`].
#[derive(Debug, Clone, PartialEq, Eq, Properties)]
pub struct CopyCurlProps {
    /// The text that was judged.
    pub text: AttrValue,
}

/// Copies the command; where the browser does not allow it, shows it for copying by hand.
#[component]
pub fn CopyCurl(props: &CopyCurlProps) -> Html {
    let clipboard = use_copy();
    let text = props.text.clone();
    let on_copy = clipboard.copy.reform(move |_| {
        let origin = web_sys::window()
            .and_then(|window| window.location().origin().ok())
            .unwrap_or_default();
        curl_command(&origin, &request_for(&text)).into()
    });
    let is_copied = clipboard.state == CopyState::Copied;
    // Whoever comes to the field wants all of it.
    let on_focus = |event: FocusEvent| event.target_unchecked_into::<HtmlTextAreaElement>().select();
    html! {
        <>
            <button type="button" id="copy-curl" class="link-button" onclick={on_copy}>
                <Icon name={if is_copied { IconName::Check } else { IconName::Copy }} />
                <span>{ if is_copied { "Copied" } else { "Copy as curl" } }</span>
            </button>
            <span class="visually-hidden" aria-live="polite">
                { if is_copied { "The command is copied." } else { "" } }
            </span>
            if let CopyState::Denied(command) = &clipboard.state {
                <div class="copy-by-hand">
                    <label for="curl-command">{ "The browser does not allow copying here. Copy the command by hand." }</label>
                    <textarea id="curl-command" rows="4" readonly=true value={command.clone()} onfocus={on_focus} />
                    <button type="button" class="button" onclick={clipboard.dismiss.reform(|_| ())}>{ "Done" }</button>
                </div>
            }
        </>
    }
}
