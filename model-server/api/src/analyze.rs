//! `POST /v1/analyze`: one text or many in, one verdict per text out.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Score per label, 0 to 1, in the order of the model's outputs.
pub type Scores = IndexMap<String, f32>;

/// Request of `POST /v1/analyze`. Exactly one of `text` and `texts` must be present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnalyzeRequest {
    /// One text to score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "Thanks for sharing the sources."))]
    pub text: Option<String>,

    /// Several texts to score; verdicts come back in the same order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = json!(null)))]
    pub texts: Option<Vec<String>>,

    /// Also say which words carry the verdict. Costs several forward passes per flagged text, or none where the model
    /// marks words itself (`spans` of `GET /info` is `token-logits`).
    #[serde(default)]
    pub spans: bool,

    /// Also score each text with what hides words undone (look-alike letters, spaced-out or leet spelling, invisible
    /// characters), and take the higher score of each label.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub normalize: bool,

    /// Whether the server may keep a record of the texts, where it keeps records.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    #[cfg_attr(feature = "openapi", schema(default = true))]
    pub store: bool,

    /// Only these labels count and are answered. Absent means all labels of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = json!(["toxic", "threat"])))]
    pub labels: Option<Vec<String>>,
}

fn yes() -> bool {
    true
}

impl Default for AnalyzeRequest {
    fn default() -> Self {
        Self {
            text: None,
            texts: None,
            spans: false,
            normalize: false,
            store: true,
            labels: None,
        }
    }
}

/// Answer of `POST /v1/analyze`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnalyzeResponse {
    /// Which model gave the verdicts.
    pub model: ModelIdentity,

    /// The thresholds in force: a label is flagged when its score reaches its threshold.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, f32>))]
    pub thresholds: Scores,

    /// One verdict per text, in the order of the request.
    pub results: Vec<TextVerdict>,
}

/// Name and revision of a loaded model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelIdentity {
    /// Name of the model, by default the name of its folder.
    #[cfg_attr(feature = "openapi", schema(example = "toxic-minilm"))]
    pub name: String,

    /// First 12 hexadecimal digits of the SHA-256 over the files that decide its scores.
    #[cfg_attr(feature = "openapi", schema(example = "4c1e9a03d2b7"))]
    pub revision: String,
}

/// What the model says of one text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TextVerdict {
    /// Whether at least one label reached its threshold.
    pub flagged: bool,

    /// The labels that reached their thresholds, highest score first.
    pub flags: Vec<String>,

    /// Score per label, 0 to 1. For a text of several windows, the maximum over them.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, f32>))]
    pub scores: Scores,

    /// Tokens of the whole text, without the model's special tokens.
    pub tokens: usize,

    /// How many overlapping windows the text was scored in; 1 when it fits the model's window.
    pub windows: usize,

    /// The words that carry the verdict, in reading order. Present when asked for; empty when nothing is flagged, or
    /// when no single word is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spans: Option<Vec<Span>>,

    /// Present with `spans`: false when the text is so long that not every flagged window was searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spans_complete: Option<bool>,

    /// What was undone before the text was scored a second time. Present when that was asked for and something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalized: Option<Normalization>,

    /// Name of the record of this verdict, by which feedback can name it. Present when the server keeps records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = "uuid"))]
    pub record_id: Option<String>,
}

/// What a reader sees in a text that hides its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Normalization {
    /// The text with its words undone.
    pub text: String,

    /// How often each kind of disguise was undone: `invisible`, `compatibility`, `homoglyph`, `spacing`, `leet`,
    /// `repetition`.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, usize>))]
    pub changes: IndexMap<String, usize>,
}

/// A stretch of the text that carries the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Span {
    /// The flagged labels that the span carries, strongest first; at least one. A model that marks words itself does
    /// not tell them apart: then these are all flagged labels of the text.
    pub labels: Vec<String>,

    /// How much of the verdict the span carries, relative to the strongest span of the text: above 0, up to 1. Of a
    /// model that marks words itself (`spans` of `GET /info` is `token-logits`): the probability that the word is toxic.
    pub weight: f32,

    /// Position in UTF-8 bytes.
    pub bytes: Offsets,

    /// Position in UTF-16 code units, as JavaScript, Java and the Perspective API count.
    pub utf16: Offsets,
}

/// A half-open range of positions that never splits a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Offsets {
    /// First position.
    pub begin: usize,

    /// Position after the last one.
    pub end: usize,
}

impl Offsets {
    /// The range as Rust slices take it.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.begin..self.end
    }
}
