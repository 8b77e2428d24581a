//! What the recorder tells whoever watches it.

/// Counts what becomes of verdicts. The functions are called on the way of requests, so they must not wait.
pub trait RecordsMetrics: Send + Sync {
    /// A record is in the database.
    fn written(&self) {}

    /// A record is lost.
    fn lost(&self, reason: LossReason) {
        let _ = reason;
    }

    /// An attempt to write a batch failed; it is repeated.
    fn attempt_failed(&self) {}
}

/// Counts nothing.
impl RecordsMetrics for () {}

/// Why a record was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LossReason {
    /// The queue holds as many records or bytes as it may: the database is away or too slow.
    QueueFull,
    /// The database takes this record at no time.
    Refused,
    /// The server stopped before it was written.
    Stopped,
}

impl LossReason {
    /// All reasons, for whoever starts their counters at zero.
    pub const ALL: [Self; 3] = [Self::QueueFull, Self::Refused, Self::Stopped];

    /// The reason in snake case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
        }
    }
}
