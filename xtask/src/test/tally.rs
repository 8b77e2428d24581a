//! How many tests ran, by outcome, and how that is read from what they print.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::process::start_error;

/// Tests that ran, by outcome. A step that runs no test, such as clippy, counts as one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs a command that runs tests, passing on what it prints and adding up the lines that `read` takes for results.
pub fn count(
    command: &mut Command,
    remedy: &str,
    read: impl Fn(&str) -> Option<Tally>,
) -> Result<Tally, Error> {
    command.stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|source| start_error(command, remedy, source))?;
    let stdout = child.stdout.take().expect("standard output is piped");
    let mut tally = Tally::default();
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        println!("{line}");
        if let Some(result) = read(&line) {
            tally.add(result);
        }
    }
    let status = child
        .wait()
        .map_err(|source| start_error(command, remedy, source))?;
    if !status.success() && tally.failed == 0 {
        // The compiler or a crash, which leaves no result line.
        tally.failed = 1;
    }
    Ok(tally)
}
