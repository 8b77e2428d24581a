//! A node: containerd, kubelet and kube-proxy in a network namespace of their own.
//!
//! Every node sees the whole machine and offers all of its memory and cores; the limits of pods hold all the same.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::cluster::binaries::{Binaries, Piece};
use crate::cluster::certificates::{self, Certificate};
use crate::cluster::component::Component;
use crate::cluster::state::{Settings, State};
use crate::cluster::{control_groups, control_plane, kubeconfig, network, pause, succeeds, write};
use crate::error::Error;
use crate::process::run;

/// Where Debian puts containerd's network plugins.
const NETWORK_PLUGINS: &str = "/usr/lib/cni";

/// Longest wait for containerd.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// A node of a cluster.
pub struct Node<'a> {
    state: &'a State,
    settings: &'a Settings,
    number: u8,
    name: String,
    folder: PathBuf,
}

impl<'a> Node<'a> {
    /// The node of this number; the first is 1.
    pub fn new(state: &'a State, settings: &'a Settings, number: u8) -> Self {
        Self {
            state,
            settings,
            number,
            name: name(number),
            folder: folder(&state.nodes_folder(), number),
        }
    }

    /// Writes what the node's programs read.
    pub fn write(&self) -> Result<(), Error> {
        control_groups::ensure(&network::node_namespace(self.number));
        let address = network::node_address(self.number);
        certificates::ensure(
            self.state,
            &Certificate {
                file: &self.name,
                subject: &format!("/O=system:nodes/CN=system:node:{}", self.name),
                names: &format!("DNS:{},IP:{address},IP:127.0.0.1", self.name),
            },
        )?;
        kubeconfig::ensure(self.state, &self.name, &control_plane::server(self.settings))?;
        write(
            &self.folder.join("cni/10-bridge.conflist"),
            self.network_configuration().to_string(),
        )?;
        write(
            &self.folder.join("containerd.toml"),
            self.containerd_configuration(),
        )?;
        write(
            &self.folder.join("kubelet.json"),
            self.kubelet_configuration().to_string(),
        )?;
        for folder in ["pod-logs", "kubelet"] {
            let path = self.folder.join(folder);
            std::fs::create_dir_all(&path).map_err(|source| Error::File {
                action: "create",
                path: path.clone(),
                source,
            })?;
        }
        Ok(())
    }

    /// Starts containerd, which needs no API server, and gives it the image of the sandboxes.
    pub fn start_containerd(&self, pause_archive: &Path) -> Result<(), Error> {
        let containerd = self.component(
            "containerd",
            Path::new("containerd"),
            vec!["--config".to_owned(), self.argument("containerd.toml")],
        );
        containerd.start()?;
        let socket = socket(&self.folder);
        containerd.wait(READY_TIMEOUT, || {
            succeeds("ctr", &["--address", &socket, "version"])
        })?;
        import(&self.folder, pause_archive)
    }

    /// Starts the programs that make it a node of the API server.
    pub fn join(&self, binaries: &Binaries) -> Result<(), Error> {
        let kubelet = self.component(
            "kubelet",
            binaries.path(Piece::Kubelet),
            vec![
                format!("--config={}", self.argument("kubelet.json")),
                format!(
                    "--kubeconfig={}",
                    self.state.argument(&format!("{}.kubeconfig", self.name))
                ),
                format!("--hostname-override={}", self.name),
                format!("--node-ip={}", network::node_address(self.number)),
                format!("--root-dir={}", self.argument("kubelet")),
            ],
        );
        let proxy = self.component(
            "kube-proxy",
            binaries.path(Piece::KubeProxy),
            vec![
                format!("--kubeconfig={}", self.state.argument("kube-proxy.kubeconfig")),
                format!("--hostname-override={}", self.name),
                "--cluster-cidr=10.244.0.0/16".to_owned(),
                "--proxy-mode=iptables".to_owned(),
                "--conntrack-max-per-core=0".to_owned(),
                // Who may not lower the score must not try to.
                "--oom-score-adj=0".to_owned(),
            ],
        );
        kubelet.start()?;
        proxy.start()
    }

    fn component(&self, program: &str, path: &Path, arguments: Vec<String>) -> Component<'a> {
        let name = format!("{program}-{}", self.number);
        Component::new(self.state, name, path, arguments)
            .in_network_namespace(network::namespace_file(self.number))
    }

    fn argument(&self, relative: &str) -> String {
        self.folder.join(relative).display().to_string()
    }

    fn network_configuration(&self) -> serde_json::Value {
        json!({
            "cniVersion": "1.0.0",
            "name": network::node_namespace(self.number),
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": "cni0",
                    "isGateway": true,
                    "hairpinMode": true,
                    "ipam": {
                        "type": "host-local",
                        "dataDir": self.argument("addresses"),
                        "ranges": [[{"subnet": network::pod_range(self.number)}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": true}},
            ],
        })
    }

    fn containerd_configuration(&self) -> String {
        let string = |text: String| serde_json::Value::String(text).to_string();
        format!(
            r#"version = 2
root = {root}
state = {state}

[grpc]
  address = {socket}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # runc fails where it may not lower its score, as in a container without CAP_SYS_RESOURCE.
  restrict_oom_score_adj = true

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{NETWORK_PLUGINS}"
    conf_dir = {networks}

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = {runc}
"#,
            root = string(self.argument("containerd/root")),
            state = string(self.argument("containerd/state")),
            socket = string(socket(&self.folder)),
            pause = pause::IMAGE,
            networks = string(self.argument("cni")),
            runc = string(self.argument("runc")),
        )
    }

    fn kubelet_configuration(&self) -> serde_json::Value {
        let certificate = |ending: &str| self.state.argument(&format!("pki/{}.{ending}", self.name));
        json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": false},
                "webhook": {"enabled": true},
                "x509": {"clientCAFile": self.state.argument("pki/ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": format!("/{}", network::node_namespace(self.number)),
            "clusterDNS": ["10.96.0.10"],
            "clusterDomain": "cluster.local",
            "containerRuntimeEndpoint": format!("unix://{}", socket(&self.folder)),
            "evictionHard": {
                "nodefs.available": "1%",
                "imagefs.available": "1%",
                "memory.available": "100Mi",
            },
            "failSwapOn": false,
            // Images come by hand and could not be fetched again.
            "imageGCHighThresholdPercent": 100,
            "oomScoreAdj": 0,
            "podLogsDir": self.argument("pod-logs"),
            // A pod must not ask the machine's own name servers.
            "resolvConf": "/dev/null",
            "syncFrequency": "10s",
            "tlsCertFile": certificate("crt"),
            "tlsPrivateKeyFile": certificate("key"),
            "volumePluginDir": self.argument("volume-plugins"),
        })
    }
}

/// Name of the node of this number in the cluster.
pub fn name(number: u8) -> String {
    format!("node-{number}")
}

/// Gives the images of `archives` to every node.
pub fn load_images(nodes_folder: &Path, nodes: u8, archives: &[PathBuf]) -> Result<(), Error> {
    let load = |number| {
        let node = folder(nodes_folder, number);
        archives.iter().try_for_each(|archive| import(&node, archive))
    };
    in_parallel(nodes, load)
}

/// Does something for every node at once.
pub fn in_parallel(nodes: u8, work: impl Fn(u8) -> Result<(), Error> + Sync) -> Result<(), Error> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=nodes)
            .map(|number| scope.spawn(move || work(number)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}

fn import(node: &Path, archive: &Path) -> Result<(), Error> {
    let mut ctr = Command::new("ctr");
    ctr.args([
        "--address",
        &socket(node),
        "--namespace",
        "k8s.io",
        "images",
        "import",
    ])
    .arg(archive)
    .stdout(std::process::Stdio::null());
    run(
        &mut ctr,
        "Does the cluster run? `cargo xtask cluster status` tells.",
    )
}

fn folder(nodes_folder: &Path, number: u8) -> PathBuf {
    nodes_folder.join(name(number))
}

fn socket(node: &Path) -> String {
    node.join("containerd.sock").display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Provider;
    use crate::cluster::state::Ports;

    #[test]
    fn paths_with_quotes_do_not_break_the_configuration_of_containerd() {
        let state = State {
            name: "test".parse().unwrap(),
            folder: PathBuf::from("/a \"folder\""),
        };
        let settings = Settings {
            provider: Provider::Own,
            nodes: 1,
            ports: Ports {
                etcd: 1,
                etcd_peer: 2,
                api_server: 3,
                controller_manager: 4,
                scheduler: 5,
                dns_health: 6,
            },
        };
        let node = Node::new(&state, &settings, 1);
        let configuration = node.containerd_configuration();
        assert!(
            configuration.contains(r#"root = "/a \"folder\"/node-1/containerd/root""#),
            "{configuration}"
        );
        assert_eq!(node.kubelet_configuration()["cgroupRoot"], "/toxicity-node-1");
    }
}
