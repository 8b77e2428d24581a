//! The tests that run other people's clients, unchanged, against the real model server.

use std::process::Command;

use crate::error::Error;
use crate::process::announce;
use crate::python::PythonEnvironment;
use crate::test::{Tally, count};
use crate::workspace::Workspace;

/// Runs the tests in `tests/clients`, which start servers of their own.
pub fn test(workspace: &Workspace) -> Result<Tally, Error> {
    let mut pytest = Command::new(environment(workspace)?.interpreter());
    announce("running the clients against the model server");
    pytest
        .current_dir(workspace.root().join("tests/clients"))
        .args(["-m", "pytest"])
        // The repository stays as it is.
        .env("PYTHONDONTWRITEBYTECODE", "1");
    count(&mut pytest, "Delete target/python and try again.", summary)
}

/// The clients, and what tests with them.
pub fn environment(workspace: &Workspace) -> Result<PythonEnvironment, Error> {
    let requirements = workspace.root().join("tests/clients/requirements.txt");
    let content = "the clients of Google, OpenAI, Triton and Hugging Face, and schemathesis";
    PythonEnvironment::prepare(workspace, &requirements, content)
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
