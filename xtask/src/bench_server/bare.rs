//! The bare sessions: texts straight into ONNX Runtime, a thread for each session, without HTTP or queue.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::resource::UsageWho;
use serde::Deserialize;

use super::process_usage::rusage_seconds;
use crate::error::Error;
use crate::process::output;

/// So short that little else is done than loading the model and scoring a text on each session.
const SHORTEST: Duration = Duration::from_millis(1);

/// What is measured.
#[derive(Debug)]
pub struct Bare<'a> {
    /// The model server, which can do this too.
    pub program: &'a Path,
    /// Model folder.
    pub model: &'a Path,
    /// File with one text per line.
    pub texts: PathBuf,
    /// For how long.
    pub duration: Duration,
}

/// What the program did.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct BareRate {
    /// Sessions, each with a thread.
    pub sessions: usize,
    /// Texts that they scored.
    texts: f64,
    /// Texts per second of all of them.
    pub texts_per_second: f64,
    /// Processor time of the program, in seconds.
    #[serde(skip)]
    cpu: f64,
}

impl BareRate {
    /// Processor time for each text, in milliseconds, without what it takes to get so far as `start`.
    pub fn cpu_per_text(&self, start: &Self) -> f64 {
        1e3 * (self.cpu - start.cpu) / (self.texts - start.texts)
    }
}

/// How much of the way of a text is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Forward passes of texts whose tokens are ready.
    Passes,
    /// Tokens are made of each text too.
    TokensAndPasses,
}

impl Bare<'_> {
    /// Measures with one session, or else as many as the server has.
    ///
    /// # Errors
    /// When the program fails.
    pub fn rate(&self, sessions: Option<usize>, work: Work) -> Result<BareRate, Error> {
        self.run(sessions, work, self.duration)
    }

    /// Only starts as many sessions as the server has.
    ///
    /// # Errors
    /// When the program fails.
    pub fn start(&self) -> Result<BareRate, Error> {
        self.run(None, Work::Passes, SHORTEST)
    }

    fn run(&self, sessions: Option<usize>, work: Work, duration: Duration) -> Result<BareRate, Error> {
        let mut command = Command::new(self.program);
        command
            .args(["bench", "--log", "warn", "--model"])
            .arg(self.model);
        command.arg("--texts").arg(&self.texts);
        command.args(["--duration", &format!("{}ms", duration.as_millis())]);
        if work == Work::TokensAndPasses {
            command.arg("--tokenize");
        }
        if let Some(sessions) = sessions {
            command.args(["--sessions", &sessions.to_string()]);
        }
        let failed = |source| Error::Measure {
            what: "the bare sessions",
            source,
        };
        let before = rusage_seconds(UsageWho::RUSAGE_CHILDREN).map_err(failed)?;
        let printed = output(&mut command, "Its message above says why.")?;
        let cpu = rusage_seconds(UsageWho::RUSAGE_CHILDREN).map_err(failed)? - before;
        let line = printed.lines().rev().find(|line| line.starts_with('{'));
        let rate: BareRate =
            serde_json::from_str(line.unwrap_or_default()).map_err(|error| Error::ReadMeasurement {
                command: "toxicity-model-server bench".to_owned(),
                message: error.to_string(),
            })?;
        Ok(BareRate { cpu, ..rate })
    }
}
