//! The tests that run other people's clients, unchanged, against the real model server.

use crate::error::Error;
use crate::process::announce;
use crate::pytest;
use crate::python::PythonEnvironment;
use crate::test::Tally;
use crate::workspace::Workspace;

/// Runs the tests in `tests/clients`, which start servers of their own.
pub fn test(workspace: &Workspace) -> Result<Tally, Error> {
    let environment = environment(workspace)?;
    announce("running the clients against the model server");
    pytest::run(&environment, &workspace.root().join("tests/clients"))
}

/// The clients, and what tests with them.
pub fn environment(workspace: &Workspace) -> Result<PythonEnvironment, Error> {
    let requirements = workspace.root().join("tests/clients/requirements.txt");
    let content = "the clients of Google, OpenAI, Triton and Hugging Face, and schemathesis";
    PythonEnvironment::prepare(workspace, &requirements, content)
}
