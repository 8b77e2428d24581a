//! The protocol of Hugging Face's text-embeddings-inference for classifiers, `POST /predict` and `POST /`, and of the
//! Hugging Face inference clients, which speak nearly the same.
//!
//! Three things differ from text-embeddings-inference itself, each on purpose:
//! - scores are the model's own: for a multi-label model a sigmoid per label, where text-embeddings-inference takes a
//!   softmax over all labels whatever the model is;
//! - a text longer than the model's window is scored in windows, so `truncate` cuts nothing;
//! - a pair of texts is refused, because the model scores single texts, and because a pair is nearly always meant as
//!   a batch of two.
//!
//! Sources: <https://github.com/huggingface/text-embeddings-inference> (`router/src/http`, `docs/openapi.json`) and
//! <https://github.com/huggingface/huggingface_hub> (`src/huggingface_hub/inference`).

mod error;
mod info;
mod inputs;
mod predict;
mod protocol;
mod timings;

pub use error::{Error, ErrorBody, ErrorType};
pub use info::{ClassifierLabels, Info, ModelType};
pub use predict::{AnswerForm, FunctionToApply, PredictRequest, PredictRequestBody, Prediction, Predictions};
pub use protocol::{PredictProtocol, PredictProtocolError};
pub use timings::Timings;
