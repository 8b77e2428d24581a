//! The bare sessions: texts straight into ONNX Runtime, a thread for each session, without HTTP or queue.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use crate::error::Error;
use crate::process::output;

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

/// What the program prints.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct BareRate {
    /// Sessions, each with a thread.
    pub sessions: usize,
    /// Texts per second of all of them.
    pub texts_per_second: f64,
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
        let mut command = Command::new(self.program);
        command
            .args(["bench", "--log", "warn", "--model"])
            .arg(self.model);
        command.arg("--texts").arg(&self.texts);
        command.args(["--duration", &format!("{}ms", self.duration.as_millis())]);
        if work == Work::TokensAndPasses {
            command.arg("--tokenize");
        }
        if let Some(sessions) = sessions {
            command.args(["--sessions", &sessions.to_string()]);
        }
        let printed = output(&mut command, "Its message above says why.")?;
        let line = printed.lines().rev().find(|line| line.starts_with('{'));
        serde_json::from_str(line.unwrap_or_default()).map_err(|error| Error::ReadMeasurement {
            command: "toxicity-model-server bench".to_owned(),
            message: error.to_string(),
        })
    }
}
