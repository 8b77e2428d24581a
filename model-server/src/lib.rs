//! The model server: text in, scores, flags and the words behind them out.
//!
//! The way of a text: [`http`] admits a request, [`engine`] tokenizes it and cuts it into windows, [`scheduler`]
//! hands the forward passes to the sessions of [`backend`], [`verdict`] judges the logits, and [`span`] finds the
//! words that carry the verdict.

pub mod backend;
pub mod bench;
pub mod config;
pub mod engine;
pub mod http;
mod loaded_model;
pub mod metrics;
pub mod model;
mod queue;
pub mod scheduler;
pub mod serve;
pub mod span;
pub mod telemetry;
pub mod tokenization;
pub mod verdict;
pub mod window;
pub mod word;

use std::sync::Arc;

use crate::config::{Arguments, Command, ModelArguments};
use crate::engine::{Engine, LoadEngineError};
use crate::metrics::Metrics;

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Logging does not start.
    #[error(transparent)]
    Telemetry(#[from] toxicity_service::ParseLogFilterError),
    /// The model does not load.
    #[error(transparent)]
    LoadEngine(#[from] LoadEngineError),
    /// Serving fails.
    #[error(transparent)]
    Serve(#[from] serve::ServeError),
    /// The measurement fails.
    #[error(transparent)]
    Bench(#[from] bench::BenchError),
    /// The answer cannot be written.
    #[error("failed to print the answer")]
    Print(#[from] serde_json::Error),
}

/// Does what the command line says.
///
/// # Errors
/// When it cannot; the message says what to do.
pub fn run(arguments: Arguments) -> Result<(), Error> {
    toxicity_service::start_logging(&arguments.log)?;
    match arguments.command {
        Command::Serve(arguments) => Ok(serve::run(&arguments)?),
        Command::Info(arguments) => print_info(&arguments),
        Command::Bench(arguments) => Ok(bench::run(&arguments)?),
    }
}

fn print_info(arguments: &ModelArguments) -> Result<(), Error> {
    let engine = Engine::load(&arguments.engine_options(1), &Arc::new(Metrics::new()))?;
    let model = &engine.model;
    let info = serde_json::json!({
        "name": model.identity.name,
        "revision": model.identity.revision,
        "labels": model.labels,
        "thresholds": model.threshold_map(),
        "activation": model.activation.name(),
        "window_tokens": model.window_tokens,
        "overlap_tokens": model.overlap_tokens,
        "onnxruntime": engine.runtime,
    });
    println!("{}", serde_json::to_string_pretty(&info)?);
    Ok(())
}
