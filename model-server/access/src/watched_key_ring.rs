//! The keys of a file that changes while the server runs.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use toxicity_service::error_chain;

use crate::key_ring::{KeyRing, ParseKeyRingError};

/// Largest file of keys, in bytes; a Kubernetes Secret holds no more.
pub const LARGEST_FILE: u64 = 1024 * 1024;

/// The keys of the newest file that could be used.
#[derive(Debug)]
pub struct WatchedKeyRing {
    path: PathBuf,
    current: watch::Sender<Loaded>,
    last_reload_failed: AtomicBool,
    /// Held while the file is read, so that of two readers the later one wins.
    reading: Mutex<()>,
}

#[derive(Debug, Clone)]
struct Loaded {
    ring: Arc<KeyRing>,
    digest: [u8; 32],
}

/// Why a file of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadKeyRingError {
    /// The file cannot be read.
    #[error("failed to read the API keys in \"{path}\"")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is too large.
    #[error("failed to read the API keys in \"{path}\": the file is larger than {LARGEST_FILE} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file does not say which keys there are.
    #[error("failed to understand the API keys in \"{path}\"")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ParseKeyRingError,
    },
}

impl WatchedKeyRing {
    /// Reads the keys of `path`.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, LoadKeyRingError> {
        let path = path.into();
        let (content, digest) = read(&path)?;
        let ring = Arc::new(parse(&path, &content)?);
        Ok(Self {
            path,
            current: watch::Sender::new(Loaded { ring, digest }),
            last_reload_failed: AtomicBool::new(false),
            reading: Mutex::new(()),
        })
    }

    /// The keys in force.
    #[must_use]
    pub fn current(&self) -> Arc<KeyRing> {
        Arc::clone(&self.current.borrow().ring)
    }

    /// Whether the file could not be used when it was last looked at, so that the keys in force are older than it.
    #[must_use]
    pub fn last_reload_failed(&self) -> bool {
        self.last_reload_failed.load(Ordering::Relaxed)
    }

    /// Puts the keys of the file in force if they changed, and says whether they did. Keys that stay go on with what
    /// is left of their rate limit. Blocks while it reads.
    ///
    /// # Errors
    /// When the file cannot be read or understood. The keys in force stay so.
    pub fn reload(&self) -> Result<bool, LoadKeyRingError> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let reloaded = self.try_reload();
        self.last_reload_failed
            .store(reloaded.is_err(), Ordering::Relaxed);
        reloaded
    }

    fn try_reload(&self) -> Result<bool, LoadKeyRingError> {
        // The content decides: Kubernetes swaps links, which change no time of the file, and other ways to replace a
        // file keep its time too. A file of keys is small enough to be read every few seconds.
        let (content, digest) = read(&self.path)?;
        if self.current.borrow().digest == digest {
            return Ok(false);
        }
        let mut ring = parse(&self.path, &content)?;
        self.current.send_modify(|loaded| {
            ring.inherit(&loaded.ring);
            *loaded = Loaded {
                ring: Arc::new(ring),
                digest,
            };
        });
        Ok(true)
    }

    /// Looks at the file every `interval`, for as long as it is polled, and puts its keys in force when they changed.
    /// A file that cannot be used is logged once and leaves the keys in force as they are.
    pub async fn watch(self: Arc<Self>, interval: Duration) {
        let mut ticks = tokio::time::interval_at(Instant::now() + interval, interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reported = None;
        loop {
            ticks.tick().await;
            let this = Arc::clone(&self);
            let Ok(reloaded) = tokio::task::spawn_blocking(move || this.reload()).await else {
                // The runtime is shutting down.
                return;
            };
            match reloaded {
                Ok(changed) => {
                    let recovered = reported.take().is_some();
                    if changed || recovered {
                        tracing::info!(path = %self.path.display(), "the API keys in the file are in force");
                    }
                }
                Err(error) => {
                    let message = error_chain(&error);
                    if reported.as_ref() != Some(&message) {
                        tracing::error!(error = message, "the API keys that were in force stay in force");
                        reported = Some(message);
                    }
                }
            }
        }
    }
}

/// The content of a file of keys, and its SHA-256.
fn read(path: &Path) -> Result<(String, [u8; 32]), LoadKeyRingError> {
    let failed = |source| LoadKeyRingError::Read {
        path: path.to_owned(),
        source,
    };
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut content))
        .map_err(failed)?;
    if content.len() as u64 > LARGEST_FILE {
        return Err(LoadKeyRingError::TooLarge {
            path: path.to_owned(),
        });
    }
    let digest = Sha256::digest(&content).into();
    let content = String::from_utf8(content).map_err(|error| {
        failed(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            error.utf8_error(),
        ))
    })?;
    Ok((content, digest))
}

fn parse(path: &Path, content: &str) -> Result<KeyRing, LoadKeyRingError> {
    content.parse().map_err(|source| LoadKeyRingError::Parse {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::generated_key::GeneratedKey;

    const INTERVAL: Duration = Duration::from_secs(5);

    /// A folder as the kubelet mounts a Secret: the file is a link through `..data`, which links to a folder of its
    /// own for each version and is replaced in one step.
    struct MountedSecret {
        folder: tempfile::TempDir,
        versions: usize,
    }

    impl MountedSecret {
        fn new(content: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            symlink("..data/keys.txt", folder.path().join("keys.txt")).unwrap();
            let mut secret = Self { folder, versions: 0 };
            secret.update(content);
            secret
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join("keys.txt")
        }

        fn update(&mut self, content: impl AsRef<[u8]>) {
            let path = |name: &str| self.folder.path().join(name);
            let old = format!("..version_{}", self.versions);
            self.versions += 1;
            let new = format!("..version_{}", self.versions);
            fs::create_dir(path(&new)).unwrap();
            fs::write(path(&new).join("keys.txt"), content).unwrap();
            symlink(&new, path("..data_tmp")).unwrap();
            fs::rename(path("..data_tmp"), path("..data")).unwrap();
            if self.versions > 1 {
                fs::remove_dir_all(path(&old)).unwrap();
            }
        }
    }

    fn key(name: &str) -> GeneratedKey {
        GeneratedKey::new(name, []).unwrap()
    }

    fn opens(ring: &WatchedKeyRing, key: &GeneratedKey) -> bool {
        ring.current().authenticate(key.secret()).is_some()
    }

    #[test]
    fn a_replaced_file_puts_its_keys_in_force() {
        let (old, new) = (key("old"), key("new"));
        let mut secret = MountedSecret::new(&old.entry.to_string());
        let ring = WatchedKeyRing::open(secret.file()).unwrap();
        assert!(opens(&ring, &old) && !opens(&ring, &new));
        assert!(!ring.reload().unwrap());
        secret.update(new.entry.to_string());
        assert!(ring.reload().unwrap());
        assert!(!opens(&ring, &old) && opens(&ring, &new));
    }

    #[test]
    fn a_file_that_cannot_be_used_leaves_the_keys_in_force() {
        let key = key("forum");
        let line = key.entry.to_string();
        let mut secret = MountedSecret::new(&line);
        let ring = WatchedKeyRing::open(secret.file()).unwrap();
        let broken: [(&[u8], &str); 4] = [
            (b"forum sha256:12", "line 1"),
            (b"", "no key"),
            (b"\xff", "utf-8"),
            (&vec![b' '; 1024 * 1024 + 1], "larger than"),
        ];
        for (content, problem) in broken {
            secret.update(content);
            let error = error_chain(&ring.reload().unwrap_err());
            assert!(error.contains(problem) && error.contains("keys.txt"), "{error}");
            assert!(ring.last_reload_failed() && opens(&ring, &key));
        }
        fs::remove_file(secret.file()).unwrap();
        assert!(matches!(ring.reload(), Err(LoadKeyRingError::Read { .. })));
        fs::write(secret.file(), line).unwrap();
        assert!(!ring.reload().unwrap());
        assert!(!ring.last_reload_failed());
    }

    #[test]
    fn a_file_that_cannot_be_used_is_refused_at_the_start() {
        let secret = MountedSecret::new("# nobody");
        assert!(matches!(
            WatchedKeyRing::open(secret.file()),
            Err(LoadKeyRingError::Parse { .. })
        ));
    }

    #[test]
    fn a_reload_gives_no_key_new_requests() {
        let (limited, other) = (GeneratedKey::new("limited", ["rate=1"]).unwrap(), key("other"));
        let mut secret = MountedSecret::new(&limited.entry.to_string());
        let ring = WatchedKeyRing::open(secret.file()).unwrap();
        let admit = || ring.current().authenticate(limited.secret()).unwrap().admit();
        assert!(admit().is_ok());
        secret.update(format!("{}\n{}", other.entry, limited.entry));
        assert!(ring.reload().unwrap());
        assert!(admit().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_removed_key_stops_within_the_interval() {
        let (kept, removed) = (key("kept"), key("removed"));
        let mut secret = MountedSecret::new(&format!("{}\n{}", kept.entry, removed.entry));
        let ring = Arc::new(WatchedKeyRing::open(secret.file()).unwrap());
        let mut changes = ring.current.subscribe();
        let watch = tokio::spawn(Arc::clone(&ring).watch(INTERVAL));
        let begun = Instant::now();
        secret.update(kept.entry.to_string());
        changes.changed().await.unwrap();
        assert!(begun.elapsed() <= INTERVAL);
        assert!(opens(&ring, &kept) && !opens(&ring, &removed));
        watch.abort();
    }
}
