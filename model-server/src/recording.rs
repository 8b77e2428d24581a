//! Keeps a record of verdicts, when records are on.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use toxicity_records::{
    Agreement, LossReason, Protocol, Recorder, RecorderOptions, Records, RecordsMetrics, TimeRange, Timeouts,
    VerdictRecord,
};
use uuid::Uuid;

use crate::engine::Verdict;
use crate::metrics::Metrics;
use crate::model::Model;

pub use toxicity_records::OpenError;

/// Time over which people and the model are compared for the metrics.
const AGREEMENT_TIME: Duration = Duration::from_hours(720);

/// How often they are compared.
const AGREEMENT_PAUSE: Duration = Duration::from_mins(1);

/// The database of records, and the way to it.
pub struct Recording {
    /// The database.
    pub records: Records,
    recorder: Recorder,
    metrics: Arc<Metrics>,
}

/// Whose text it is, and how it came.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// Tenant of the API key.
    pub tenant: Option<String>,
    /// How it was asked.
    pub protocol: Protocol,
    /// Language, where it is known.
    pub language: Option<String>,
    /// Id of the request.
    pub request_id: Option<String>,
}

impl Recording {
    /// Opens the database at `url`. Must be called within a runtime.
    ///
    /// # Errors
    /// When it cannot be reached or is none.
    pub async fn open(url: &str, metrics: &Arc<Metrics>) -> Result<Self, OpenError> {
        let records = Records::open(url, Timeouts::default()).await?;
        let recorder = Recorder::start(
            records.clone(),
            RecorderOptions::default(),
            Arc::clone(metrics) as Arc<dyn RecordsMetrics>,
        );
        Ok(Self {
            records,
            recorder,
            metrics: Arc::clone(metrics),
        })
    }

    /// Keeps what was said of a text; the request does not wait for it. Gives the name of the record.
    pub fn record(&self, text: &str, verdict: &Verdict, model: &Model, provenance: &Provenance) -> Uuid {
        let id = Uuid::now_v7();
        let Provenance {
            tenant,
            protocol,
            language,
            request_id,
        } = provenance.clone();
        self.recorder.record(VerdictRecord {
            id,
            tenant,
            protocol,
            model: model.identity.clone(),
            text: text.to_owned(),
            language,
            scores: model.by_label(&verdict.judgement.scores),
            flags: verdict.flags(model),
            tokens: verdict.tokens as u64,
            request_id,
        });
        id
    }

    /// Forgets what is too old and compares people with the model, now and ever again.
    pub async fn look_after(&self, retention: Option<Duration>) -> Infallible {
        let forget = async {
            match retention {
                Some(retention) => self.records.enforce_retention(retention).await,
                None => std::future::pending().await,
            }
        };
        let compare = async {
            loop {
                match self.recent_agreement().await {
                    Ok(agreement) => self.metrics.set_agreement(&agreement),
                    Err(error) => {
                        let error = toxicity_service::error_chain(&error);
                        tracing::warn!(%error, "failed to compare feedback with the model");
                    }
                }
                tokio::time::sleep(AGREEMENT_PAUSE).await;
            }
        };
        tokio::select! {
            never = forget => never,
            never = compare => never,
        }
    }

    async fn recent_agreement(&self) -> Result<Agreement, toxicity_records::QueryError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let since = u64::try_from(now.saturating_sub(AGREEMENT_TIME).as_millis()).ok();
        self.records
            .agreement(TimeRange { since, until: None }, None)
            .await
    }

    /// Records that wait to be written, and the memory they take.
    #[must_use]
    pub fn queued(&self) -> (usize, usize) {
        self.recorder.queued()
    }

    /// Waits until what was recorded so far is written or lost, for at most `limit`.
    pub async fn settle(&self, limit: Duration) {
        // Past the limit there is nothing to do: the caller goes by what is in the database.
        let _ = tokio::time::timeout(limit, self.recorder.flush()).await;
    }

    /// Writes what waits, for at most `limit`.
    pub async fn close(&self, limit: Duration) {
        self.recorder.close(limit).await;
        self.records.close().await;
    }
}

impl RecordsMetrics for Metrics {
    fn written(&self) {
        self.records_written.inc();
    }

    fn lost(&self, reason: LossReason) {
        self.records_lost(reason).inc();
    }

    fn attempt_failed(&self) {
        self.record_write_failures.inc();
    }
}
