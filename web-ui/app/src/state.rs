//! What the app knows, and how it changes. Nothing here touches the browser.

mod analysis;
mod retry;
mod server;

pub use analysis::{Action, Analysis, Failure, Phase, Submission, Verdict};
pub use retry::Retry;
pub use server::{Availability, Inquiry, Server};
