//! Forgetting what is old.

use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::database::QueryError;
use crate::records::Records;
use crate::{id, table};

/// Rows that one transaction takes away: a few milliseconds, in which others wait.
const ROWS_PER_DELETE: usize = 500;

/// Longest time between two looks for what is old.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Records.
    pub records: u64,
    /// Feedback.
    pub feedback: u64,
}

impl Records {
    /// Forgets what is older than `retention`, now and ever again; it looks at least once an hour. Run it as a task
    /// of its own, and drop it to stop. Several replicas may do so at the same time.
    pub async fn enforce_retention(&self, retention: Duration) -> Infallible {
        let pause = (retention / 24).clamp(Duration::from_secs(1), LONGEST_PAUSE);
        loop {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let before = u64::try_from(now.saturating_sub(retention).as_millis()).unwrap_or(u64::MAX);
            match self.expire(before).await {
                Ok(Expired {
                    records: 0,
                    feedback: 0,
                }) => {}
                Ok(expired) => tracing::info!(
                    records = expired.records,
                    feedback = expired.feedback,
                    "forgot what is older than the retention"
                ),
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "failed to forget what is older than the retention"
                ),
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Forgets records and feedback from before a time in milliseconds since 1970, some hundred at a time, and gives
    /// the space back to the file system.
    ///
    /// # Errors
    /// When the database fails or takes too long; what was forgotten until then stays forgotten.
    pub async fn expire(&self, before: u64) -> Result<Expired, QueryError> {
        let before = id::first(before);
        Ok(Expired {
            records: self.expire_from("records", before).await?,
            feedback: self.expire_from("feedback", before).await?,
        })
    }

    async fn expire_from(&self, table: &'static str, before: Uuid) -> Result<u64, QueryError> {
        let dialect = self.database.dialect();
        let mut expired = 0;
        loop {
            let statement = table::delete_oldest(dialect, table, before, ROWS_PER_DELETE);
            let deleted = self.database.execute(vec![statement]).await?;
            expired += deleted;
            self.database.reclaim().await?;
            if deleted < ROWS_PER_DELETE as u64 {
                return Ok(expired);
            }
        }
    }
}
