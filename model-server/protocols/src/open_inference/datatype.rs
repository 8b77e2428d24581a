//! Datatypes of the tensors that this server takes and gives.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// A datatype of the protocol. Those that no tensor of this server has are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = OpenInferenceDatatype)]
pub enum Datatype {
    /// One byte, 0 or 1.
    Bool,
    /// Four bytes.
    Int32,
    /// Eight bytes.
    Int64,
    /// Four bytes.
    Fp32,
    /// Strings; binary, each stands behind its length in four bytes.
    Bytes,
}

impl Datatype {
    /// The datatype of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Bool, Self::Int32, Self::Int64, Self::Fp32, Self::Bytes]
            .into_iter()
            .find(|datatype| datatype.name() == name)
    }

    /// Name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Fp32 => "FP32",
            Self::Bytes => "BYTES",
        }
    }

    /// Name in the model configuration of Triton.
    #[must_use]
    pub fn configuration_name(self) -> &'static str {
        match self {
            Self::Bool => "TYPE_BOOL",
            Self::Int32 => "TYPE_INT32",
            Self::Int64 => "TYPE_INT64",
            Self::Fp32 => "TYPE_FP32",
            Self::Bytes => "TYPE_STRING",
        }
    }
}

impl fmt::Display for Datatype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
