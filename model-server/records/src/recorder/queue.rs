//! The queue between requests and the writer, bounded by records and by bytes. What the writer holds in its hands
//! counts until it is written.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::{mpsc, watch};

use crate::metrics::{LossReason, RecordsMetrics};
use crate::record::VerdictRecord;

/// A queue that holds at most so many records and bytes.
pub fn queue(max_records: usize, max_bytes: usize, metrics: Arc<dyn RecordsMetrics>) -> (Intake, Outlet) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (settled, settlements) = watch::channel(0);
    let intake = Intake {
        sender,
        settlements,
        taken: AtomicU64::new(0),
        max_records,
        max_bytes,
        load: Arc::new(Load {
            records: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            metrics,
        }),
    };
    (intake, Outlet { receiver, settled })
}

/// Where records come in.
pub struct Intake {
    sender: mpsc::UnboundedSender<Queued>,
    settlements: watch::Receiver<u64>,
    taken: AtomicU64,
    max_records: usize,
    max_bytes: usize,
    load: Arc<Load>,
}

impl Intake {
    /// Takes a record, or loses it when there is no room or no writer any more.
    pub fn push(&self, record: VerdictRecord) {
        let mut queued = Queued::new(record, &self.load);
        let (records, bytes) = self.load();
        if records > self.max_records || bytes > self.max_bytes {
            queued.settle(Fate::Lost(LossReason::QueueFull));
        } else if self.sender.send(queued).is_ok() {
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records that are not settled, and the bytes they hold.
    pub fn load(&self) -> (usize, usize) {
        (
            self.load.records.load(Ordering::Relaxed),
            self.load.bytes.load(Ordering::Relaxed),
        )
    }

    /// Waits until every record taken before is written or lost, or the writer has gone.
    pub async fn settled(&self) {
        let taken = self.taken.load(Ordering::Relaxed);
        let mut settlements = self.settlements.clone();
        // An error means that the writer has gone.
        let _ = settlements.wait_for(|&settled| settled >= taken).await;
    }
}

/// Where records go out.
pub struct Outlet {
    receiver: mpsc::UnboundedReceiver<Queued>,
    settled: watch::Sender<u64>,
}

impl Outlet {
    /// Waits for records and adds at most `limit` of them to `batch`. Adds none when the queue is closed and empty.
    /// Nothing is lost when the future is dropped.
    pub async fn take(&mut self, batch: &mut Vec<Queued>, limit: usize) -> usize {
        self.receiver.recv_many(batch, limit).await
    }

    /// Takes no more in.
    pub fn close(&mut self) {
        self.receiver.close();
    }

    /// Says what became of records.
    pub fn settle(&self, records: Vec<Queued>, fate: Fate) {
        let count = records.len() as u64;
        for mut record in records {
            record.settle(fate);
        }
        self.settled.send_modify(|settled| *settled += count);
    }
}

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is in the database.
    Written,
    /// It is not.
    Lost(LossReason),
}

/// A record that takes room in the queue for as long as it lives. However it ends, it is counted: as lost by a stop if
/// nothing else was said.
pub struct Queued {
    record: VerdictRecord,
    bytes: usize,
    fate: Fate,
    load: Arc<Load>,
}

impl Queued {
    fn new(record: VerdictRecord, load: &Arc<Load>) -> Self {
        let bytes = record.bytes();
        load.records.fetch_add(1, Ordering::Relaxed);
        load.bytes.fetch_add(bytes, Ordering::Relaxed);
        Self {
            record,
            bytes,
            fate: Fate::Lost(LossReason::Stopped),
            load: Arc::clone(load),
        }
    }

    fn settle(&mut self, fate: Fate) {
        self.fate = fate;
    }
}

impl Deref for Queued {
    type Target = VerdictRecord;

    fn deref(&self) -> &VerdictRecord {
        &self.record
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.load.records.fetch_sub(1, Ordering::Relaxed);
        self.load.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        match self.fate {
            Fate::Written => self.load.metrics.written(),
            Fate::Lost(reason) => self.load.metrics.lost(reason),
        }
    }
}

/// What the queue holds.
struct Load {
    records: AtomicUsize,
    bytes: AtomicUsize,
    metrics: Arc<dyn RecordsMetrics>,
}
