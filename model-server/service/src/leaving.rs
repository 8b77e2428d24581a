//! The time between the order to stop and the stop, in which clients learn to go elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Tells a server that is about to stop to send its clients elsewhere. It goes on answering, so that those who have not
/// heard yet (a load balancer that still leads here) lose nothing, and ends each connection with its answer, so that
/// none is cut in the moment of stopping.
#[derive(Debug, Clone, Default)]
pub struct Leaving(Arc<AtomicBool>);

impl Leaving {
    /// Begins, and gives clients `delay` to go.
    pub async fn linger(&self, delay: Duration) {
        self.0.store(true, Ordering::Release);
        tokio::time::sleep(delay).await;
    }

    /// Whether answers end their connections.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
