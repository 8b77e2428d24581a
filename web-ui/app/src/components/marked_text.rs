//! The judged text with the words that carry its verdict.

use std::rc::Rc;

use toxicity_api::TextVerdict;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::{Html, Properties, classes, component, html, use_effect_with, use_node_ref};

use crate::{
    presentation::{Mark, Segment, label_name, marked_labels, score, segments},
    state::Verdict,
};

/// Properties of [`MarkedText`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct MarkedTextProps {
    /// The verdict.
    pub verdict: Rc<Verdict>,
    /// Whether the text field holds another text by now.
    pub is_stale: bool,
}

/// Room above the first mark in a long text, for the lines that lead to it.
const LEAD_PIXELS: i32 = 72;

/// The text as it was sent: characters stay characters, whatever they would mean in a page.
#[component]
pub fn MarkedText(props: &MarkedTextProps) -> Html {
    let field = use_node_ref();
    use_effect_with((props.verdict.clone(), field.clone()), |(_, field)| {
        if let Some(field) = field.cast::<HtmlElement>() {
            scroll_to_first_mark(&field);
        }
    });
    let verdict = &props.verdict;
    let spans = verdict.result.spans.as_deref().unwrap_or_default();
    let class = classes!("card", "words", props.is_stale.then_some("stale"));
    html! {
        <article {class} id="words">
            <h2>{ "Words that carry the verdict" }</h2>
            // Long texts scroll inside, so the box must be reachable by keyboard.
            <div ref={field} id="marked-text" class="marked-text" tabindex="0" role="region" aria-label="Judged text">
                { for segments(&verdict.text, spans).into_iter().map(piece) }
            </div>
            { legend(&verdict.result, &marked_labels(spans)) }
        </article>
    }
}

/// In a long text the words that matter may be far down.
fn scroll_to_first_mark(field: &HtmlElement) {
    let mark = field
        .query_selector("mark")
        .ok()
        .flatten()
        .and_then(|mark| mark.dyn_into::<HtmlElement>().ok());
    field.set_scroll_top(mark.map_or(0, |mark| mark.offset_top() - LEAD_PIXELS));
}

fn piece(Segment { text, mark }: Segment) -> Html {
    let Some(mark) = mark else {
        return html! { { text } };
    };
    let reason = reason(mark);
    html! {
        <mark class={format!("depth-{}", mark.depth())} title={reason.clone()} aria-description={reason}>{ text }</mark>
    }
}

fn reason(mark: Mark) -> String {
    let labels: Vec<String> = mark.labels.iter().map(|label| label_name(label)).collect();
    format!("{}, weight {}", labels.join(", "), score(mark.weight))
}

fn legend(result: &TextVerdict, labels: &[&str]) -> Html {
    let quoted: Vec<String> = labels
        .iter()
        .map(|label| format!("“{}”", label_name(label)))
        .collect();
    match (result.flagged, quoted.as_slice()) {
        (false, _) => {
            html! { <p class="legend" id="legend">{ "Nothing is flagged, so no word is marked." }</p> }
        }
        (true, []) => html! {
            <p class="legend" id="legend">{ "No single word carries the verdict; the text does as a whole." }</p>
        },
        (true, _) => html! {
            <div class="legend" id="legend">
                <p>{ format!("Underlined: removing it lowers {}", listed(&quoted)) }</p>
                <p class="legend-scale">
                    { "by less " }
                    <span class="swatches" aria-hidden="true">
                        { for (1..=4).map(|depth| html! { <i class={format!("swatch depth-{depth}")}></i> }) }
                    </span>
                    { " by more" }
                </p>
                if result.spans_complete == Some(false) {
                    <p>{ "The text is so long that only a part of it was searched for such words." }</p>
                }
            </div>
        },
    }
}

/// Names with commas, the last one after an “or”.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
