//! Log lines on standard error: for people or for machines, never with texts.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogArguments, LogFormat};

/// The filter is no list of `tracing` directives.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the log filter \"{filter}\"")]
pub struct ParseLogFilterError {
    filter: String,
    source: tracing_subscriber::filter::ParseError,
}

/// Starts logging for the whole process; a second call changes nothing.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(arguments: &LogArguments) -> Result<(), ParseLogFilterError> {
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
