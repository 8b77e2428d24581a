//! Says a new verdict aloud.

use std::rc::Rc;

use yew::{Html, Properties, component, html};

use crate::{presentation::sentence, state::Verdict};

/// Properties of [`Announcer`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct AnnouncerProps {
    /// The verdict.
    pub verdict: Option<Rc<Verdict>>,
    /// Whether the next one is on its way; the region is empty then, so that the same verdict is said again.
    pub is_pending: bool,
}

/// A live region, seen by nobody.
#[component]
pub fn Announcer(props: &AnnouncerProps) -> Html {
    let verdict = props.verdict.as_ref().filter(|_| !props.is_pending);
    let words = verdict.map(|verdict| {
        let word = if verdict.result.flagged {
            "Flagged"
        } else {
            "Nothing flagged"
        };
        format!("{word}. {}", sentence(&verdict.result))
    });
    html! { <p class="visually-hidden" aria-live="polite" id="announcer">{ words.unwrap_or_default() }</p> }
}
