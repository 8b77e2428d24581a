//! The folder in which fetched models are kept.
//!
//! ```text
//! CACHE/hf-toxic-bert-0a1b2c3d4e5f/     one model source
//!   lock                                held by whoever downloads
//!   names/….json                        which revision a branch meant last
//!   revisions/REVISION/toxic-bert/      a model folder, whole; appears by one rename
//!   staging/REVISION/                   what is being downloaded; a later try goes on with it
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::checksum::Checksum;
use crate::error::FetchError;
use crate::manifest::Manifest;
use crate::progress::Progress;
use crate::source::{ModelSource, folder_name};

/// How often a lock that others hold is tried. Waiting in the kernel instead would keep the process from
/// stopping.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// Age from which a note of what a name means is written again when the name is asked for.
const REFRESH_AFTER: Duration = Duration::from_hours(24);

/// Age from which what a name means is forgotten.
const FORGET_AFTER: Duration = Duration::from_hours(30 * 24);

/// The part of the cache that belongs to one model source.
#[derive(Debug, Clone)]
pub(crate) struct CacheEntry {
    folder: PathBuf,
    model_name: String,
}

/// A model folder that is whole.
#[derive(Debug, Clone)]
pub(crate) struct CachedModel {
    /// The model folder.
    pub folder: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
}

/// Where a revision is put together.
#[derive(Debug, Clone)]
pub(crate) struct Staging {
    root: PathBuf,
    /// The model folder to be.
    pub model: PathBuf,
    /// Archives, until they are unpacked.
    pub archives: PathBuf,
}

/// Proof that nobody else writes to the entry. All that writes in the background holds a copy, so that the
/// lock outlives a fetch that is given up.
#[derive(Debug, Clone)]
pub(crate) struct CacheLock {
    _file: Arc<File>,
}

/// Which revision a name meant last.
#[derive(Debug, Serialize, Deserialize)]
struct RememberedName {
    name: String,
    revision: String,
}

impl CacheEntry {
    /// The entry of `source`. Another choice of the ONNX file is another entry, since other files are fetched
    /// for it.
    pub(crate) fn new(cache: &Path, source: &ModelSource, onnx_file: Option<&str>) -> Self {
        let identity = format!("{}\n{}", source.identity(), onnx_file.unwrap_or_default());
        let digits = Checksum::of_bytes(identity);
        let scheme = source.identity();
        let scheme = scheme.split_once("://").map_or("model", |(scheme, _)| scheme);
        let model_name = source.model_name();
        Self {
            folder: cache.join(format!("{scheme}-{model_name}-{}", &digits.as_str()[..12])),
            model_name,
        }
    }

    /// The model of this revision, when it is there whole; else what is missing, in words.
    pub(crate) fn model(&self, revision: &str) -> Result<CachedModel, String> {
        let folder = self.revision_folder(revision).join(&self.model_name);
        let manifest = Manifest::read(&folder).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("revision \"{revision}\" was not fetched"),
            _ => format!("the note in \"{}\" cannot be read ({error})", folder.display()),
        })?;
        match manifest.first_damaged(&folder) {
            Some(path) => Err(format!("\"{}\" is missing or damaged", path.display())),
            None => Ok(CachedModel { folder, manifest }),
        }
    }

    /// The revision that `name` meant when it was last resolved.
    pub(crate) fn remembered(&self, name: &str) -> Option<String> {
        let remembered = read_name(&self.name_file(name))?;
        (remembered.name == name).then_some(remembered.revision)
    }

    /// Remembers what `name` means now, and that it was asked for.
    pub(crate) fn remember(&self, name: &str, revision: &str) -> Result<(), FetchError> {
        let path = self.name_file(name);
        if self.remembered(name).as_deref() == Some(revision) && age(&path) < REFRESH_AFTER {
            return Ok(());
        }
        let remembered = RememberedName {
            name: name.to_owned(),
            revision: revision.to_owned(),
        };
        write_whole(&path, &remembered).map_err(FetchError::file("write", &path))
    }

    /// Waits until nobody else downloads from this source.
    pub(crate) async fn lock(&self, progress: &dyn Progress) -> Result<CacheLock, FetchError> {
        let path = self.folder.join("lock");
        fs::create_dir_all(&self.folder).map_err(FetchError::file("create", &self.folder))?;
        let file = File::create(&path).map_err(FetchError::file("open", &path))?;
        let mut announced = false;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(CacheLock {
                        _file: Arc::new(file),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(FetchError::file("lock", &path)(error)),
                Err(TryLockError::WouldBlock) => {
                    if !announced {
                        progress.warning("another process downloads the same model; waiting for it");
                        announced = true;
                    }
                    tokio::time::sleep(LOCK_PAUSE).await;
                }
            }
        }
    }

    /// The place to put `revision` together. What an earlier try left of it is still there; that of others
    /// goes.
    pub(crate) fn staging(&self, revision: &str, _lock: &CacheLock) -> Result<Staging, FetchError> {
        let all = self.folder.join("staging");
        let root = all.join(folder_name(revision));
        for other in folders_in(&all).into_iter().filter(|other| *other != root) {
            fs::remove_dir_all(&other).map_err(FetchError::file("remove", &other))?;
        }
        let staging = Staging {
            model: root.join(&self.model_name),
            // The name of a model never begins with a dot.
            archives: root.join(".archives"),
            root,
        };
        fs::create_dir_all(&staging.model).map_err(FetchError::file("create", &staging.model))?;
        Ok(staging)
    }

    /// Makes the staged folder the model of its revision, by one rename. All its files were written through
    /// to the disk.
    pub(crate) fn publish(
        &self,
        staging: &Staging,
        manifest: Manifest,
        _lock: &CacheLock,
    ) -> Result<CachedModel, FetchError> {
        let target = self.revision_folder(&manifest.revision);
        let publish = || {
            if staging.archives.exists() {
                fs::remove_dir_all(&staging.archives)?;
            }
            manifest.write(&staging.model)?;
            sync_folders(&staging.root)?;
            if target.exists() {
                // It is damaged; otherwise it would have been used.
                fs::remove_dir_all(&target)?;
            }
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
                fs::rename(&staging.root, &target)?;
                sync_folder(parent)?;
            }
            Ok(())
        };
        publish().map_err(FetchError::file("write", &target))?;
        Ok(CachedModel {
            folder: target.join(&self.model_name),
            manifest,
        })
    }

    /// Removes revisions that no name means any more, except `kept`, and forgets names that nobody asked for
    /// in a long time.
    pub(crate) fn sweep(&self, kept: Option<&str>, _lock: &CacheLock) -> Result<(), FetchError> {
        let mut used: Vec<PathBuf> = kept
            .iter()
            .map(|revision| self.revision_folder(revision))
            .collect();
        for entry in fs::read_dir(self.folder.join("names"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            match read_name(&path) {
                Some(remembered) if age(&path) < FORGET_AFTER => {
                    used.push(self.revision_folder(&remembered.revision));
                }
                _ => fs::remove_file(&path).map_err(FetchError::file("remove", &path))?,
            }
        }
        for folder in folders_in(&self.folder.join("revisions")) {
            if !used.contains(&folder) {
                fs::remove_dir_all(&folder).map_err(FetchError::file("remove", &folder))?;
            }
        }
        Ok(())
    }

    fn revision_folder(&self, revision: &str) -> PathBuf {
        self.folder.join("revisions").join(folder_name(revision))
    }

    fn name_file(&self, name: &str) -> PathBuf {
        let digits = Checksum::of_bytes(name);
        self.folder
            .join("names")
            .join(format!("{}.json", &digits.as_str()[..12]))
    }
}

/// Time since a file was written; none for one that is not there, or from the future.
fn age(path: &Path) -> Duration {
    let written = path.metadata().and_then(|facts| facts.modified());
    written.map_or(Duration::ZERO, |written| written.elapsed().unwrap_or_default())
}

fn read_name(path: &Path) -> Option<RememberedName> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

/// Writes a small file so that others see the old one or the new one.
pub(crate) fn write_whole(path: &Path, content: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(content)?)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for child in folders_in(folder) {
        sync_folders(&child)?;
    }
    sync_folder(folder)
}

/// Writes the names in a folder through to the disk, which only Unix has a call for.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relative_path::RelativePath;

    /// Publishes a model without files and remembers it by `name`.
    async fn publish(entry: &CacheEntry, name: &str, revision: &str) -> CacheLock {
        let lock = entry.lock(&crate::progress::Quiet).await.unwrap();
        let staging = entry.staging(revision, &lock).unwrap();
        let manifest = Manifest {
            source: "hf://a/b".to_owned(),
            revision: revision.to_owned(),
            fetched_at: String::new(),
            model_file: RelativePath::parse("model.onnx").unwrap(),
            archive: None,
            files: Vec::new(),
        };
        entry.publish(&staging, manifest, &lock).unwrap();
        entry.remember(name, revision).unwrap();
        lock
    }

    #[tokio::test]
    async fn what_nobody_asked_for_in_a_month_is_removed() {
        let cache = tempfile::tempdir().unwrap();
        let entry = CacheEntry::new(cache.path(), &"hf://a/b".parse().unwrap(), None);
        for name in ["old", "young", "asked"] {
            drop(publish(&entry, name, name).await);
        }
        let month_ago = std::time::SystemTime::now() - FORGET_AFTER;
        for name in ["old", "asked"] {
            let note = File::options().write(true).open(entry.name_file(name)).unwrap();
            note.set_modified(month_ago).unwrap();
        }
        entry.remember("asked", "asked").unwrap();
        let lock = publish(&entry, "main", "new").await;
        entry.sweep(None, &lock).unwrap();
        for (revision, there) in [("old", false), ("young", true), ("asked", true), ("new", true)] {
            assert_eq!(entry.model(revision).is_ok(), there, "{revision}");
        }
        assert_eq!(entry.remembered("old"), None);
    }

    #[tokio::test]
    async fn a_staging_folder_of_another_revision_is_removed() {
        let cache = tempfile::tempdir().unwrap();
        let entry = CacheEntry::new(cache.path(), &"hf://a/b".parse().unwrap(), None);
        let lock = entry.lock(&crate::progress::Quiet).await.unwrap();
        let first = entry.staging("first", &lock).unwrap();
        fs::write(first.model.join("config.json"), "{}").unwrap();
        entry.staging("first", &lock).unwrap();
        assert!(
            first.model.join("config.json").is_file(),
            "a later try goes on with it"
        );
        entry.staging("second", &lock).unwrap();
        assert!(!first.model.exists());
    }
}
