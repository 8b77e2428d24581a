//! Builds what `up` and `bench` run, and what is installed.

use std::path::{Path, PathBuf};
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
    /// Parts of the product; none means all, and the command line `toxicity`.
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
        release_binaries(workspace, &[Program::of(*component)])?;
    } else {
        stable_binaries(workspace, components)?;
    }
    if let Some(folder) = &arguments.install
        && arguments.components.is_empty()
    {
        install_command_line(workspace, folder)?;
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

/// The command line for people. It is built with the servers, whose code it shares, but is no part of an image: it holds
/// all of the model server and would double what the image has of it.
const COMMAND_LINE: Program = Program {
    package: "toxicity-cli",
    binary: "toxicity",
};

/// A program of the release profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Program {
    /// The package that holds it.
    package: &'static str,
    /// Its name.
    binary: &'static str,
}

impl Program {
    /// The program of a component.
    fn of(component: Component) -> Self {
        Self {
            package: component.binary(),
            binary: component.binary(),
        }
    }
}

/// Builds the release binaries of `components` such that the same sources always give the same programs, whichever are
/// asked for.
pub fn stable_binaries(workspace: &Workspace, components: &[Component]) -> Result<(), Error> {
    for programs in stable_groups(components) {
        release_binaries(workspace, &programs)?;
    }
    Ok(())
}

/// The programs that are built for `components`, by what is built together.
fn stable_groups(components: &[Component]) -> Vec<Vec<Program>> {
    let with_servers = SERVERS.map(Program::of).into_iter().chain([COMMAND_LINE]);
    let mut groups = Vec::new();
    if SERVERS.iter().any(|server| components.contains(server)) {
        groups.push(with_servers.collect());
    }
    if components.contains(&Component::Operator) {
        groups.push(vec![Program::of(Component::Operator)]);
    }
    groups
}

/// Lays the command line out below `folder`, where the programs of the components lie too.
fn install_command_line(workspace: &Workspace, folder: &Path) -> Result<(), Error> {
    let program = workspace.release_binary(COMMAND_LINE.binary);
    let folder = folder.join("bin");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::copy(&program, folder.join(COMMAND_LINE.binary)))
        .map(drop)
        .map_err(|source| Error::File {
            action: "copy",
            path: program,
            source,
        })
}

/// Builds these programs and nothing else.
fn release_binaries(workspace: &Workspace, programs: &[Program]) -> Result<(), Error> {
    let names: Vec<&str> = programs.iter().map(|program| program.binary).collect();
    announce(&format!("building {}", names.join(", ")));
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(workspace.root())
        .args(["build", "--release", "--locked"])
        .args(
            programs
                .iter()
                .map(|program| format!("--package={}", program.package)),
        );
    run(&mut cargo, "The compiler's message above says why.")
}

/// Builds the web app.
pub fn web_app(workspace: &Workspace) -> Result<PathBuf, Error> {
    toolchain::ensure_wasm_target(workspace)?;
    announce("building the web app");
    Ok(web_app::build(workspace.root())?)
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;

    fn binaries(components: &[Component]) -> Vec<Vec<&'static str>> {
        let groups = stable_groups(components).into_iter();
        let names = |group: Vec<Program>| group.into_iter().map(|program| program.binary).collect();
        groups.map(names).collect()
    }

    #[test]
    fn the_command_line_is_built_with_the_servers() {
        let servers = vec!["toxicity-model-server", "toxicity-web-server", "toxicity"];
        let operator = vec!["toxicity-operator"];
        assert_eq!(binaries(&Component::ALL), [servers.clone(), operator.clone()]);
        assert_eq!(binaries(&[Component::ModelServer]), [servers]);
        assert_eq!(binaries(&[Component::Operator]), [operator]);
        let programs = stable_groups(&[Component::WebUi]).concat();
        assert!(programs.iter().any(|program| program.package == "toxicity-cli"));
    }

    #[test]
    fn the_help_names_the_command_line() {
        let mut command = BuildArguments::augment_args(clap::Command::new("build"));
        let help = command.render_help().to_string();
        assert!(help.contains("the command line `toxicity`"), "{help}");
    }
}
