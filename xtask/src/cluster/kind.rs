//! Clusters that kind makes in Docker, for who asks.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::cluster::binaries::{self, Piece};
use crate::cluster::state::{Ports, Settings, State};
use crate::cluster::{Provider, succeeds};
use crate::error::Error;
use crate::process::{announce, run};

const REMEDY: &str = "Its message above says why; `docker info` must work.";

/// Makes the cluster, unless it is there.
pub fn up(state: &State, nodes: Option<u8>) -> Result<Settings, Error> {
    if let Some(settings) = state.settings()? {
        return Ok(settings);
    }
    if !succeeds("docker", &["info"]) {
        return Err(Error::FindDocker);
    }
    let settings = Settings {
        provider: Provider::Kind,
        nodes: nodes.unwrap_or(1).max(1),
        ports: Ports::choose()?,
    };
    // The first node of kind runs the control plane and pods too.
    let roles: Vec<_> = (0..settings.nodes)
        .map(|number| json!({"role": if number == 0 { "control-plane" } else { "worker" }}))
        .collect();
    let config = state.path("kind.json");
    let content = json!({"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": roles});
    super::write(&config, content.to_string())?;
    let name = kind_name(&state.name);
    let mut create = kind()?;
    create
        .args(["create", "cluster", "--name", &name, "--wait", "120s", "--config"])
        .arg(&config)
        .arg("--kubeconfig")
        .arg(state.kubeconfig());
    announce(&format!("creating the kind cluster \"{name}\""));
    // Remembered first, so that `down` also removes what was cut off half-way.
    state.remember(&settings)?;
    run(&mut create, REMEDY)?;
    Ok(settings)
}

/// Hands an image archive to the nodes.
pub fn load(name: &str, archive: &Path) -> Result<(), Error> {
    let mut load = kind()?;
    load.args(["load", "image-archive", "--name", &kind_name(name)]);
    run(load.arg(archive), REMEDY)
}

/// Removes the cluster and its state.
pub fn delete(state: &State) -> Result<(), Error> {
    let mut delete = kind()?;
    delete.args([
        "delete",
        "cluster",
        "--name",
        &kind_name(&state.name),
        "--kubeconfig",
    ]);
    run(delete.arg(state.kubeconfig()), REMEDY)?;
    std::fs::remove_dir_all(&state.folder).map_err(|source| Error::File {
        action: "remove",
        path: state.folder.clone(),
        source,
    })
}

fn kind() -> Result<Command, Error> {
    let binaries = binaries::ensure(&[Piece::Kind])?;
    Ok(Command::new(binaries.path(Piece::Kind)))
}

fn kind_name(name: &str) -> String {
    format!("toxicity-{name}")
}
