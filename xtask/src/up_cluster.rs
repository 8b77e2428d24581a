//! `cargo xtask up --cluster`: the whole product in a real Kubernetes on this machine.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Args;

use crate::cluster::{self, Cluster, ClusterChoice, ClusterName};
use crate::error::Error;
use crate::install::{self, ImageNames, SAMPLE, SAMPLE_NAMESPACE};
use crate::process::announce;
use crate::service::Service;
use crate::workspace::Workspace;

/// Longest wait for a port to be forwarded once the monitor is ready.
const FORWARD_TIMEOUT: Duration = Duration::from_secs(30);

/// Pause before a forwarding that has ended starts again.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Which cluster, and with which images.
#[derive(Debug, Args)]
#[command(next_help_heading = "With --cluster")]
pub struct UpClusterArguments {
    #[command(flatten)]
    choice: ClusterChoice,
    #[command(flatten)]
    images: ImageNames,
}

impl UpClusterArguments {
    /// Whether nothing was chosen.
    pub fn is_default(&self) -> bool {
        self.choice.is_default() && self.images == ImageNames::default()
    }
}

/// Ports on this machine that lead into the cluster.
#[derive(Debug, Clone, Copy)]
pub struct LocalPorts {
    /// To the web UI.
    pub web_ui: u16,
    /// To the model server.
    pub model_server: u16,
}

/// Starts the cluster, installs the product, prints the addresses and forwards the ports until Ctrl-C.
pub fn run(
    workspace: &Workspace,
    arguments: &UpClusterArguments,
    ports: LocalPorts,
    open: bool,
) -> Result<(), Error> {
    let started = Instant::now();
    let name: ClusterName = "main".parse()?;
    let mut choice = arguments.choice.clone();
    if !choice.use_current_context && choice.nodes.is_none() {
        // Pods need a node; a cluster that has more keeps them.
        let present = cluster::existing(workspace, &name).map_or(0, |cluster| cluster.nodes);
        choice.nodes = Some(present.max(1));
    }
    let cluster = cluster::up(workspace, &name, &choice)?;
    let references = install::images(workspace, &cluster, &arguments.images)?;
    install::operator(workspace, &cluster, &references)?;
    install::sample(workspace, &cluster)?;

    let (interrupt, interrupted) = mpsc::channel();
    ctrlc::set_handler(move || {
        // The receiver is gone only when the task has ended.
        let _ = interrupt.send(());
    })?;
    let mut forwards = [
        Forward::start(&cluster, "web UI", "web-ui", ports.web_ui, 80)?,
        Forward::start(&cluster, "model server", "model-server", ports.model_server, 8000)?,
    ];
    for forward in &mut forwards {
        forward.wait()?;
    }
    print_addresses(&cluster, ports, started.elapsed());
    let address = format!("http://127.0.0.1:{}", ports.web_ui);
    if open && let Err(error) = open::that_detached(&address) {
        eprintln!("failed to open a browser ({error}); open {address} yourself");
    }
    while interrupted.recv_timeout(Duration::from_millis(200)).is_err() {
        for forward in &mut forwards {
            forward.keep()?;
        }
    }
    drop(forwards);
    announce(&format!(
        "cluster \"{}\" runs on; stop it by `cargo xtask cluster down`",
        cluster.name
    ));
    Ok(())
}

fn print_addresses(cluster: &Cluster, ports: LocalPorts, elapsed: Duration) {
    let LocalPorts { web_ui, model_server } = ports;
    println!();
    println!("  Web UI        http://127.0.0.1:{web_ui}");
    println!("  Model server  http://127.0.0.1:{model_server}");
    println!("  API           http://127.0.0.1:{model_server}/docs");
    println!("  Monitor       kubectl get toxicitymonitors --namespace {SAMPLE_NAMESPACE}");
    println!();
    println!("KUBECONFIG={}", cluster.kubeconfig.display());
    println!();
    println!(
        "  Ready in {} s. Press Ctrl-C to stop forwarding the ports.",
        elapsed.as_secs()
    );
    println!();
}

/// A port on this machine that leads to a Service. kubectl ends with the pod that it has chosen, so it is started
/// again.
struct Forward<'a> {
    cluster: &'a Cluster,
    name: &'static str,
    service: &'static str,
    local: u16,
    remote: u16,
    kubectl: Service,
    restarted: Instant,
}

impl<'a> Forward<'a> {
    fn start(
        cluster: &'a Cluster,
        name: &'static str,
        service: &'static str,
        local: u16,
        remote: u16,
    ) -> Result<Self, Error> {
        let kubectl = Service::start(name, &mut command(cluster, service, local, remote))?;
        Ok(Self {
            cluster,
            name,
            service,
            local,
            remote,
            kubectl,
            restarted: Instant::now(),
        })
    }

    /// Waits until the port leads somewhere.
    fn wait(&mut self) -> Result<(), Error> {
        let address = format!("http://127.0.0.1:{}/", self.local);
        let started = Instant::now();
        while started.elapsed() < FORWARD_TIMEOUT {
            self.keep()?;
            // Any answer will do: what the path means is up to the server.
            match ureq::get(&address).call() {
                Ok(_) | Err(ureq::Error::StatusCode(_)) => return Ok(()),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
        Err(Error::AwaitService {
            service: self.name,
            seconds: FORWARD_TIMEOUT.as_secs(),
        })
    }

    /// Starts kubectl again when it has ended.
    fn keep(&mut self) -> Result<(), Error> {
        if self.kubectl.check().is_err() && self.restarted.elapsed() > RESTART_PAUSE {
            let mut command = command(self.cluster, self.service, self.local, self.remote);
            self.kubectl = Service::start(self.name, &mut command)?;
            self.restarted = Instant::now();
        }
        Ok(())
    }
}

fn command(cluster: &Cluster, service: &str, local: u16, remote: u16) -> Command {
    let mut command = cluster.kubectl();
    command.args([
        "port-forward",
        "--address=127.0.0.1",
        "--namespace",
        SAMPLE_NAMESPACE,
    ]);
    command.arg(format!("service/{SAMPLE}-{service}"));
    command.arg(format!("{local}:{remote}"));
    // It tells of every connection.
    command.stdout(Stdio::null());
    command
}
