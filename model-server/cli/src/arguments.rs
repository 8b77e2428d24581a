//! The command line.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use reqwest::Url;
use toxicity_input::InputFormat;

use crate::local::ModelArguments;
use crate::output::OutputFormat;

const EXAMPLES: &str = "\
Examples:
  toxicity score \"You are a kind person.\" \"You are an idiot.\"
  toxicity score --spans --file comments.csv --column body
  toxicity score --file january.jsonl february.jsonl --flagged-only
  toxicity score --file comments.csv.gz --out scored.csv --resume
  tail -F chat.log | toxicity score --flagged-only
  toxicity score --file comments.jsonl --column author.bio --server https://toxicity.example.org \\
      --key-file key.txt --threshold toxic=0.8 --threshold threat=0.3
  toxicity models
  toxicity health --server http://localhost:8000
  toxicity completion bash > ~/.local/share/bash-completion/completions/toxicity";

const STATUS: &str = "\
Exit status:
  0    no text is flagged, or --exit-zero
  1    at least one text is flagged
  2    the command line is wrong
  3    the run failed, or rows failed; the output says which
  130  interrupted";

/// Scores text for toxicity, with the model in this process or at a model server.
#[derive(Debug, Parser)]
#[command(name = "toxicity", version, propagate_version = true, after_help = EXAMPLES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Score texts, files and streams.
    Score(Box<ScoreArguments>),
    /// Show which model scores: its name, revision, labels, thresholds and languages.
    Models(Box<ModelsArguments>),
    /// Say whether texts can be scored now, and if not, why.
    #[command(after_help = "Exit status:\n  0  ready\n  1  not ready\n  2  the command line is wrong")]
    Health(Box<HealthArguments>),
    /// Print the completion of this command line for a shell.
    Completion {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// What to score, and how.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = format!("{STATUS}\n\n{EXAMPLES}"), after_help = STATUS)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct ScoreArguments {
    /// Texts to score; `-` is the standard input. Without texts and files the standard input is read.
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    pub texts: Vec<String>,

    /// Files of texts, by their names CSV, TSV, JSONL or plain text, compressed with gzip or Zstandard or not; `-` is the
    /// standard input. Several are scored one after the other.
    #[arg(short, long, value_name = "FILE", num_args = 1.., help_heading = "Input")]
    pub file: Vec<PathBuf>,

    /// What the input is, in place of what its name says. The standard input is plain text, or JSONL when it begins
    /// with `{`.
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Input")]
    pub input_format: Option<InputFormat>,

    /// Where the text is: the name of a column, or its number from 1; in JSONL the path of a field, such as `author.bio`.
    /// By default the column or field named text, `comment_text`, comment, body, message or content.
    #[arg(short, long, value_name = "NAME", help_heading = "Input")]
    pub column: Option<String>,

    /// The first row of a CSV or TSV file is data.
    #[arg(long, help_heading = "Input")]
    pub no_header: bool,

    /// How to write the result. By default a table on a terminal, what the name of --out says, and else JSONL.
    #[arg(short, long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<OutputFormat>,

    /// File to write in place of the standard output. It appears when it is whole.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,

    /// Go on where an interrupted run of the same command stopped, if there was one.
    #[arg(long, requires_all = ["out", "file"], help_heading = "Output")]
    pub resume: bool,

    /// Name under which verdicts are added to a row: the key in JSON, the first part of a column's name in CSV.
    #[arg(long, default_value = "toxicity", value_name = "NAME", value_parser = name_of_verdicts, help_heading = "Output")]
    pub into: String,

    /// Write only rows that are flagged, and those that failed.
    #[arg(long, help_heading = "Output")]
    pub flagged_only: bool,

    /// No progress bar and no summary.
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,

    /// Exit with 0 also when a text is flagged.
    #[arg(long, help_heading = "Output")]
    pub exit_zero: bool,

    /// Also mark the words that carry the verdict. Takes several times as long for flagged texts, unless the model marks words itself.
    #[arg(long, help_heading = "Verdict")]
    pub spans: bool,

    /// Also score each text with what hides words undone: look-alike letters, spaced-out or leet spelling, invisible
    /// characters.
    #[arg(long, help_heading = "Verdict")]
    pub normalize: bool,

    /// Labels that count, separated by commas. Default: all of the model.
    #[arg(long, value_name = "LABEL", value_delimiter = ',', help_heading = "Verdict")]
    pub labels: Vec<String>,

    /// Who scores.
    #[command(flatten)]
    pub scorer: ScorerArguments,
}

/// Who scores.
#[derive(Debug, Clone, Args)]
#[command(mut_args(for_people))]
pub struct ScorerArguments {
    /// A server.
    #[command(flatten)]
    pub server: ServerArguments,

    /// The model in this process.
    #[command(flatten)]
    pub model: ModelArguments,
}

/// The model server's own flags, as a person needs them who scores a file: thresholds are given one by one, and what only
/// a long-running process has a use for is not shown.
fn for_people(argument: Arg) -> Arg {
    match argument.get_id().as_str() {
        "thresholds" => argument
            .long("threshold")
            .alias("thresholds")
            .help(
                "Score from which a label is flagged, as label=value; may be repeated. Default: the model's",
            )
            .help_heading("Verdict"),
        "model" => argument,
        "cache_bytes" | "drift_learning" | "drift_period" | "model_name" => argument.hide(true),
        _ if argument.get_help_heading() == Some("Model") => argument.hide_short_help(true),
        _ => argument,
    }
}

/// Which server, and how to ask it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArguments {
    /// Model server to ask. Without it the model is loaded into this process.
    #[arg(short, long, env = "TOXICITY_SERVER", value_name = "URL", value_parser = parse_address)]
    pub server: Option<Url>,

    /// API key of the server. Other users of this machine can see it in the list of processes: better use the
    /// environment or --key-file.
    #[arg(long, env = "TOXICITY_API_KEY", hide_env_values = true, value_name = "KEY", value_parser = |key: &str| Ok::<_, Infallible>(Key::new(key)))]
    pub key: Option<Key>,

    /// File that holds the API key; wins over --key.
    #[arg(long, env = "TOXICITY_API_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,

    /// Requests at the same time; never more than the server takes.
    #[arg(long, env = "TOXICITY_PARALLEL", default_value_t = 4, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    pub parallel: u16,

    /// How often to repeat a request that the server refuses for now (429, 502, 503, 504) or whose connection breaks,
    /// with growing pauses in between.
    #[arg(long, env = "TOXICITY_RETRIES", default_value_t = 10, value_name = "COUNT")]
    pub retries: usize,

    /// Ask the server to keep no record of the texts, where it keeps records.
    #[arg(long, env = "TOXICITY_NO_STORE")]
    pub no_store: bool,

    /// Longest time for one request.
    #[arg(long, env = "TOXICITY_TIMEOUT", default_value = "2m", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
}

/// Which model to show, and how.
#[derive(Debug, Clone, Args)]
pub struct ModelsArguments {
    /// How to write it.
    #[arg(short, long, value_enum, default_value_t = ModelsFormat::Table, value_name = "FORMAT")]
    pub output: ModelsFormat,

    /// Who scores.
    #[command(flatten)]
    pub scorer: ScorerArguments,
}

/// How to write what is known of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModelsFormat {
    /// For people.
    Table,
    /// One JSON object.
    Json,
}

/// Whose health.
#[derive(Debug, Clone, Args)]
pub struct HealthArguments {
    /// Who scores.
    #[command(flatten)]
    pub scorer: ScorerArguments,
}

/// An API key, which no debug output shows.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// A key as it was typed or read; white space around it is none of it.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(key.trim().to_owned())
    }

    /// The key itself.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(…)")
    }
}

/// Not `text`, which is what a text that comes without a name is called in the output.
fn name_of_verdicts(name: &str) -> Result<String, &'static str> {
    match name {
        "" | "text" => Err("choose a name that is not empty and not \"text\""),
        name => Ok(name.to_owned()),
    }
}

fn parse_address(address: &str) -> Result<Url, String> {
    Url::parse(address)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| "write it as http://host:8000 or https://host".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, String> {
        Arguments::try_parse_from(["toxicity"].iter().chain(arguments)).map_err(|error| error.to_string())
    }

    fn score(arguments: &[&str]) -> ScoreArguments {
        match parse(&[&["score"], arguments].concat()).unwrap().command {
            Command::Score(arguments) => *arguments,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn thresholds_may_be_repeated_or_separated_by_commas() {
        let thresholds = |arguments: &[&str]| crate::local::thresholds(&score(arguments).scorer.model);
        let both = vec![("toxic".to_owned(), 0.8), ("threat".to_owned(), 0.3)];
        assert_eq!(
            thresholds(&["hi", "--threshold", "toxic=0.8", "--threshold", "threat=0.3"]),
            both
        );
        assert_eq!(thresholds(&["hi", "--threshold", "toxic=0.8,threat=0.3"]), both);
    }

    #[test]
    fn wrong_values_name_the_flag_and_the_remedy() {
        let error = |arguments: &[&str]| parse(&[&["score"], arguments].concat()).unwrap_err();
        assert!(error(&["--server", "localhost:8000"]).contains("http://host:8000"));
        assert!(error(&["--threshold", "toxic", "hi"]).contains("toxic=0.7"));
        assert!(error(&["--output", "xml", "hi"]).contains("jsonl"));
        assert!(error(&["--resume", "--file", "a.csv"]).contains("--out"));
        assert!(error(&["hi", "--file", "a.csv"]).contains("--file"));
        assert_eq!(score(&["--file", "a.csv", "b.csv", "-f", "c.csv"]).file.len(), 3);
        assert!(error(&["--parallel", "0"]).contains("--parallel"));
        assert!(error(&["--into", "text"]).contains("--into"));
    }

    #[test]
    fn no_debug_output_shows_the_key() {
        let arguments = score(&["hi", "--key", "sesame"]);
        assert!(!format!("{arguments:?}").contains("sesame"));
        assert_eq!(arguments.scorer.server.key.unwrap().secret(), "sesame");
    }
}
