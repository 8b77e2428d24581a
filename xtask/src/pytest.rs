//! Tests that are written in Python.

use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::python::PythonEnvironment;
use crate::test::{Tally, count};

/// Runs the tests of a folder.
pub fn run(environment: &PythonEnvironment, folder: &Path) -> Result<Tally, Error> {
    let mut pytest = Command::new(environment.interpreter());
    pytest
        .current_dir(folder)
        .args(["-m", "pytest"])
        // The repository stays as it is.
        .env("PYTHONDONTWRITEBYTECODE", "1");
    count(&mut pytest, "Delete target/python and try again.", summary)
}

/// Reads the last line of pytest, such as `==== 2 failed, 39 passed, 1 error in 7.31s ====`.
fn summary(line: &str) -> Option<Tally> {
    let (counts, _) = line.trim_matches(['=', ' ']).rsplit_once(" in ")?;
    let mut tally = Tally::default();
    for part in counts.split(", ") {
        let (number, outcome) = part.split_once(' ')?;
        let number: usize = number.parse().ok()?;
        match outcome {
            "passed" => tally.passed += number,
            // A test that was skipped has shown nothing.
            "failed" | "error" | "errors" | "skipped" => tally.failed += number,
            _ => {}
        }
    }
    Some(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_last_line_of_pytest() {
        let tally = |passed, failed| Some(Tally { passed, failed });
        let lines = [
            ("=== 2 failed, 39 passed, 1 error in 7.31s ===", tally(39, 3)),
            ("172 passed, 3 warnings in 75.88s (0:01:15)", tally(172, 0)),
            ("==== 4 skipped, 2 errors in 0.12s ====", tally(0, 6)),
            ("FAILED test_coral.py::test_a - AssertionError in b", None),
            ("test_coral.py ....                                  [ 24%]", None),
        ];
        for (line, expected) in lines {
            assert_eq!(summary(line), expected, "{line}");
        }
    }
}
