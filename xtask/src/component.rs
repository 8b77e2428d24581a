//! The parts of the product that are built, installed and put into images each for itself.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::error::Error;
use crate::workspace::Workspace;
use crate::{build, onnxruntime};

/// A part of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Component {
    /// The Kubernetes operator.
    Operator,
    /// The model server, with ONNX Runtime and the bundled model.
    ModelServer,
    /// The web server and the web app.
    WebUi,
}

impl Component {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Operator, Self::ModelServer, Self::WebUi];

    /// Name on the command line; also the folder that holds its Dockerfile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::ModelServer => "model-server",
            Self::WebUi => "web-ui",
        }
    }

    /// Name of its image, without registry and tag.
    pub fn image(self) -> &'static str {
        match self {
            Self::Operator => "toxicity-operator",
            Self::ModelServer => "toxicity-model-server",
            Self::WebUi => "toxicity-web-ui",
        }
    }

    /// Name of its program and of the package that holds it.
    pub fn binary(self) -> &'static str {
        match self {
            Self::Operator => "toxicity-operator",
            Self::ModelServer => "toxicity-model-server",
            Self::WebUi => "toxicity-web-server",
        }
    }
}

/// Lays the files of a component, whose program is built, out below `folder`, as they lie below `/usr/local` of an
/// installation.
///
/// # Errors
/// When something that belongs to it cannot be built or copied.
pub fn install(workspace: &Workspace, component: Component, folder: &Path) -> Result<(), Error> {
    let binary = component.binary();
    copy(
        &workspace.release_binary(binary),
        &folder.join("bin").join(binary),
    )?;
    copy(
        &workspace.root().join("LICENSE"),
        &folder.join("share/licenses/toxicity/LICENSE"),
    )?;
    match component {
        Component::Operator => Ok(()),
        Component::ModelServer => {
            let library = onnxruntime::ensure(workspace)?;
            let name = library.file_name().expect("a library has a name");
            copy(&library, &folder.join("lib").join(name))?;
            copy(
                &library.with_file_name("LICENSE"),
                &folder.join("share/licenses/onnxruntime/LICENSE"),
            )?;
            // What it is trained by stays in the repository.
            let bundled = workspace.bundled_model();
            let name = bundled.file_name().expect("a model lies in a folder");
            let models = folder.join("share/toxicity/models");
            copy_folder(&bundled, &models.join(name))
        }
        Component::WebUi => {
            let assets = build::web_app(workspace)?;
            copy_folder(&assets, &folder.join("share/toxicity/web-ui"))
        }
    }
}

/// Every file below `folder`, in an order that does not change.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::File {
        action: "read",
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Error> {
    for file in files_below(from)? {
        let relative = file.strip_prefix(from).expect("a file lies below its folder");
        copy(&file, &to.join(relative))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let folder = to.parent().expect("a file lies in a folder");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::copy(from, to))
        .map(drop)
        .map_err(|source| Error::File {
            action: "copy",
            path: from.to_owned(),
            source,
        })
}
