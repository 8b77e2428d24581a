//! etcd, the API server, the controller manager and the scheduler.

use std::process::Command;
use std::time::Duration;

use crate::cluster::binaries::{Binaries, Piece};
use crate::cluster::certificates::{self, Certificate};
use crate::cluster::component::Component;
use crate::cluster::kubeconfig;
use crate::cluster::network;
use crate::cluster::state::{Settings, State};
use crate::error::Error;

/// Longest wait for one of them; a busy machine takes a tenth of it.
const READY_TIMEOUT: Duration = Duration::from_mins(2);

/// Names by which pods, nodes and people reach the API server.
const API_SERVER_NAMES: &str = "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,\
    DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:10.96.0.1,IP:10.89.0.1";

const CERTIFICATES: [Certificate; 8] = [
    Certificate {
        file: "apiserver",
        subject: "/CN=kube-apiserver",
        names: API_SERVER_NAMES,
    },
    Certificate {
        file: "metrics-server",
        subject: "/CN=metrics-server",
        names: "DNS:metrics-server.kube-system.svc",
    },
    Certificate {
        file: "admin",
        subject: "/O=system:masters/CN=admin",
        names: "",
    },
    Certificate {
        file: "kube-controller-manager",
        subject: "/CN=system:kube-controller-manager",
        names: "",
    },
    Certificate {
        file: "kube-scheduler",
        subject: "/CN=system:kube-scheduler",
        names: "",
    },
    Certificate {
        file: "kube-proxy",
        subject: "/CN=system:kube-proxy",
        names: "",
    },
    Certificate {
        file: "apiserver-kubelet",
        subject: "/O=system:masters/CN=kube-apiserver-kubelet-client",
        names: "",
    },
    Certificate {
        file: "front-proxy",
        subject: "/CN=front-proxy-client",
        names: "",
    },
];

/// Address of the API server. Nodes live in other network namespaces and reach it over the bridge.
pub fn host(nodes: u8) -> &'static str {
    if nodes == 0 { "127.0.0.1" } else { network::HOST }
}

/// Makes the certificates and the files that lead clients to the API server.
pub fn prepare(state: &State, settings: &Settings) -> Result<(), Error> {
    certificates::ensure_authority(state)?;
    for certificate in &CERTIFICATES {
        certificates::ensure(state, certificate)?;
    }
    let server = server(settings);
    for who in ["admin", "kube-controller-manager", "kube-scheduler", "kube-proxy"] {
        kubeconfig::ensure(state, who, &server)?;
    }
    Ok(())
}

/// URL of the API server.
pub fn server(settings: &Settings) -> String {
    format!("https://{}:{}", host(settings.nodes), settings.ports.api_server)
}

/// A control plane that has been told to start.
pub struct ControlPlane<'a> {
    state: &'a State,
    settings: &'a Settings,
    binaries: &'a Binaries,
    etcd: Component<'a>,
    api_server: Component<'a>,
}

impl<'a> ControlPlane<'a> {
    /// Starts etcd and the API server without waiting for them.
    pub fn start(state: &'a State, settings: &'a Settings, binaries: &'a Binaries) -> Result<Self, Error> {
        let etcd = Component::new(
            state,
            "etcd",
            binaries.path(Piece::Etcd),
            etcd_arguments(state, settings),
        );
        let api_server = Component::new(
            state,
            "kube-apiserver",
            binaries.path(Piece::ApiServer),
            api_server_arguments(state, settings),
        );
        etcd.start()?;
        api_server.start()?;
        Ok(Self {
            state,
            settings,
            binaries,
            etcd,
            api_server,
        })
    }

    /// Waits for the API server, then starts what needs it.
    pub fn finish(&self) -> Result<(), Error> {
        let ports = &self.settings.ports;
        self.api_server.wait(READY_TIMEOUT, || self.answers("/readyz"))?;
        self.etcd.check()?;
        let controller_manager = self.client(
            Piece::ControllerManager,
            ports.controller_manager,
            &[
                format!(
                    "--service-account-private-key-file={}",
                    self.state.argument("pki/sa.key")
                ),
                format!("--root-ca-file={}", self.state.argument("pki/ca.crt")),
                format!(
                    "--cluster-signing-cert-file={}",
                    self.state.argument("pki/ca.crt")
                ),
                format!("--cluster-signing-key-file={}", self.state.argument("pki/ca.key")),
                "--use-service-account-credentials".to_owned(),
                "--allocate-node-cidrs=false".to_owned(),
            ],
        );
        let scheduler = self.client(Piece::Scheduler, ports.scheduler, &[]);
        controller_manager.start()?;
        scheduler.start()?;
        // Only a controller manager at work makes it, and without it no pod is admitted.
        controller_manager.wait(READY_TIMEOUT, || {
            self.answers("/api/v1/namespaces/default/serviceaccounts/default")
        })?;
        scheduler.wait(READY_TIMEOUT, || is_open(ports.scheduler))
    }

    fn client(&self, piece: Piece, port: u16, more: &[String]) -> Component<'a> {
        let kubeconfig = self.state.argument(&format!("{}.kubeconfig", piece.name()));
        let mut arguments = vec![
            format!("--kubeconfig={kubeconfig}"),
            format!("--authentication-kubeconfig={kubeconfig}"),
            format!("--authorization-kubeconfig={kubeconfig}"),
            "--leader-elect=false".to_owned(),
            // The defaults suit thousands of nodes that share one API server.
            "--kube-api-qps=200".to_owned(),
            "--kube-api-burst=400".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
        ];
        arguments.extend_from_slice(more);
        Component::new(self.state, piece.name(), self.binaries.path(piece), arguments)
    }

    fn answers(&self, path: &str) -> bool {
        Command::new(self.binaries.path(Piece::Kubectl))
            .args(["get", "--request-timeout=5s", "--raw", path])
            .env("KUBECONFIG", self.state.kubeconfig())
            .output()
            .is_ok_and(|output| output.status.success())
    }
}

fn is_open(port: u16) -> bool {
    std::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn etcd_arguments(state: &State, settings: &Settings) -> Vec<String> {
    let clients = format!("http://127.0.0.1:{}", settings.ports.etcd);
    let peers = format!("http://127.0.0.1:{}", settings.ports.etcd_peer);
    vec![
        format!("--data-dir={}", state.argument("etcd")),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        // The state is lost with the machine at worst; a test that waits for its disk is slow all the time.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

fn api_server_arguments(state: &State, settings: &Settings) -> Vec<String> {
    let host = host(settings.nodes);
    let pki = |flag: &str, file: &str| format!("--{flag}={}", state.argument(&format!("pki/{file}")));
    vec![
        format!("--etcd-servers=http://127.0.0.1:{}", settings.ports.etcd),
        format!("--secure-port={}", settings.ports.api_server),
        format!("--bind-address={host}"),
        format!("--advertise-address={host}"),
        pki("tls-cert-file", "apiserver.crt"),
        pki("tls-private-key-file", "apiserver.key"),
        pki("client-ca-file", "ca.crt"),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-admission-plugins=NodeRestriction".to_owned(),
        "--allow-privileged".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        pki("service-account-key-file", "sa.pub"),
        pki("service-account-signing-key-file", "sa.key"),
        pki("kubelet-certificate-authority", "ca.crt"),
        pki("kubelet-client-certificate", "apiserver-kubelet.crt"),
        pki("kubelet-client-key", "apiserver-kubelet.key"),
        // Names of nodes do not resolve here.
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        pki("requestheader-client-ca-file", "ca.crt"),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        pki("proxy-client-cert-file", "front-proxy.crt"),
        pki("proxy-client-key-file", "front-proxy.key"),
        // The machine itself has no kube-proxy, so Services are reached by their endpoints.
        "--enable-aggregator-routing=true".to_owned(),
    ]
}
