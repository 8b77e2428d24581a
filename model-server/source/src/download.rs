//! Downloads one file so that a break at any byte costs only what had not come yet.

mod part;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use crate::cache::CacheLock;
use crate::error::FetchError;
use crate::http_client::{HttpClient, Opened, stalled};
use crate::options::FetchOptions;
use crate::origin::RemoteFile;
use crate::progress::Progress;
use crate::retry::Pauses;

pub(crate) use part::Written;
use part::{Part, Version};

/// A try that brings this much earns all tries anew.
const WORTHWHILE_BYTES: u64 = 1 << 20;

/// What all downloads of one fetch share.
pub(crate) struct Downloads<'a> {
    pub http: &'a HttpClient,
    pub options: &'a FetchOptions,
    pub progress: &'a dyn Progress,
    pub lock: &'a CacheLock,
    /// Bytes of all files so far.
    pub taken: AtomicU64,
}

/// A file on its way.
struct Transfer<'a> {
    file: &'a RemoteFile,
    part: Part,
    /// Bytes of this file that count as taken.
    counted: u64,
    /// Whether bytes of an earlier try, maybe of another process, are part of the file.
    resumed: bool,
    /// Whether such bytes turned out to be wrong already.
    renewed: bool,
}

impl Downloads<'_> {
    /// Downloads `file` to `target` and gives its size and sum. What an earlier try left is used.
    pub(crate) async fn download(&self, file: &RemoteFile, target: &Path) -> Result<Written, FetchError> {
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(FetchError::file("create", folder))?;
        }
        let mut transfer = Transfer {
            file,
            part: Part::of(target),
            counted: 0,
            resumed: false,
            renewed: false,
        };
        if target.exists() {
            // It was whole once; it goes through the same check as one that just came.
            transfer.part.adopt(target, &version(file, None))?;
        }
        let position = transfer.part.position(&version(file, None));
        self.progress.started(&file.label, file.size, position);
        let written = self.transfer(&mut transfer).await?;
        transfer.part.finish(target)?;
        self.progress.finished(&file.label);
        Ok(written)
    }

    async fn transfer(&self, transfer: &mut Transfer<'_>) -> Result<Written, FetchError> {
        let mut pauses = Pauses::new(self.options.retries);
        loop {
            let before = transfer.part.length();
            let failure = match self.attempt(transfer).await {
                Ok(written) => match check(transfer.file, &written) {
                    Ok(()) => return Ok(written),
                    Err(error) => {
                        transfer.part.discard()?;
                        if !transfer.resumed || transfer.renewed {
                            return Err(error);
                        }
                        // The bytes from before may have been the wrong ones.
                        transfer.renewed = true;
                        self.progress.warning(&format!("{error}; downloading it anew"));
                        continue;
                    }
                },
                Err(FetchError::Refused { status: 416, .. }) if before > 0 => {
                    // There are fewer bytes than were here before, so these are of another file.
                    transfer.part.discard()?;
                    continue;
                }
                Err(error) => error,
            };
            if transfer.part.length().saturating_sub(before) >= WORTHWHILE_BYTES {
                pauses.begin_anew();
            }
            pauses.wait(failure, self.progress).await?;
        }
    }

    /// One try: from where the part ends to the end of the file.
    async fn attempt(&self, transfer: &mut Transfer<'_>) -> Result<Written, FetchError> {
        let file = transfer.file;
        let position = transfer.part.position(&version(file, None));
        if file.size == Some(position) && position > 0 {
            // All bytes are here; only the check is missing.
            transfer.resumed = true;
            return transfer.part.writer(position, self.lock).finish().await;
        }
        let etag = transfer.part.etag();
        let stall = self.options.timeouts.stall;
        let mut opened = file.location.open(self.http, position, etag.as_deref()).await?;
        self.compare(file, &opened)?;
        if opened.start == 0 {
            transfer.part.begin(&version(file, opened.etag.clone()))?;
        } else {
            transfer.resumed = true;
        }

        let mut writer = transfer.part.writer(opened.start, self.lock);
        let mut position = opened.start;
        let received = loop {
            let chunk = match next(&mut opened.chunks, stall, &file.label).await {
                None => break Ok(()),
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => break Err(error),
            };
            position += chunk.len() as u64;
            if let Err(error) = self.count(transfer, position) {
                break Err(error);
            }
            if !writer.write(chunk).await {
                // The writer has given up, and says why when it is asked for its result.
                break Ok(());
            }
            self.progress.advanced(&file.label, position);
        };
        let written = writer.finish().await?;
        received?;
        match file.size.or(opened.size) {
            Some(size) if size != written.size => Err(FetchError::Reach {
                what: file.label.clone(),
                source: format!("{} of {size} bytes came", written.size).into(),
            }),
            _ => Ok(written),
        }
    }

    /// Refuses what is another file than the one that was promised, before any of it is taken.
    fn compare(&self, file: &RemoteFile, opened: &Opened) -> Result<(), FetchError> {
        let other_etag =
            matches!((&file.etag, &opened.etag), (Some(promised), Some(found)) if promised != found);
        let other_size =
            matches!((file.size, opened.size), (Some(promised), Some(found)) if promised != found);
        if other_size || other_etag {
            return Err(FetchError::Changed {
                what: file.label.clone(),
            });
        }
        match opened.size {
            Some(size) => self.limit_file(file, size),
            None => Ok(()),
        }
    }

    /// Counts the bytes up to `position` as taken, and refuses more than the limits.
    fn count(&self, transfer: &mut Transfer<'_>, position: u64) -> Result<(), FetchError> {
        self.limit_file(transfer.file, position)?;
        // A file that began anew gives back what it had; the sum wraps around on the way and is right at the
        // end.
        let change = position.wrapping_sub(transfer.counted);
        let total = self
            .taken
            .fetch_add(change, Ordering::Relaxed)
            .wrapping_add(change);
        transfer.counted = position;
        if total > self.options.limits.total_bytes {
            return Err(FetchError::ExceedLimit {
                what: "all files of the model".to_owned(),
                limit: self.options.limits.total_bytes,
                unit: "bytes",
            });
        }
        Ok(())
    }

    fn limit_file(&self, file: &RemoteFile, size: u64) -> Result<(), FetchError> {
        if size > self.options.limits.file_bytes {
            return Err(FetchError::ExceedLimit {
                what: file.label.clone(),
                limit: self.options.limits.file_bytes,
                unit: "bytes",
            });
        }
        Ok(())
    }
}

/// The next chunk, unless nothing comes for too long.
async fn next(
    chunks: &mut (impl Stream<Item = Result<Bytes, FetchError>> + Unpin),
    stall: Duration,
    label: &str,
) -> Option<Result<Bytes, FetchError>> {
    match tokio::time::timeout(stall, chunks.next()).await {
        Ok(chunk) => chunk,
        Err(_) => Some(Err(stalled(label, stall))),
    }
}

/// What bytes must have in common to be of one file.
fn version(file: &RemoteFile, etag: Option<String>) -> Version {
    Version {
        sha256: file.sha256.clone(),
        etag: etag.or_else(|| file.etag.clone()),
    }
}

fn check(file: &RemoteFile, written: &Written) -> Result<(), FetchError> {
    match &file.sha256 {
        Some(expected) if *expected != written.sha256 => Err(FetchError::CompareChecksum {
            what: file.label.clone(),
            expected: expected.clone(),
            found: written.sha256.clone(),
        }),
        _ => Ok(()),
    }
}
