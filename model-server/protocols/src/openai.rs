//! `OpenAI`'s `POST /v1/moderations`.
//!
//! Shapes are those of github.com/openai/openai-openapi (`CreateModerationRequest`, `CreateModerationResponse`,
//! `Error`); messages and codes of errors those of its live service. Three fields are ours, and clients pass over
//! them: `unsupported_categories`, `flagged_labels` and `label_scores`.

mod category;
mod error;
mod request;
mod response;

pub use category::{Category, PerCategory};
pub use error::{Error, ErrorBody, ErrorDetail};
pub use request::{CreateModerationRequest, ModerationRequest};
pub use response::{CreateModerationResponse, InputType, ModerationResult};
