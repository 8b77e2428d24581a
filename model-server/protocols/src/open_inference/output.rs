//! What a request gets: tensors made of the scores.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Datatype, Error, ModelView};
use crate::scored::ScoredText;

/// A tensor that the model gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Score per text and label, 0 to 1.
    Scores,
    /// Logit per text and label: what the scores are made of.
    Logits,
    /// Whether each label of each text reaches its threshold.
    Flags,
    /// Whether any label of each text reaches its threshold.
    Flagged,
    /// Names of the labels, the columns of the other tensors.
    Labels,
}

/// What is wrong with a requested output; reads on behind its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutputProblem {
    /// No output has its name.
    #[error("is no output of this model; it gives `scores`, `logits`, `flags`, `flagged` and `labels`")]
    Unknown,
    /// It is asked for twice.
    #[error("is requested more than once")]
    Repeated,
    /// It has no values to rank.
    #[error("cannot take the parameter `classification`, which ranks `scores` or `logits`")]
    Unranked,
    /// It lies in memory that is not shared with this server.
    #[error("cannot be put into shared memory, which is not supported")]
    SharedMemory,
}

impl Output {
    /// All of them, in the order of an answer to a request that names none.
    pub const ALL: [Self; 5] = [
        Self::Scores,
        Self::Logits,
        Self::Flags,
        Self::Flagged,
        Self::Labels,
    ];

    /// The output of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|output| output.name() == name)
    }

    /// Name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scores => "scores",
            Self::Logits => "logits",
            Self::Flags => "flags",
            Self::Flagged => "flagged",
            Self::Labels => "labels",
        }
    }

    /// Datatype of its elements.
    #[must_use]
    pub fn datatype(self) -> Datatype {
        match self {
            Self::Scores | Self::Logits => Datatype::Fp32,
            Self::Flags | Self::Flagged => Datatype::Bool,
            Self::Labels => Datatype::Bytes,
        }
    }

    /// Shape in the metadata of a model with so many labels; -1 is the number of texts.
    #[must_use]
    pub fn shape(self, labels: usize) -> Vec<i64> {
        let labels = i64::try_from(labels).unwrap_or(i64::MAX);
        match self {
            Self::Scores | Self::Logits | Self::Flags => vec![-1, labels],
            Self::Flagged => vec![-1],
            Self::Labels => vec![labels],
        }
    }
}

/// An output that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestedOutput {
    pub(super) output: Output,
    /// How many of the highest values to give, with their labels, in place of all values; 0 for all values.
    pub(super) classes: usize,
    /// Whether its data comes as bytes.
    pub(super) binary: bool,
}

impl RequestedOutput {
    /// Checks name and parameters.
    pub(super) fn check(
        name: &str,
        classes: usize,
        shared_memory: bool,
        binary: bool,
    ) -> Result<Self, Error> {
        let refuse = |problem| Error::output(name, problem);
        let output = Output::named(name).ok_or_else(|| refuse(OutputProblem::Unknown))?;
        if shared_memory {
            return Err(refuse(OutputProblem::SharedMemory));
        }
        if classes > 0 && output.datatype() != Datatype::Fp32 {
            return Err(refuse(OutputProblem::Unranked));
        }
        Ok(Self {
            output,
            classes,
            binary,
        })
    }

    /// The tensor of this output.
    pub(super) fn tensor(self, model: &ModelView<'_>, scored: &[ScoredText]) -> OutputTensor {
        let (texts, labels) = (scored.len(), model.labels.names.len());
        let values = |of: fn(&ScoredText) -> &[f32]| {
            if self.classes == 0 {
                Values::Numbers(scored.iter().flat_map(of).copied().collect())
            } else {
                let ranked = scored
                    .iter()
                    .flat_map(|text| ranked(of(text), model.labels.names, self.classes));
                Values::Strings(ranked.collect())
            }
        };
        let (values, shape) = match self.output {
            Output::Scores => (values(|text| &text.scores), vec![texts, labels]),
            Output::Logits => (values(|text| &text.logits), vec![texts, labels]),
            Output::Flags => {
                let flags = scored.iter().flat_map(|text| &text.flagged).copied().collect();
                (Values::Booleans(flags), vec![texts, labels])
            }
            Output::Flagged => {
                let flagged = scored.iter().map(|text| text.flagged.contains(&true)).collect();
                (Values::Booleans(flagged), vec![texts])
            }
            Output::Labels => (Values::Strings(model.labels.names.to_vec()), vec![labels]),
        };
        let (datatype, shape) = match self.classes {
            0 => (self.output.datatype(), shape),
            classes => (Datatype::Bytes, vec![texts, classes.min(labels)]),
        };
        OutputTensor {
            name: self.output.name(),
            datatype,
            shape,
            values,
        }
    }
}

/// The highest `classes` of `values` as "value:index:label", highest first, with six digits as Triton writes them.
fn ranked(values: &[f32], labels: &[String], classes: usize) -> impl Iterator<Item = String> {
    let mut ranked: Vec<_> = values.iter().zip(labels).enumerate().collect();
    ranked.sort_by(|(_, (a, _)), (_, (b, _))| b.total_cmp(a));
    ranked
        .into_iter()
        .take(classes)
        .map(|(index, (value, label))| format!("{value:.6}:{index}:{label}"))
}

/// A tensor of the answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OutputTensor {
    pub(super) name: &'static str,
    pub(super) datatype: Datatype,
    pub(super) shape: Vec<usize>,
    pub(super) values: Values,
}

/// Elements of a tensor, row by row.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = OpenInferenceOutputData)]
pub enum Values {
    /// FP32.
    Numbers(Vec<f32>),
    /// BOOL.
    Booleans(Vec<bool>),
    /// BYTES.
    Strings(Vec<String>),
}
