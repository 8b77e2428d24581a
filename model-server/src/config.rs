//! Command line and environment of the model server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use clap::builder::RangedU64ValueParser;
use clap::{Arg, Args, Parser, Subcommand};
use toxicity_api::Limits;
use toxicity_input::InputFormat;
use toxicity_model_source::{
    Checksum, Environment, FetchError, FetchOptions, FetchedModel, ModelSource, default_cache, fetch,
    progress,
};
use toxicity_service::{LogArguments, TlsArguments, TraceArguments};

use crate::backend::{Provider, SessionOptions};
use crate::calibrate::{OldThreshold, ScoreColumn};
use crate::drift::DriftOptions;
use crate::engine::EngineOptions;
use crate::model::{ModelOverrides, ThresholdOverride};
use crate::scheduler::Batching;

/// Tokens of a batch on an accelerator, padding included.
const ACCELERATOR_BATCH_TOKENS: usize = 16_384;

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
#[allow(clippy::large_enum_variant, reason = "there is one, once per process")]
pub enum Command {
    /// Serve a model over HTTP until SIGTERM or Ctrl-C.
    Serve(ServeArguments),
    /// Fetch a model into the cache, check it and print its folder.
    Pull(ModelArguments),
    /// Check a fetched model folder against the sums that were noted when it was fetched.
    Verify(VerifyArguments),
    /// Make API keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Load a model, print what it is as JSON and exit.
    Info(ModelArguments),
    /// Measure the bare sessions, without HTTP, on the lines of a file and print texts per second as JSON.
    Bench(BenchArguments),
    /// Choose the thresholds at which a model flags the same share of comments as the scores of another service did.
    Calibrate(CalibrateArguments),
}

/// Which model, and what runs it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArguments {
    /// Model to load: `bundled`, a folder, `file:///absolute/folder`, `hf://owner/name[@revision]`, `https://…` (an archive,
    /// or a folder when it ends in /), `s3://bucket/path`, `gs://bucket/path`, `az://container/path` or
    /// `oci://registry/name:tag`. A model folder holds `config.json`, `tokenizer.json` and `model.onnx` (or
    /// `onnx/model*.onnx`), and may hold `thresholds.json` and `reference.json`.
    #[arg(
        long,
        env = "TOXICITY_MODEL",
        default_value = "bundled",
        value_name = "SOURCE"
    )]
    pub model: ModelSource,

    /// Branch, tag or commit of a source `hf://owner/name` that names none itself.
    #[arg(long, env = "TOXICITY_MODEL_REVISION", value_name = "REVISION")]
    pub model_revision: Option<String>,

    /// SHA-256 that the ONNX file (or the archive, where the source is one) must have; another one is refused.
    #[arg(long, env = "TOXICITY_MODEL_SHA256", value_name = "HEX")]
    pub model_sha256: Option<Checksum>,

    /// Which ONNX file of the source, where there are several: its path in the folder, or its name alone.
    #[arg(long, env = "TOXICITY_MODEL_FILE", value_name = "NAME")]
    pub model_file: Option<String>,

    /// Folder for downloaded models. Default: `toxicity-monitor/models` in the user's cache folder.
    #[arg(long, env = "TOXICITY_MODEL_CACHE", value_name = "FOLDER")]
    pub model_cache: Option<PathBuf>,

    /// Use only what was downloaded before.
    #[arg(long, env = "TOXICITY_OFFLINE")]
    pub offline: bool,

    /// Download by plain HTTP from other machines too, which anybody on the way can read and change.
    #[arg(long, env = "TOXICITY_ALLOW_HTTP")]
    pub allow_http: bool,

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

    /// Languages that the model judges, as ISO 639-1 codes separated by commas; `*` stands for any. A client that asks
    /// for another one is told so.
    #[arg(
        long,
        env = "TOXICITY_LANGUAGES",
        value_delimiter = ',',
        default_value = "en",
        value_name = "CODE"
    )]
    pub languages: Vec<String>,

    /// Memory for the scores of texts that come again, in bytes; 0 keeps none.
    #[arg(long, env = "TOXICITY_CACHE_BYTES", default_value_t = 32 * 1024 * 1024, value_name = "BYTES")]
    pub cache_bytes: usize,

    /// Time for which the usual spread of the scores is learned, where the model brings none as `reference.json`.
    #[arg(long, env = "TOXICITY_DRIFT_LEARNING", default_value = "24h", value_parser = humantime::parse_duration)]
    pub drift_learning: Duration,

    /// Time of which the scores are compared with that spread.
    #[arg(long, env = "TOXICITY_DRIFT_PERIOD", default_value = "1h", value_parser = humantime::parse_duration)]
    pub drift_period: Duration,

    /// Sessions that score at the same time, each on a thread of its own. Default: the cores that this process may
    /// use (cgroup quota and affinity, rounded down), divided by --intra-threads; on an accelerator 1.
    #[arg(long, env = "TOXICITY_SESSIONS", value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub sessions: Option<u16>,

    /// Threads of one session. On processors more sessions of one thread each are faster. A text that is alone is scored
    /// on up to four cores anyway, unless more than one is asked for here.
    #[arg(long, env = "TOXICITY_INTRA_THREADS", default_value_t = 1, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub intra_threads: u16,

    /// What the model runs on; the ONNX Runtime library must have been built with it.
    #[arg(long, env = "TOXICITY_PROVIDER", value_enum, default_value_t = Provider::Cpu)]
    pub provider: Provider,

    /// Tokens of a batch of forward passes. On processors only sequences of the same length are put together, on an
    /// accelerator shorter ones are padded; 0 runs each alone. Default: 0 on processors, 16384 on an accelerator. Models
    /// that are quantised dynamically, as the bundled one, score a text a little differently by what it is put together
    /// with; other models gain some rate by 512.
    #[arg(long, env = "TOXICITY_MAX_BATCH_TOKENS", value_name = "TOKENS")]
    pub max_batch_tokens: Option<usize>,

    /// Let ONNX Runtime fuse `SkipLayerNormalization` when it loads a model. Its kernel for processors is slower than its
    /// parts, so it is off; on an accelerator it is always on.
    #[arg(long, env = "TOXICITY_FUSE_SKIP_LAYER_NORM")]
    pub fuse_skip_layer_norm: bool,

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

    /// Also score each text with what hides words undone (look-alike letters, spaced-out or leet spelling, invisible
    /// characters), and take the higher score of each label. Requests of the native protocol can ask for it one by one.
    #[arg(long, env = "TOXICITY_NORMALIZE")]
    pub normalize: bool,

    /// File of hashed API keys, one a line; `toxicity-model-server keys create NAME` makes a key and its line. Read anew
    /// when it changes. Without it everybody may ask.
    #[arg(long, env = "TOXICITY_API_KEYS_FILE", value_name = "FILE")]
    pub api_keys_file: Option<PathBuf>,

    /// Web pages that may ask from a browser, such as `https://forum.example`; several are separated by commas, `*` stands
    /// for any. Without it browsers let no other page ask.
    #[arg(
        long,
        env = "TOXICITY_CORS_ORIGINS",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    pub cors_origins: Vec<HeaderValue>,

    /// Database in which verdicts and feedback are kept: `sqlite:///file.db` for a server alone, or
    /// `postgres://user:password@host/name` for replicas. Without it nothing is kept.
    #[arg(
        long,
        env = "TOXICITY_RECORDS_URL",
        value_name = "URL",
        hide_env_values = true,
        conflicts_with = "records_url_file"
    )]
    pub records_url: Option<String>,

    /// File that holds the URL of that database.
    #[arg(long, env = "TOXICITY_RECORDS_URL_FILE", value_name = "FILE")]
    pub records_url_file: Option<PathBuf>,

    /// Time for which records are kept, such as 30d; without it for ever.
    #[arg(long, env = "TOXICITY_RECORDS_RETENTION", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub records_retention: Option<Duration>,

    /// Time after SIGTERM or Ctrl-C in which requests are still taken, while the readiness probe fails and each answer
    /// ends its connection: what a load balancer needs to learn that this server goes.
    #[arg(long, env = "TOXICITY_SHUTDOWN_DELAY", default_value = "0s", value_parser = humantime::parse_duration)]
    pub shutdown_delay: Duration,

    /// Longest time to finish running requests after that.
    #[arg(long, env = "TOXICITY_SHUTDOWN_TIMEOUT", default_value = "25s", value_parser = humantime::parse_duration)]
    pub shutdown_timeout: Duration,

    /// A second model that scores a share of the texts in the shadow of the first: what it says is compared and counted
    /// in the metrics, never answered.
    #[arg(long, env = "TOXICITY_SHADOW_MODEL", value_name = "SOURCE")]
    pub shadow_model: Option<ModelSource>,

    /// Texts of a hundred that the second model scores.
    #[arg(long, env = "TOXICITY_SHADOW_PERCENT", default_value_t = 10, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub shadow_percent: u8,

    /// Which model.
    #[command(flatten)]
    pub model: ModelArguments,

    /// By which certificate.
    #[command(flatten)]
    pub tls: TlsArguments,

    /// Where traces go.
    #[command(flatten)]
    pub traces: TraceArguments,
}

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key: prints it once, and the line for the file of --api-keys-file, which holds only its hash.
    Create {
        /// Name of the key, for people and logs.
        name: String,
        /// What else the line says: `tenant=forum`, `rate=50`, `burst=100`, `thresholds=toxic=0.8,threat=0.3`, `admin`.
        attributes: Vec<String>,
    },
}

/// What to check.
#[derive(Debug, Clone, Args)]
pub struct VerifyArguments {
    /// Folder to check. Default: the one that the model source was fetched into.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,

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

const CALIBRATE_HELP: &str = "\
The file has a column of texts, and for each label a column of old scores from 0 to 1, named by a label of the model
(toxic, severe_toxic, obscene, threat, insult, identity_hate) or by an attribute of Google's Perspective API (TOXICITY,
SEVERE_TOXICITY, PROFANITY, THREAT, INSULT, IDENTITY_ATTACK). In JSONL these are fields; an answer of Perspective as it
came, with its \"attributeScores\", is understood too. A row without an old score is left out for that label.

Examples:
  toxicity-model-server calibrate --from scores.csv --old-threshold 0.8
  toxicity-model-server calibrate --from log.jsonl.gz --old-threshold toxic=0.7,insult=0.8 --out models/mine/thresholds.json
  toxicity-model-server calibrate --from scores.csv --column-text body --column-score toxic=perspective --old-threshold 0.8";

/// What thresholds are chosen by.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Calibration", mut_args(for_calibration), after_help = CALIBRATE_HELP)]
pub struct CalibrateArguments {
    /// File of texts and their old scores, by its name CSV, TSV or JSONL, compressed with gzip or Zstandard or not. It is
    /// read twice.
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,

    /// Old score from which a comment was flagged: a value for all labels, label=value for one, or both; several are
    /// separated by commas.
    #[arg(
        long,
        required = true,
        value_delimiter = ',',
        value_name = "VALUE|LABEL=VALUE"
    )]
    pub old_threshold: Vec<OldThreshold>,

    /// Where the text is: the name of a column, or its number from 1; in JSONL the path of a field, such as
    /// `comment.body`. By default the column or field named text, `comment_text`, comment, body, message or content.
    #[arg(long, visible_alias = "column", value_name = "NAME")]
    pub column_text: Option<String>,

    /// Where the old scores of a label are, if not under its name: the name of a column; in JSONL the path of a field.
    #[arg(long, value_delimiter = ',', value_name = "LABEL=NAME")]
    pub column_score: Vec<ScoreColumn>,

    /// What the file is, in place of what its name says.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub input_format: Option<InputFormat>,

    /// File for the thresholds that were chosen. In the folder of a model, `thresholds.json` sets those of the model.
    #[arg(long, default_value = "thresholds.json", value_name = "FILE")]
    pub out: PathBuf,

    /// Score the texts as `serve --normalize` does.
    #[arg(long)]
    pub normalize: bool,

    /// Print what was found out as JSON in place of a table.
    #[arg(long)]
    pub json: bool,

    /// Which model.
    #[command(flatten)]
    pub model: ModelArguments,
}

/// Hides what changes no score.
fn for_calibration(argument: Arg) -> Arg {
    match argument.get_id().as_str() {
        "thresholds" | "languages" | "cache_bytes" | "drift_learning" | "drift_period" | "model_name" => {
            argument.hide(true)
        }
        _ => argument,
    }
}

impl ModelArguments {
    /// How the model is fetched.
    #[must_use]
    pub fn fetch_options(&self) -> FetchOptions {
        let environment = Environment::of_process();
        let cache = self.model_cache.clone().or_else(|| default_cache(&environment));
        FetchOptions {
            revision: self.model_revision.clone(),
            sha256: self.model_sha256.clone(),
            onnx_file: self.model_file.clone(),
            offline: self.offline,
            allow_http: self.allow_http,
            // Where there is no home, downloads last as long as the machine's temporary files.
            ..FetchOptions::new(cache.unwrap_or_else(|| std::env::temp_dir().join("toxicity-monitor/models")))
        }
    }

    /// Fetches the model where it is not on this machine, and waits for it. Must not be called within a runtime.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn fetch(&self) -> Result<FetchedModel, FetchError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime of one thread starts");
        let progress = progress::on_standard_error();
        runtime.block_on(fetch(&self.model, &self.fetch_options(), &*progress))
    }

    /// What the engine needs to know but for the folder of the model. `max_requests` bounds its queue.
    #[must_use]
    pub fn engine_options(&self, max_requests: usize) -> EngineOptions {
        EngineOptions {
            folder: PathBuf::new(),
            overrides: ModelOverrides {
                name: self.model_name.clone(),
                window_tokens: self.window_tokens,
                overlap_tokens: self.window_overlap,
                thresholds: self.thresholds.clone(),
                languages: self.languages.clone(),
                onnx_file: self.model_file.clone(),
            },
            onnxruntime: self.onnxruntime.clone(),
            sessions: self.sessions(),
            session: SessionOptions {
                provider: self.provider,
                intra_threads: usize::from(self.intra_threads),
                fuse_skip_layer_norm: self.fuse_skip_layer_norm,
            },
            max_requests,
            batching: self.batching(),
            cache_bytes: self.cache_bytes,
            drift: DriftOptions {
                learning: self.drift_learning,
                period: self.drift_period,
            },
        }
    }

    /// Sessions that score at the same time.
    #[must_use]
    pub fn sessions(&self) -> usize {
        let default = || match self.provider {
            Provider::Cpu => (available_cores() / usize::from(self.intra_threads)).max(1),
            Provider::Cuda | Provider::OpenVino => 1,
        };
        self.sessions.map_or_else(default, usize::from)
    }

    fn batching(&self) -> Batching {
        match (self.provider, self.max_batch_tokens) {
            (_, Some(0)) | (Provider::Cpu | Provider::OpenVino, None) => Batching::Single,
            (Provider::Cuda, tokens) => Batching::Padded {
                tokens: tokens.unwrap_or(ACCELERATOR_BATCH_TOKENS),
            },
            (Provider::Cpu | Provider::OpenVino, Some(tokens)) => Batching::EqualLengths { tokens },
        }
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
            // What OpenTelemetry names is called by that name everywhere.
            let prefix = if name.starts_with("otlp_") {
                "OTEL_"
            } else {
                "TOXICITY_"
            };
            assert!(
                variable.starts_with(prefix),
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
        assert!(parse(&["--model", "ftp://host/model"]).contains("hf://"));
        assert!(parse(&["--model-sha256", "abc"]).contains("--model-sha256"));
    }
}
