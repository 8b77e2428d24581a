//! The bundled model on ONNX Runtime, on sentences written for these tests.
//!
//! What is asserted is the order of scores and the clear cases, not digits: the model is retrained, and must still
//! tell an insult from a compliment.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod fixture;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fixture::onnxruntime;
use toxicity_api::TextVerdict;
use toxicity_model_server::engine::{Engine, EngineOptions, Question};
use toxicity_model_server::metrics::Metrics;
use toxicity_model_server::model::{Activation, ModelOverrides};

fn load(overrides: ModelOverrides) -> Engine {
    let options = EngineOptions {
        folder: fixture::bundled_model(),
        overrides,
        onnxruntime: Some(onnxruntime()),
        sessions: 2,
        max_requests: 4,
        ..EngineOptions::default()
    };
    Engine::load(&options, &Arc::new(Metrics::new())).unwrap()
}

async fn verdict(engine: &Engine, text: &str) -> TextVerdict {
    let question = Question {
        spans: true,
        ..Question::all(&engine.model)
    };
    let lane = engine.scheduler().lane(Duration::from_mins(1));
    let verdict = engine.verdict(&lane, text, &question).await.unwrap();
    verdict.into_text_verdict(&engine.model)
}

/// Per label: what has it, and a harmless text about the same thing.
const PAIRS: [(&str, &str, &str); 12] = [
    (
        "toxic",
        "Shut up, you pathetic idiot.",
        "Please be quiet, the baby is asleep.",
    ),
    (
        "toxic",
        "This is the dumbest crap I have ever read, moron.",
        "This is the longest book I have ever read.",
    ),
    (
        "severe_toxic",
        "Fuck you, you fucking piece of shit, die!",
        "I fixed the piece of the fence that fell over.",
    ),
    (
        "severe_toxic",
        "Suck my dick you stupid fucking whore.",
        "The lollipop lasted an hour.",
    ),
    (
        "obscene",
        "What the fuck is this shit?",
        "What is this supposed to be?",
    ),
    (
        "obscene",
        "He is a complete asshole.",
        "He is a complete beginner.",
    ),
    (
        "threat",
        "I will kill you and burn your house down.",
        "I will call you tomorrow and read the book you gave me.",
    ),
    (
        "threat",
        "I am going to find you and shoot you.",
        "I am going to find you and thank you.",
    ),
    (
        "insult",
        "You are a stupid, worthless loser.",
        "You are a kind and patient teacher.",
    ),
    (
        "insult",
        "What an ugly, disgusting loser she is.",
        "What a lovely, charming garden that is.",
    ),
    (
        "identity_hate",
        "All those filthy niggers should be deported.",
        "All those families were welcomed by the town.",
    ),
    (
        "identity_hate",
        "I hate faggots, they disgust me.",
        "I love pancakes, they remind me of home.",
    ),
];

#[tokio::test]
async fn toxic_texts_score_above_harmless_ones_on_every_label() {
    let engine = load(ModelOverrides::default());
    assert_eq!(engine.model.activation, Activation::Sigmoid);
    for (label, toxic, harmless) in PAIRS {
        let (toxic_verdict, harmless_verdict) =
            (verdict(&engine, toxic).await, verdict(&engine, harmless).await);
        let (high, low) = (toxic_verdict.scores[label], harmless_verdict.scores[label]);
        assert!(
            high > 10.0 * low && high > 0.05,
            "{label}: {high} for {toxic:?}, {low} for {harmless:?}"
        );
        assert!(toxic_verdict.flagged, "{toxic:?} is flagged");
        assert!(
            !harmless_verdict.flagged,
            "{harmless:?} is not flagged: {:?}",
            harmless_verdict.scores
        );
        assert!(
            !toxic_verdict.spans.unwrap().is_empty(),
            "{toxic:?} has marked words"
        );
    }
}

#[tokio::test]
async fn marks_the_insults_and_leaves_the_rest() {
    let engine = load(ModelOverrides::default());
    let text =
        "Honestly, you are a stupid, worthless idiot. The rest of the article was fine though, thanks.";
    let verdict = verdict(&engine, text).await;
    let marked: Vec<&str> = verdict
        .spans
        .as_deref()
        .unwrap()
        .iter()
        .map(|span| &text[span.bytes.range()])
        .collect();
    assert!(
        marked.contains(&"stupid") && marked.contains(&"idiot"),
        "{marked:?}"
    );
    assert!(
        marked
            .iter()
            .all(|word| ["stupid", "worthless", "idiot"].contains(word)),
        "{marked:?}"
    );
}

#[tokio::test]
async fn an_insult_anywhere_in_a_long_text_is_found() {
    let engine = load(ModelOverrides::default());
    let filler =
        "The committee met on Tuesday and talked about the budget for the new playground. ".repeat(60);
    let half = filler.len() / 2;
    let middle = filler[..half].rfind(". ").unwrap() + 2;
    for position in [0, middle, filler.len()] {
        let text = format!(
            "{}You are a fucking idiot. {}",
            &filler[..position],
            &filler[position..]
        );
        let verdict = verdict(&engine, &text).await;
        assert!(
            verdict.windows > 3 && verdict.flagged,
            "at {position}: {verdict:?}"
        );
        let spans = verdict.spans.unwrap();
        assert!(
            spans
                .iter()
                .any(|span| text[span.bytes.range()].starts_with("idiot")),
            "at {position}: {spans:?}"
        );
        let insult = position..position + "You are a fucking idiot.".len();
        assert!(
            spans.iter().all(|span| insult.contains(&span.bytes.begin)),
            "at {position}: {spans:?}"
        );
    }
}

#[tokio::test]
async fn windows_of_a_text_agree_with_the_whole() {
    let engine = load(ModelOverrides::default());
    let narrow = load(ModelOverrides {
        window_tokens: Some(32),
        ..ModelOverrides::default()
    });
    let text = "Thank you for the long and careful answer. I had not thought of the second point before, and I \
                will go through the sources you named over the weekend. Greetings to the whole team!";
    let (whole, parts) = (verdict(&engine, text).await, verdict(&narrow, text).await);
    assert_eq!((whole.windows, whole.tokens), (1, parts.tokens));
    assert!(parts.windows > 1 && !parts.flagged && !whole.flagged);
}

#[test]
fn wrong_folders_and_libraries_are_explained() {
    let error = |folder: &str, onnxruntime: PathBuf, overrides: ModelOverrides| {
        let options = EngineOptions {
            folder: folder.into(),
            overrides,
            onnxruntime: Some(onnxruntime),
            ..EngineOptions::default()
        };
        let error = Engine::load(&options, &Arc::new(Metrics::new()))
            .err()
            .expect("it cannot load");
        toxicity_service::error_chain(&error)
    };
    let bundled = fixture::bundled_model();
    let bundled = bundled.to_str().unwrap();
    let message = error("/nowhere", onnxruntime(), ModelOverrides::default());
    assert!(
        message.contains("config.json") && message.contains("/nowhere"),
        "{message}"
    );
    let message = error(bundled, "/nowhere/lib.so".into(), ModelOverrides::default());
    assert!(message.contains("/nowhere/lib.so"), "{message}");
    let overrides = ModelOverrides {
        window_tokens: Some(4096),
        ..ModelOverrides::default()
    };
    let message = error(bundled, onnxruntime(), overrides);
    assert!(message.contains("4096") && message.contains("512"), "{message}");
    let overrides = ModelOverrides {
        thresholds: vec!["tocsic=0.5".parse().unwrap()],
        ..ModelOverrides::default()
    };
    let message = error(bundled, onnxruntime(), overrides);
    assert!(
        message.contains("tocsic") && message.contains("identity_hate"),
        "{message}"
    );
}
