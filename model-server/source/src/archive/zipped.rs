//! Members of a zip.

use std::io::{self, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::allowance::{Allowance, Allowed};
use super::{ArchiveError, Visitor, limit, member};
use crate::options::FetchLimits;

/// Most bytes of the list of members, which is kept in memory.
const DIRECTORY_BYTES: u64 = 8 << 20;

pub(super) fn visit(
    reader: impl Read + Seek,
    limits: &FetchLimits,
    visitor: &mut dyn Visitor,
) -> Result<(), ArchiveError> {
    let allowance = Allowance::default();
    allowance.set(DIRECTORY_BYTES);
    let mut archive = ZipArchive::new(Allowed::new(reader, &allowance)).map_err(|error| {
        if allowance.left() == 0 {
            return ArchiveError::ExceedLimit {
                limit: DIRECTORY_BYTES,
                unit: "bytes in its list of members",
            };
        }
        read_error(error)
    })?;
    limit(archive.len() as u64, limits.files as u64, "members")?;
    // From here on what is read is bounded by the file, and what is written by the visitor.
    allowance.set(u64::MAX);
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(read_error)?;
        if entry.is_dir() {
            continue;
        }
        let name = entry.name().map_err(read_error)?;
        let Some(member) = member(&name, entry.is_symlink())? else {
            continue;
        };
        drop(name);
        drop(entry);
        if visitor.wants(&member) {
            let mut content = archive.by_index(index).map_err(read_error)?;
            visitor.take(&member, &mut content)?;
        }
    }
    Ok(())
}

fn read_error(error: ZipError) -> ArchiveError {
    ArchiveError::Read(match error {
        ZipError::Io(error) => error,
        error => io::Error::other(error),
    })
}
