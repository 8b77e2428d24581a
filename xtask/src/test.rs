//! `cargo xtask test`: every check there is, with all they need installed first.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use crate::error::{self, Error};
use crate::process::{announce, run as run_command, start_error};
use crate::workspace::Workspace;
use crate::{browser, build, licenses, onnxruntime, toolchain};

/// Which tests to run.
#[derive(Debug, Args)]
pub struct TestArguments {
    /// Suites to run; none means all.
    #[arg(value_enum)]
    suites: Vec<Suite>,
}

/// A part of the tests that can run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// Formatting and clippy, natively and for wasm.
    Lint,
    /// Unit, property and HTTP tests of every crate, and the real model.
    Rust,
    /// The whole product in a real browser, and its processes from the outside.
    EndToEnd,
    /// Licences, sources and double versions of the dependencies.
    Licenses,
}

impl Suite {
    const ALL: [Self; 4] = [Self::Lint, Self::Rust, Self::EndToEnd, Self::Licenses];

    fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Rust => "rust",
            Self::EndToEnd => "end-to-end",
            Self::Licenses => "licenses",
        }
    }
}

/// Tests that ran, by outcome. A step that runs no test, such as clippy, counts as one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs the suites and prints one line each and one for all.
pub fn run(workspace: &Workspace, arguments: &TestArguments) -> Result<(), Error> {
    let suites = if arguments.suites.is_empty() {
        &Suite::ALL[..]
    } else {
        &arguments.suites
    };
    let mut results = Vec::new();
    for &suite in suites {
        announce(&format!("suite {}", suite.name()));
        let started = Instant::now();
        let tally = run_suite(workspace, suite).unwrap_or_else(|error| {
            eprintln!("error: {}", error::chain(&error));
            Tally { passed: 0, failed: 1 }
        });
        results.push((suite, tally, started.elapsed()));
    }
    let mut total = Tally::default();
    println!();
    for (suite, tally, elapsed) in &results {
        print_line(suite.name(), *tally, *elapsed);
        total.add(*tally);
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 {
        Ok(())
    } else {
        Err(Error::FailTests(total.failed))
    }
}

fn print_line(name: &str, tally: Tally, elapsed: Duration) {
    println!(
        "{name:<12} {:>4} ok {:>4} not ok  {:>4} s",
        tally.passed,
        tally.failed,
        elapsed.as_secs()
    );
}

fn run_suite(workspace: &Workspace, suite: Suite) -> Result<Tally, Error> {
    match suite {
        Suite::Lint => lint(workspace),
        Suite::Rust => {
            onnxruntime::ensure(workspace)?;
            cargo_test(workspace, &["--workspace", "--exclude=toxicity-tests"])
        }
        Suite::EndToEnd => {
            onnxruntime::ensure(workspace)?;
            browser::ensure()?;
            build::web_app(workspace)?;
            announce("building the servers");
            let mut binaries = cargo(workspace);
            binaries.args([
                "build",
                "--package=toxicity-model-server",
                "--package=toxicity-web-server",
            ]);
            run_command(&mut binaries, "The compiler's message above says why.")?;
            cargo_test(workspace, &["--package=toxicity-tests"])
        }
        Suite::Licenses => licenses::check(workspace).map(|()| Tally { passed: 1, failed: 0 }),
    }
}

fn lint(workspace: &Workspace) -> Result<Tally, Error> {
    toolchain::ensure_wasm_target(workspace)?;
    let steps: [(&[&str], &str); 3] = [
        (&["fmt", "--all", "--check"], "Run `cargo fmt --all`."),
        (
            &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
            "Mend what clippy names above.",
        ),
        (
            &[
                "clippy",
                "--package=toxicity-web-ui",
                "--target=wasm32-unknown-unknown",
                "--",
                "-D",
                "warnings",
            ],
            "Mend what clippy names above.",
        ),
    ];
    let mut tally = Tally::default();
    for (arguments, remedy) in steps {
        match run_command(cargo(workspace).args(arguments), remedy) {
            Ok(()) => tally.passed += 1,
            Err(error) => {
                eprintln!("error: {error}");
                tally.failed += 1;
            }
        }
    }
    Ok(tally)
}

fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(workspace.root());
    command
}

/// Runs `cargo test`, passing on what it prints and adding up its result lines.
fn cargo_test(workspace: &Workspace, arguments: &[&str]) -> Result<Tally, Error> {
    let mut command = cargo(workspace);
    command
        .args(["test", "--no-fail-fast"])
        .args(arguments)
        .stdout(Stdio::piped());
    let remedy = "Is cargo on the path?";
    let mut child = command
        .spawn()
        .map_err(|source| start_error(&command, remedy, source))?;
    let stdout = child.stdout.take().expect("standard output is piped");
    let mut tally = Tally::default();
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        println!("{line}");
        if let Some(result) = result_line(&line) {
            tally.add(result);
        }
    }
    let status = child
        .wait()
        .map_err(|source| start_error(&command, remedy, source))?;
    if !status.success() && tally.failed == 0 {
        // The compiler or a crash, which leaves no result line.
        tally.failed = 1;
    }
    Ok(tally)
}

/// Reads `test result: ok. 12 passed; 0 failed; …`.
fn result_line(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |name: &str| {
        let part = counts.split("; ").find(|part| part.ends_with(name))?;
        part.split(' ').next()?.parse().ok()
    };
    Some(Tally {
        passed: count("passed")?,
        failed: count("failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_result_lines_of_cargo_test() {
        let line = "test result: FAILED. 31 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.17s";
        assert_eq!(
            result_line(line),
            Some(Tally {
                passed: 31,
                failed: 2
            })
        );
        assert_eq!(result_line("running 3 tests"), None);
    }
}
