//! `/v1/records` and `/v1/feedback`: what was said of texts, and what people say of that. Times are in milliseconds since
//! 1970.

use serde::{Deserialize, Serialize};

use crate::{ModelIdentity, Scores};

/// The wire formats a text can come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RecordProtocol {
    /// This server's own.
    Native,
    /// Google's Perspective API.
    Perspective,
    /// `OpenAI`'s moderation.
    Openai,
    /// The Open Inference Protocol.
    OpenInference,
    /// text-embeddings-inference and Hugging Face.
    Tei,
}

/// Where the review of a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// What a moderator can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The text passes: no label holds.
    Approve,
    /// The text goes: it is toxic, whatever the label.
    Reject,
    /// The text has the labels in `suggested`.
    Relabel,
}

/// Which way feedback came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FeedbackSource {
    /// `/v1alpha1/comments:suggestscore`.
    Suggestscore,
    /// The page for moderators.
    Review,
    /// `/v1/feedback`.
    Api,
}

/// What the model said of one text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Record {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(format = "uuid"))]
    pub id: String,
    /// When the verdict was given.
    pub created_at: u64,
    /// Tenant of the API key that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub tenant: Option<String>,
    /// How it was asked.
    pub protocol: RecordProtocol,
    /// Which model answered.
    pub model: ModelIdentity,
    /// The text.
    pub text: String,
    /// Language of the text, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub language: Option<String>,
    /// Whether at least one label reached its threshold.
    pub flagged: bool,
    /// The labels that reached their thresholds, highest score first.
    pub flags: Vec<String>,
    /// Score per label, 0 to 1.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, f32>))]
    pub scores: Scores,
    /// Tokens of the text.
    pub tokens: u64,
    /// Id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub request_id: Option<String>,
    /// Where the review stands.
    pub review: Review,
    /// How often people gave feedback on it.
    pub feedback: u64,
}

/// Some records, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordPage {
    /// The records.
    pub items: Vec<Record>,
    /// What to give as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub next: Option<String>,
}

/// How many records there are, and where they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordSummary {
    /// All.
    pub records: u64,
    /// Those with at least one label flagged.
    pub flagged: u64,
    /// Those that are flagged and wait for a decision.
    pub flagged_open: u64,
    /// Those that were approved.
    pub approved: u64,
    /// Those that were rejected.
    pub rejected: u64,
    /// Those that were relabelled.
    pub relabelled: u64,
    /// Those with each label flagged, the most frequent label first.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, u64>))]
    pub flags: indexmap::IndexMap<String, u64>,
}

/// What a person says of a text: a decision, scores per label, or both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FeedbackRequest {
    /// The record that is judged. Absent: the newest record of the same text, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = "uuid"))]
    pub record_id: Option<String>,
    /// The text that is judged; may be absent where `record_id` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "You idiot."))]
    pub text: Option<String>,
    /// Score per label that the person finds right, 0 to 1; from 0.5 on the label holds.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(
        value_type = std::collections::BTreeMap<String, f32>, example = json!({"insult": 1.0})
    ))]
    pub suggested: Scores,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// What the moderator has to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = json!(null)))]
    pub comment: Option<String>,
    /// The client's own name for the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = json!(null)))]
    pub client_token: Option<String>,
    /// Whether it comes from the page for moderators.
    #[serde(default)]
    pub review: bool,
}

/// Answer of `POST /v1/feedback`: it is stored, and outlives a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedbackResponse {
    /// Its name, by which it can be taken back.
    #[cfg_attr(feature = "openapi", schema(format = "uuid"))]
    pub id: String,
}

/// Feedback as it was stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Feedback {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(format = "uuid"))]
    pub id: String,
    /// When it was stored.
    pub created_at: u64,
    /// Tenant of the API key that gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub tenant: Option<String>,
    /// Which way it came.
    pub source: FeedbackSource,
    /// The record that it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = "uuid", nullable = false))]
    pub record_id: Option<String>,
    /// The text.
    pub text: String,
    /// Score per label that the person finds right.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, f32>))]
    pub suggested: Scores,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub decision: Option<Decision>,
    /// What the moderator had to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub comment: Option<String>,
    /// What the model had said, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub model: Option<ModelVerdict>,
}

/// What the model said of a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelVerdict {
    /// Which model.
    #[serde(flatten)]
    pub identity: ModelIdentity,
    /// Score per label, 0 to 1.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, f32>))]
    pub scores: Scores,
    /// The labels that reached their thresholds.
    pub flags: Vec<String>,
}

/// Some feedback, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedbackPage {
    /// The feedback.
    pub items: Vec<Feedback>,
    /// What to give as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub next: Option<String>,
}

/// How far people and the model agree.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgreementResponse {
    /// On whether a text is toxic at all.
    pub overall: LabelAgreement,
    /// Label by label.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, LabelAgreement>))]
    pub labels: indexmap::IndexMap<String, LabelAgreement>,
}

/// How often people and the model said yes or no, and what follows from that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabelAgreement {
    /// Both said yes.
    pub both: u64,
    /// Only the model said yes: a false alarm.
    pub model_only: u64,
    /// Only the person said yes: a miss.
    pub person_only: u64,
    /// Both said no.
    pub neither: u64,
    /// Share of judgements in which both said the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub agreement: Option<f64>,
    /// Share of the model's yes that people confirm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub precision: Option<f64>,
    /// Share of people's yes that the model finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub recall: Option<f64>,
}
