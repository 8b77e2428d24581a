//! `cargo xtask test`: every check there is, with all they need installed first.

mod selection;
mod tally;

use std::process::Command;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use crate::apt::Program;
use crate::cluster::{self, Cluster, ClusterChoice, ClusterName};
use crate::error::{self, Error};
use crate::install::{self, ImageNames};
use crate::process::{announce, run as run_command};
use crate::workspace::Workspace;
use crate::{apt, browser, build, clients, fuzz, licenses, onnxruntime, schema, toolchain, train};

pub use tally::{Tally, count};

use selection::{END_TO_END, build_binaries, cargo, tests, tests_of_the_crates};

/// The database that records can be kept in. The tests start servers of their own; the command that tells whether it is
/// installed lies on the path, its others do not.
const POSTGRESQL: Program = Program {
    name: "pg_ctlcluster",
    package: "postgresql",
};

/// Compiles libFuzzer, which is C++.
pub const CPP_COMPILER: Program = Program {
    name: "c++",
    package: "g++",
};

/// Which tests to run.
#[derive(Debug, Args)]
pub struct TestArguments {
    /// Suites to run; none means all but `cluster`.
    #[arg(value_enum)]
    suites: Vec<Suite>,

    /// Leave the cluster of the suites `operator` and `cluster` running, to look at it.
    #[arg(long)]
    keep_cluster: bool,

    /// Minutes that each target of the suite `fuzz` runs.
    #[arg(long, default_value_t = 1, value_name = "MINUTES")]
    minutes: u32,

    /// What the suite `fuzz` begins with; 0 tries something else each time.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u32,
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
    /// Clients of the protocols of others, unchanged, against the real model server.
    Clients,
    /// The model server against its own OpenAPI document.
    Schema,
    /// What makes the bundled model, with made-up comments.
    Training,
    /// Fuzz targets for everything that reads what the network sends.
    Fuzz,
    /// The operator against a real control plane without nodes.
    Operator,
    /// The installed product on two real nodes; takes minutes and needs root.
    Cluster,
    /// Licences, sources and double versions of the dependencies.
    Licenses,
}

impl Suite {
    /// What runs unless something else is asked for.
    const DEFAULT: [Self; 9] = [
        Self::Lint,
        Self::Rust,
        Self::EndToEnd,
        Self::Clients,
        Self::Schema,
        Self::Training,
        Self::Fuzz,
        Self::Operator,
        Self::Licenses,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Rust => "rust",
            Self::EndToEnd => "end-to-end",
            Self::Clients => "clients",
            Self::Schema => "schema",
            Self::Training => "training",
            Self::Fuzz => "fuzz",
            Self::Operator => "operator",
            Self::Cluster => "cluster",
            Self::Licenses => "licenses",
        }
    }
}

/// Runs the suites and prints one line each and one for all.
pub fn run(workspace: &Workspace, arguments: &TestArguments) -> Result<(), Error> {
    let suites = if arguments.suites.is_empty() {
        &Suite::DEFAULT[..]
    } else {
        &arguments.suites
    };
    let mut results = Vec::new();
    for &suite in suites {
        announce(&format!("suite {}", suite.name()));
        let started = Instant::now();
        let tally = run_suite(workspace, suite, arguments).unwrap_or_else(|error| {
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

fn run_suite(workspace: &Workspace, suite: Suite, arguments: &TestArguments) -> Result<Tally, Error> {
    let keep_cluster = arguments.keep_cluster;
    match suite {
        Suite::Lint => lint(workspace),
        Suite::Rust => {
            onnxruntime::ensure(workspace)?;
            apt::ensure(&[POSTGRESQL])?;
            cargo_test(&mut tests_of_the_crates(workspace)?)
        }
        Suite::EndToEnd => {
            onnxruntime::ensure(workspace)?;
            browser::ensure()?;
            build::web_app(workspace)?;
            build_binaries(workspace, &["toxicity-model-server", "toxicity-web-server"])?;
            cargo_test(&mut tests(workspace, &END_TO_END))
        }
        Suite::Clients => {
            onnxruntime::ensure(workspace)?;
            build_binaries(workspace, &["toxicity-model-server"])?;
            clients::test(workspace)
        }
        Suite::Schema => {
            onnxruntime::ensure(workspace)?;
            build_binaries(workspace, &["toxicity-model-server"])?;
            schema::test(workspace)
        }
        Suite::Training => train::test(workspace),
        Suite::Fuzz => fuzz::test(workspace, arguments.minutes, arguments.seed),
        Suite::Operator => with_cluster(workspace, 0, keep_cluster, |cluster| {
            build_binaries(workspace, &["toxicity-operator"])?;
            // They wait for the control plane more than they work.
            let mut tests = cluster_tests(workspace, cluster, "control_plane");
            cargo_test(tests.args(["--", "--test-threads=8"]))
        }),
        Suite::Cluster => with_cluster(workspace, 2, keep_cluster, |cluster| {
            let images = install::images(workspace, cluster, &ImageNames::default())?;
            install::operator(workspace, cluster, &images)?;
            let mut tests = cluster_tests(workspace, cluster, "nodes");
            tests
                .args(["--", "--test-threads=1"])
                .env("TOXICITY_OPERATOR_IMAGE", &images.operator)
                .env("TOXICITY_MODEL_SERVER_IMAGE", &images.model_server)
                .env("TOXICITY_WEB_UI_IMAGE", &images.web_ui);
            cargo_test(&mut tests)
        }),
        Suite::Licenses => licenses::check(workspace).map(|()| Tally { passed: 1, failed: 0 }),
    }
}

/// Runs tests beside a cluster of their own, which is stopped afterwards, however they end.
fn with_cluster(
    workspace: &Workspace,
    nodes: u8,
    keep: bool,
    tests: impl FnOnce(&Cluster) -> Result<Tally, Error>,
) -> Result<Tally, Error> {
    let name: ClusterName = "test".parse()?;
    // What an interrupted run has left could make a test pass or fail.
    cluster::down(workspace, &name)?;
    let choice = ClusterChoice {
        nodes: Some(nodes),
        ..ClusterChoice::default()
    };
    let result = cluster::up(workspace, &name, &choice).and_then(|cluster| tests(&cluster));
    if keep {
        announce("the cluster runs on; stop it by `cargo xtask cluster down --name test`");
        return result;
    }
    let down = cluster::down(workspace, &name);
    let tally = result?;
    down.map(|()| tally)
}

/// Tests that need a cluster. They find kubectl on the path, and by the state folder the
/// processes that they may kill.
fn cluster_tests(workspace: &Workspace, cluster: &Cluster, name: &str) -> Command {
    let mut path = cluster
        .kubectl
        .parent()
        .map(std::path::Path::as_os_str)
        .unwrap_or_default()
        .to_owned();
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    let mut command = tests(workspace, &[name]);
    command
        .env("KUBECONFIG", &cluster.kubeconfig)
        .env("TOXICITY_CLUSTER_STATE", &cluster.folder)
        .env("PATH", path);
    command
}

fn lint(workspace: &Workspace) -> Result<Tally, Error> {
    // Clippy runs the build script of libFuzzer.
    apt::ensure(&[CPP_COMPILER])?;
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

/// Runs a `cargo test`.
fn cargo_test(command: &mut Command) -> Result<Tally, Error> {
    count(command, "Is cargo on the path?", result_line)
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
