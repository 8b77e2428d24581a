//! The comments' scores, by the command line for people: it asks a server in batches, a bounded number of them at a time,
//! and asks again where it is told to wait.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::process::{command_line, output, start_error};

/// Name under which a row gets its verdict. No data set has a column of this name.
const VERDICT: &str = "xtask_eval_verdict";

const REMEDY: &str = "Its message above says why.";

/// What a server says of its model.
#[derive(Debug, Deserialize)]
pub struct ServedModel {
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// From which score on each label is flagged.
    pub thresholds: Map<String, Value>,
}

/// A comment as the file has it, and what the model says of it.
#[derive(Debug)]
pub struct ScoredRow {
    /// Number of the row, from 1.
    pub number: u64,
    /// What stands in its columns.
    pub columns: Map<String, Value>,
    /// Score by label.
    pub scores: Map<String, Value>,
    /// Labels that reach their thresholds.
    pub flags: Vec<String>,
    /// Marked words, in reading order; none unless they were asked for.
    pub spans: Vec<Place>,
}

/// Where a marked word stands.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Place {
    /// Its first byte.
    pub begin: usize,
    /// The byte after its last one.
    pub end: usize,
}

#[derive(Debug, Deserialize)]
struct Span {
    bytes: Place,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Verdict {
    Scored {
        row: u64,
        scores: Map<String, Value>,
        flags: Vec<String>,
        #[serde(default)]
        spans: Vec<Span>,
    },
    Failed {
        row: u64,
        error: String,
    },
}

/// Has comments scored by a server.
pub struct Scorer {
    /// The command line for people.
    pub program: PathBuf,
    /// The server.
    pub url: String,
    /// Its API key.
    pub key: Option<String>,
}

impl Scorer {
    /// The model that scores.
    ///
    /// # Errors
    /// When the server does not say.
    pub fn model(&self) -> Result<ServedModel, Error> {
        let mut command = self.command(&["models", "--output", "json"]);
        let printed = output(&mut command, REMEDY)?;
        serde_json::from_str(&printed).map_err(|error| unreadable(&command, &error.to_string()))
    }

    /// Has all rows of a file scored, with marked words where `spans`, and hands each to `take`.
    ///
    /// # Errors
    /// When a row cannot be scored, or `take` fails.
    pub fn score(
        &self,
        file: &Path,
        spans: bool,
        mut take: impl FnMut(&ScoredRow) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut command = self.command(&["score", "--exit-zero", "--no-store", "--output", "jsonl"]);
        command.args(spans.then_some("--spans"));
        command.args(["--into", VERDICT, "--file"]).arg(file);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|source| start_error(&command, "Build it by `cargo xtask build`.", source))?;
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        for line in lines {
            let row = line
                .map_err(|error| unreadable(&command, &error.to_string()))
                .and_then(|line| read(&line, file, &command));
            if let Err(error) = row.and_then(|row| take(&row)) {
                // It may have ended in between, which is what is wanted.
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        }
        let status = child
            .wait()
            .map_err(|source| start_error(&command, REMEDY, source))?;
        if status.success() {
            return Ok(());
        }
        Err(Error::RunCommand {
            command: command_line(&command),
            status,
            remedy: REMEDY.to_owned(),
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).args(["--server", &self.url]);
        // Not as an argument, which other users of the machine could read.
        command.envs(self.key.as_ref().map(|key| ("TOXICITY_API_KEY", key)));
        command
    }
}

fn read(line: &str, file: &Path, command: &Command) -> Result<ScoredRow, Error> {
    let columns: Result<Map<String, Value>, _> = serde_json::from_str(line);
    let mut columns = columns.map_err(|error| unreadable(command, &error.to_string()))?;
    let verdict = columns.remove(VERDICT).unwrap_or_default();
    match serde_json::from_value(verdict) {
        Ok(Verdict::Scored {
            row,
            scores,
            flags,
            spans,
        }) => Ok(ScoredRow {
            number: row,
            columns,
            scores,
            flags,
            spans: spans.into_iter().map(|span| span.bytes).collect(),
        }),
        Ok(Verdict::Failed { row, error }) => Err(Error::ReadLabels {
            path: file.to_owned(),
            message: format!("row {row} cannot be scored: {error}"),
        }),
        Err(error) => Err(unreadable(command, &error.to_string())),
    }
}

fn unreadable(command: &Command, message: &str) -> Error {
    Error::ReadMeasurement {
        command: command_line(command),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<ScoredRow, Error> {
        super::read(line, Path::new("data.csv"), &Command::new("toxicity"))
    }

    #[test]
    fn a_row_is_its_columns_and_its_verdict() {
        let row = read(
            r#"{"text": "hi", "toxic": "1", "xtask_eval_verdict": {"row": 3, "flagged": true, "flags": ["toxic"],
                "scores": {"toxic": 0.75}, "tokens": 1, "windows": 1}}"#,
        )
        .unwrap();
        assert_eq!((row.number, row.flags), (3, vec!["toxic".to_owned()]));
        assert_eq!(row.columns["toxic"], "1");
        assert_eq!(row.scores["toxic"], 0.75);
        assert!(!row.columns.contains_key(VERDICT));
    }

    #[test]
    fn a_row_without_a_verdict_is_an_error_that_names_it() {
        let error = |line| read(line).unwrap_err().to_string();
        let told = error(r#"{"text": "", "xtask_eval_verdict": {"row": 3, "error": "the text is empty"}}"#);
        assert!(
            told.contains("row 3 cannot be scored: the text is empty"),
            "{told}"
        );
        assert!(error("{}").contains("failed to understand what `toxicity` printed"));
        assert!(error("no").contains("failed to understand what `toxicity` printed"));
    }
}
