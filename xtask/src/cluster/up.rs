//! Starts a cluster, or whatever of it is not running.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::apt::{self, Program};
use crate::cluster::binaries::{self, Binaries, CONTROL_PLANE, NODES, Piece};
use crate::cluster::control_plane::{self, ControlPlane};
use crate::cluster::node::{self, Node};
use crate::cluster::state::{ClusterName, Ports, Settings, State};
use crate::cluster::{Cluster, ClusterChoice, Provider, addons, kind, name_flag, network, pause};
use crate::error::Error;
use crate::process::{announce, is_installed};
use crate::workspace::Workspace;

/// Longest wait for nodes; a busy machine takes a tenth of it.
const NODES_TIMEOUT: Duration = Duration::from_mins(2);

const CONTROL_PLANE_PROGRAMS: [Program; 1] = [Program {
    name: "openssl",
    package: "openssl",
}];

/// Names with a slash are files that must be there.
const NODE_PROGRAMS: [Program; 8] = [
    Program {
        name: "containerd",
        package: "containerd",
    },
    Program {
        name: "runc",
        package: "runc",
    },
    Program {
        name: "/usr/lib/cni/bridge",
        package: "containernetworking-plugins",
    },
    Program {
        name: "iptables",
        package: "iptables",
    },
    Program {
        name: "conntrack",
        package: "conntrack",
    },
    Program {
        name: "ip",
        package: "iproute2",
    },
    Program {
        name: "gcc",
        package: "gcc",
    },
    Program {
        name: "sysctl",
        package: "procps",
    },
];

/// Starts the cluster of this name and waits until it answers and its nodes are ready.
///
/// # Errors
/// When a program is missing and cannot be had, or does not start; what runs by then is left for `down`.
pub fn up(workspace: &Workspace, name: &ClusterName, choice: &ClusterChoice) -> Result<Cluster, Error> {
    if choice.use_current_context {
        return current_context();
    }
    let state = State::new(workspace, name);
    let present = state.settings()?;
    let is_kind = present
        .as_ref()
        .is_some_and(|settings| settings.provider == Provider::Kind);
    if choice.kind || is_kind {
        if present.is_some() && !is_kind {
            return Err(Error::ChangeCluster {
                name: name.to_string(),
                what: "was not made by kind",
                remedy: format!("cargo xtask cluster down{}", name_flag(name)),
            });
        }
        let settings = kind::up(&state, choice.nodes)?;
        return cluster_of(&state, &settings);
    }
    if !cfg!(target_os = "linux") {
        return Err(Error::NeedLinux);
    }
    let settings = settle(&state, present, choice.nodes)?;
    let nodes = settings.nodes;
    if nodes > 0 {
        if !nix::unistd::geteuid().is_root() {
            return Err(Error::NeedRoot);
        }
        apt::ensure(&NODE_PROGRAMS)?;
        network::check_free(&state.folder)?;
    }
    apt::ensure(&CONTROL_PLANE_PROGRAMS)?;
    let pieces = [&CONTROL_PLANE[..], if nodes > 0 { &NODES } else { &[] }].concat();
    let binaries = binaries::ensure(&pieces)?;

    let _lock = lock(&state)?;
    state.remember(&settings)?;
    announce(&format!(
        "starting cluster \"{name}\": Kubernetes with {}",
        match nodes {
            0 => "the control plane alone".to_owned(),
            1 => "1 node".to_owned(),
            _ => format!("{nodes} nodes"),
        }
    ));
    let started = Instant::now();
    start(&state, &settings, &binaries)?;
    announce(&format!("ready in {:.1} s", started.elapsed().as_secs_f64()));
    cluster_of(&state, &settings)
}

fn start(state: &State, settings: &Settings, binaries: &Binaries) -> Result<(), Error> {
    if settings.nodes > 0 {
        // The API server listens on the bridge.
        network::ensure(&state.folder, settings.nodes)?;
    }
    control_plane::prepare(state, settings)?;
    let control_plane = ControlPlane::start(state, settings, binaries)?;
    if settings.nodes == 0 {
        return control_plane.finish();
    }
    let pause = pause::ensure(state)?;
    // openssl counts the certificates in one file, so they are not made at once.
    for number in 1..=settings.nodes {
        Node::new(state, settings, number).write()?;
    }
    node::in_parallel(settings.nodes, |number| {
        Node::new(state, settings, number).start_containerd(&pause)
    })?;
    control_plane.finish()?;
    for number in 1..=settings.nodes {
        Node::new(state, settings, number).join(binaries)?;
    }
    addons::start(state, settings, binaries)?;
    await_nodes(state, settings, binaries)
}

/// What the cluster shall be, from what it is and what is asked for.
fn settle(state: &State, present: Option<Settings>, asked: Option<u8>) -> Result<Settings, Error> {
    match present {
        None => Ok(Settings {
            provider: Provider::Own,
            nodes: asked.unwrap_or(0),
            ports: Ports::choose()?,
        }),
        Some(settings) if asked.is_some_and(|nodes| nodes < settings.nodes) => Err(Error::ChangeCluster {
            name: state.name.to_string(),
            what: "has more nodes, and nodes are not taken away from a cluster",
            remedy: format!("cargo xtask cluster down{}", name_flag(&state.name)),
        }),
        Some(settings) => Ok(Settings {
            nodes: asked.unwrap_or(settings.nodes),
            ..settings
        }),
    }
}

/// Lets one `up` at a time work on a cluster.
fn lock(state: &State) -> Result<std::fs::File, Error> {
    let path = state.path("lock");
    super::write(&path, "")?;
    std::fs::File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|source| Error::File {
            action: "lock",
            path,
            source,
        })
}

fn await_nodes(state: &State, settings: &Settings, binaries: &Binaries) -> Result<(), Error> {
    let started = Instant::now();
    loop {
        let output = Command::new(binaries.path(Piece::Kubectl))
            .args(["get", "nodes", "--request-timeout=5s", "--output=json"])
            .env("KUBECONFIG", state.kubeconfig())
            .stderr(Stdio::null())
            .output();
        let nodes = output
            .ok()
            .and_then(|output| serde_json::from_slice(&output.stdout).ok())
            .unwrap_or_default();
        let unready: Vec<String> = (1..=settings.nodes)
            .map(node::name)
            .filter(|name| !is_ready(&nodes, name))
            .collect();
        if unready.is_empty() {
            return Ok(());
        }
        if started.elapsed() > NODES_TIMEOUT {
            return Err(Error::AwaitNodes {
                nodes: unready.join(", "),
                log: state.path("log"),
            });
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn is_ready(nodes: &serde_json::Value, name: &str) -> bool {
    let items = nodes["items"].as_array();
    items.into_iter().flatten().any(|node| {
        let conditions = node["status"]["conditions"].as_array();
        node["metadata"]["name"] == name
            && conditions
                .into_iter()
                .flatten()
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    })
}

/// The cluster that a state folder describes.
pub fn cluster_of(state: &State, settings: &Settings) -> Result<Cluster, Error> {
    let binaries = binaries::ensure(&[Piece::Kubectl])?;
    Ok(Cluster {
        name: state.name.to_string(),
        kubeconfig: state.kubeconfig(),
        kubectl: binaries.path(Piece::Kubectl).to_owned(),
        nodes: settings.nodes,
        folder: state.folder.clone(),
        nodes_folder: state.nodes_folder(),
        provider: settings.provider,
    })
}

/// The cluster that a person has chosen by `KUBECONFIG` and `kubectl config use-context`.
fn current_context() -> Result<Cluster, Error> {
    let kubeconfig = std::env::var_os("KUBECONFIG")
        .filter(|paths| !paths.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".kube/config")))
        .ok_or(Error::FindCache)?;
    let kubectl = if is_installed("kubectl") {
        PathBuf::from("kubectl")
    } else {
        binaries::ensure(&[Piece::Kubectl])?
            .path(Piece::Kubectl)
            .to_owned()
    };
    let mut command = Command::new(&kubectl);
    command
        .args(["config", "current-context"])
        .env("KUBECONFIG", &kubeconfig);
    let context = crate::process::output(
        &mut command,
        "Set KUBECONFIG, or choose a context by `kubectl config use-context`.",
    )?;
    Ok(Cluster {
        name: context.trim().to_owned(),
        kubeconfig,
        kubectl,
        nodes: 0,
        folder: PathBuf::new(),
        nodes_folder: PathBuf::new(),
        provider: Provider::Foreign,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(nodes: u8) -> Settings {
        Settings {
            provider: Provider::Own,
            nodes,
            ports: Ports::choose().unwrap(),
        }
    }

    #[test]
    fn a_cluster_grows_and_keeps_its_ports_but_does_not_shrink() {
        let state = State {
            name: "test".parse().unwrap(),
            folder: PathBuf::new(),
        };
        let two = settings(2);
        assert_eq!(settle(&state, Some(two.clone()), None).unwrap(), two);
        let three = settle(&state, Some(two.clone()), Some(3)).unwrap();
        assert_eq!((three.nodes, three.ports), (3, two.ports));
        assert!(settle(&state, Some(two), Some(1)).is_err());
        assert_eq!(settle(&state, None, None).unwrap().nodes, 0);
    }

    #[test]
    fn only_the_ready_condition_counts() {
        let nodes = json!({"items": [
            {"metadata": {"name": "node-1"}, "status": {"conditions": [
                {"type": "DiskPressure", "status": "True"}, {"type": "Ready", "status": "False"},
            ]}},
            {"metadata": {"name": "node-2"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}},
        ]});
        assert!(!is_ready(&nodes, "node-1"));
        assert!(is_ready(&nodes, "node-2"));
        assert!(!is_ready(&nodes, "node-3"));
    }
}
