//! What the fuzz targets share: a model and limits for the protocols to be told of, and what must hold of every refusal.
//!
//! `cargo xtask test fuzz` builds and runs the targets in `fuzz_targets`.

mod model;
mod refusal;
pub mod server;

pub use model::{LIMITS, Model, checked_count};
pub use refusal::assert_refusal;
