//! Where a model comes from.

use std::path::PathBuf;
use std::str::FromStr;

/// Folder of the bundled model, relative to the repository or the installation.
const BUNDLED_FOLDER: &str = "models/toxic-minilm";

/// A parsed `--model` argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// The model that ships with the server.
    Bundled,
    /// A folder on this machine.
    Folder(PathBuf),
}

/// Why a model source cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelSourceError {
    /// A scheme this server does not read.
    #[error(
        "failed to understand the model source \"{0}\": use \"bundled\", a folder, or \"file:///absolute/folder\""
    )]
    ParseSource(String),
    /// The bundled model is not where it should be.
    #[error(
        "failed to find the bundled model; looked in {}. Name its folder with --model",
        .0.iter().map(|path| format!("\"{}\"", path.display())).collect::<Vec<_>>().join(", ")
    )]
    FindBundled(Vec<PathBuf>),
}

impl FromStr for ModelSource {
    type Err = ModelSourceError;

    fn from_str(source: &str) -> Result<Self, Self::Err> {
        if source == "bundled" {
            return Ok(Self::Bundled);
        }
        if let Some(path) = source.strip_prefix("file://") {
            return if path.starts_with('/') {
                Ok(Self::Folder(PathBuf::from(path)))
            } else {
                Err(ModelSourceError::ParseSource(source.to_owned()))
            };
        }
        if source.is_empty() || source.contains("://") {
            return Err(ModelSourceError::ParseSource(source.to_owned()));
        }
        Ok(Self::Folder(PathBuf::from(source)))
    }
}

impl ModelSource {
    /// The folder to load from.
    ///
    /// # Errors
    /// When the bundled model is in none of its usual places.
    pub fn folder(&self) -> Result<PathBuf, ModelSourceError> {
        match self {
            Self::Folder(path) => Ok(path.clone()),
            Self::Bundled => {
                let candidates = bundled_candidates();
                let found = candidates
                    .iter()
                    .find(|folder| folder.join("config.json").is_file());
                found.cloned().ok_or(ModelSourceError::FindBundled(candidates))
            }
        }
    }
}

/// The working directory, then beside the executable: `share/toxicity/` of an installation, or the repository
/// around a build folder.
fn bundled_candidates() -> Vec<PathBuf> {
    let mut candidates = vec![PathBuf::from(BUNDLED_FOLDER)];
    if let Some(folder) = std::env::current_exe()
        .ok()
        .as_deref()
        .and_then(std::path::Path::parent)
    {
        candidates.push(folder.join("../share/toxicity").join(BUNDLED_FOLDER));
        candidates.push(folder.join("../..").join(BUNDLED_FOLDER));
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_documented_forms() {
        let parse = |source: &str| source.parse::<ModelSource>();
        assert_eq!(parse("bundled").unwrap(), ModelSource::Bundled);
        assert_eq!(
            parse("file:///models/a").unwrap(),
            ModelSource::Folder("/models/a".into())
        );
        assert_eq!(parse("./a").unwrap(), ModelSource::Folder("./a".into()));
        for wrong in ["", "file://relative", "ftp://host/model"] {
            assert!(
                parse(wrong).unwrap_err().to_string().contains("file:///"),
                "{wrong}"
            );
        }
    }
}
