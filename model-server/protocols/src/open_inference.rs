//! The Open Inference Protocol, version 2, that `KServe`, Triton and Seldon speak, with Triton's extensions for binary
//! tensors and classification; and the smaller version 1 of `KServe` beside it.
//!
//! One request goes `rest` or `grpc` → [`Inputs`] → the scores → [`Output`] tensors → `rest` or `grpc`. A request sends
//! the input `text`, or its own tokens as `input_ids` with an optional `attention_mask`; the model's metadata says so.
//!
//! Sources: <https://github.com/kserve/open-inference-protocol> (`specification/protocol`) and
//! <https://github.com/triton-inference-server/server> (`docs/protocol`).

mod binary;
mod data;
mod datatype;
mod error;
#[cfg(feature = "grpc")]
pub mod grpc;
mod input;
pub mod metadata;
mod model;
mod output;
pub mod repository;
mod request;
pub mod rest;
pub mod statistics;
mod tensor;
pub mod v1;

pub use datatype::Datatype;
pub use error::{Error, ErrorBody};
pub use input::{Input, Inputs};
pub use model::ModelView;
pub use output::{Output, OutputProblem};
pub use request::{AnswerForm, InferRequest};
pub use tensor::TensorProblem;
