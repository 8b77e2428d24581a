//! The verdict on a text.

use std::rc::Rc;

use yew::{Html, Properties, classes, component, html};

use super::{ResultFooter, ScoreTable, VerdictBadge};
use crate::{
    presentation::{rows, sentence},
    state::Verdict,
};

/// Properties of [`ResultCard`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ResultCardProps {
    /// The verdict.
    pub verdict: Rc<Verdict>,
    /// Whether the text field holds another text by now.
    pub is_stale: bool,
    /// Whether the next verdict is on its way.
    pub is_pending: bool,
}

/// The word, why, and every score.
#[component]
pub fn ResultCard(props: &ResultCardProps) -> Html {
    let ResultCardProps {
        verdict,
        is_stale,
        is_pending,
    } = props;
    let class = classes!(
        "card",
        "result",
        is_stale.then_some("stale"),
        is_pending.then_some("pending")
    );
    html! {
        <article {class} id="result" data-testid="result" data-stale={is_stale.to_string()}>
            <div class="result-head">
                <VerdictBadge is_flagged={verdict.result.flagged} />
                // In the place of the sentence, so that nothing moves while typing.
                if *is_stale {
                    <p id="stale" class="sentence">
                        { "Text changed since this verdict. Analyze again to update it." }
                    </p>
                } else {
                    <p id="sentence" class="sentence">{ sentence(&verdict.result) }</p>
                }
            </div>
            <ScoreTable rows={rows(&verdict.result, &verdict.thresholds)} />
            <ResultFooter verdict={verdict.clone()} />
        </article>
    }
}
