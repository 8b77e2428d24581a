//! `cargo xtask cluster`: a real Kubernetes on this machine, for the tests and for trying out.
//!
//! Without nodes it is etcd, the API server, the controller manager and the scheduler on 127.0.0.1, up in seconds and
//! without root; with nodes each is a network namespace with containerd, kubelet and kube-proxy. The programs come from
//! the path or are built once from their released Go modules, so neither Docker nor a virtual machine is needed. Who
//! has Docker may ask for kind, who has a cluster for the one of KUBECONFIG.

mod addons;
mod binaries;
mod certificates;
mod component;
mod control_groups;
mod control_plane;
mod down;
mod go;
mod kind;
mod kubeconfig;
mod network;
mod node;
mod pause;
mod procfs;
mod state;
mod status;
mod up;

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};

use crate::error::Error;
use crate::process::{announce, run as run_command};
use crate::workspace::Workspace;

pub use binaries::cache_folder;
pub use state::ClusterName;
pub use up::up;

/// What to do with a cluster.
#[derive(Debug, Args)]
pub struct ClusterArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start a cluster, or whatever of it is not running; prints the line that points kubectl at it.
    Up(UpArguments),
    /// Stop a cluster and remove all that it left.
    Down(NameArgument),
    /// Show the processes and nodes of a cluster; fails when one is not running.
    Status(NameArgument),
}

#[derive(Debug, Args)]
struct UpArguments {
    #[command(flatten)]
    name: NameArgument,
    #[command(flatten)]
    choice: ClusterChoice,
}

#[derive(Debug, Args)]
struct NameArgument {
    /// Name of the cluster: lower-case letters, digits and dashes.
    #[arg(long, default_value = "main")]
    name: ClusterName,
}

/// Which cluster, and how large.
#[derive(Debug, Clone, Default, Args)]
pub struct ClusterChoice {
    /// Nodes; 0 is the control plane alone. Default: those that the cluster has; a new one gets 0, with `up --cluster`
    /// 1.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(0..=20))]
    pub nodes: Option<u8>,

    /// Start nothing and use the cluster that KUBECONFIG names; without this flag KUBECONFIG is ignored.
    #[arg(long, conflicts_with_all = ["nodes", "kind"])]
    pub use_current_context: bool,

    /// Let kind make the cluster; needs Docker.
    #[arg(long)]
    pub kind: bool,
}

impl ClusterChoice {
    /// Whether nothing was chosen.
    pub fn is_default(&self) -> bool {
        self.nodes.is_none() && !self.use_current_context && !self.kind
    }
}

/// A cluster that answers.
#[derive(Debug)]
pub struct Cluster {
    /// Name, for messages.
    pub name: String,
    /// File that points kubectl at it, as its administrator.
    pub kubeconfig: PathBuf,
    /// The kubectl to use, of the same minor version where the cluster is this task's own.
    pub kubectl: PathBuf,
    /// Nodes that this task made; 0 for the control plane alone and for a cluster of KUBECONFIG.
    pub nodes: u8,
    /// Folder of its state, where the task keeps one.
    pub folder: PathBuf,
    nodes_folder: PathBuf,
    provider: Provider,
}

/// Who made a cluster, which decides how images get to its nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Provider {
    /// This task.
    Own,
    /// kind, asked by this task.
    Kind,
    /// Somebody else.
    Foreign,
}

impl Cluster {
    /// A kubectl that talks to this cluster whatever the environment says.
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// Gives the images of `archives` (made by `docker save` or alike) to every node.
    ///
    /// # Errors
    /// When the nodes are not ours, or one does not take an archive.
    pub fn load_images(&self, archives: &[PathBuf]) -> Result<(), Error> {
        self.check_takes_images()?;
        if self.provider == Provider::Kind {
            let mut archives = archives.iter();
            return archives.try_for_each(|archive| kind::load(&self.name, archive));
        }
        node::load_images(&self.nodes_folder, self.nodes, archives)
    }

    /// Fails when the nodes can only get images from a registry, or there are none.
    pub fn check_takes_images(&self) -> Result<(), Error> {
        let cluster = self.name.clone();
        match self.provider {
            Provider::Own if self.nodes == 0 => Err(Error::LoadWithoutNodes { cluster }),
            Provider::Own | Provider::Kind => Ok(()),
            Provider::Foreign => Err(Error::LoadIntoForeignCluster { cluster }),
        }
    }

    /// Says how to use the cluster.
    fn print_use(&self) {
        println!();
        println!("KUBECONFIG={}", self.kubeconfig.display());
        println!();
        println!("  Use it   export KUBECONFIG={}", self.kubeconfig.display());
        println!("           {} get namespaces", self.kubectl.display());
        match self.provider {
            Provider::Foreign => {}
            Provider::Own | Provider::Kind => {
                println!("  Stop it  cargo xtask cluster down{}", name_flag(&self.name));
            }
        }
    }
}

/// The flag that names a cluster in an advice; nothing for the default name.
pub fn name_flag(name: &str) -> String {
    if name == "main" {
        String::new()
    } else {
        format!(" --name {name}")
    }
}

/// Does what was asked.
pub fn run(workspace: &Workspace, arguments: &ClusterArguments) -> Result<(), Error> {
    match &arguments.action {
        Action::Up(arguments) => {
            let cluster = up(workspace, &arguments.name.name, &arguments.choice)?;
            cluster.print_use();
            Ok(())
        }
        Action::Down(arguments) => down(workspace, &arguments.name),
        Action::Status(arguments) => status::print(&state::State::new(workspace, &arguments.name)),
    }
}

/// The cluster of this name as `up` left it.
///
/// # Errors
/// When there is none.
pub fn existing(workspace: &Workspace, name: &ClusterName) -> Result<Cluster, Error> {
    let state = state::State::new(workspace, name);
    let settings = state.settings()?.ok_or_else(|| Error::FindCluster {
        name: name.to_string(),
        remedy: format!("start it by `cargo xtask cluster up{}`", name_flag(name)),
    })?;
    up::cluster_of(&state, &settings)
}

/// Stops a cluster and removes all that it left; fine where there is none.
pub fn down(workspace: &Workspace, name: &ClusterName) -> Result<(), Error> {
    let state = state::State::new(workspace, name);
    match state.settings() {
        Ok(Some(settings)) if settings.provider == Provider::Kind => kind::delete(&state),
        // Settings that cannot be read belong to a cluster that must go all the same.
        _ => {
            let removed = down::down(&state)?;
            announce(&format!(
                "cluster \"{name}\" {}",
                if removed { "is gone" } else { "is not there" }
            ));
            Ok(())
        }
    }
}

/// Runs a program of the system that must succeed; its own message says why it did not.
fn system(program: &str, arguments: &[&str]) -> Result<(), Error> {
    run_command(
        Command::new(program).args(arguments),
        "Its message above says why.",
    )
}

/// Whether a program of the system succeeds; what it prints does not matter.
fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Writes a file, and the folders above it.
fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Error> {
    let failed = |source| Error::File {
        action: "write",
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, content).map_err(failed)
}
