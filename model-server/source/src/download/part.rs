//! The part of a file that has come so far, and a note of which file that is.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::cache::{CacheLock, write_whole};
use crate::checksum::{Checksum, hash_into};
use crate::error::FetchError;

/// Chunks that wait for the disk. More come only when these are written.
const WAITING_CHUNKS: usize = 8;

/// What bytes must have in common to be of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    /// The sum of the whole file, where the source tells it.
    pub sha256: Option<Checksum>,
    /// What the server changes with the content.
    pub etag: Option<String>,
}

/// A file that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// Bytes.
    pub size: u64,
    /// Its sum.
    pub sha256: Checksum,
}

/// `FILE.part`, and `FILE.part.json` with its [`Version`].
#[derive(Debug)]
pub(super) struct Part {
    data: PathBuf,
    note: PathBuf,
}

impl Part {
    /// The part of the file that will be at `target`.
    pub(super) fn of(target: &Path) -> Self {
        let beside = |ending: &str| {
            let mut path = target.as_os_str().to_owned();
            path.push(ending);
            PathBuf::from(path)
        };
        Self {
            data: beside(".part"),
            note: beside(".part.json"),
        }
    }

    /// Bytes that are here.
    pub(super) fn length(&self) -> u64 {
        self.data.metadata().map_or(0, |facts| facts.len())
    }

    /// Bytes that are here of just this version; none where that is not certain.
    pub(super) fn position(&self, version: &Version) -> u64 {
        if self.read_note().is_some_and(|note| continues(&note, version)) {
            self.length()
        } else {
            0
        }
    }

    /// What to ask the server for the rest with, so that it begins anew when the file is another by now. A
    /// known sum needs no such help.
    pub(super) fn etag(&self) -> Option<String> {
        self.read_note()
            .filter(|note| note.sha256.is_none())
            .and_then(|note| note.etag)
    }

    /// Begins anew with another version.
    pub(super) fn begin(&self, version: &Version) -> Result<(), FetchError> {
        self.discard()?;
        write_whole(&self.note, version).map_err(FetchError::file("write", &self.note))
    }

    /// Takes the file at `target` as the part.
    pub(super) fn adopt(&self, target: &Path, version: &Version) -> Result<(), FetchError> {
        self.begin(version)?;
        fs::rename(target, &self.data).map_err(FetchError::file("rename", target))
    }

    /// Forgets what has come.
    pub(super) fn discard(&self) -> Result<(), FetchError> {
        for path in [&self.data, &self.note] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(FetchError::file("remove", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes the part, which is whole, the file at `target`.
    pub(super) fn finish(&self, target: &Path) -> Result<(), FetchError> {
        fs::rename(&self.data, target).map_err(FetchError::file("rename", &self.data))?;
        self.discard()
    }

    /// Writes and hashes from the byte `start` on, off the threads that wait for the network.
    pub(super) fn writer(&self, start: u64, lock: &CacheLock) -> Writer {
        let (sender, chunks) = mpsc::channel(WAITING_CHUNKS);
        let (path, lock) = (self.data.clone(), lock.clone());
        let result = tokio::task::spawn_blocking(move || {
            let written = write(&path, start, chunks).map_err(FetchError::file("write", &path));
            drop(lock);
            written
        });
        Writer { sender, result }
    }

    fn read_note(&self) -> Option<Version> {
        serde_json::from_slice(&fs::read(&self.note).ok()?).ok()
    }
}

/// Whether bytes of the version `old` can be continued as `new`: the sums agree, else the etags do. A weak
/// etag says nothing about single bytes (RFC 9110, section 13.1.5).
fn continues(old: &Version, new: &Version) -> bool {
    match (&old.sha256, &new.sha256) {
        (Some(old), Some(new)) => old == new,
        (None, None) => {
            let strong = old.etag.as_ref().filter(|etag| !etag.starts_with("W/"));
            strong.is_some_and(|etag| new.etag.as_ref().is_none_or(|new| new == etag))
        }
        _ => false,
    }
}

fn write(path: &Path, start: u64, mut chunks: mpsc::Receiver<Bytes>) -> io::Result<Written> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    file.set_len(start)?;
    let mut hasher = Sha256::new();
    hash_into(&mut hasher, &mut file)?;
    file.seek(SeekFrom::Start(start))?;
    let mut size = start;
    while let Some(chunk) = chunks.blocking_recv() {
        file.write_all(&chunk)?;
        hasher.update(&chunk);
        size += chunk.len() as u64;
    }
    file.sync_all()?;
    Ok(Written {
        size,
        sha256: Checksum::of(hasher),
    })
}

/// Takes chunks of a part. What was taken is written even when the writer is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    sender: mpsc::Sender<Bytes>,
    result: JoinHandle<Result<Written, FetchError>>,
}

impl Writer {
    /// Hands over a chunk; false when the writer has given up.
    pub(super) async fn write(&mut self, chunk: Bytes) -> bool {
        self.sender.send(chunk).await.is_ok()
    }

    /// Waits until all is on the disk.
    pub(super) async fn finish(self) -> Result<Written, FetchError> {
        drop(self.sender);
        self.result.await.unwrap_or_else(|error| {
            Err(FetchError::file("write", Path::new("part"))(io::Error::other(
                error,
            )))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(sha256: Option<&str>, etag: Option<&str>) -> Version {
        Version {
            sha256: sha256.map(Checksum::of_bytes),
            etag: etag.map(str::to_owned),
        }
    }

    #[test]
    fn bytes_are_continued_only_as_the_same_file() {
        let cases = [
            (version(Some("a"), None), version(Some("a"), None), true),
            (
                version(Some("a"), Some("\"1\"")),
                version(Some("a"), Some("\"2\"")),
                true,
            ),
            (version(Some("a"), None), version(Some("b"), None), false),
            (
                version(Some("a"), Some("\"1\"")),
                version(None, Some("\"1\"")),
                false,
            ),
            (version(None, Some("\"1\"")), version(None, Some("\"1\"")), true),
            (version(None, Some("\"1\"")), version(None, None), true),
            (version(None, Some("\"1\"")), version(None, Some("\"2\"")), false),
            (
                version(None, Some("W/\"1\"")),
                version(None, Some("W/\"1\"")),
                false,
            ),
            (version(None, None), version(None, None), false),
        ];
        for (old, new, expected) in cases {
            assert_eq!(continues(&old, &new), expected, "{old:?} {new:?}");
        }
    }
}
