//! One page per route.

mod analyze;
mod not_found;

pub use analyze::AnalyzePage;
pub use not_found::NotFoundPage;
