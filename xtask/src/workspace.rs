//! Where things lie in the repository.

use std::path::{Path, PathBuf};

/// The repository.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The repository that this task was built in.
    pub fn new() -> Self {
        let manifest_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self {
            root: manifest_folder
                .parent()
                .expect("xtask lies in the repository")
                .to_owned(),
        }
    }

    /// The top folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The build folder.
    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// The model that ships with the product.
    pub fn bundled_model(&self) -> PathBuf {
        self.root.join("models/toxic-minilm")
    }

    /// A binary of the release profile.
    pub fn release_binary(&self, name: &str) -> PathBuf {
        self.target().join("release").join(name)
    }
}
