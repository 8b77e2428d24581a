//! What the end-to-end tests share: the real binaries on free ports of the loopback, and a real browser.
//!
//! Everything here panics with what to do when something is missing: a test that cannot run fails.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "this crate is a part of the tests"
)]

mod browser;
mod process;
mod product;

pub use browser::Browser;
pub use process::{Process, free_port};
pub use product::{ModelServer, WebServer, assets, binary};
