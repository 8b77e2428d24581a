//! The task that writes what the queue holds, in batches, and goes on trying while the database is away.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use sqlx::error::DatabaseError;
use tokio::sync::watch;
use tokio::time::sleep;

use super::queue::{Fate, Outlet, Queued};
use crate::database::QueryError;
use crate::metrics::{LossReason, RecordsMetrics};
use crate::records::Records;

/// Pause after the first failed attempt; each further one lasts twice as long.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Writes batches until the queue is closed and empty.
pub struct Writer {
    /// Where to.
    pub records: Records,
    /// Most records of one transaction.
    pub batch_records: usize,
    /// Longest time a record waits for others.
    pub batch_interval: Duration,
    /// Where from.
    pub outlet: Outlet,
    /// Becomes true, or ends, when the queue is to be closed.
    pub closing: watch::Receiver<bool>,
    /// Who is told of attempts that fail.
    pub metrics: Arc<dyn RecordsMetrics>,
}

impl Writer {
    /// Writes until the end.
    pub async fn run(mut self) {
        loop {
            let batch = self.next_batch().await;
            if batch.is_empty() {
                return;
            }
            self.write(batch).await;
        }
    }

    /// A first record and those that come shortly after. Empty when none is left and none can come.
    async fn next_batch(&mut self) -> Vec<Queued> {
        let limit = self.batch_records.max(1);
        let mut batch = Vec::new();
        tokio::select! {
            _ = self.outlet.take(&mut batch, limit) => {}
            () = closed(&mut self.closing) => {
                self.outlet.close();
                self.outlet.take(&mut batch, limit).await;
                return batch;
            }
        }
        let interval = sleep(self.batch_interval);
        tokio::pin!(interval);
        while batch.len() < limit {
            let room = limit - batch.len();
            tokio::select! {
                taken = self.outlet.take(&mut batch, room) => if taken == 0 { break },
                () = &mut interval => break,
                () = closed(&mut self.closing) => break,
            }
        }
        batch
    }

    /// Writes a batch, however long that takes. Where the database refuses it, the records that it refuses are found by
    /// halving and dropped.
    async fn write(&mut self, batch: Vec<Queued>) {
        let mut parts = vec![batch];
        let mut pauses = None;
        while let Some(mut part) = parts.pop() {
            match self.records.insert(&part).await {
                Ok(()) => {
                    self.outlet.settle(part, Fate::Written);
                    if pauses.take().is_some() {
                        tracing::info!("records are written again");
                    }
                }
                Err(QueryError::Refused(_)) if part.len() > 1 => {
                    let rest = part.split_off(part.len() / 2);
                    parts.push(rest);
                    parts.push(part);
                }
                Err(QueryError::Refused(error)) => {
                    // Not the whole message: it may quote the values.
                    let code = error.as_database_error().and_then(DatabaseError::code);
                    tracing::warn!(
                        code = code.as_deref(),
                        "the database refused a record; it is lost"
                    );
                    self.outlet.settle(part, Fate::Lost(LossReason::Refused));
                }
                Err(error) => {
                    self.metrics.attempt_failed();
                    if pauses.is_none() {
                        tracing::warn!(
                            error = &error as &dyn Error,
                            "failed to write records; trying again"
                        );
                    }
                    parts.push(part);
                    let pause = pauses.get_or_insert_with(pauses_between_attempts).next();
                    self.pause(pause.unwrap_or(LONGEST_PAUSE)).await;
                }
            }
        }
    }

    /// Waits before the next attempt: while closing, only as long as it takes not to press the database.
    async fn pause(&mut self, pause: Duration) {
        let start_of_closing = async {
            closed(&mut self.closing).await;
            sleep(SHORTEST_PAUSE).await;
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = start_of_closing => {}
        }
    }
}

/// With jitter, so that replicas do not come back all at once.
fn pauses_between_attempts() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(SHORTEST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}

/// Waits until the recorder closes or is dropped.
async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that it was dropped.
    let _ = closing.wait_for(|&closing| closing).await;
}
