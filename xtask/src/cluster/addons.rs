//! DNS and metrics, as processes beside the API server: no image is needed for them. A Service without selector leads
//! the pods there.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::cluster::binaries::{Binaries, Piece};
use crate::cluster::component::Component;
use crate::cluster::state::{Settings, State};
use crate::cluster::{control_plane, network, write};
use crate::error::Error;
use crate::process::{command_line, start_error};

/// Port of metrics-server on the bridge.
const METRICS_PORT: u16 = 4443;

/// Longest wait for the DNS server.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// Starts both and tells the cluster where they are.
pub fn start(state: &State, settings: &Settings, binaries: &Binaries) -> Result<(), Error> {
    let authority = state.path("pki/ca.crt");
    let authority = std::fs::read(&authority).map_err(|source| Error::File {
        action: "read",
        path: authority.clone(),
        source,
    })?;
    write(&state.path("Corefile"), corefile(state, settings))?;
    let dns = Component::new(
        state,
        "coredns",
        binaries.path(Piece::CoreDns),
        vec!["-conf".to_owned(), state.argument("Corefile")],
    );
    let metrics = Component::new(
        state,
        "metrics-server",
        binaries.path(Piece::MetricsServer),
        metrics_arguments(state),
    );
    dns.start()?;
    metrics.start()?;
    let kubectl = |arguments: &[&str]| {
        let mut command = Command::new(binaries.path(Piece::Kubectl));
        command.args(arguments).env("KUBECONFIG", state.kubeconfig());
        command
    };
    apply(
        kubectl(&["apply", "--server-side", "--force-conflicts", "--filename=-"]),
        &manifests(&authority),
    )?;
    let health = format!("http://127.0.0.1:{}/health", settings.ports.dns_health);
    dns.wait(READY_TIMEOUT, || ureq::get(&health).call().is_ok())?;
    metrics.check()
}

fn corefile(state: &State, settings: &Settings) -> String {
    let quoted = |path: &Path| format!("\"{}\"", path.display());
    format!(
        ".:53 {{\n  bind {host}\n  errors\n  health 127.0.0.1:{health}\n  kubernetes cluster.local in-addr.arpa \
         ip6.arpa {{\n    endpoint {server}\n    kubeconfig {kubeconfig}\n    pods insecure\n  }}\n  cache 5\n}}\n",
        host = network::HOST,
        health = settings.ports.dns_health,
        server = control_plane::server(settings),
        kubeconfig = quoted(&state.kubeconfig()),
    )
}

fn metrics_arguments(state: &State) -> Vec<String> {
    let kubeconfig = state.argument("admin.kubeconfig");
    vec![
        format!("--kubeconfig={kubeconfig}"),
        format!("--authentication-kubeconfig={kubeconfig}"),
        format!("--authorization-kubeconfig={kubeconfig}"),
        format!("--bind-address={}", network::HOST),
        format!("--secure-port={METRICS_PORT}"),
        format!("--tls-cert-file={}", state.argument("pki/metrics-server.crt")),
        format!(
            "--tls-private-key-file={}",
            state.argument("pki/metrics-server.key")
        ),
        format!("--kubelet-certificate-authority={}", state.argument("pki/ca.crt")),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        // Each round must be over before the next one.
        "--metric-resolution=10s".to_owned(),
        "--kubelet-request-timeout=5s".to_owned(),
    ]
}

fn manifests(authority: &[u8]) -> Value {
    let mut items = Vec::new();
    items.extend(service("kube-dns", "10.96.0.10", "UDP", 53, 53));
    items.extend(service("metrics-server", "10.96.0.11", "TCP", 443, METRICS_PORT));
    items.push(json!({
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "service": {"name": "metrics-server", "namespace": "kube-system"},
            "caBundle": BASE64.encode(authority),
        },
    }));
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// A Service whose endpoint is a process on the bridge.
fn service(name: &str, address: &str, protocol: &str, port: u16, target: u16) -> [Value; 2] {
    [
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "kube-system"},
            "spec": {
                "clusterIP": address,
                "ports": [{"name": "main", "port": port, "targetPort": target, "protocol": protocol}],
            },
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": name,
                "namespace": "kube-system",
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "ports": [{"name": "main", "port": target, "protocol": protocol}],
            "endpoints": [{"addresses": [network::HOST], "conditions": {"ready": true}}],
        }),
    ]
}

fn apply(mut kubectl: Command, manifests: &Value) -> Result<(), Error> {
    let remedy = "Its message above says why.";
    kubectl.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = kubectl
        .spawn()
        .map_err(|source| start_error(&kubectl, remedy, source))?;
    let mut input = child.stdin.take().expect("standard input is piped");
    // When kubectl does not read, its status says so.
    let _ = input.write_all(manifests.to_string().as_bytes());
    drop(input);
    let status = child
        .wait()
        .map_err(|source| start_error(&kubectl, remedy, source))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::RunCommand {
            command: command_line(&kubectl),
            status,
            remedy: remedy.to_owned(),
        })
    }
}
