//! The note in a fetched folder that says what it holds and where that came from.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checksum::Checksum;
use crate::relative_path::RelativePath;

/// Name of the note in the model folder.
pub const MANIFEST_FILE: &str = "toxicity-source.json";

/// Most bytes of a note.
const LONGEST: u64 = 1 << 20;

/// What a fetched folder holds and where that came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    /// The model source, as it is shown.
    pub source: String,
    /// Commit, digest or etags.
    pub revision: String,
    /// When the last file came, as RFC 3339.
    pub fetched_at: String,
    /// The ONNX file.
    pub model_file: RelativePath,
    /// SHA-256 of the archive that held the files, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Checksum>,
    /// All files.
    pub files: Vec<StoredFile>,
}

/// A file as it was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredFile {
    /// Where it lies in the folder.
    pub path: RelativePath,
    /// Bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: Checksum,
}

impl Manifest {
    /// Reads the note in `folder`.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let path = folder.join(MANIFEST_FILE);
        if path.metadata()?.len() > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large"));
        }
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    }

    /// Writes the note into `folder`, through to the disk.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let mut file = std::fs::File::create(folder.join(MANIFEST_FILE))?;
        file.write_all(&text)?;
        file.sync_all()
    }

    /// The sum that a person can demand: that of the archive, else that of the ONNX file.
    pub(crate) fn checksum(&self) -> Option<&Checksum> {
        self.archive.as_ref().or_else(|| {
            let model = self.files.iter().find(|file| file.path == self.model_file)?;
            Some(&model.sha256)
        })
    }

    /// The first file that is not there in its size.
    pub(crate) fn first_damaged(&self, folder: &Path) -> Option<PathBuf> {
        self.files
            .iter()
            .map(|file| (file.path.below(folder), file.size))
            .find(|(path, size)| {
                !path
                    .metadata()
                    .is_ok_and(|facts| facts.is_file() && facts.len() == *size)
            })
            .map(|(path, _)| path)
    }
}
