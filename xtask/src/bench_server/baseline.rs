//! The baseline: a server in Python as most people would write it, and the models that are made in Python.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::subject::{Kind, Subject};
use crate::error::Error;
use crate::process::{announce, output, run};
use crate::python::PythonEnvironment;
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
    python: PythonEnvironment,
}

impl Baseline {
    /// Makes the environment when there is none of these requirements yet.
    ///
    /// # Errors
    /// When Python or the packages cannot be had.
    pub fn prepare(workspace: &Workspace) -> Result<Self, Error> {
        let sources = workspace.root().join("tests/baseline");
        let requirements = sources.join("requirements.txt");
        let content = "Flask, gunicorn, ONNX Runtime and tokenizers";
        let python = PythonEnvironment::prepare(workspace, &requirements, content)?;
        Ok(Self { sources, python })
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
            let mut command = Command::new(self.python.interpreter());
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
        let mut command = Command::new(self.python.interpreter());
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
        let mut command = Command::new(self.python.interpreter());
        command.args(["-c", &script]);
        Ok(output(&mut command, "Its message above says why.")?
            .trim()
            .to_owned())
    }
}
