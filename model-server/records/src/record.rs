//! A verdict as it is kept.

use serde::{Deserialize, Serialize};
use toxicity_api::{ModelIdentity, Scores};
use uuid::Uuid;

use crate::feedback::Decision;

/// What the model said of one text, and for whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerdictRecord {
    /// Name of the record, from [`Uuid::now_v7`]. It is there before the record is written, so an answer can carry it;
    /// no two replicas make the same; and it holds the time, so that the order of ids is the order of verdicts.
    pub id: Uuid,

    /// Tenant of the API key that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,

    /// How it was asked.
    pub protocol: Protocol,

    /// Which model answered.
    pub model: ModelIdentity,

    /// The text.
    pub text: String,

    /// Language of the text as a BCP 47 tag, where the client said it or it was detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,

    /// Score per label, 0 to 1.
    pub scores: Scores,

    /// The labels that reached their thresholds, highest score first.
    pub flags: Vec<String>,

    /// Tokens of the text.
    pub tokens: u64,

    /// Id of the request, as it stands in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl VerdictRecord {
    /// Roughly the memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let labels = self.scores.keys().chain(&self.flags).map(String::len);
        size_of::<Self>() + self.text.len() + labels.sum::<usize>()
    }
}

/// The wire formats a text can come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// `/v1/analyze`, `/predict` and `/analyzer`.
    Native,
    /// `/v1alpha1/comments:analyze`.
    Perspective,
    /// `/v1/moderations`.
    Openai,
    /// `/v2/…` and gRPC.
    OpenInference,
    /// `/predict` and `/` of text-embeddings-inference.
    Tei,
}

/// A record as it is read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredRecord {
    /// The verdict.
    #[serde(flatten)]
    pub verdict: VerdictRecord,

    /// When the verdict was given, in milliseconds since 1970.
    pub created_at: u64,

    /// Whether at least one label was flagged.
    pub flagged: bool,

    /// What moderators made of it.
    pub review: Review,

    /// How often people gave feedback on it.
    pub feedback: u64,
}

/// Where a record stands: its newest decision, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Nobody decided.
    Open,
    /// A moderator let the text pass.
    Approved,
    /// A moderator took the text down.
    Rejected,
    /// A moderator gave it other labels.
    Relabelled,
}

impl Review {
    /// Where the newest decision leaves a record.
    #[must_use]
    pub fn of(decision: Option<Decision>) -> Self {
        match decision {
            None => Self::Open,
            Some(Decision::Approve) => Self::Approved,
            Some(Decision::Reject) => Self::Rejected,
            Some(Decision::Relabel) => Self::Relabelled,
        }
    }

    /// The decision that leads here.
    pub(crate) fn decision(self) -> Option<Decision> {
        match self {
            Self::Open => None,
            Self::Approved => Some(Decision::Approve),
            Self::Rejected => Some(Decision::Reject),
            Self::Relabelled => Some(Decision::Relabel),
        }
    }
}
