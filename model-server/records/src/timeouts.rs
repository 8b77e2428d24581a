//! How long the database may take.

use std::time::Duration;

/// How long things may take. The databases stop their work then too, by means of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// How long opening waits for a server that is not up yet.
    pub connect: Duration,

    /// How long a read may take.
    pub read: Duration,

    /// How long a write may take.
    pub write: Duration,
}

impl Default for Timeouts {
    /// Ten seconds for each.
    fn default() -> Self {
        let timeout = Duration::from_secs(10);
        Self {
            connect: timeout,
            read: timeout,
            write: timeout,
        }
    }
}
