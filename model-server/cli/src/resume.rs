//! What an interrupted run leaves behind, so that the same command can go on with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toxicity_input::SourceIdentity;

use crate::row::Tally;

/// What must be the same for a run to go on where another ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The files, in their order.
    pub inputs: Vec<SourceIdentity>,
    /// Everything else that the output depends on, by the name of the option or of the thing.
    pub settings: BTreeMap<String, String>,
}

/// How far a run came: the rows that were read, and the bytes that were written for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Which run.
    pub run: Run,
    /// What became of the rows so far. As many are skipped when the run goes on.
    pub tally: Tally,
    /// Bytes of the output that hold these rows; what lies behind them is written again.
    pub output_bytes: u64,
    /// Whether nothing was left but to put the output in its place.
    pub complete: bool,
}

/// Why a run cannot go on where another ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DifferentRunError {
    /// Other files, or more or fewer of them.
    #[error("it read {before}, and this one reads {now}")]
    Inputs {
        /// The files then.
        before: String,
        /// The files now.
        now: String,
    },
    /// A file is not what it was.
    #[error("\"{0}\" has changed since")]
    InputContent(String),
    /// Something else that decides what is written.
    #[error("{name} was {before}, and is {now} now")]
    Setting {
        /// The option or the thing.
        name: String,
        /// Its value then.
        before: String,
        /// Its value now.
        now: String,
    },
}

impl Run {
    /// Whether this run may go on with what `before` left.
    ///
    /// # Errors
    /// The first difference.
    pub fn can_resume(&self, before: &Self) -> Result<(), DifferentRunError> {
        let paths = |run: &Self| {
            let paths = run
                .inputs
                .iter()
                .map(|input| format!("\"{}\"", input.path.display()));
            paths.collect::<Vec<_>>().join(", ")
        };
        let (paths_before, paths_now) = (paths(before), paths(self));
        if paths_before != paths_now {
            return Err(DifferentRunError::Inputs {
                before: paths_before,
                now: paths_now,
            });
        }
        let mut inputs = before.inputs.iter().zip(&self.inputs);
        if let Some((_, changed)) = inputs.find(|(before, now)| before != now) {
            let path = changed.path.display().to_string();
            return Err(DifferentRunError::InputContent(path));
        }
        let names = before.settings.keys().chain(self.settings.keys());
        let value = |run: &Self, name| match run.settings.get(name) {
            Some(value) => format!("\"{value}\""),
            None => "not set".to_owned(),
        };
        let mut differences = names.filter(|name| before.settings.get(*name) != self.settings.get(*name));
        match differences.next() {
            None => Ok(()),
            Some(name) => Err(DifferentRunError::Setting {
                name: name.clone(),
                before: value(before, name),
                now: value(self, name),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(inputs: &[(&str, u64)], settings: &[(&str, &str)]) -> Run {
        Run {
            inputs: inputs
                .iter()
                .map(|&(path, bytes)| SourceIdentity {
                    path: path.into(),
                    bytes,
                    head_sha256: String::new(),
                })
                .collect(),
            settings: settings
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_run_goes_on_only_with_its_like() {
        let before = run(&[("a.csv", 10)], &[("--column", "body")]);
        assert_eq!(before.can_resume(&before), Ok(()));
        let refusal = |now: Run| now.can_resume(&before).unwrap_err().to_string();
        assert_eq!(
            refusal(run(&[("b.csv", 10)], &[("--column", "body")])),
            "it read \"a.csv\", and this one reads \"b.csv\""
        );
        assert_eq!(
            refusal(run(&[("a.csv", 11)], &[("--column", "body")])),
            "\"a.csv\" has changed since"
        );
        assert_eq!(
            refusal(run(&[("a.csv", 10)], &[("--column", "text")])),
            "--column was \"body\", and is \"text\" now"
        );
        assert_eq!(
            refusal(run(&[("a.csv", 10)], &[])),
            "--column was \"body\", and is not set now"
        );
        assert_eq!(
            refusal(run(&[("a.csv", 10)], &[("--column", "body"), ("--spans", "yes")])),
            "--spans was not set, and is \"yes\" now"
        );
    }
}
