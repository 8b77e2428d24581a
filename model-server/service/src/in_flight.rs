//! Work that is under way.

use prometheus::IntGauge;

/// Holds a gauge up by one for as long as it lives, also when the client leaves and its request is dropped.
#[derive(Debug)]
pub struct InFlight(IntGauge);

impl InFlight {
    /// Raises the gauge.
    #[must_use]
    pub fn enter(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
