//! What cargo builds for the tests: always of the same packages and with a test among it, so that dependencies get the
//! same features in every suite and are compiled once.

use std::process::Command;

use cargo_metadata::{MetadataCommand, TargetKind};

use crate::error::Error;
use crate::process::{announce, run};
use crate::workspace::Workspace;

/// All packages but the fuzz targets, whose `main` is that of libFuzzer.
const PACKAGES: [&str; 2] = ["--workspace", "--exclude=toxicity-fuzz"];

/// Packages whose tests need more than cargo: binaries, a browser, a cluster.
const SURROUNDED: [&str; 3] = ["toxicity-tests", "toxicity-cluster-tests", "toxicity-fuzz"];

/// A test that takes little to build beside the binaries that it starts.
const SMALL_TEST: &str = "process";

/// Tests of the whole product from the outside.
pub const END_TO_END: [&str; 3] = ["browser", "faults", SMALL_TEST];

/// A `cargo` for this workspace.
pub fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(workspace.root());
    command
}

/// Runs the test targets of these names.
pub fn tests(workspace: &Workspace, names: &[&str]) -> Command {
    let mut command = cargo(workspace);
    command.args(["test", "--no-fail-fast"]).args(PACKAGES);
    command.args(names.iter().flat_map(|name| ["--test", name]));
    command
}

/// Runs all tests that need nothing but cargo and what their crates name.
pub fn tests_of_the_crates(workspace: &Workspace) -> Result<Command, Error> {
    let names = integration_tests(workspace)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut command = tests(workspace, &names);
    command.args(["--lib", "--bins"]);
    Ok(command)
}

/// Builds binaries in the profile of the tests.
pub fn build_binaries(workspace: &Workspace, names: &[&str]) -> Result<(), Error> {
    announce(&format!("building {}", names.join(" and ")));
    let mut build = cargo(workspace);
    build.arg("build").args(PACKAGES).args(["--test", SMALL_TEST]);
    build.args(names.iter().flat_map(|name| ["--bin", name]));
    run(&mut build, "The compiler's message above says why.")
}

fn integration_tests(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let mut metadata = MetadataCommand::new();
    metadata.current_dir(workspace.root()).no_deps();
    let metadata = metadata.exec().map_err(Error::ReadMetadata)?;
    let packages = metadata
        .packages
        .iter()
        .filter(|package| !SURROUNDED.contains(&package.name.as_str()));
    let tests = packages
        .flat_map(|package| &package.targets)
        .filter(|target| target.kind.contains(&TargetKind::Test));
    let mut names: Vec<String> = tests.map(|target| target.name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}
