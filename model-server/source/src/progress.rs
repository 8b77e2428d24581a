//! How a fetch reports on itself.

mod bars;
mod lines;

use std::io::IsTerminal;

pub use bars::Bars;
pub use lines::Lines;

/// Hears how a fetch goes on. Several files may be under way at the same time.
pub trait Progress: Send + Sync {
    /// A file is about to be downloaded: `size` bytes where that is known, of which `position` are there
    /// already.
    fn started(&self, file: &str, size: Option<u64>, position: u64);

    /// So many bytes of the file are there. The number falls where a download begins anew.
    fn advanced(&self, file: &str, position: u64);

    /// The file is there, whole and checked.
    fn finished(&self, file: &str);

    /// Something is not as it should be, but the fetch goes on.
    fn warning(&self, message: &str);
}

/// Bars where standard error is a terminal, log lines otherwise.
#[must_use]
pub fn on_standard_error() -> Box<dyn Progress> {
    if std::io::stderr().is_terminal() {
        Box::new(Bars::default())
    } else {
        Box::new(Lines::default())
    }
}

/// Says nothing but warnings, which are logged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn started(&self, _file: &str, _size: Option<u64>, _position: u64) {}

    fn advanced(&self, _file: &str, _position: u64) {}

    fn finished(&self, _file: &str) {}

    fn warning(&self, message: &str) {
        tracing::warn!("{message}");
    }
}
