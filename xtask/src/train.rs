//! `cargo xtask train`: the bundled model, made anew by the Python package in `models/training`.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::error::Error;
use crate::process::{announce, run as run_command};
use crate::pytest;
use crate::python::PythonEnvironment;
use crate::test::Tally;
use crate::workspace::Workspace;

/// Without this file of the data there is nothing to train with.
const NEEDED: &str = "jigsaw/train_six_labels.csv.gz";

/// What to train with, and where to.
#[derive(Debug, Args)]
pub struct TrainArguments {
    /// Folder of the labelled comments: `jigsaw/train_six_labels.csv.gz`, `jigsaw/train_extra_nontoxic.csv.gz`,
    /// `toxic_spans/tsd_train.csv.gz` and the other sets that models/training names.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,

    /// What people said of verdicts, as `GET /v1/feedback/export` of a model server gives it; may be repeated.
    #[arg(long, value_name = "FILE.jsonl")]
    feedback: Vec<PathBuf>,

    /// Folder for the model, which appears there when it is complete. Default: `models/toxic-minilm`, the bundled model;
    /// with --smoke `target/training/smoke`.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,

    /// Model folder to measure beside the new one.
    #[arg(long, value_name = "FOLDER")]
    baseline: Option<PathBuf>,

    /// Only show that every step works: a model of a few rows and steps, which is good for nothing.
    #[arg(long)]
    smoke: bool,
}

/// Prepares Python and trains.
pub fn run(workspace: &Workspace, arguments: &TrainArguments) -> Result<(), Error> {
    let data = data(arguments)?;
    let mut feedback = Vec::new();
    for file in &arguments.feedback {
        feedback.push(file.canonicalize().map_err(Error::file("read", file))?);
    }
    let out = out(workspace, arguments)?;
    let training = folder(workspace);
    let python = environment(workspace)?;
    announce(&format!("training to {}", out.display()));
    let mut command = Command::new(python.interpreter());
    command
        .current_dir(&training)
        .env("PYTHONPATH", &training)
        // The repository stays as it is.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["-m", "toxicity_training", "all", "--data"])
        .arg(data)
        .arg("--out")
        .arg(out)
        .arg("--work")
        .arg(workspace.target().join("training/work"));
    for file in feedback {
        command.arg("--feedback").arg(file);
    }
    if let Some(folder) = &arguments.baseline {
        command.arg("--baseline").arg(absolute(folder)?);
    }
    if arguments.smoke {
        command.arg("--smoke");
    }
    run_command(
        &mut command,
        "Its message above says why; nothing was put in the place of a model.",
    )
}

/// Tests what prepares, trains, exports and measures, with made-up comments.
pub fn test(workspace: &Workspace) -> Result<Tally, Error> {
    let environment = environment(workspace)?;
    for arguments in [["check"].as_slice(), &["format", "--check"]] {
        let mut ruff = Command::new(environment.program("ruff"));
        ruff.current_dir(folder(workspace))
            .args(arguments)
            .arg("--no-cache");
        run_command(
            &mut ruff,
            "Run the same in models/training without --check, or with --fix.",
        )?;
    }
    announce("testing the training");
    pytest::run(&environment, &folder(workspace))
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root().join("models/training")
}

fn environment(workspace: &Workspace) -> Result<PythonEnvironment, Error> {
    let content = "PyTorch, ONNX Runtime and the base encoder (about 3 GB)";
    PythonEnvironment::prepare(workspace, &folder(workspace).join("requirements.txt"), content)
}

/// The folder of the labelled comments, as it is named from everywhere.
fn data(arguments: &TrainArguments) -> Result<PathBuf, Error> {
    let missing = || Error::FindTrainingData {
        folder: arguments.data.clone(),
    };
    let folder = arguments.data.as_deref().ok_or_else(missing)?;
    if !folder.join(NEEDED).is_file() {
        return Err(missing());
    }
    folder.canonicalize().map_err(Error::file("read", folder))
}

/// Where the model goes. A smoke test must not take the place of the bundled model unless somebody says so.
fn out(workspace: &Workspace, arguments: &TrainArguments) -> Result<PathBuf, Error> {
    match &arguments.out {
        Some(folder) => absolute(folder),
        None if arguments.smoke => Ok(workspace.target().join("training/smoke")),
        None => Ok(workspace.bundled_model()),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::file("find", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(data: Option<&Path>, smoke: bool) -> TrainArguments {
        TrainArguments {
            data: data.map(Path::to_owned),
            feedback: Vec::new(),
            out: None,
            baseline: None,
            smoke,
        }
    }

    #[test]
    fn what_belongs_into_the_folder_is_said() {
        let nowhere = Path::new("/nowhere");
        for folder in [None, Some(nowhere)] {
            let error = data(&arguments(folder, false)).unwrap_err().to_string();
            assert!(error.contains("--data") && error.contains(NEEDED), "{error}");
            assert_eq!(error.contains("in \"/nowhere\""), folder.is_some(), "{error}");
        }
    }

    #[test]
    fn a_smoke_test_leaves_the_bundled_model_alone() {
        let workspace = Workspace::new();
        let out = |smoke| out(&workspace, &arguments(None, smoke)).unwrap();
        assert_eq!(out(false), workspace.bundled_model());
        assert_eq!(out(true), workspace.target().join("training/smoke"));
    }
}
