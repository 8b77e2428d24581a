//! The model server: text in, scores, flags and the words behind them out.
//!
//! The way of a text: [`http`] admits a request, [`engine`] tokenizes it and cuts it into windows, [`scheduler`]
//! hands the forward passes to the sessions of [`backend`], [`verdict`] judges the logits, and [`span`] finds the
//! words that carry the verdict.

pub mod admission;
pub mod backend;
pub mod bench;
mod calibrate;
pub mod config;
pub mod drift;
pub mod engine;
pub mod environment;
pub mod http;
mod loaded_model;
pub mod metrics;
pub mod model;
mod priority;
pub mod recording;
pub mod reload;
pub mod scheduler;
mod score_cache;
pub mod serve;
pub mod shadow;
pub mod span;

pub mod tokenization;
pub mod verdict;
pub mod window;
pub mod word;

pub use calibrate::CalibrateError;
pub use score_cache::TextScores;

use std::path::PathBuf;
use std::sync::Arc;

use toxicity_access::{GenerateKeyError, GeneratedKey};
use toxicity_model_source::{Difference, DifferenceKind, FetchError, VerifyError, verify};

use crate::config::{Arguments, Command, KeysCommand, ModelArguments, VerifyArguments};
use crate::engine::{Engine, EngineOptions, LoadEngineError};
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
    /// No thresholds are chosen.
    #[error(transparent)]
    Calibrate(#[from] CalibrateError),
    /// The model cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// No key is made.
    #[error(transparent)]
    GenerateKey(#[from] GenerateKeyError),
    /// The model folder cannot be checked.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The model folder is not as it was fetched.
    #[error("the model folder \"{}\" is not as it was fetched; `pull` it again after deleting it", .0.display())]
    Differ(PathBuf),
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
        Command::Keys(KeysCommand::Create { name, attributes }) => create_key(&name, &attributes),
        Command::Pull(arguments) => pull(&arguments),
        Command::Verify(arguments) => verify_folder(&arguments),
        Command::Info(arguments) => print_info(&arguments),
        Command::Bench(arguments) => Ok(bench::run(&arguments)?),
        Command::Calibrate(arguments) => Ok(calibrate::run(&arguments)?),
    }
}

fn create_key(name: &str, attributes: &[String]) -> Result<(), Error> {
    let key = GeneratedKey::new(name, attributes.iter().map(String::as_str))?;
    println!("key, shown only here:    {}", key.secret());
    println!("line for the key file:   {}", key.entry);
    Ok(())
}

fn pull(arguments: &ModelArguments) -> Result<(), Error> {
    let fetched = arguments.fetch()?;
    let options = EngineOptions {
        folder: fetched.folder.clone(),
        ..arguments.engine_options(1)
    };
    // What does not fit together is better known now than when a server starts.
    Engine::describe(&options)?;
    println!("{}", fetched.folder.display());
    Ok(())
}

fn verify_folder(arguments: &VerifyArguments) -> Result<(), Error> {
    let folder = if let Some(folder) = &arguments.folder {
        folder.clone()
    } else {
        let offline = ModelArguments {
            offline: true,
            ..arguments.model.clone()
        };
        offline.fetch()?.folder
    };
    let verification = verify(&folder)?;
    for Difference { path, kind } in &verification.differences {
        let problem = match kind {
            DifferenceKind::Missing => "is gone",
            DifferenceKind::Content => "has another content",
            DifferenceKind::Added => "was not fetched",
        };
        println!("{path} {problem}");
    }
    if !verification.differences.is_empty() {
        return Err(Error::Differ(folder));
    }
    println!(
        "{}: {} files, {} bytes, as fetched from \"{}\" at {}, revision {}",
        folder.display(),
        verification.files,
        verification.bytes,
        verification.source,
        verification.fetched_at,
        verification.revision
    );
    Ok(())
}

fn print_info(arguments: &ModelArguments) -> Result<(), Error> {
    let options = EngineOptions {
        folder: arguments.fetch()?.folder,
        ..arguments.engine_options(1)
    };
    let engine = Engine::load(&options, &Arc::new(Metrics::new()))?;
    let model = &engine.model;
    let info = serde_json::json!({
        "name": model.identity.name,
        "revision": model.identity.revision,
        "labels": model.labels,
        "thresholds": model.threshold_map(),
        "activation": model.activation.name(),
        "window_tokens": model.window_tokens,
        "overlap_tokens": model.overlap_tokens,
        "spans": engine.span_method().name(),
        "onnxruntime": engine.runtime,
    });
    println!("{}", serde_json::to_string_pretty(&info)?);
    Ok(())
}
