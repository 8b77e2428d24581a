//! Stops a cluster and removes all that it left, however it ended.
//!
//! Nothing here relies on what `up` wrote down: processes are found by the mark in their environment, those of pods by
//! their cgroup, mounts by their path, and the network by the alias of the bridge. So it also works after a crash, in
//! the middle of an `up`, and when the state folder is gone.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cluster::network::{self, NODE_PREFIX, names_below};
use crate::cluster::state::State;
use crate::cluster::{component, control_groups, procfs, succeeds};
use crate::error::Error;
use crate::process::announce;

/// Components in the order in which they stop: first those that would start others again.
const ORDER: [&[&str]; 3] = [
    &[
        "kubelet-",
        "kube-proxy-",
        "coredns",
        "metrics-server",
        "kube-controller-manager",
        "kube-scheduler",
    ],
    &["containerd-", "kube-apiserver"],
    &["etcd"],
];

/// Where containerd 1 keeps the sockets of the processes beside its containers, whatever its own folder.
const SHIM_SOCKETS: &str = "/run/containerd/s/";

/// Where network plugins remember what they have given away.
const NETWORK_RESULTS: &str = "/var/lib/cni/results";

/// Where a kubelet links the logs of containers for collectors of logs.
const LOG_LINKS: &str = "/var/log/containers";

/// How long a program gets to end by itself. There is nothing that it must save.
const GRACE: Duration = Duration::from_secs(3);

/// Removes the cluster; tells whether there was any of it.
pub fn down(state: &State) -> Result<bool, Error> {
    let nodes_folder = state.nodes_folder();
    let owns_network = network::owner().is_some_and(|owner| owner == state.folder)
        // Cut off between making the bridge and naming it, or in the middle of another `down`.
        || (nodes_folder.join("node-1").exists() && network::owner().is_none_or(|owner| owner.as_os_str().is_empty()));
    let is_there = state.folder.exists() || owns_network || !procfs::marked(&state.folder).is_empty();
    if !is_there {
        return Ok(false);
    }
    announce(&format!("stopping cluster \"{}\"", state.name));
    let of_containerd = LeftByContainerd::find(&nodes_folder);
    for names in ORDER {
        let processes = procfs::marked(&state.folder);
        let ids: Vec<i32> = processes
            .iter()
            .filter(|process| names.iter().any(|name| process.component.starts_with(name)))
            .map(|process| process.id)
            .collect();
        if names.contains(&"containerd-") && owns_network {
            control_groups::remove();
        }
        component::stop(&ids, GRACE);
    }
    let rest: Vec<i32> = procfs::marked(&state.folder)
        .iter()
        .map(|process| process.id)
        .collect();
    component::stop(&rest, GRACE);
    if owns_network {
        // The last processes of a group may have been reaped only now.
        control_groups::remove();
    }
    unmount(&state.folder);
    unmount(&nodes_folder);
    of_containerd.remove();
    if owns_network {
        remove_links(&nodes_folder);
        remove_network_results();
        network::remove();
    }
    for folder in [&nodes_folder, &state.folder] {
        remove_folder(folder)?;
    }
    Ok(true)
}

/// What containerd leaves outside its own folder.
struct LeftByContainerd {
    namespaces: BTreeSet<String>,
    sockets: BTreeSet<PathBuf>,
}

impl LeftByContainerd {
    /// Reads it from containerd's own files while they are there.
    fn find(nodes_folder: &Path) -> Self {
        let mut found = Self {
            namespaces: BTreeSet::new(),
            sockets: BTreeSet::new(),
        };
        for node in names_below(&nodes_folder.display().to_string(), "node-") {
            let containerd = nodes_folder.join(node).join("containerd");
            let metadata = containerd.join("root/io.containerd.metadata.v1.bolt/meta.db");
            if let Ok(content) = std::fs::read(metadata) {
                found.namespaces.extend(namespaces_in(&content));
            }
            let tasks = containerd.join("state/io.containerd.runtime.v2.task/k8s.io");
            for task in std::fs::read_dir(tasks)
                .into_iter()
                .flatten()
                .filter_map(Result::ok)
            {
                let address = std::fs::read_to_string(task.path().join("address")).unwrap_or_default();
                if let Some(path) = address.strip_prefix("unix://")
                    && path.starts_with(SHIM_SOCKETS)
                {
                    found.sockets.insert(PathBuf::from(path));
                }
            }
        }
        found
    }

    fn remove(&self) {
        for namespace in &self.namespaces {
            if Path::new("/run/netns").join(namespace).exists() {
                succeeds("ip", &["netns", "delete", namespace]);
            }
        }
        for socket in &self.sockets {
            // Usually its process has removed it.
            let _ = std::fs::remove_file(socket);
        }
    }
}

/// Names of the network namespaces of pods in containerd's database. It is searched as bytes: its format is internal,
/// the names are long and random, and only those that exist are removed.
fn namespaces_in(content: &[u8]) -> Vec<String> {
    const BEFORE: &[u8] = b"/netns/cni-";
    const UUID_BYTES: usize = 36;
    content
        .windows(BEFORE.len() + UUID_BYTES)
        .filter(|window| window.starts_with(BEFORE))
        .map(|window| String::from_utf8_lossy(&window[BEFORE.len()..]).into_owned())
        .filter(|uuid| uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
        .map(|uuid| format!("cni-{uuid}"))
        .collect()
}

fn unmount(folder: &Path) {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mut inside: Vec<PathBuf> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .map(unescape)
        .filter(|path| path.starts_with(folder) && path != folder)
        .collect();
    inside.sort();
    for path in inside.iter().rev() {
        succeeds("umount", &["--lazy", &path.display().to_string()]);
    }
}

/// A path as the kernel writes it into its list of mounts.
fn unescape(path: &str) -> PathBuf {
    PathBuf::from(
        path.replace("\\040", " ")
            .replace("\\011", "\t")
            .replace("\\012", "\n")
            .replace("\\134", "\\"),
    )
}

fn remove_links(nodes_folder: &Path) {
    for name in names_below(LOG_LINKS, "") {
        let link = Path::new(LOG_LINKS).join(name);
        if std::fs::read_link(&link).is_ok_and(|target| target.starts_with(nodes_folder)) {
            let _ = std::fs::remove_file(link);
        }
    }
}

/// Removes what the network plugins remember of our pods, each under the name of its network and its id.
fn remove_network_results() {
    for name in names_below(NETWORK_RESULTS, NODE_PREFIX) {
        let id = name
            .trim_end_matches("-eth0")
            .rsplit('-')
            .next()
            .unwrap_or_default();
        for name in [&name, &format!("cni-loopback-{id}-lo")] {
            let _ = std::fs::remove_file(Path::new(NETWORK_RESULTS).join(name));
        }
    }
}

fn remove_folder(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::File {
            action: "remove",
            path: folder.to_owned(),
            source: error,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_namespaces_of_pods_among_other_bytes() {
        let content =
            b"\x00\x01{\"NetNSPath\":\"/var/run/netns/cni-0b1c2d3e-0000-1111-2222-333344445555\",\xff\
            /netns/cni-not-one-of-them-but-as-long-as-they-are-----";
        assert_eq!(
            namespaces_in(content),
            ["cni-0b1c2d3e-0000-1111-2222-333344445555"]
        );
    }

    #[test]
    fn reads_escaped_mounts() {
        assert_eq!(unescape("/a\\040b"), Path::new("/a b"));
    }
}
