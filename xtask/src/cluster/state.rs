//! Where a cluster keeps what it must remember, and what that is.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cluster::Provider;
use crate::error::Error;
use crate::service::free_ports;
use crate::workspace::Workspace;

/// Longest path of a UNIX socket, its final zero included (`sockaddr_un`).
const SOCKET_PATH_BYTES: usize = 108;

/// The longest path below a node's folder that a socket gets.
const LONGEST_SOCKET: &str = "node-20/kubelet/plugins_registry/toxicity.example-registration.sock";

/// A name that may stand in paths and in names of interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterName(String);

impl FromStr for ClusterName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let is_allowed = |character: char| matches!(character, 'a'..='z' | '0'..='9' | '-');
        if name.is_empty() || name.len() > 40 || name.starts_with('-') || !name.chars().all(is_allowed) {
            return Err(Error::NameCluster(name.to_owned()));
        }
        Ok(Self(name.to_owned()))
    }
}

impl Deref for ClusterName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The folder of a cluster, `target/cluster/<name>`.
#[derive(Debug, Clone)]
pub struct State {
    /// Name of the cluster.
    pub name: ClusterName,
    /// The folder.
    pub folder: PathBuf,
}

/// What a later `up` must find as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Who made the cluster.
    pub(super) provider: Provider,
    /// Nodes.
    pub nodes: u8,
    /// Ports on 127.0.0.1.
    pub ports: Ports,
}

/// Ports of the control plane. They stay the same over restarts, as clients hold on to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// etcd, for its clients.
    pub etcd: u16,
    /// etcd, for other members, of which there are none.
    pub etcd_peer: u16,
    /// The API server.
    pub api_server: u16,
    /// Metrics and health of the controller manager.
    pub controller_manager: u16,
    /// Metrics and health of the scheduler.
    pub scheduler: u16,
    /// Health of the DNS server.
    pub dns_health: u16,
}

impl Ports {
    /// Ports that are free at this moment.
    pub fn choose() -> Result<Self, Error> {
        let [
            etcd,
            etcd_peer,
            api_server,
            controller_manager,
            scheduler,
            dns_health,
        ] = free_ports()?;
        Ok(Self {
            etcd,
            etcd_peer,
            api_server,
            controller_manager,
            scheduler,
            dns_health,
        })
    }
}

impl State {
    /// The state of the cluster of this name, whether or not there is one.
    pub fn new(workspace: &Workspace, name: &ClusterName) -> Self {
        let target = workspace.target();
        // Mounts and markers are compared by path, and the kernel names the real one.
        let target = std::fs::canonicalize(&target).unwrap_or(target);
        Self {
            name: name.clone(),
            folder: target.join("cluster").join(&**name),
        }
    }

    /// A path in the folder.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.join(relative)
    }

    /// A path in the folder as an argument.
    pub fn argument(&self, relative: &str) -> String {
        self.path(relative).display().to_string()
    }

    /// The file that makes its reader the administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.path("admin.kubeconfig")
    }

    /// The folder of the nodes: containers, volumes and sockets. It is elsewhere where the paths of sockets would
    /// become too long.
    pub fn nodes_folder(&self) -> PathBuf {
        nodes_folder(&self.folder, &self.name)
    }

    /// What is remembered; nothing when there is no cluster.
    pub fn settings(&self) -> Result<Option<Settings>, Error> {
        let path = self.path("cluster.json");
        let failed = |source| Error::File {
            action: "read",
            path: path.clone(),
            source,
        };
        match std::fs::read(&path) {
            Ok(content) => serde_json::from_slice(&content)
                .map(Some)
                .map_err(|error| failed(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Remembers `settings`, all or nothing.
    pub fn remember(&self, settings: &Settings) -> Result<(), Error> {
        let path = self.path("cluster.json");
        let partial = self.path("cluster.json.partial");
        let content = serde_json::to_vec_pretty(settings).expect("settings are plain data");
        super::write(&partial, content)?;
        std::fs::rename(&partial, &path).map_err(|source| Error::File {
            action: "write",
            path,
            source,
        })
    }
}

fn nodes_folder(folder: &Path, name: &str) -> PathBuf {
    if folder.join(LONGEST_SOCKET).as_os_str().len() < SOCKET_PATH_BYTES {
        folder.to_owned()
    } else {
        PathBuf::from(format!("/var/lib/toxicity-cluster-{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_the_folder_are_refused() {
        for name in ["", "..", "a/b", "Main", "-a", "a b", "ä", &"a".repeat(41)] {
            assert!(name.parse::<ClusterName>().is_err(), "{name:?}");
        }
        assert_eq!(&*"test-2".parse::<ClusterName>().unwrap(), "test-2");
    }

    #[test]
    fn a_long_path_gets_its_sockets_elsewhere() {
        let short = Path::new("/project/target/cluster/main");
        assert_eq!(nodes_folder(short, "main"), short);
        let long = PathBuf::from(format!("/{}", "folder/".repeat(12)));
        let folder = nodes_folder(&long, "main");
        assert!(folder.join(LONGEST_SOCKET).as_os_str().len() < SOCKET_PATH_BYTES);
    }
}
