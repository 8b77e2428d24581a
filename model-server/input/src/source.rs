//! Files and streams as they lie there, and how to know a file again.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes at the beginning of a file by which it is known again.
const HEAD_BYTES: u64 = 64 * 1024;

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The texts of the command line.
    CommandLine,
    /// The standard input.
    StandardInput,
    /// A file.
    File(PathBuf),
}

/// By what a file is known again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceIdentity {
    /// The file as it was named.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 over its first 64 KiB, in hexadecimal digits.
    pub head_sha256: String,
}

impl Source {
    /// The source that a name on the command line stands for; `-` is the standard input.
    #[must_use]
    pub fn named(name: PathBuf) -> Self {
        if name.as_os_str() == "-" {
            Self::StandardInput
        } else {
            Self::File(name)
        }
    }

    /// Bytes of a file; a stream has no known size.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        let Self::File(path) = self else { return None };
        std::fs::metadata(path)
            .ok()
            .filter(std::fs::Metadata::is_file)
            .map(|metadata| metadata.len())
    }

    /// By what this is known again. Only a regular file can be read twice.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn identity(&self) -> io::Result<Option<SourceIdentity>> {
        let (Self::File(path), Some(bytes)) = (self, self.bytes()) else {
            return Ok(None);
        };
        let mut head = Vec::new();
        File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
        let head_sha256 = Sha256::digest(&head)
            .iter()
            .fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
        Ok(Some(SourceIdentity {
            path: path.clone(),
            bytes,
            head_sha256,
        }))
    }

    /// Its bytes; `position` counts what was read of them.
    pub(super) fn read(&self, position: Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
        let reader: Box<dyn Read + Send> = match self {
            Self::CommandLine => Box::new(io::empty()),
            Self::StandardInput => Box::new(io::stdin()),
            Self::File(path) => Box::new(File::open(path)?),
        };
        Ok(Box::new(Counted { reader, position }))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => formatter.write_str("the command line"),
            Self::StandardInput => formatter.write_str("the standard input"),
            Self::File(path) => write!(formatter, "\"{}\"", path.display()),
        }
    }
}

struct Counted<R> {
    reader: R,
    position: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.position.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
