//! Verdicts on their way to the database, off the way of requests.

mod queue;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::metrics::RecordsMetrics;
use crate::record::VerdictRecord;
use crate::records::Records;
use queue::Intake;
use writer::Writer;

/// How much may wait, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecorderOptions {
    /// Most records that wait.
    pub max_records: usize,

    /// Most bytes that they may hold together.
    pub max_bytes: usize,

    /// Most records of one transaction.
    pub batch_records: usize,

    /// Longest time a record waits for others to be written with it.
    pub batch_interval: Duration,
}

impl Default for RecorderOptions {
    fn default() -> Self {
        Self {
            max_records: 10_000,
            max_bytes: 32 * 1024 * 1024,
            batch_records: 500,
            batch_interval: Duration::from_millis(100),
        }
    }
}

/// Takes verdicts and writes them in batches. It never makes its caller wait: when the database is away or too slow,
/// records wait in a bounded queue, and when that is full, further ones are lost and counted.
///
/// Dropping it lets the writer finish what is queued; [`Self::close`] waits for that.
pub struct Recorder {
    intake: Intake,
    closing: watch::Sender<bool>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Recorder {
    /// Starts to write into `records`. It must be called within a Tokio runtime.
    #[must_use]
    pub fn start(records: Records, options: RecorderOptions, metrics: Arc<dyn RecordsMetrics>) -> Self {
        let (closing, closed) = watch::channel(false);
        let (intake, outlet) = queue::queue(options.max_records, options.max_bytes, Arc::clone(&metrics));
        let writer = Writer {
            records,
            batch_records: options.batch_records,
            batch_interval: options.batch_interval,
            outlet,
            closing: closed,
            metrics,
        };
        Self {
            intake,
            closing,
            writer: Mutex::new(Some(tokio::spawn(writer.run()))),
        }
    }

    /// Takes a verdict. It returns at once; the record is in the database some hundred milliseconds later.
    pub fn record(&self, record: VerdictRecord) {
        self.intake.push(record);
    }

    /// Waits until all that was taken so far is in the database or lost.
    pub async fn flush(&self) {
        self.intake.settled().await;
    }

    /// How many records wait, and how many bytes they hold.
    #[must_use]
    pub fn queued(&self) -> (usize, usize) {
        self.intake.load()
    }

    /// Takes no more, and writes what is queued for at most `limit`. What is left then is lost and counted.
    pub async fn close(&self, limit: Duration) {
        self.closing.send_replace(true);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut writer) = writer
            && tokio::time::timeout(limit, &mut writer).await.is_err()
        {
            let (records, _) = self.queued();
            tracing::warn!(
                records,
                "stopped before all records were written; the rest is lost"
            );
            writer.abort();
            // The error is that it was aborted.
            let _ = writer.await;
        }
    }
}
