//! The cgroups of nodes. They also name, without any doubt, every process that runs in a pod.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cluster::component;
use crate::cluster::network::{NODE_PREFIX, names_below};

const ROOT: &str = "/sys/fs/cgroup";

/// Controllers that a kubelet wants where there is one hierarchy for all.
const CONTROLLERS: &str = "+cpuset +cpu +io +memory +hugetlb +pids";

/// Makes the cgroup of a node in every hierarchy, as its kubelet wants to find it.
pub fn ensure(name: &str) {
    if Path::new(ROOT).join("cgroup.controllers").exists() {
        // One hierarchy (v2). A controller that is not there is not enabled, and the kubelet says which it misses.
        for controller in CONTROLLERS.split(' ') {
            let _ = std::fs::write(Path::new(ROOT).join("cgroup.subtree_control"), controller);
        }
        let _ = std::fs::create_dir_all(Path::new(ROOT).join(name));
        return;
    }
    for hierarchy in hierarchies() {
        let group = hierarchy.join(name);
        // Some hierarchies cannot be written, and are none of the kubelet's.
        let _ = std::fs::create_dir_all(&group);
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let Ok(value) = std::fs::read_to_string(hierarchy.join(file)) {
                let _ = std::fs::write(group.join(file), value);
            }
        }
    }
}

/// Ends every process in the cgroups of nodes, and removes them.
pub fn remove() {
    let mut groups: Vec<PathBuf> = Vec::new();
    for hierarchy in hierarchies().into_iter().chain([PathBuf::from(ROOT)]) {
        for name in names_below(&hierarchy.display().to_string(), NODE_PREFIX) {
            collect(&hierarchy.join(name), &mut groups);
        }
    }
    let mut processes: Vec<i32> = groups
        .iter()
        .filter_map(|group| std::fs::read_to_string(group.join("cgroup.procs")).ok())
        .flat_map(|ids| ids.lines().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect();
    processes.sort_unstable();
    processes.dedup();
    component::stop(&processes, Duration::ZERO);
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(5) {
        // Children come after their parents in the list. A group stays busy until its processes are reaped.
        for group in groups.iter().rev() {
            let _ = std::fs::remove_dir(group);
        }
        groups.retain(|group| group.exists());
        if groups.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn collect(group: &Path, groups: &mut Vec<PathBuf>) {
    groups.push(group.to_owned());
    for entry in std::fs::read_dir(group)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
    {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), groups);
        }
    }
}

/// The hierarchies of cgroup v1, and the one without controllers that may lie beside them.
fn hierarchies() -> Vec<PathBuf> {
    std::fs::read_dir(ROOT)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.join("cgroup.procs").exists())
        .collect()
}
