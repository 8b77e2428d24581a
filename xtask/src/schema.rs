//! The model server held to its own OpenAPI document, by schemathesis.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::clients;
use crate::error::Error;
use crate::process::{announce, command_line, run};
use crate::service::{Service, free_port};
use crate::test::Tally;
use crate::workspace::Workspace;

/// Longest wait for the server to be ready.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// What of schemathesis' report counts.
#[derive(Debug, Deserialize)]
struct Report {
    operations: Operations,
    test_cases: TestCases,
    errors: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Operations {
    tested: usize,
}

#[derive(Debug, Deserialize)]
struct TestCases {
    unique_failures: usize,
}

impl Report {
    /// Counts operations, of which each failure is taken to be another one.
    fn tally(&self) -> Tally {
        let failed = self.test_cases.unique_failures + self.errors.len();
        Tally {
            passed: self.operations.tested.saturating_sub(failed),
            failed,
        }
    }
}

/// Starts a server and sends it what its document allows and forbids.
pub fn test(workspace: &Workspace) -> Result<Tally, Error> {
    let environment = clients::environment(workspace)?;
    let folder = workspace.target().join("schemathesis");
    // What an earlier run has left, its records and its report, would be taken for that of this one.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|source| Error::File {
        action: "create",
        path: folder.clone(),
        source,
    })?;
    let address = format!("127.0.0.1:{}", free_port()?);
    let mut serve = Command::new(workspace.target().join("debug/toxicity-model-server"));
    serve
        .current_dir(workspace.root())
        .args(["serve", "--log", "warn", "--listen", &address, "--records-url"])
        .arg(format!("sqlite://{}", folder.join("records.db").display()));
    let mut server = Service::start("model server", &mut serve)?;
    let url = format!("http://{address}");
    server.wait_until_ready(&format!("{url}/readyz"), START_TIMEOUT)?;

    announce("comparing the model server with its OpenAPI document");
    let report = folder.join("report.json");
    let mut schemathesis = Command::new(environment.program("st"));
    schemathesis
        .current_dir(&folder)
        .arg("--config-file")
        .arg(workspace.root().join("tests/clients/schemathesis.toml"))
        .args(["run", &format!("{url}/openapi.json"), "--url", &url])
        .args(["--report", "json", "--report-json-path"])
        .arg(&report)
        .env("MODEL_VERSION", model_version(&url)?);
    let result = run(&mut schemathesis, "The requests above show what differs.");
    server.check()?;
    match read(&report, &command_line(&schemathesis)) {
        Ok(report) => Ok(report.tally()),
        Err(unread) => Err(result.err().unwrap_or(unread)),
    }
}

/// The version of the bundled model, which stands in the paths of the Open Inference Protocol.
fn model_version(url: &str) -> Result<String, Error> {
    let path = format!("{url}/info");
    let info = ureq::get(&path)
        .call()
        .and_then(|mut answer| answer.body_mut().read_to_string());
    let unclear = |message: String| Error::ReadMeasurement {
        command: format!("GET {path}"),
        message,
    };
    let info = info.map_err(|error| unclear(error.to_string()))?;
    let info: Value = serde_json::from_str(&info).map_err(|error| unclear(error.to_string()))?;
    info.pointer("/model/revision")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| unclear("it names no revision of the model".to_owned()))
}

fn read(report: &Path, command: &str) -> Result<Report, Error> {
    let content = std::fs::read(report).map_err(|source| Error::File {
        action: "read",
        path: report.to_owned(),
        source,
    })?;
    serde_json::from_slice(&content).map_err(|error| Error::ReadMeasurement {
        command: command.to_owned(),
        message: error.to_string(),
    })
}
