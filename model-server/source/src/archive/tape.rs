//! Members of a tar.

use std::io::{self, Read};

use tar::{Archive, EntryType};

use super::allowance::{Allowance, Allowed};
use super::{ArchiveError, Visitor, limit, member};
use crate::options::FetchLimits;

/// Most bytes of headers before one member. They are kept in memory, and a hostile archive can make them as
/// long as it likes.
const HEADER_BYTES: u64 = 1 << 20;

pub(super) fn visit(
    reader: impl Read,
    limits: &FetchLimits,
    visitor: &mut dyn Visitor,
) -> Result<(), ArchiveError> {
    let allowance = Allowance::default();
    let mut left = limits.total_bytes;
    let failed = |left: u64| {
        let allowance = allowance.clone();
        move |error: io::Error| match (allowance.left(), left) {
            (0, left) if left <= HEADER_BYTES => ArchiveError::ExceedLimit {
                limit: limits.total_bytes,
                unit: "bytes",
            },
            (0, _) => ArchiveError::ExceedLimit {
                limit: HEADER_BYTES,
                unit: "bytes in the header of one member",
            },
            _ => ArchiveError::Read(error),
        }
    };

    let mut archive = Archive::new(Allowed::new(reader, &allowance));
    allowance.set(left.min(HEADER_BYTES));
    let mut entries = archive.entries().map_err(failed(left))?;
    for count in 1_u64.. {
        let header_allowance = left.min(HEADER_BYTES);
        allowance.set(header_allowance);
        let Some(entry) = entries.next() else {
            break;
        };
        let mut entry = entry.map_err(failed(left))?;
        left -= header_allowance - allowance.left();
        limit(count, limits.files as u64, "members")?;

        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let found = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => member(&name, false)?,
            EntryType::Link | EntryType::Symlink => member(&name, true)?,
            EntryType::GNUSparse => return Err(ArchiveError::FillSparse(name)),
            // Folders are made where files need them; devices and the like are left out.
            _ => None,
        };
        allowance.set(left);
        if let Some(member) = found
            && visitor.wants(&member)
        {
            visitor.take(&member, &mut entry).map_err(|error| match error {
                ArchiveError::Read(error) => failed(0)(error),
                error => error,
            })?;
        }
        // The rest is read here, where it is counted, and not by the search for the next header.
        io::copy(&mut entry, &mut io::sink()).map_err(failed(0))?;
        left = allowance.left();
    }
    Ok(())
}
