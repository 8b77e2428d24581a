//! The protocols of other moderation and inference services, as pure functions: bytes of a request to the texts to
//! score, scores to the answer, failures to each protocol's own error.

pub mod failure;
mod json;
pub mod open_inference;
pub mod openai;
pub mod perspective;
pub mod scored;
mod text;
pub mod text_embeddings_inference;
