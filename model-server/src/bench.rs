//! Measures the bare sessions: texts straight into ONNX Runtime, one thread per session, no HTTP, no queue. What the
//! server reaches is judged against this.

use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;

use crate::backend::{Backend, BackendError};
use crate::config::BenchArguments;
use crate::engine::{EngineOptions, LoadEngineError};
use crate::loaded_model::LoadedModel;

/// Why the measurement failed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The texts cannot be read.
    #[error("failed to read the texts in \"{path}\"")]
    ReadTexts {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There are no texts.
    #[error("failed to find a text in \"{0}\": it must hold one per line")]
    FindText(PathBuf),
    /// The model does not load.
    #[error(transparent)]
    LoadModel(#[from] LoadEngineError),
    /// A pass fails.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The result cannot be printed.
    #[error("failed to print the result")]
    Print(#[from] serde_json::Error),
}

#[derive(Debug, Serialize)]
struct Measurement {
    sessions: usize,
    texts: usize,
    seconds: f64,
    texts_per_second: f64,
    tokens_per_second: f64,
}

/// Scores the texts round and round on every session for the given time and prints the rate.
///
/// # Errors
/// When the texts or the model cannot be loaded, or a pass fails.
pub fn run(arguments: &BenchArguments) -> Result<(), BenchError> {
    let options = EngineOptions {
        folder: arguments.model.fetch().map_err(LoadEngineError::from)?.folder,
        ..arguments.model.engine_options(1)
    };
    let content = std::fs::read_to_string(&arguments.texts).map_err(|source| BenchError::ReadTexts {
        path: arguments.texts.clone(),
        source,
    })?;
    let model = LoadedModel::load(&options)?;
    let texts = content
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|text| Ok((text, model.sequences(text)?)))
        .collect::<Result<Vec<_>, LoadEngineError>>()?;
    if texts.is_empty() {
        return Err(BenchError::FindText(arguments.texts.clone()));
    }

    let sessions = model.sessions(options.sessions)?;
    let started = Instant::now();
    let counts = std::thread::scope(|scope| {
        let threads: Vec<_> = sessions
            .into_iter()
            .enumerate()
            .map(|(index, mut session)| {
                let (texts, model) = (&texts, &model);
                scope.spawn(move || -> Result<(usize, usize), BenchError> {
                    let (mut scored, mut tokens) = (0, 0);
                    // Sessions start at different texts, so that they do not run in step.
                    let offset = index * texts.len() / 2;
                    while started.elapsed() < arguments.duration {
                        let (text, tokenized) = &texts[(offset + scored) % texts.len()];
                        let fresh = if arguments.tokenize {
                            Some(model.sequences(text)?)
                        } else {
                            None
                        };
                        for sequence in fresh.as_ref().unwrap_or(tokenized) {
                            session.logits(&[sequence])?;
                            tokens += sequence.len();
                        }
                        scored += 1;
                    }
                    Ok((scored, tokens))
                })
            })
            .collect();
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().expect("scoring does not panic"));
        joined.collect::<Result<Vec<_>, _>>()
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let texts: usize = counts.iter().map(|(texts, _)| texts).sum();
    let tokens: usize = counts.iter().map(|(_, tokens)| tokens).sum();
    let measurement = Measurement {
        sessions: counts.len(),
        texts,
        seconds,
        texts_per_second: per_second(texts, seconds),
        tokens_per_second: per_second(tokens, seconds),
    };
    println!("{}", serde_json::to_string(&measurement)?);
    Ok(())
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts of a few seconds fit a float exactly"
)]
fn per_second(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds
}
