//! Builds what `up` and `bench` run.

use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;
use crate::process::{announce, run};
use crate::workspace::Workspace;
use crate::{onnxruntime, toolchain, web_app};

/// Everything that a running product needs.
pub struct Product {
    /// The model server.
    pub model_server: PathBuf,
    /// The web server.
    pub web_server: PathBuf,
    /// The built web app.
    pub assets: PathBuf,
}

/// Fetches what is missing and builds the release binaries and the web app.
pub fn release(workspace: &Workspace) -> Result<Product, Error> {
    onnxruntime::ensure(workspace)?;
    announce("building the model server and the web server");
    run(
        Command::new("cargo").current_dir(workspace.root()).args([
            "build",
            "--release",
            "--locked",
            "--package=toxicity-model-server",
            "--package=toxicity-web-server",
        ]),
        "The compiler's message above says why.",
    )?;
    let assets = web_app(workspace)?;
    Ok(Product {
        model_server: workspace.release_binary("toxicity-model-server"),
        web_server: workspace.release_binary("toxicity-web-server"),
        assets,
    })
}

/// Builds the web app.
pub fn web_app(workspace: &Workspace) -> Result<PathBuf, Error> {
    toolchain::ensure_wasm_target(workspace)?;
    announce("building the web app");
    Ok(web_app::build(workspace.root())?)
}
