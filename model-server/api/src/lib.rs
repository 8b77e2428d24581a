//! Wire types of the model server's native protocol.
//!
//! The crate knows neither axum nor a browser: the server serializes these types, the web UI (wasm) and
//! command-line clients read them. Field names are the JSON names.

mod analyze;
mod error;
mod info;
mod predict;

pub use analyze::{AnalyzeRequest, AnalyzeResponse, ModelIdentity, Offsets, Scores, Span, TextVerdict};
pub use error::{ErrorBody, ErrorCode, ErrorDetail};
pub use info::{Info, Limits, ModelInfo, RuntimeInfo};
pub use predict::{PredictRequest, PredictResponse};
