//! Licences, sources and double versions of the dependencies, judged by `deny.toml`.

use std::process::Command;

use crate::error::Error;
use crate::process::{announce, output, run};
use crate::workspace::Workspace;

/// Version that `deny.toml` was written for.
const CARGO_DENY: &str = "0.20.2";

/// Runs `cargo deny`, installing it into the build folder where it is missing.
pub fn check(workspace: &Workspace) -> Result<(), Error> {
    let tools = workspace.target().join("tools");
    let program = tools.join("bin/cargo-deny");
    let installed = output(Command::new(&program).arg("--version"), "").unwrap_or_default();
    if !installed.trim().ends_with(CARGO_DENY) {
        announce(&format!("building cargo-deny {CARGO_DENY} (some minutes, once)"));
        run(
            Command::new("cargo")
                // Not in the repository, whose toolchain file and lockfile are not this tool's.
                .current_dir(std::env::temp_dir())
                .args([
                    "install",
                    "cargo-deny",
                    "--locked",
                    "--version",
                    CARGO_DENY,
                    "--root",
                ])
                .arg(&tools)
                .env("CARGO_TARGET_DIR", tools.join("build")),
            "Check that crates.io can be reached, and try again.",
        )?;
    }
    run(
        Command::new(&program).current_dir(workspace.root()).args([
            "--all-features",
            "check",
            "bans",
            "licenses",
            "sources",
        ]),
        "Replace the dependency named above, or change deny.toml with a reason.",
    )
}
