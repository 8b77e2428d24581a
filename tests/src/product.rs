//! The product's own processes.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{Process, free_port};

/// Path of a binary of this build.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    // Tests lie in `deps` beside the binaries of their profile.
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = test
        .parent()
        .and_then(Path::parent)
        .expect("tests lie in the build folder");
    existing(folder.join(name))
}

/// Folder of the built web app.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn assets() -> PathBuf {
    existing(repository().join("target/web-ui"))
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate lies in the repository")
        .to_owned()
}

fn existing(path: PathBuf) -> PathBuf {
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask test end-to-end`, which builds it",
        path.display()
    );
    path
}

/// A model server with the bundled model.
pub struct ModelServer {
    /// Its process.
    pub process: Process,
    /// Its port.
    pub port: u16,
}

impl ModelServer {
    /// Starts a server on a free port and waits until it is ready.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_on(free_port(), arguments)
    }

    /// Starts a server on `port` and waits until it is ready.
    #[must_use]
    pub fn start_on(port: u16, arguments: &[&str]) -> Self {
        let mut server = Self {
            process: Process::start(Self::command(port).args(arguments)),
            port,
        };
        server.process.wait_until_ready(&server.url("/readyz"));
        server
    }

    /// The command that serves on `port`.
    #[must_use]
    pub fn command(port: u16) -> Command {
        let mut command = Command::new(binary("toxicity-model-server"));
        command
            .current_dir(repository())
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
        command
    }

    /// Address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Sends JSON and gives the status and the answer.
    ///
    /// # Panics
    /// When there is no answer or it is not JSON.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut response = agent
            .post(self.url(path))
            .send_json(body)
            .expect("the server answers");
        (
            response.status().as_u16(),
            response.body_mut().read_json().expect("the answer is JSON"),
        )
    }
}

/// A web server before a model server.
pub struct WebServer {
    /// Its process.
    pub process: Process,
    /// Its port.
    pub port: u16,
}

impl WebServer {
    /// Starts a server on a free port before `upstream` and waits until it answers.
    #[must_use]
    pub fn start(upstream_port: u16) -> Self {
        let port = free_port();
        let mut command = Command::new(binary("toxicity-web-server"));
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--upstream", &format!("http://127.0.0.1:{upstream_port}")]);
        command.arg("--assets").arg(assets());
        let mut server = Self {
            process: Process::start(&mut command),
            port,
        };
        server.process.wait_until_ready(&server.url("/healthz"));
        server
    }

    /// Address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}
