//! How a verdict came about.

use std::rc::Rc;

use yew::{Html, Properties, component, html};

use super::{CopyCurl, server_status::short_revision};
use crate::{
    presentation::{counted, grouped, milliseconds},
    state::Verdict,
};

/// Properties of [`ResultFooter`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ResultFooterProps {
    /// The verdict.
    pub verdict: Rc<Verdict>,
}

/// Size, time, model, and the same call as a command.
#[component]
pub fn ResultFooter(props: &ResultFooterProps) -> Html {
    let verdict = &props.verdict;
    let windows = verdict.result.windows;
    let noun = if verdict.result.tokens == 1 {
        " token"
    } else {
        " tokens"
    };
    html! {
        <footer class="result-foot">
            if windows > 1 {
                <p id="windows-note" class="windows-note">
                    { format!("Scored in {} overlapping windows; each label shows its highest.", grouped(windows)) }
                </p>
            }
            <ul class="facts numeric">
                <li id="tokens"><b>{ grouped(verdict.result.tokens) }</b>{ noun }</li>
                <li id="windows">{ counted(windows, "window") }</li>
                <li id="round-trip" title="From sending the text to having read the answer">
                    { milliseconds(verdict.round_trip_milliseconds) }
                </li>
                <li id="model" title={format!("Revision {}", verdict.model.revision)}>
                    { format!("{} · rev {}", verdict.model.name, short_revision(&verdict.model.revision)) }
                </li>
            </ul>
            <CopyCurl text={verdict.text.clone()} />
        </footer>
    }
}
