//! Command line and environment of the model server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand};
use toxicity_api::Limits;
use toxicity_service::LogArguments;

use crate::engine::EngineOptions;
use crate::model::{ModelOverrides, ModelSource, ThresholdOverride};

/// Scores text for toxicity: a Hugging Face sequence classifier in ONNX behind HTTP.
///
/// Every flag is also an environment variable; the command line wins.
#[derive(Debug, Parser)]
#[command(name = "toxicity-model-server", version, propagate_version = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// How to log.
    #[command(flatten)]
    pub log: LogArguments,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a model over HTTP until SIGTERM or Ctrl-C.
    Serve(ServeArguments),
    /// Load a model, print what it is as JSON and exit.
    Info(ModelArguments),
    /// Measure the bare sessions, without HTTP, on the lines of a file and print texts per second as JSON.
    Bench(BenchArguments),
}

/// Which model, and what runs it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArguments {
    /// Model to load: `bundled`, a folder, or `file:///absolute/folder`. A model folder holds `config.json`,
    /// `tokenizer.json` and `model.onnx` (or `onnx/model*.onnx`), and may hold `thresholds.json`.
    #[arg(
        long,
        env = "TOXICITY_MODEL",
        default_value = "bundled",
        value_name = "SOURCE"
    )]
    pub model: ModelSource,

    /// Name of the model in answers and metrics; by default the name of its folder.
    #[arg(long, env = "TOXICITY_MODEL_NAME", value_name = "NAME")]
    pub model_name: Option<String>,

    /// Score from which a label is flagged, as label=value; several are separated by commas. Default: the model's
    /// `thresholds.json`, else 0.5.
    #[arg(
        long,
        env = "TOXICITY_THRESHOLDS",
        value_delimiter = ',',
        value_name = "LABEL=VALUE"
    )]
    pub thresholds: Vec<ThresholdOverride>,

    /// Tokens of one forward pass, special tokens included. Default: `model_max_length` of the tokenizer, else the
    /// positions of the model.
    #[arg(long, env = "TOXICITY_WINDOW_TOKENS", value_name = "TOKENS")]
    pub window_tokens: Option<usize>,

    /// Tokens that neighbouring windows of a long text share. Default: a quarter of the window.
    #[arg(long, env = "TOXICITY_WINDOW_OVERLAP", value_name = "TOKENS")]
    pub window_overlap: Option<usize>,

    /// Sessions that score at the same time, each on a thread of its own. Default: the cores this
    /// process may use (cgroup quota and affinity, rounded down).
    #[arg(long, env = "TOXICITY_SESSIONS", value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub sessions: Option<u16>,

    /// ONNX Runtime library (libonnxruntime.so). Default: beside the executable, or in `../lib`.
    #[arg(long, env = "TOXICITY_ONNXRUNTIME", value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,
}

/// How to serve.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct ServeArguments {
    /// Address to serve on.
    #[arg(
        long,
        env = "TOXICITY_LISTEN",
        default_value = "127.0.0.1:8000",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: SocketAddr,

    /// Also serve /metrics on this address, for clusters that keep scraping off the public port.
    #[arg(long, env = "TOXICITY_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<SocketAddr>,

    /// Largest request body, in bytes; more is answered with 413.
    #[arg(long, env = "TOXICITY_MAX_BODY_BYTES", default_value_t = 1024 * 1024, value_name = "BYTES", value_parser = at_least_one())]
    pub max_body_bytes: usize,

    /// Most texts in one call; more is answered with 422.
    #[arg(
        long,
        env = "TOXICITY_MAX_TEXTS",
        default_value_t = 1000,
        value_name = "COUNT",
        value_parser = at_least_one()
    )]
    pub max_texts: usize,

    /// Most characters (Unicode scalar values) in one text; more is answered with 422.
    #[arg(
        long,
        env = "TOXICITY_MAX_CHARACTERS",
        default_value_t = 20_000,
        value_name = "COUNT",
        value_parser = at_least_one()
    )]
    pub max_characters: usize,

    /// Requests that are scored or wait at the same time; one more is answered with 429.
    #[arg(
        long,
        env = "TOXICITY_MAX_CONCURRENT_REQUESTS",
        default_value_t = 256,
        value_name = "COUNT",
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub max_concurrent_requests: u16,

    /// Longest time for one request, such as 30s or 1m; after it the answer is 503.
    #[arg(long, env = "TOXICITY_REQUEST_TIMEOUT", default_value = "30s", value_parser = humantime::parse_duration)]
    pub request_timeout: Duration,

    /// Time after SIGTERM or Ctrl-C in which requests are still taken, while the readiness probe fails and each answer
    /// ends its connection: what a load balancer needs to learn that this server goes.
    #[arg(long, env = "TOXICITY_SHUTDOWN_DELAY", default_value = "0s", value_parser = humantime::parse_duration)]
    pub shutdown_delay: Duration,

    /// Longest time to finish running requests after that.
    #[arg(long, env = "TOXICITY_SHUTDOWN_TIMEOUT", default_value = "25s", value_parser = humantime::parse_duration)]
    pub shutdown_timeout: Duration,

    /// Which model.
    #[command(flatten)]
    pub model: ModelArguments,
}

/// What to measure.
#[derive(Debug, Clone, Args)]
pub struct BenchArguments {
    /// Which model.
    #[command(flatten)]
    pub model: ModelArguments,

    /// File with one text per line.
    #[arg(long, value_name = "FILE")]
    pub texts: PathBuf,

    /// Tokenize each text every time; without this the forward passes alone are measured.
    #[arg(long)]
    pub tokenize: bool,

    /// How long to measure.
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration)]
    pub duration: Duration,
}

impl ModelArguments {
    /// What the engine needs to know. `max_requests` bounds its queue.
    #[must_use]
    pub fn engine_options(&self, max_requests: usize) -> EngineOptions {
        EngineOptions {
            source: self.model.clone(),
            overrides: ModelOverrides {
                name: self.model_name.clone(),
                window_tokens: self.window_tokens,
                overlap_tokens: self.window_overlap,
                thresholds: self.thresholds.clone(),
            },
            onnxruntime: self.onnxruntime.clone(),
            sessions: self.sessions(),
            max_requests,
        }
    }

    /// Sessions that score at the same time.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.map_or_else(available_cores, usize::from)
    }
}

impl ServeArguments {
    /// What one call may ask for.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            body_bytes: self.max_body_bytes,
            texts: self.max_texts,
            characters: self.max_characters,
            concurrent_requests: usize::from(self.max_concurrent_requests),
        }
    }
}

fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// Cores this process may use. The standard library reads the affinity mask and the cgroup quota and rounds down.
fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_flag_of_serve_is_also_an_environment_variable() {
        let command = Arguments::command();
        let serve = command.find_subcommand("serve").expect("serve exists");
        for argument in serve
            .get_arguments()
            .filter(|argument| argument.get_long().is_some())
        {
            let name = argument.get_id().as_str();
            if matches!(name, "help" | "version") {
                continue;
            }
            let variable = argument
                .get_env()
                .and_then(std::ffi::OsStr::to_str)
                .unwrap_or_default();
            assert!(
                variable.starts_with("TOXICITY_"),
                "{name} has the variable {variable:?}"
            );
        }
    }

    #[test]
    fn wrong_values_name_the_flag() {
        let parse = |arguments: &[&str]| {
            let all = ["toxicity-model-server", "serve"].iter().chain(arguments);
            Arguments::try_parse_from(all).unwrap_err().to_string()
        };
        assert!(parse(&["--thresholds", "toxic"]).contains("label=value"));
        assert!(parse(&["--listen", "8000"]).contains("--listen"));
        assert!(parse(&["--sessions", "0"]).contains("--sessions"));
        assert!(parse(&["--max-texts", "0"]).contains("--max-texts"));
        assert!(parse(&["--model", "s3://bucket/model"]).contains("file:///"));
    }
}
