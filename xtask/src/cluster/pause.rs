//! The image that every pod's sandbox runs: one static program, so it is put together without any tool for images.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::cluster::state::State;
use crate::digest::sha256_hex;
use crate::error::Error;
use crate::process::run;

/// Name of the image.
pub const IMAGE: &str = "localhost/toxicity-pause:1";

const SOURCE: &str = include_str!("pause.c");

/// The archive of the image, as `docker save` would write it.
pub fn ensure(state: &State) -> Result<PathBuf, Error> {
    let archive = state.path("pause.tar");
    if archive.is_file() {
        return Ok(archive);
    }
    let folder = state.path("pause");
    super::write(&folder.join("pause.c"), SOURCE)?;
    let remedy = "Its message above says why; gcc and libc6-dev are needed.";
    run(
        Command::new("gcc")
            .current_dir(&folder)
            .args(["-static", "-Os", "-s", "-o", "pause", "pause.c"]),
        remedy,
    )?;
    tar(&folder, "layer.tar", &["pause"])?;
    let layer = folder.join("layer.tar");
    let layer = std::fs::read(&layer).map_err(|source| Error::File {
        action: "read",
        path: layer.clone(),
        source,
    })?;
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": ["/pause"], "User": "65532:65532"},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", sha256_hex(layer))]},
    });
    let manifest = json!([{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]);
    super::write(&folder.join("config.json"), config.to_string())?;
    super::write(&folder.join("manifest.json"), manifest.to_string())?;
    tar(
        &folder,
        "pause.tar",
        &["manifest.json", "config.json", "layer.tar"],
    )?;
    std::fs::rename(folder.join("pause.tar"), &archive).map_err(|source| Error::File {
        action: "create",
        path: archive.clone(),
        source,
    })?;
    Ok(archive)
}

fn tar(folder: &std::path::Path, archive: &str, files: &[&str]) -> Result<(), Error> {
    run(
        Command::new("tar")
            .current_dir(folder)
            .args(["--create", "--owner=0", "--group=0", "--file", archive])
            .args(files),
        "Its message above says why.",
    )
}
