//! Components drawn to HTML without a browser: effects do not run, but what is drawn first is what is tested.

use std::rc::Rc;

use toxicity_api::{ModelIdentity, Offsets, Scores, Span, TextVerdict};
use toxicity_web_ui::{
    components::{ErrorBox, ErrorBoxProps, MarkedText, MarkedTextProps, ResultCard, ResultCardProps},
    error::ClientError,
    state::{Retry, Verdict},
};
use yew::{Callback, LocalServerRenderer};

fn verdict(text: &'static str, flags: &[&str], windows: usize) -> Rc<Verdict> {
    let scores = [("toxic", 0.98_f32), ("identity_hate", 0.41), ("threat", 0.001)];
    let of = |scores: &[(&str, f32)]| -> Scores {
        scores
            .iter()
            .map(|&(label, score)| (label.to_owned(), score))
            .collect()
    };
    let bytes = Offsets { begin: 0, end: 3 };
    let span = Span {
        labels: vec!["toxic".to_owned()],
        weight: 1.0,
        bytes,
        utf16: bytes,
    };
    Rc::new(Verdict {
        text: text.into(),
        model: ModelIdentity {
            name: "tiny".to_owned(),
            revision: "4c1e9a03d2b7".to_owned(),
        },
        thresholds: of(&[("toxic", 0.5), ("identity_hate", 0.5), ("threat", 0.3)]),
        result: TextVerdict {
            flagged: !flags.is_empty(),
            flags: flags.iter().map(|&label| label.to_owned()).collect(),
            scores: of(&scores),
            tokens: 5,
            windows,
            spans: Some(if flags.is_empty() { vec![] } else { vec![span] }),
            spans_complete: Some(true),
            normalized: None,
            record_id: None,
        },
        round_trip_milliseconds: 3.1,
    })
}

async fn result_card(verdict: Rc<Verdict>, is_stale: bool) -> String {
    let props = ResultCardProps {
        verdict,
        is_stale,
        is_pending: false,
    };
    LocalServerRenderer::<ResultCard>::with_props(props)
        .hydratable(false)
        .render()
        .await
}

async fn marked_text(verdict: Rc<Verdict>) -> String {
    let props = MarkedTextProps {
        verdict,
        is_stale: false,
    };
    LocalServerRenderer::<MarkedText>::with_props(props)
        .hydratable(false)
        .render()
        .await
}

#[tokio::test]
async fn a_text_is_never_markup() {
    let html = marked_text(verdict("<b>\n<script>alert(1)</script> & \"x\"", &["toxic"], 1)).await;
    assert!(!html.contains("<script>") && !html.contains("<b>"), "{html}");
    assert!(
        html.contains("&lt;b&gt;</mark>\n&lt;script&gt;alert(1)"),
        "{html}"
    );
}

#[tokio::test]
async fn nothing_is_drawn_by_style_attributes() {
    for html in [
        result_card(verdict("abc", &["toxic"], 3), true).await,
        marked_text(verdict("abc", &["toxic"], 1)).await,
    ] {
        assert!(!html.contains("style="), "{html}");
    }
}

#[tokio::test]
async fn a_flagged_verdict_says_so_in_words_and_numbers() {
    let html = result_card(verdict("abc", &["toxic"], 3), false).await;
    for part in [
        "Flagged",
        "toxic 0.98 is over its threshold.",
        "data-label=\"toxic\"",
        "identity hate",
        "&lt;0.01",
        "Scored in 3 overlapping windows; each label shows its highest.",
        "tiny · rev 4c1e9a0",
    ] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
}

#[tokio::test]
async fn a_stale_verdict_stays_and_says_that_it_is() {
    let html = result_card(verdict("abc", &[], 1), true).await;
    assert!(
        html.contains("Text changed since this verdict") && html.contains("Nothing flagged"),
        "{html}"
    );
}

#[tokio::test]
async fn a_clean_text_has_no_marks() {
    let html = marked_text(verdict("abc", &[], 1)).await;
    assert!(
        !html.contains("<mark") && html.contains("Nothing is flagged"),
        "{html}"
    );
}

#[tokio::test]
async fn a_failure_offers_its_remedy() {
    let props = ErrorBoxProps {
        error: ClientError::ReachModelServer {
            status: 502,
            retry_after: None,
        },
        retry: Some(Retry::In(3)),
        fills: true,
        on_retry: Callback::noop(),
        on_cancel: Callback::noop(),
    };
    let html = LocalServerRenderer::<ErrorBox>::with_props(props)
        .hydratable(false)
        .render()
        .await;
    for part in [
        "The model server does not answer.",
        "Retrying in 3 s.",
        "Try now",
        "Cancel",
    ] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
}
