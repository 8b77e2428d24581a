//! What ties state and services to the browser.

mod browser;
mod use_analysis;
mod use_copy;
mod use_delayed;
mod use_online;
mod use_server;
mod use_shortcut;
mod use_theme;

pub use use_analysis::use_analysis;
pub use use_copy::{Copy, CopyState, use_copy};
pub use use_delayed::use_delayed;
pub use use_online::use_online;
pub use use_server::{ServerHandle, use_server};
pub use use_shortcut::{is_typing, use_shortcut};
pub use use_theme::{Theme, use_theme};
