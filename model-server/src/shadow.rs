//! A second model that scores a share of the texts in the shadow of the first: what it says is compared and counted,
//! never answered. So a new model is tried on real texts before anybody relies on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use toxicity_api::label_index;
use toxicity_model_source::{FetchOptions, ModelSource, fetch, progress};

use crate::engine::{Engine, EngineOptions, LoadEngineError, Question};
use crate::metrics::Metrics;
use crate::model::{Model, ModelOverrides};
use crate::verdict::Judgement;

/// Texts that may wait for the second model; what comes on top is not compared.
const WAITING_TEXTS: usize = 256;

/// Longest time that a text may wait for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is sent to the second model.
struct Sample {
    text: String,
    judgement: Judgement,
    /// Indices of the labels that both models have.
    labels: Vec<(usize, usize)>,
}

/// Fetches and loads the second model, with one session.
///
/// # Errors
/// When it cannot be had or does not answer.
pub async fn load(
    source: &ModelSource,
    fetching: &FetchOptions,
    options: EngineOptions,
    metrics: &Arc<Metrics>,
) -> Result<Engine, LoadEngineError> {
    // What was said of the first model's file says nothing of the second's.
    let fetching = FetchOptions {
        revision: None,
        sha256: None,
        onnx_file: None,
        ..fetching.clone()
    };
    let progress = progress::on_standard_error();
    let fetched = fetch(source, &fetching, &*progress).await?;
    let options = EngineOptions {
        folder: fetched.folder,
        overrides: ModelOverrides {
            languages: options.overrides.languages.clone(),
            ..ModelOverrides::default()
        },
        sessions: 1,
        max_requests: 1,
        cache_bytes: 0,
        ..options
    };
    let metrics = Arc::clone(metrics);
    let load = tokio::task::spawn_blocking(move || Engine::load(&options, &metrics));
    load.await.expect("loading does not panic")
}

/// The way to the second model.
pub struct Shadow {
    samples: mpsc::Sender<Sample>,
    /// Texts of a hundred that are compared.
    percent: u64,
    /// Hundredths of texts that have been due so far.
    due: AtomicU64,
    engine: Arc<Engine>,
    metrics: Arc<Metrics>,
}

impl Shadow {
    /// Starts comparing `percent` of a hundred texts with what `engine` says of them. Must be called within a runtime.
    #[must_use]
    pub fn start(engine: Engine, percent: u8, metrics: &Arc<Metrics>) -> Self {
        let engine = Arc::new(engine);
        let (samples, waiting) = mpsc::channel(WAITING_TEXTS);
        tokio::spawn(compare(Arc::clone(&engine), waiting, Arc::clone(metrics)));
        Self {
            samples,
            percent: u64::from(percent),
            due: AtomicU64::new(0),
            engine,
            metrics: Arc::clone(metrics),
        }
    }

    /// Sends a text to the second model when it is one of the share; costs the request nothing else.
    pub fn observe(&self, text: &str, judgement: &Judgement, model: &Model) {
        let before = self.due.fetch_add(self.percent, Ordering::Relaxed);
        if before % 100 + self.percent < 100 {
            return;
        }
        let sample = Sample {
            text: text.to_owned(),
            judgement: judgement.clone(),
            labels: common_labels(&model.labels, &self.engine.model.labels),
        };
        if self.samples.try_send(sample).is_err() {
            self.metrics.shadow_texts("dropped").inc();
        }
    }
}

/// Indices of the labels that both models have, in the first and in the second.
fn common_labels(first: &[String], second: &[String]) -> Vec<(usize, usize)> {
    first
        .iter()
        .enumerate()
        .filter_map(|(index, label)| Some((index, label_index(second, label)?)))
        .collect()
}

async fn compare(engine: Arc<Engine>, mut samples: mpsc::Receiver<Sample>, metrics: Arc<Metrics>) {
    let question = Question::all(&engine.model);
    while let Some(Sample {
        text,
        judgement,
        labels,
    }) = samples.recv().await
    {
        let lane = engine.scheduler().lane(PATIENCE);
        let verdict = match engine.unobserved_verdict(&lane, &text, &question).await {
            Ok(verdict) => verdict,
            Err(error) => {
                metrics.shadow_texts("failed").inc();
                tracing::debug!(%error, "the shadow model failed to score a text");
                continue;
            }
        };
        metrics.shadow_texts("compared").inc();
        for (first, second) in labels {
            let difference = (judgement.scores[first] - verdict.scores[second]).abs();
            let agree = judgement.flagged.contains(&first) == verdict.flagged.contains(&second);
            let label = &engine.model.labels[second];
            metrics.observe_shadow(label, difference, agree);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_compared_on_the_labels_that_both_have() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let common = common_labels(
            &names(&["toxic", "obscene", "threat"]),
            &names(&["threat", "sexual_explicit", "toxicity"]),
        );
        assert_eq!(common, [(0, 2), (2, 0)]);
    }
}
