//! Where a text is written and sent.

use web_sys::{HtmlTextAreaElement, InputEvent};
use yew::{
    AttrValue, Callback, Html, Properties, TargetCast, component, html, use_effect_with, use_node_ref,
};

use crate::presentation::{Obstacle, grouped};

/// Properties of [`Composer`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ComposerProps {
    /// What the field holds.
    pub text: AttrValue,
    /// How many characters that is.
    pub characters: usize,
    /// How many may be sent, once known.
    pub limit: Option<usize>,
    /// What stands against sending.
    pub obstacle: Option<Obstacle>,
    /// The text was edited.
    pub on_edit: Callback<AttrValue>,
    /// The text is to be sent.
    pub on_submit: Callback<()>,
    /// Everything is to start over.
    pub on_clear: Callback<()>,
}

/// A field, its counter and its buttons.
#[component]
pub fn Composer(props: &ComposerProps) -> Html {
    let field = use_node_ref();
    use_effect_with(field.clone(), |field| {
        if has_keyboard()
            && let Some(field) = field.cast::<HtmlTextAreaElement>()
        {
            // Only an element that is not shown cannot be focused.
            let _ = field.focus();
        }
    });

    let on_input = props.on_edit.reform(|event: InputEvent| {
        event
            .target_unchecked_into::<HtmlTextAreaElement>()
            .value()
            .into()
    });
    let too_long = props
        .obstacle
        .filter(|obstacle| matches!(obstacle, Obstacle::TooLong { .. }));
    let is_too_long = too_long.is_some();
    html! {
        <div class={if is_too_long { "card composer over-limit" } else { "card composer" }}>
            <label for="text" class="visually-hidden">{ "Text to analyze" }</label>
            <textarea
                id="text"
                ref={field}
                rows="4"
                placeholder="Type or paste a comment"
                spellcheck="false"
                autocomplete="off"
                aria-describedby={if is_too_long { "limit-message counter" } else { "counter" }}
                aria-invalid={is_too_long.to_string()}
                value={props.text.clone()}
                oninput={on_input}
            />
            if let Some(obstacle) = too_long {
                <p id="limit-message" class="limit-message" role="alert">{ obstacle.message() }</p>
            }
            <div class="composer-bar">
                <button
                    type="button"
                    id="analyze"
                    class="button primary"
                    disabled={props.obstacle.is_some()}
                    title={props.obstacle.map(Obstacle::message)}
                    onclick={props.on_submit.reform(|_| ())}
                >
                    { "Analyze" }
                    <kbd aria-hidden="true">{ "Ctrl ↵" }</kbd>
                </button>
                <button
                    type="button"
                    id="clear"
                    class="button"
                    disabled={props.text.is_empty()}
                    onclick={props.on_clear.reform(|_| ())}
                >
                    { "Clear" }
                </button>
                <p id="counter" class="counter numeric" data-testid="counter">
                    { grouped(props.characters) }
                    if let Some(limit) = props.limit {
                        <span class="counter-limit">{ format!(" / {}", grouped(limit)) }</span>
                    }
                    <span class="counter-unit">{ " characters" }</span>
                </p>
            </div>
        </div>
    }
}

/// Whether focusing the field is a help; on a touch screen it would raise a keyboard over the page.
fn has_keyboard() -> bool {
    web_sys::window()
        .and_then(|window| window.match_media("(hover: hover) and (pointer: fine)").ok()?)
        .is_some_and(|query| query.matches())
}
