//! Builds what `up` and `bench` run, and what is installed.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::component::{self, Component};
use crate::error::Error;
use crate::process::{announce, run};
use crate::workspace::Workspace;
use crate::{onnxruntime, toolchain, web_app};

/// What to build.
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// Parts of the product; none means all.
    #[arg(value_enum)]
    components: Vec<Component>,

    /// Also lay the files out below this folder, as below /usr/local of an installation.
    #[arg(long, value_name = "FOLDER")]
    install: Option<PathBuf>,
}

/// Builds what was asked for.
pub fn build(workspace: &Workspace, arguments: &BuildArguments) -> Result<(), Error> {
    let components = if arguments.components.is_empty() {
        &Component::ALL[..]
    } else {
        &arguments.components
    };
    if let [component] = components {
        // In an image that is compiled inside, where the others would only take time.
        release_binaries(workspace, &[*component])?;
    } else {
        stable_binaries(workspace, components)?;
    }
    for &component in components {
        if let Some(folder) = &arguments.install {
            component::install(workspace, component, folder)?;
            continue;
        }
        match component {
            Component::Operator => {}
            Component::ModelServer => drop(onnxruntime::ensure(workspace)?),
            Component::WebUi => drop(web_app(workspace)?),
        }
    }
    Ok(())
}

/// Everything that a product running on this machine needs.
pub struct Product {
    /// The model server.
    pub model_server: PathBuf,
    /// The web server.
    pub web_server: PathBuf,
    /// The built web app.
    pub assets: PathBuf,
}

/// Fetches what is missing and builds the release binaries of the servers and the web app.
pub fn release(workspace: &Workspace) -> Result<Product, Error> {
    onnxruntime::ensure(workspace)?;
    stable_binaries(workspace, &SERVERS)?;
    let assets = web_app(workspace)?;
    let [model_server, web_server] = SERVERS.map(|server| workspace.release_binary(server.binary()));
    Ok(Product {
        model_server,
        web_server,
        assets,
    })
}

/// The servers, which are built together, as `up` does: packages that are built together share the features of what
/// they depend on, so that alone each would be another program, compiled from the start again.
const SERVERS: [Component; 2] = [Component::ModelServer, Component::WebUi];

/// Builds the release binaries of `components` such that the same sources always give the same programs, whichever are
/// asked for.
pub fn stable_binaries(workspace: &Workspace, components: &[Component]) -> Result<(), Error> {
    for group in [&SERVERS[..], &[Component::Operator]] {
        if group.iter().any(|component| components.contains(component)) {
            release_binaries(workspace, group)?;
        }
    }
    Ok(())
}

/// Builds the release binaries of `components` and of nothing else.
fn release_binaries(workspace: &Workspace, components: &[Component]) -> Result<(), Error> {
    let names: Vec<&str> = components.iter().map(|component| component.binary()).collect();
    announce(&format!("building {}", names.join(", ")));
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(workspace.root())
        .args(["build", "--release", "--locked"])
        .args(names.iter().map(|name| format!("--package={name}")));
    run(&mut cargo, "The compiler's message above says why.")
}

/// Builds the web app.
pub fn web_app(workspace: &Workspace) -> Result<PathBuf, Error> {
    toolchain::ensure_wasm_target(workspace)?;
    announce("building the web app");
    Ok(web_app::build(workspace.root())?)
}
