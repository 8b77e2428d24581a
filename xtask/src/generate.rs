//! `cargo xtask generate`: writes the manifests that are made from the code.

use std::process::Command;

use crate::error::Error;
use crate::process::{announce, run as run_command};
use crate::workspace::Workspace;

/// Writes the CustomResourceDefinition and the roles.
pub fn run(workspace: &Workspace) -> Result<(), Error> {
    announce("writing the CustomResourceDefinition and the roles in manifests/");
    // The test that fails on drift writes them, so that what is written and what is checked cannot differ.
    run_command(
        Command::new("cargo")
            .current_dir(workspace.root())
            .args([
                "test",
                "--quiet",
                "--package=toxicity-operator",
                "--test=manifests",
            ])
            .arg("generated_manifests_are_up_to_date")
            .env("TOXICITY_GENERATE", "write"),
        "The message above says why.",
    )
}
