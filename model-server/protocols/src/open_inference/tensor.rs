//! Input tensors: what they say of themselves against what they hold. Nothing is allocated for a shape; only for bytes
//! that have come.

mod problem;

use super::binary;
use super::data::Data;
use super::{Datatype, Error, Input};
use crate::text::shortened;

pub use problem::TensorProblem;

/// The elements of a tensor, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Elements {
    Texts(Vec<String>),
    Integers(Vec<i64>),
}

impl Elements {
    fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Integers(integers) => integers.len(),
        }
    }
}

/// An input tensor that holds what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InputTensor {
    pub(super) input: Input,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) elements: Elements,
}

/// What a tensor says of itself, fit for its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TensorHeader {
    input: Input,
    pub(super) element: ElementType,
    rows: usize,
    columns: usize,
}

/// What a tensor is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementType {
    Text,
    Integer32,
    Integer64,
}

impl TensorHeader {
    /// Checks name, datatype and shape.
    pub(super) fn check(name: &str, datatype: &str, shape: &[i64]) -> Result<Self, Error> {
        let refuse = |problem| Error::tensor(name, problem);
        let input = Input::named(name).ok_or_else(|| refuse(TensorProblem::Unknown))?;
        let element = element_type(input, datatype).map_err(refuse)?;
        let (rows, columns) = dimensions(input, shape).map_err(refuse)?;
        Ok(Self {
            input,
            element,
            rows,
            columns,
        })
    }

    /// Elements that the shape makes. Where that is more than a number can say, no data will match.
    fn count(&self) -> usize {
        self.rows.saturating_mul(self.columns)
    }

    /// The tensor of binary data.
    pub(super) fn binary(self, bytes: &[u8]) -> Result<InputTensor, Error> {
        let count = self.count();
        let elements = match self.element {
            ElementType::Text => binary::texts(count, bytes).map(Elements::Texts),
            ElementType::Integer32 => {
                binary::integers(count, bytes, |bytes| i32::from_le_bytes(bytes).into())
                    .map(Elements::Integers)
            }
            ElementType::Integer64 => {
                binary::integers(count, bytes, i64::from_le_bytes).map(Elements::Integers)
            }
        };
        self.elements(elements.map_err(|problem| self.refuse(problem))?)
    }

    /// The tensor of JSON data.
    pub(super) fn data(self, data: Data) -> Result<InputTensor, Error> {
        if let Some(inner) = data.inner
            && (data.outer, inner) != (self.rows, self.columns)
        {
            let outer = data.outer;
            return Err(self.refuse(TensorProblem::Nesting { outer, inner }));
        }
        self.elements(data.elements)
    }

    /// The tensor of these elements.
    pub(super) fn elements(self, elements: Elements) -> Result<InputTensor, Error> {
        let count = elements.len();
        if count != self.count() {
            let expected = self.count();
            return Err(self.refuse(TensorProblem::ElementCount { expected, count }));
        }
        let held = match (&elements, self.element) {
            (Elements::Texts(_), ElementType::Text)
            | (Elements::Integers(_), ElementType::Integer32 | ElementType::Integer64) => None,
            (Elements::Texts(_), _) => Some("strings"),
            (Elements::Integers(_), ElementType::Text) => Some("numbers"),
        };
        if let Some(held) = held {
            return Err(self.refuse(TensorProblem::WrongElements { held }));
        }
        Ok(InputTensor {
            input: self.input,
            rows: self.rows,
            columns: self.columns,
            elements,
        })
    }

    pub(super) fn refuse(&self, problem: TensorProblem) -> Error {
        Error::tensor(self.input.name(), problem)
    }
}

fn element_type(input: Input, datatype: &str) -> Result<ElementType, TensorProblem> {
    match (input, Datatype::named(datatype)) {
        (Input::Text, Some(Datatype::Bytes)) => Ok(ElementType::Text),
        (Input::InputIds | Input::AttentionMask | Input::TokenTypeIds, Some(Datatype::Int32)) => {
            Ok(ElementType::Integer32)
        }
        (Input::InputIds | Input::AttentionMask | Input::TokenTypeIds, Some(Datatype::Int64)) => {
            Ok(ElementType::Integer64)
        }
        _ => Err(TensorProblem::Datatype {
            datatype: shortened(datatype).into_owned(),
            expected: if input == Input::Text {
                "BYTES"
            } else {
                "INT64 or INT32"
            },
        }),
    }
}

fn dimensions(input: Input, shape: &[i64]) -> Result<(usize, usize), TensorProblem> {
    let dimension = |size: i64| usize::try_from(size).ok().filter(|&size| size > 0);
    let dimensions = match (input, shape) {
        (Input::Text, &[rows] | &[rows, 1]) => dimension(rows).zip(Some(1)),
        (Input::Text, _) => None,
        (_, &[rows, columns]) => dimension(rows).zip(dimension(columns)),
        (_, _) => None,
    };
    dimensions.ok_or_else(|| TensorProblem::Shape {
        shape: shortened(&shape.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")).into_owned(),
        expected: if input == Input::Text {
            "[texts] or [texts, 1]"
        } else {
            "[texts, tokens]"
        },
    })
}
