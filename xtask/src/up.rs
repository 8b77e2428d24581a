//! `cargo xtask up`: the whole product on this machine.

use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Args;

use crate::build;
use crate::error::Error;
use crate::process::announce;
use crate::service::{Service, check_port};
use crate::up_cluster::{self, LocalPorts, UpClusterArguments};
use crate::workspace::Workspace;

const READY_TIMEOUT: Duration = Duration::from_mins(1);

/// How to run the product.
#[derive(Debug, Args)]
pub struct UpArguments {
    /// Port of the web UI.
    #[arg(long, env = "TOXICITY_UP_PORT", default_value_t = 8080)]
    port: u16,

    /// Port of the model server.
    #[arg(long, env = "TOXICITY_UP_MODEL_PORT", default_value_t = 8000)]
    model_port: u16,

    /// Model to serve: `bundled` or a model folder.
    #[arg(
        long,
        env = "TOXICITY_MODEL",
        default_value = "bundled",
        value_name = "SOURCE",
        conflicts_with = "cluster"
    )]
    model: String,

    /// Open the web UI in the browser.
    #[arg(long)]
    open: bool,

    /// Run it in a real Kubernetes: start a cluster, build the images, install the operator and the smallest sample.
    #[arg(long)]
    cluster: bool,

    #[command(flatten)]
    in_cluster: UpClusterArguments,
}

/// Builds, starts, prints the addresses and waits for Ctrl-C.
pub fn run(workspace: &Workspace, arguments: &UpArguments) -> Result<(), Error> {
    let UpArguments {
        port,
        model_port,
        ref model,
        open,
        cluster,
        ref in_cluster,
    } = *arguments;
    if !cluster && !in_cluster.is_default() {
        return Err(Error::NeedClusterFlag);
    }
    if port == model_port {
        return Err(Error::SharePort(port));
    }
    check_port(port, "--port")?;
    check_port(model_port, "--model-port")?;
    if cluster {
        let ports = LocalPorts {
            web_ui: port,
            model_server: model_port,
        };
        return up_cluster::run(workspace, in_cluster, ports, open);
    }
    let product = build::release(workspace)?;

    let (interrupt, interrupted) = mpsc::channel();
    ctrlc::set_handler(move || {
        // The receiver is gone only when the task has ended.
        let _ = interrupt.send(());
    })?;

    announce("starting");
    let started = Instant::now();
    let mut model_server = Service::start(
        "model server",
        Command::new(&product.model_server)
            .current_dir(workspace.root())
            .args([
                "serve",
                "--model",
                model,
                "--listen",
                &format!("127.0.0.1:{model_port}"),
            ]),
    )?;
    let mut web_server = Service::start(
        "web server",
        Command::new(&product.web_server)
            .current_dir(workspace.root())
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--upstream", &format!("http://127.0.0.1:{model_port}")])
            .arg("--assets")
            .arg(&product.assets),
    )?;
    model_server.wait_until_ready(&format!("http://127.0.0.1:{model_port}/readyz"), READY_TIMEOUT)?;
    web_server.wait_until_ready(&format!("http://127.0.0.1:{port}/healthz"), READY_TIMEOUT)?;

    let address = format!("http://127.0.0.1:{port}");
    println!();
    println!("  Web UI        {address}");
    println!("  Model server  http://127.0.0.1:{model_port}");
    println!("  API           http://127.0.0.1:{model_port}/docs");
    println!();
    println!(
        "  Ready in {} ms. Press Ctrl-C to stop.",
        started.elapsed().as_millis()
    );
    println!();
    if open && let Err(error) = open::that_detached(&address) {
        eprintln!("failed to open a browser ({error}); open {address} yourself");
    }

    while interrupted.recv_timeout(Duration::from_millis(200)).is_err() {
        model_server.check()?;
        web_server.check()?;
    }
    announce("stopping");
    web_server.stop();
    model_server.stop();
    Ok(())
}
