//! Texts to try the page with, one click each.

use yew::{AttrValue, Callback, Html, Properties, component, html};

use crate::presentation::{EXAMPLES, Example};

/// Properties of [`Examples`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ExamplesProps {
    /// A text was chosen.
    pub on_choose: Callback<AttrValue>,
}

/// One button per example.
#[component]
pub fn Examples(props: &ExamplesProps) -> Html {
    let chip = |&Example { name, text }: &Example| {
        let on_choose = props.on_choose.reform(move |_| AttrValue::Static(text));
        html! { <li><button type="button" class="chip" onclick={on_choose}>{ name }</button></li> }
    };
    html! { <ul class="chips" id="examples" aria-label="Examples">{ for EXAMPLES.iter().map(chip) }</ul> }
}
