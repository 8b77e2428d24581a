//! Everything that speaks HTTP. All of it goes to the origin of the page.

mod analyze;
mod http;
mod info;

pub use analyze::{analyze, request_for};
pub use info::{info, is_ready};
