//! What of an offer is downloaded.

use crate::checksum::Checksum;
use crate::error::FetchError;
use crate::model_files::{Selection, select};
use crate::options::FetchOptions;
use crate::origin::{Content, Offer, RemoteFile};
use crate::relative_path::RelativePath;

use super::demand;

/// What of an offer is downloaded.
#[derive(Debug)]
pub(super) struct Plan {
    /// Commit, digest or etags.
    pub revision: String,
    /// The files, the lowest layer first.
    pub files: Vec<RemoteFile>,
    /// What is picked from the files; none where archives must be opened first.
    pub selection: Option<Selection>,
}

impl Plan {
    /// Leaves of an offer what the model needs, and refuses what is known to be too much or the wrong thing.
    pub(super) fn new(offer: Offer, origin: &str, options: &FetchOptions) -> Result<Self, FetchError> {
        let exceeded = |what: &str, limit: u64, unit| FetchError::ExceedLimit {
            what: what.to_owned(),
            limit,
            unit,
        };
        let limits = &options.limits;
        let mut files = offer.files;
        if files.len() > limits.files {
            return Err(exceeded(origin, limits.files as u64, "files"));
        }
        let packed = files.iter().any(|file| file.content == Content::Archive);
        let selection = if packed {
            None
        } else {
            Some(pick(&mut files, origin, options)?)
        };
        if let Some(file) = files.iter().find(|file| file.size > Some(limits.file_bytes)) {
            return Err(exceeded(&file.label, limits.file_bytes, "bytes"));
        }
        let total = files
            .iter()
            .filter_map(|file| file.size)
            .fold(0, u64::saturating_add);
        if total > limits.total_bytes {
            return Err(exceeded(origin, limits.total_bytes, "bytes"));
        }
        Ok(Self {
            revision: offer.revision.unwrap_or_else(|| fingerprint(&files)),
            files,
            selection,
        })
    }
}

/// Leaves of `files` those of the model.
fn pick(files: &mut Vec<RemoteFile>, origin: &str, options: &FetchOptions) -> Result<Selection, FetchError> {
    let paths = files.iter().filter_map(RemoteFile::path).cloned().collect();
    let selection =
        select(&paths, options.onnx_file.as_deref()).map_err(|source| FetchError::SelectFiles {
            origin: origin.to_owned(),
            source,
        })?;
    files.retain(|file| file.path().is_some_and(|path| selection.files.contains(path)));
    if let Some(expected) = &options.sha256 {
        demand_of(files, &selection.onnx, expected)?;
    }
    Ok(selection)
}

/// Makes the ONNX file one that must have this sum; fails at once where the source tells another.
fn demand_of(files: &mut [RemoteFile], onnx: &RelativePath, expected: &Checksum) -> Result<(), FetchError> {
    for file in files.iter_mut().filter(|file| file.path() == Some(onnx)) {
        if let Some(found) = &file.sha256 {
            demand(&file.label, expected, found)?;
        }
        file.sha256 = Some(expected.clone());
    }
    Ok(())
}

/// A revision for sources that have none: it changes when the etag or size of any of the files does.
fn fingerprint(files: &[RemoteFile]) -> String {
    let mut lines: Vec<String> = files
        .iter()
        .map(|file| format!("{}\n{:?}\n{:?}\n", file.label, file.size, file.etag))
        .collect();
    lines.sort();
    let digits = Checksum::of_bytes(lines.concat());
    format!("etag-{}", &digits.as_str()[..16])
}
