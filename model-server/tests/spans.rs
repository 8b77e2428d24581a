//! A model that says of each token how toxic it is marks words in the pass that scores the text.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod fixture;

use std::sync::Arc;
use std::time::Duration;

use fixture::token_model::{SpanOutput, TokenModel};
use fixture::{LABELS, Server, onnxruntime, tokenization};
use serde_json::json;
use tempfile::TempDir;
use toxicity_api::{Info, Span};
use toxicity_model_server::backend::{Backend, OnnxModel, OnnxRuntime, SessionOptions};
use toxicity_model_server::engine::{Engine, EngineOptions, Question};
use toxicity_model_server::metrics::Metrics;
use toxicity_model_server::model::{ModelOverrides, logit};
use toxicity_model_source::ModelSource;

/// Of "moron" the last of several tokens tells; "sly" and "hate" flag a text without being marked by themselves.
const MODEL: TokenModel<'_> = TokenModel {
    toxic: &[("idiot", 3.0), ("moron", 3.0), ("sly", 3.0), ("hate", 3.0)],
    spans: &[
        ("idiot", 4.0),
        ("moron", 0.5),
        ("sly", -1.0),
        ("fool", 2.0),
        ("hate", -3.0),
        ("!", 9.0),
    ],
    output: "logits",
    span_output: SpanOutput::Right,
};

struct Scored {
    engine: Engine,
    metrics: Arc<Metrics>,
    _folder: TempDir,
}

impl Scored {
    fn load(model: &TokenModel<'_>, window_tokens: Option<usize>) -> Self {
        let folder = model.write();
        let metrics = Arc::new(Metrics::new());
        let options = EngineOptions {
            cache_bytes: 1 << 20,
            overrides: ModelOverrides {
                window_tokens,
                ..ModelOverrides::default()
            },
            sessions: 2,
            ..options(&folder)
        };
        Self {
            engine: Engine::load(&options, &metrics).unwrap(),
            metrics,
            _folder: folder,
        }
    }

    /// The marked words, each with its weight, and the number of windows.
    async fn marks<'a>(&self, text: &'a str, normalize: bool) -> (Vec<(&'a str, f32)>, usize) {
        let question = Question {
            spans: true,
            normalize,
            ..Question::all(&self.engine.model)
        };
        let lane = self.engine.scheduler().lane(Duration::from_mins(1));
        let verdict = self.engine.verdict(&lane, text, &question).await.unwrap();
        let verdict = verdict.into_text_verdict(&self.engine.model);
        assert_eq!(verdict.spans_complete, Some(true));
        let mark = |span: Span| {
            assert_eq!(span.labels, verdict.flags, "all that the text is flagged with");
            (&text[span.bytes.range()], span.weight)
        };
        (
            verdict.spans.unwrap().into_iter().map(mark).collect(),
            verdict.windows,
        )
    }

    async fn words<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let (marks, _) = self.marks(text, false).await;
        marks.into_iter().map(|(word, _)| word).collect()
    }

    /// Forward passes so far.
    fn passes(&self) -> u32 {
        let name = "toxicity_stage_duration_seconds_count{stage=\"inference\"} ";
        let metrics = self.metrics.render().unwrap();
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().parse().unwrap()
    }
}

fn options(folder: &TempDir) -> EngineOptions {
    EngineOptions {
        folder: folder.path().to_owned(),
        onnxruntime: Some(onnxruntime()),
        max_requests: 4,
        ..EngineOptions::default()
    }
}

#[tokio::test]
async fn words_are_marked_in_the_pass_that_scores_and_from_what_is_kept() {
    let scored = Scored::load(&MODEL, None);
    let text = "You moron and idiot, you fool!";
    let lane = scored.engine.scheduler().lane(Duration::from_mins(1));
    let question = Question::all(&scored.engine.model);
    scored.engine.verdict(&lane, text, &question).await.unwrap();
    assert_eq!(scored.passes(), 1, "nobody asked for words");
    let other = "The fool is an idiot!";
    for (text, expected, passes) in [
        (text, &[("moron", 0.5), ("idiot", 4.0), ("fool", 2.0)][..], 1),
        (other, &[("fool", 2.0), ("idiot", 4.0)], 2),
        (other, &[("fool", 2.0), ("idiot", 4.0)], 2),
    ] {
        let (marks, windows) = scored.marks(text, false).await;
        let logits: Vec<(&str, f32)> = marks
            .iter()
            .map(|&(word, weight)| (word, (logit(weight) * 100.0).round() / 100.0))
            .collect();
        assert_eq!(logits, expected);
        assert_eq!((windows, scored.passes()), (1, passes), "one pass for each text");
    }
}

#[tokio::test]
async fn the_strongest_word_is_marked_where_the_model_is_sure_of_none() {
    let scored = Scored::load(&MODEL, None);
    let (marks, _) = scored.marks("That was sly of them!", false).await;
    assert_eq!(marks.len(), 1, "{marks:?}");
    assert!(
        marks[0].0 == "sly" && (marks[0].1 - 0.268_941).abs() < 1e-5,
        "{marks:?}"
    );
    assert!(
        scored.words("I hate it!").await.is_empty(),
        "no word is likely enough"
    );
    assert!(
        scored.words("A fool!").await.is_empty(),
        "the text is not flagged"
    );
}

#[tokio::test]
async fn words_anywhere_in_a_long_text_are_marked_once() {
    let scored = Scored::load(&MODEL, Some(16));
    for position in 0..60 {
        let mut words = vec!["tree"; 60];
        words.insert(position, "moron");
        let text = words.join(" ");
        let before = scored.passes();
        let (marks, windows) = scored.marks(&text, false).await;
        assert_eq!(marks.len(), 1, "at {position}: {marks:?}");
        assert_eq!(marks[0].0, "moron", "at {position}");
        assert!(windows > 4, "at {position}");
        assert_eq!(
            scored.passes() - before,
            u32::try_from(windows).unwrap(),
            "at {position}"
        );
    }
}

#[tokio::test]
async fn disguised_words_are_marked_where_they_were_sent() {
    let scored = Scored::load(&MODEL, None);
    let (marks, _) = scored.marks("you are an 1d10t, sir", true).await;
    assert_eq!(marks.len(), 1, "{marks:?}");
    assert_eq!(marks[0].0, "1d10t");
}

#[tokio::test]
async fn the_server_says_how_it_finds_words() {
    let folder = MODEL.write();
    let source = ModelSource::Folder(folder.path().to_owned());
    let server = Server::with_loader(source, options(&folder));
    server.load_from_source().await;
    let info: Info = server.get("/info").await.parse();
    assert_eq!(info.model.spans.as_deref(), Some("token-logits"));
    let answer = server
        .analyze(&json!({"text": "naïve idiot", "spans": true}))
        .await;
    let span = &answer.json()["results"][0]["spans"][0];
    assert_eq!(span["bytes"], json!({"begin": 7, "end": 12}), "{answer:?}");
    assert_eq!(span["utf16"], json!({"begin": 6, "end": 11}), "{answer:?}");

    let info: Info = Server::ready().get("/info").await.parse();
    assert_eq!(info.model.spans.as_deref(), Some("leave-one-out"));
}

#[tokio::test]
async fn a_model_of_labels_alone_has_its_words_searched_for() {
    let model = TokenModel {
        span_output: SpanOutput::None,
        ..MODEL
    };
    let scored = Scored::load(&model, None);
    assert_eq!(scored.words("That was sly of them!").await, ["sly"]);
    assert!(scored.passes() > 3);
}

#[test]
fn logits_of_tokens_are_those_of_their_sequence_without_padding() {
    let runtime = OnnxRuntime::load(Some(&onnxruntime())).unwrap();
    // Nothing is called `logits`: the labels must not be taken from the output for tokens.
    let folder = TokenModel {
        output: "scores",
        ..MODEL
    }
    .write();
    let file = folder.path().join("model.onnx");
    let model = OnnxModel::read(&runtime, &file, LABELS.len(), 0, SessionOptions::default()).unwrap();
    let tokenization = tokenization();
    let sequence = |text: &str| tokenization.sequence(tokenization.tokens(text).unwrap().ids);
    let (long, short) = (sequence("you utter idiot !"), sequence("fool"));
    for threads in [1, 2] {
        let mut session = model.session_of_threads(threads).unwrap();
        assert!(session.marks_tokens());
        let logits = session.logits(&[&short, &long, &short]).unwrap();
        let of_short = vec![8.0, 2.0, 8.0];
        let of_long = vec![8.0, -5.0, -5.0, 4.0, 9.0, 8.0];
        let tokens: Vec<_> = logits
            .iter()
            .map(|logits| logits.tokens.clone().unwrap())
            .collect();
        assert_eq!(tokens, [of_short.clone(), of_long, of_short]);
        let labels: Vec<f32> = logits.iter().map(|logits| logits.labels[0]).collect();
        assert_eq!(labels, [-5.0, 3.0, -5.0]);
    }
}

#[test]
fn an_output_for_tokens_of_another_shape_or_type_is_refused() {
    for (span_output, found) in [
        (SpanOutput::OfDoubles, "<f64>(batch, sequence)"),
        (SpanOutput::OfThreeDimensions, "<f32>(batch, sequence, 1)"),
    ] {
        let folder = TokenModel { span_output, ..MODEL }.write();
        let refused = Engine::load(&options(&folder), &Arc::new(Metrics::new())).err();
        let message = toxicity_service::error_chain(&refused.expect("it does not fit"));
        assert!(
            message.contains("\"span_logits\"")
                && message.contains("[batch, sequence]")
                && message.contains(found),
            "{message}"
        );
    }
}
