//! How fast the sessions have been lately: what a truthful `Retry-After` and the admission of requests rest on.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Busy seconds after which what was measured counts for a third.
const MEMORY_SECONDS: f64 = 5.0;

/// Tokens per second of one session, as a mean that forgets.
#[derive(Debug, Default)]
pub(super) struct Throughput(Mutex<Rate>);

#[derive(Debug, Default, Clone, Copy)]
struct Rate {
    tokens: f64,
    seconds: f64,
}

impl Throughput {
    /// Adds a batch that took so many sessions, or their threads, so long.
    pub(super) fn observe(&self, tokens: usize, time: Duration, sessions: usize) {
        let seconds = time.as_secs_f64() * float(sessions);
        let mut rate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = (-seconds / MEMORY_SECONDS).exp();
        rate.tokens = rate.tokens.mul_add(kept, float(tokens));
        rate.seconds = rate.seconds.mul_add(kept, seconds);
    }

    /// Tokens per second of one session; nothing before the first batch.
    pub(super) fn tokens_per_second(&self) -> Option<f64> {
        let Rate { tokens, seconds } = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (seconds > 0.0).then_some(tokens / seconds)
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let throughput = Throughput::default();
        assert_eq!(throughput.tokens_per_second(), None);
        for _ in 0..100 {
            throughput.observe(20, Duration::from_secs(1), 2);
        }
        assert!((throughput.tokens_per_second().unwrap() - 10.0).abs() < 1e-9);
        for _ in 0..30 {
            throughput.observe(1000, Duration::from_secs(1), 1);
        }
        assert!(throughput.tokens_per_second().unwrap() > 990.0);
    }
}
