//! Log lines on standard error: for people or for machines. Texts of clients never reach them.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// What libraries say that hardly anybody wants to know. Directives of `--log` for the same libraries go before.
const QUIET: &str = "ort=warn,kube_client::client::builder=off";

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
    /// `info,toxicity_model_server=debug`. Texts are logged at no level. ONNX Runtime's many lines take a directive of
    /// their own: `ort=info`.
    #[arg(
        long = "log",
        env = "TOXICITY_LOG",
        global = true,
        default_value = "info",
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
    let filter = filter(&arguments.log_filter)?;
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

fn filter(asked: &str) -> Result<EnvFilter, ParseLogFilterError> {
    let directives = match asked {
        // Less than what the libraries are held down to.
        "error" | "off" => asked.to_owned(),
        _ => format!("{QUIET},{asked}"),
    };
    EnvFilter::builder()
        .parse(directives)
        .map_err(|source| ParseLogFilterError {
            filter: asked.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_quiet_unless_they_are_named() {
        let directives = |asked: &str| filter(asked).unwrap().to_string();
        for (asked, expected) in [
            ("info", "ort=warn"),
            ("debug", "ort=warn"),
            ("info,ort=debug", "ort=debug"),
        ] {
            let directives = directives(asked);
            let ort: Vec<_> = directives
                .split(',')
                .filter(|part| part.starts_with("ort="))
                .collect();
            assert_eq!(ort, [expected], "{asked}: {directives}");
        }
        assert_eq!(directives("error"), "error");
        assert!(filter("=much").is_err());
    }
}
