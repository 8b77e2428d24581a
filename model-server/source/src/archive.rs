//! Archives, which come from others and are taken for hostile: nothing is written but the files that were
//! chosen, to places chosen here, and no more of them than the limits allow. Links and devices are never
//! made.

mod allowance;
pub(crate) mod overlay;
mod tape;
mod zipped;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::checksum::Checksum;
use crate::download::Written;
use crate::options::FetchLimits;
use crate::relative_path::RelativePath;

/// Bytes copied at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// Why an archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is damaged, or of a kind that is not read.
    #[error("failed to read it as .tar, .tar.gz, .tar.zst or .zip")]
    Read(#[source] io::Error),
    /// A member would be written elsewhere.
    #[error("failed to accept its member \"{0}\": the path leaves the folder")]
    LeaveFolder(String),
    /// A file of the model is a link.
    #[error("failed to unpack its member \"{0}\": it is a link, and only plain files are unpacked")]
    FollowLink(String),
    /// A member says that it is larger than its bytes.
    #[error("failed to unpack its member \"{0}\": sparse files are not unpacked; pack it without them")]
    FillSparse(String),
    /// It holds more than the limits allow.
    #[error("failed to take all of it: it holds more than {limit} {unit}, the limit")]
    ExceedLimit {
        /// The limit.
        limit: u64,
        /// What the limit counts.
        unit: &'static str,
    },
    /// A chosen member is not there any more.
    #[error("failed to find its member \"{0}\" again")]
    FindMember(String),
    /// No folder in it is a model.
    #[error("failed to find a folder with \"config.json\" and \"tokenizer.json\" in it")]
    FindModel,
    /// Several folders in it are models.
    #[error("failed to choose between the models in it: \"{}\"; pack one alone", .0.join("\", \""))]
    ChooseModel(Vec<String>),
    /// A file cannot be written.
    #[error("failed to write \"{path}\"", path = .path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A member of an archive that is a file, or says it is the same as another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Where it lies in the archive.
    pub path: RelativePath,
    /// Whether it only points to another member.
    pub is_link: bool,
}

/// What is done with the members of an archive, one after the other.
trait Visitor {
    /// Whether the content of this member is wanted.
    fn wants(&mut self, member: &Member) -> bool;

    /// Takes the content of a member that was wanted.
    fn take(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), ArchiveError>;
}

/// The files and links in the archive at `path`, in its order. Blocks.
pub(crate) fn list(path: &Path, limits: &FetchLimits) -> Result<Vec<Member>, ArchiveError> {
    let mut list = List::default();
    visit(path, limits, &mut list)?;
    Ok(list.0)
}

/// Writes the members that `targets` names, through to the disk; of members with the same path the last one.
/// `taken` counts the bytes of all archives of a model. Blocks.
pub(crate) fn extract(
    path: &Path,
    targets: &BTreeMap<RelativePath, PathBuf>,
    limits: &FetchLimits,
    taken: &mut u64,
) -> Result<BTreeMap<RelativePath, Written>, ArchiveError> {
    let mut extraction = Extraction {
        targets,
        limits,
        taken,
        written: BTreeMap::new(),
    };
    visit(path, limits, &mut extraction)?;
    let written = extraction.written;
    match targets.keys().find(|path| !written.contains_key(path)) {
        Some(missing) => Err(ArchiveError::FindMember(missing.to_string())),
        None => Ok(written),
    }
}

fn visit(path: &Path, limits: &FetchLimits, visitor: &mut dyn Visitor) -> Result<(), ArchiveError> {
    let mut file = File::open(path).map_err(ArchiveError::Read)?;
    let mut magic = Vec::new();
    Read::take(&mut file, 4)
        .read_to_end(&mut magic)
        .map_err(ArchiveError::Read)?;
    file.rewind().map_err(ArchiveError::Read)?;
    let file = BufReader::with_capacity(CHUNK_BYTES, file);
    // What a file is shows in its first bytes; names and media types are often wrong.
    match magic.as_slice() {
        [b'P', b'K', 3 | 5, ..] => zipped::visit(file, limits, visitor),
        [0x1f, 0x8b, ..] => tape::visit(flate2::bufread::MultiGzDecoder::new(file), limits, visitor),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let unpacked = zstd::stream::read::Decoder::with_buffer(file).map_err(ArchiveError::Read)?;
            tape::visit(unpacked, limits, visitor)
        }
        _ => tape::visit(file, limits, visitor),
    }
}

/// The member of this name; none for names that mean nothing here, such as those of the archive's own root.
fn member(name: &str, is_link: bool) -> Result<Option<Member>, ArchiveError> {
    if name.starts_with('/') || name.split(['/', '\\']).any(|part| part == "..") {
        let shown = name.chars().filter(|character| !character.is_control()).take(100);
        return Err(ArchiveError::LeaveFolder(shown.collect()));
    }
    Ok(RelativePath::parse(name)
        .ok()
        .map(|path| Member { path, is_link }))
}

#[derive(Default)]
struct List(Vec<Member>);

impl Visitor for List {
    fn wants(&mut self, member: &Member) -> bool {
        self.0.push(member.clone());
        false
    }

    fn take(&mut self, _member: &Member, _content: &mut dyn Read) -> Result<(), ArchiveError> {
        Ok(())
    }
}

struct Extraction<'a> {
    targets: &'a BTreeMap<RelativePath, PathBuf>,
    limits: &'a FetchLimits,
    taken: &'a mut u64,
    written: BTreeMap<RelativePath, Written>,
}

impl Visitor for Extraction<'_> {
    fn wants(&mut self, member: &Member) -> bool {
        // A link of the same name is one that a file replaces later on; else the file was not chosen.
        !member.is_link && self.targets.contains_key(&member.path)
    }

    fn take(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), ArchiveError> {
        let path = &self.targets[&member.path];
        let write_failed = |source| ArchiveError::WriteFile {
            path: path.clone(),
            source,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(write_failed)?;
        }
        let mut file = File::create(path).map_err(write_failed)?;
        let mut hasher = Sha256::new();
        let mut size = 0;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = content.read(&mut chunk).map_err(ArchiveError::Read)?;
            if read == 0 {
                break;
            }
            size += read as u64;
            *self.taken += read as u64;
            limit(size, self.limits.file_bytes, "bytes in one file")?;
            limit(*self.taken, self.limits.total_bytes, "bytes")?;
            hasher.update(&chunk[..read]);
            file.write_all(&chunk[..read]).map_err(write_failed)?;
        }
        file.sync_all().map_err(write_failed)?;
        let sha256 = Checksum::of(hasher);
        self.written.insert(member.path.clone(), Written { size, sha256 });
        Ok(())
    }
}

fn limit(value: u64, limit: u64, unit: &'static str) -> Result<(), ArchiveError> {
    if value > limit {
        Err(ArchiveError::ExceedLimit { limit, unit })
    } else {
        Ok(())
    }
}
