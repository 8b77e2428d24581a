//! What the process tells the script that called it.

use std::process::ExitCode;

/// Status of an interrupted run: 128 and the number of SIGINT, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As asked, and nothing is flagged.
    Clean,
    /// Something is flagged, or the server is not ready.
    Found,
    /// The command line is wrong.
    Usage,
    /// Something failed.
    Failed,
    /// Somebody stopped it.
    Interrupted,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Clean => 0,
            Status::Found => 1,
            Status::Usage => 2,
            Status::Failed => 3,
            Status::Interrupted => INTERRUPTED,
        })
    }
}
