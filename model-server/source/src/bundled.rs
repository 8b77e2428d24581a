//! The model that ships with the server.

use std::path::{Path, PathBuf};

use crate::source::ModelSourceError;

/// Folder of the bundled model, relative to the repository or the installation.
const BUNDLED_FOLDER: &str = "models/toxic-minilm";

/// The folder of the bundled model.
///
/// # Errors
/// When it is in none of its usual places.
pub(crate) fn bundled_folder() -> Result<PathBuf, ModelSourceError> {
    let candidates = candidates();
    let found = candidates
        .iter()
        .find(|folder| folder.join("config.json").is_file());
    found.cloned().ok_or(ModelSourceError::FindBundled(candidates))
}

/// The working directory, then beside the executable: `share/toxicity/` of an installation, or the repository
/// around a build folder.
fn candidates() -> Vec<PathBuf> {
    let mut candidates = vec![PathBuf::from(BUNDLED_FOLDER)];
    if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        candidates.push(folder.join("../share/toxicity").join(BUNDLED_FOLDER));
        candidates.push(folder.join("../..").join(BUNDLED_FOLDER));
    }
    candidates
}
