//! Checks a fetched folder against the note that was written with it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::checksum::Checksum;
use crate::manifest::{MANIFEST_FILE, Manifest};
use crate::relative_path::joined;

/// What became of a fetched folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The model source.
    pub source: String,
    /// Commit, digest or etags.
    pub revision: String,
    /// When it was fetched, as RFC 3339.
    pub fetched_at: String,
    /// Files that were checked.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// What is not as it was fetched; empty when all is well.
    pub differences: Vec<Difference>,
}

/// A file that is not as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where it lies in the folder.
    pub path: String,
    /// How it differs.
    pub kind: DifferenceKind,
}

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// It is gone.
    Missing,
    /// It has another content.
    Content,
    /// It was not fetched.
    Added,
}

/// Why a folder cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no note, or it cannot be read.
    #[error(
        "failed to read \"{MANIFEST_FILE}\" in \"{folder}\"; only folders that were \
         fetched have one",
        folder = .folder.display()
    )]
    ReadManifest {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("failed to read \"{path}\"", path = .path.display())]
    ReadFile {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Reads every file of the fetched model in `folder` and compares it with what was fetched. Blocks.
///
/// # Errors
/// When the folder was not fetched, or cannot be read.
pub fn verify(folder: &Path) -> Result<Verification, VerifyError> {
    let manifest = Manifest::read(folder).map_err(|source| VerifyError::ReadManifest {
        folder: folder.to_owned(),
        source,
    })?;
    let mut differences = Vec::new();
    for file in &manifest.files {
        let path = file.path.below(folder);
        let kind = match Checksum::of_file(&path) {
            Ok(sum) if sum == file.sha256 => continue,
            Ok(_) => DifferenceKind::Content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => DifferenceKind::Missing,
            Err(source) => return Err(VerifyError::ReadFile { path, source }),
        };
        differences.push(Difference {
            path: file.path.to_string(),
            kind,
        });
    }
    let known: BTreeSet<&str> = manifest
        .files
        .iter()
        .map(|file| file.path.as_str())
        .chain([MANIFEST_FILE])
        .collect();
    let mut present = Vec::new();
    list_files(folder, "", &mut present)?;
    differences.extend(
        present
            .into_iter()
            .filter(|path| !known.contains(path.as_str()))
            .map(|path| Difference {
                path,
                kind: DifferenceKind::Added,
            }),
    );
    Ok(Verification {
        source: manifest.source,
        revision: manifest.revision,
        fetched_at: manifest.fetched_at,
        files: manifest.files.len(),
        bytes: manifest.files.iter().map(|file| file.size).sum(),
        differences,
    })
}

fn list_files(root: &Path, folder: &str, found: &mut Vec<String>) -> Result<(), VerifyError> {
    let path = root.join(folder);
    let failed = |source| VerifyError::ReadFile {
        path: path.clone(),
        source,
    };
    for entry in std::fs::read_dir(&path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = joined(folder, &entry.file_name().to_string_lossy());
        if entry.file_type().map_err(failed)?.is_dir() {
            list_files(root, &name, found)?;
        } else {
            found.push(name);
        }
    }
    Ok(())
}
