//! The baseline: a server in Python as most people would write it, and the models that are made in Python.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::subject::{Kind, Subject};
use crate::digest::sha256_hex;
use crate::error::Error;
use crate::onnxruntime::ensure_pip;
use crate::process::{announce, output, run};
use crate::workspace::Workspace;

const KIND: Kind = Kind {
    name: "baseline server",
    health_path: "/health",
    path: "/predict",
};

/// Packages whose versions are told.
const TOLD: [&str; 4] = ["flask", "gunicorn", "onnxruntime", "tokenizers"];

/// An environment of Python in which the baseline runs.
pub struct Baseline {
    /// Holds the server and the scripts.
    sources: PathBuf,
    environment: PathBuf,
}

impl Baseline {
    /// Makes the environment when there is none of these requirements yet.
    ///
    /// # Errors
    /// When Python or the packages cannot be had.
    pub fn prepare(workspace: &Workspace) -> Result<Self, Error> {
        let sources = workspace.root().join("tests/baseline");
        let requirements = sources.join("requirements.txt");
        let content = std::fs::read(&requirements).map_err(|source| Error::File {
            action: "read",
            path: requirements.clone(),
            source,
        })?;
        let name = format!("python-{}", &sha256_hex(content)[..12]);
        let baseline = Self {
            sources,
            environment: workspace.target().join("bench").join(name),
        };
        let complete = baseline.environment.join("complete");
        if complete.is_file() {
            return Ok(baseline);
        }
        announce("installing Flask, gunicorn, ONNX Runtime and tokenizers for Python (PyPI, 60 MB)");
        ensure_pip()?;
        let remedy =
            "Check that PyPI can be reached (a proxy or mirror is set by `pip config`), and try again.";
        // Debian's Python makes environments with pip only when one more package is there; pip can do without.
        let mut create = Command::new("python3");
        create
            .args(["-m", "venv", "--clear", "--without-pip"])
            .arg(&baseline.environment);
        run(&mut create, "Python 3.11 or newer is needed.")?;
        let mut install = Command::new("python3");
        install.args(["-m", "pip", "--python"]).arg(baseline.python());
        install.args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary=:all:",
        ]);
        install
            .args(["--require-hashes", "--requirement"])
            .arg(requirements);
        run(&mut install, remedy)?;
        std::fs::write(&complete, "").map_err(|source| Error::File {
            action: "write",
            path: complete,
            source,
        })?;
        Ok(baseline)
    }

    /// Starts the server with a model: one process of four threads.
    ///
    /// Of what Flask's documentation names, this was the fastest: gunicorn with four processes and waitress with four
    /// threads took a fifth to a half more processor time for a request.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self, model: &Path) -> Result<Subject, Error> {
        Subject::start(KIND, |address: SocketAddr| {
            let mut command = Command::new(self.python());
            command.current_dir(&self.sources).env("MODEL_FOLDER", model);
            // The repository stays as it is.
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            command.args(["-m", "gunicorn", "--threads=4", "--log-level=warning"]);
            command.args(["--bind", &address.to_string(), "server:app"]);
            command
        })
    }

    /// Runs a script that makes a model of another one, unless it has done so.
    ///
    /// # Errors
    /// When it fails.
    pub fn make_model(&self, script: &str, source: &Path, target: &Path) -> Result<(), Error> {
        if target.is_dir() {
            return Ok(());
        }
        let mut name = target.file_name().unwrap_or_default().to_owned();
        announce(&format!("making the model {}", name.display()));
        // What an interrupted run leaves is no model.
        name.push(".partial");
        let partial = target.with_file_name(name);
        let _ = std::fs::remove_dir_all(&partial);
        let mut command = Command::new(self.python());
        command.arg(self.sources.join(script)).args([source, &partial]);
        run(&mut command, "Its message above says why.")?;
        std::fs::rename(&partial, target).map_err(|source| Error::File {
            action: "create",
            path: target.to_owned(),
            source,
        })
    }

    /// Python and its packages with their versions.
    ///
    /// # Errors
    /// When Python does not answer.
    pub fn versions(&self) -> Result<String, Error> {
        let script = format!(
            "import platform, importlib.metadata as m; \
             print(', '.join(['Python ' + platform.python_version()] + [n + ' ' + m.version(n) for n in {TOLD:?}]))"
        );
        let mut command = Command::new(self.python());
        command.args(["-c", &script]);
        Ok(output(&mut command, "Its message above says why.")?
            .trim()
            .to_owned())
    }

    fn python(&self) -> PathBuf {
        self.environment.join("bin/python")
    }
}
