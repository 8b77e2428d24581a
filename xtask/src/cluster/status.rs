//! What runs of a cluster.

use crate::cluster::state::State;
use crate::cluster::{Provider, component, name_flag, procfs, up};
use crate::error::Error;
use crate::process::output;

/// Prints a table of the processes and the nodes.
///
/// # Errors
/// When there is no cluster of this name, or not all of it runs.
pub fn print(state: &State) -> Result<(), Error> {
    let start = format!("cargo xtask cluster up{}", name_flag(&state.name));
    let settings = state.settings()?.ok_or_else(|| Error::FindCluster {
        name: state.name.to_string(),
        remedy: format!("start it by `{start}`"),
    })?;
    let cluster = up::cluster_of(state, &settings)?;
    let mut missing = Vec::new();
    if settings.provider == Provider::Own {
        println!(
            "{:<26} {:>8}  {:<8} {:>10} {:>8}",
            "process", "pid", "state", "uptime", "memory"
        );
        for name in component_names(settings.nodes) {
            let Some(id) = component::running(state, &name) else {
                println!("{name:<26} {:>8}  {:<8} {:>10} {:>8}", "-", "stopped", "-", "-");
                missing.push(name);
                continue;
            };
            let uptime = procfs::uptime(id).map_or_else(|| "-".to_owned(), duration);
            let memory = procfs::resident_bytes(id).unwrap_or_default() / 1_000_000;
            println!("{name:<26} {id:>8}  {:<8} {uptime:>10} {memory:>5} MB", "running");
        }
        println!();
    }
    let mut nodes = cluster.kubectl();
    nodes.args(["get", "nodes", "--request-timeout=5s", "--output=wide"]);
    match output(&mut nodes, "") {
        Ok(nodes) if nodes.is_empty() => println!("no nodes: the control plane alone\n"),
        Ok(nodes) => println!("{nodes}"),
        Err(_) => missing.push("an API server that answers".to_owned()),
    }
    println!("KUBECONFIG={}", cluster.kubeconfig.display());
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Error::MissComponents {
            components: missing.join(", "),
            remedy: start,
        })
    }
}

/// All components of a cluster with so many nodes.
fn component_names(nodes: u8) -> Vec<String> {
    let mut names: Vec<String> = [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    ]
    .map(str::to_owned)
    .into();
    if nodes > 0 {
        names.extend(["coredns", "metrics-server"].map(str::to_owned));
    }
    for number in 1..=nodes {
        names.extend(["containerd", "kubelet", "kube-proxy"].map(|name| format!("{name}-{number}")));
    }
    names
}

fn duration(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds:02}s"),
        _ => format!("{hours}h{minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(7), "7s");
        assert_eq!(duration(67), "1m07s");
        assert_eq!(duration(3 * 3600 + 5 * 60 + 9), "3h05m");
    }

    #[test]
    fn every_node_has_three_programs() {
        assert_eq!(component_names(0).len(), 4);
        assert_eq!(component_names(2).len(), 12);
    }
}
