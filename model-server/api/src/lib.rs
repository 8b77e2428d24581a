//! Wire types of the model server's native protocol.
//!
//! The crate knows neither axum nor a browser: the server serializes these types, the web UI (wasm) and
//! command-line clients read them. Field names are the JSON names.

mod admin;
mod analyze;
mod error;
mod info;
mod label;
mod predict;
pub mod records;

pub use admin::ReloadResponse;
pub use analyze::{
    AnalyzeRequest, AnalyzeResponse, ModelIdentity, Normalization, Offsets, Scores, Span, TextVerdict,
};
pub use error::{ErrorBody, ErrorCode, ErrorDetail};
pub use info::{Info, Limits, ModelInfo, RuntimeInfo};
pub use label::label_index;
pub use predict::{PredictRequest, PredictResponse};
