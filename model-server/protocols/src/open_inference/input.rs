//! What a request sends to be scored: texts, or rows of tokens.

use std::ops::Range;

use toxicity_api::Limits;

use super::tensor::{Elements, InputTensor};
use super::{Datatype, Error, ModelView, TensorProblem};
use crate::failure::Failure;
use crate::text;

/// A tensor that the model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// One text per row.
    Text,
    /// In place of `Text`: one row of tokens per text, special tokens included.
    InputIds,
    /// Which of `InputIds` are tokens (1) and which are padding (0).
    AttentionMask,
    /// Which text of a pair each of `InputIds` belongs to; 0 throughout, because the model scores single texts.
    TokenTypeIds,
}

impl Input {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Text,
        Self::InputIds,
        Self::AttentionMask,
        Self::TokenTypeIds,
    ];

    /// The input of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|input| input.name() == name)
    }

    /// Name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::InputIds => "input_ids",
            Self::AttentionMask => "attention_mask",
            Self::TokenTypeIds => "token_type_ids",
        }
    }

    /// Datatype in the metadata. Where it is INT64, INT32 is taken too.
    #[must_use]
    pub fn datatype(self) -> Datatype {
        match self {
            Self::Text => Datatype::Bytes,
            Self::InputIds | Self::AttentionMask | Self::TokenTypeIds => Datatype::Int64,
        }
    }

    /// Shape in the metadata; -1 is any size. `Text` is also taken as [-1, 1].
    #[must_use]
    pub fn shape(self) -> &'static [i64] {
        match self {
            Self::Text => &[-1],
            Self::InputIds | Self::AttentionMask | Self::TokenTypeIds => &[-1, -1],
        }
    }
}

/// What to score, in the order of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inputs {
    /// Texts within the limits; at least one.
    Texts(Vec<String>),
    /// Rows of tokens as the model takes them, special tokens included and padding cut off. At least one row, each
    /// of at least one token, none longer than the window, all within the vocabulary.
    Tokens(Vec<Vec<u32>>),
}

impl Inputs {
    /// How many texts there are to score.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Tokens(rows) => rows.len(),
        }
    }

    /// Texts that came as such.
    pub(super) fn of_texts(texts: Vec<String>, limits: &Limits) -> Result<Self, Error> {
        text::check_all(&texts, limits)?;
        Ok(Self::Texts(texts))
    }

    /// Puts the tensors of a request together.
    pub(super) fn of_tensors(
        tensors: impl IntoIterator<Item = InputTensor>,
        model: &ModelView<'_>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let mut texts = None;
        let mut ids = None;
        let mut mask = None;
        let mut segments = None;
        for tensor in tensors {
            let name = tensor.input.name();
            // The tensor holds what its input needs, so the other kind of elements cannot occur.
            let repeated = match (tensor.input, tensor.elements) {
                (_, Elements::Texts(elements)) => texts.replace(elements).is_some(),
                (input, Elements::Integers(elements)) => {
                    let slot = match input {
                        Input::AttentionMask => &mut mask,
                        Input::TokenTypeIds => &mut segments,
                        Input::InputIds | Input::Text => &mut ids,
                    };
                    slot.replace(IntegerTensor {
                        input,
                        rows: tensor.rows,
                        columns: tensor.columns,
                        elements,
                    })
                    .is_some()
                }
            };
            if repeated {
                return Err(Error::tensor(name, TensorProblem::Repeated));
            }
        }
        match (texts, ids) {
            (Some(_), Some(ids)) => Err(ids.refuse(TensorProblem::BesideText)),
            (None, Some(ids)) => {
                let (count, limit) = (ids.rows, limits.texts);
                if count > limit {
                    return Err(Error::Failure(Failure::TooManyTexts { count, limit }));
                }
                ids.tokens(mask.as_ref(), segments.as_ref(), model)
                    .map(Self::Tokens)
            }
            (texts, None) => match mask.or(segments) {
                Some(rows) => Err(rows.refuse(TensorProblem::WithoutTokens)),
                None => Self::of_texts(texts.ok_or(Error::NoInput)?, limits),
            },
        }
    }
}

/// A tensor of whole numbers.
struct IntegerTensor {
    input: Input,
    rows: usize,
    columns: usize,
    elements: Vec<i64>,
}

impl IntegerTensor {
    /// The rows as tokens: checked, and cut to what the mask shows.
    fn tokens(
        &self,
        mask: Option<&Self>,
        segments: Option<&Self>,
        model: &ModelView<'_>,
    ) -> Result<Vec<Vec<u32>>, Error> {
        for other in mask.into_iter().chain(segments) {
            if (other.rows, other.columns) != (self.rows, self.columns) {
                return Err(other.refuse(TensorProblem::OtherShape {
                    rows: other.rows,
                    columns: other.columns,
                }));
            }
        }
        (0..self.rows)
            .map(|row| {
                let shown = match mask {
                    None => 0..self.columns,
                    Some(mask) => shown(mask.row(row), row).map_err(|problem| mask.refuse(problem))?,
                };
                if let Some(segments) = segments
                    && segments.row(row)[shown.clone()]
                        .iter()
                        .any(|&segment| segment != 0)
                {
                    return Err(segments.refuse(TensorProblem::SecondSegment { row }));
                }
                row_tokens(&self.row(row)[shown], row, model).map_err(|problem| self.refuse(problem))
            })
            .collect()
    }

    fn row(&self, row: usize) -> &[i64] {
        &self.elements[row * self.columns..(row + 1) * self.columns]
    }

    fn refuse(&self, problem: TensorProblem) -> Error {
        Error::tensor(self.input.name(), problem)
    }
}

/// The positions that a row of the mask shows: one run of 1 with padding before and behind it. Some tokenizers pad on
/// the left.
fn shown(mask: &[i64], row: usize) -> Result<Range<usize>, TensorProblem> {
    if let Some(&value) = mask.iter().find(|&&value| value != 0 && value != 1) {
        return Err(TensorProblem::MaskValue { value, row });
    }
    let is_shown = |&value: &i64| value == 1;
    let (Some(first), Some(last)) = (mask.iter().position(is_shown), mask.iter().rposition(is_shown)) else {
        return Err(TensorProblem::EmptyRow { row });
    };
    if mask[first..=last].iter().all(is_shown) {
        Ok(first..last + 1)
    } else {
        Err(TensorProblem::MaskGap { row })
    }
}

fn row_tokens(ids: &[i64], row: usize, model: &ModelView<'_>) -> Result<Vec<u32>, TensorProblem> {
    if ids.len() > model.window_tokens {
        return Err(TensorProblem::RowTooLong {
            length: ids.len(),
            row,
            limit: model.window_tokens,
        });
    }
    ids.iter()
        .map(|&id| {
            let known = usize::try_from(id).is_ok_and(|id| id < model.vocabulary_size);
            u32::try_from(id)
                .ok()
                .filter(|_| known)
                .ok_or(TensorProblem::UnknownToken {
                    id,
                    row,
                    largest: model.vocabulary_size.saturating_sub(1),
                })
        })
        .collect()
}
