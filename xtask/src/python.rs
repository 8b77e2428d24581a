//! Python environments: packages that a file of the repository pins with hashes.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::digest::sha256_hex;
use crate::error::Error;
use crate::onnxruntime::ensure_pip;
use crate::process::{announce, run};
use crate::workspace::Workspace;

/// An environment that holds what a file of requirements pins.
pub struct PythonEnvironment {
    folder: PathBuf,
}

impl PythonEnvironment {
    /// Makes the environment when there is none of these requirements yet. `content` tells what that fetches.
    ///
    /// # Errors
    /// When Python or the packages cannot be had.
    pub fn prepare(workspace: &Workspace, requirements: &Path, content: &str) -> Result<Self, Error> {
        let pinned = std::fs::read(requirements).map_err(|source| Error::File {
            action: "read",
            path: requirements.to_owned(),
            source,
        })?;
        let name = &sha256_hex(pinned)[..12];
        let environment = Self {
            folder: workspace.target().join("python").join(name),
        };
        // Written last, so that an interrupted installation is not taken for an environment.
        let complete = environment.folder.join("complete");
        if complete.is_file() {
            return Ok(environment);
        }
        announce(&format!("installing {content} for Python (PyPI)"));
        ensure_pip()?;
        // Debian's Python makes environments with pip only when one more package is there; pip can do without.
        let mut create = Command::new("python3");
        create
            .args(["-m", "venv", "--clear", "--without-pip"])
            .arg(&environment.folder);
        run(&mut create, "Python 3.11 or newer is needed.")?;
        let mut install = Command::new("python3");
        install
            .args(["-m", "pip", "--python"])
            .arg(environment.interpreter());
        install.args(["install", "--quiet", "--disable-pip-version-check"]);
        install.args(["--only-binary=:all:", "--require-hashes", "--requirement"]);
        install.arg(requirements);
        run(
            &mut install,
            "Check that PyPI can be reached (a proxy or mirror is set by `pip config`), and try again.",
        )?;
        std::fs::write(&complete, "").map_err(|source| Error::File {
            action: "write",
            path: complete,
            source,
        })?;
        Ok(environment)
    }

    /// Its interpreter.
    pub fn interpreter(&self) -> PathBuf {
        self.program("python")
    }

    /// A program of one of its packages.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }
}
