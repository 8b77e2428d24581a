//! What rustup must have for the web app.

use std::process::Command;

use crate::error::Error;
use crate::process::{announce, output, run};
use crate::workspace::Workspace;

const WASM: &str = "wasm32-unknown-unknown";

/// Adds the wasm target where it is missing.
pub fn ensure_wasm_target(workspace: &Workspace) -> Result<(), Error> {
    let remedy = format!("Install Rust by rustup, then run `rustup target add {WASM}`.");
    let mut print = Command::new("rustc");
    print
        .current_dir(workspace.root())
        .args(["--print", "target-libdir", "--target", WASM]);
    let libraries = output(&mut print, &remedy)?;
    if std::path::Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    announce("adding the wasm target to the Rust toolchain");
    run(
        Command::new("rustup")
            .current_dir(workspace.root())
            .args(["target", "add", WASM]),
        &remedy,
    )
}
