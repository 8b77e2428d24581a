//! Log lines on standard error: for people or for machines. Texts of clients never reach them.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// How to log.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogArguments {
    /// Form of the log lines on standard error.
    #[arg(
        long,
        env = "TOXICITY_LOG_FORMAT",
        global = true,
        default_value = "pretty",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,

    /// What to log: a level (error, warn, info, debug) or `tracing` directives, such as
    /// `info,toxicity_model_server=debug`. Texts are logged at no level.
    #[arg(
        long = "log",
        env = "TOXICITY_LOG",
        global = true,
        default_value = "info,ort=warn,kube_client::client::builder=off",
        value_name = "FILTER"
    )]
    pub log_filter: String,
}

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object per line, for machines.
    Json,
}

/// The filter is no list of `tracing` directives.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the log filter \"{filter}\" of --log; use a level such as \"info\"")]
pub struct ParseLogFilterError {
    filter: String,
    source: tracing_subscriber::filter::ParseError,
}

/// Starts logging for the whole process; a second call changes nothing.
///
/// # Errors
/// When the filter cannot be read.
pub fn start_logging(arguments: &LogArguments) -> Result<(), ParseLogFilterError> {
    let filter = EnvFilter::builder()
        .parse(&arguments.log_filter)
        .map_err(|source| ParseLogFilterError {
            filter: arguments.log_filter.clone(),
            source,
        })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second subscriber is refused, which only tests that start several servers meet.
    let _ = match arguments.log_format {
        LogFormat::Pretty => builder.with_target(false).try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init(),
    };
    Ok(())
}
