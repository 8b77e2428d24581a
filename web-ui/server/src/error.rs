//! Why the server cannot start or go on.

use std::{io, net::SocketAddr, path::PathBuf};

/// Why the server cannot start or go on. Each message ends with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of the web app has no readable `index.html`.
    #[error(
        "failed to read the web app: \"{}\" is not readable; build it with `cargo xtask build`, or name its \
         folder with --assets",
        path.display()
    )]
    ReadIndex {
        /// The file that was tried.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },

    /// The address cannot be taken.
    #[error(
        "failed to listen on \"{address}\"; stop what uses the port, or choose another address with --listen"
    )]
    Listen {
        /// The address that was tried.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },

    /// The metrics contradict each other.
    #[error("failed to register the metrics")]
    RegisterMetrics(#[from] prometheus::Error),

    /// Logging does not start.
    #[error(transparent)]
    StartLogging(#[from] toxicity_service::ParseLogFilterError),

    /// The system does not say which address was taken.
    #[error("failed to read the address of the listener")]
    ReadAddress(#[source] io::Error),
}
