//! How often a key may ask.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// Largest rate and burst. More is no limit.
pub(crate) const LARGEST: u32 = 1_000_000;

/// Requests of a key. A request is one, however many texts it holds: their number has a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests per second in the long run.
    pub per_second: NonZeroU32,
    /// Requests that may come at once after a pause.
    pub burst: NonZeroU32,
}

/// The key has no request left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the rate limit of this key is {} requests per second; try again in {} s",
    limit.per_second,
    self.retry_after_seconds()
)]
pub struct RateLimitedError {
    /// The limit.
    pub limit: RateLimit,
    /// Time until the key has a request again.
    pub retry_after: Duration,
}

impl RateLimitedError {
    /// Whole seconds for the header `Retry-After`, never too few.
    #[must_use]
    pub fn retry_after_seconds(&self) -> u64 {
        let seconds = self.retry_after.as_secs();
        seconds + u64::from(self.retry_after.subsec_nanos() > 0)
    }
}

/// What a key has left. It fills up evenly, whatever the wall clock does.
#[derive(Debug)]
pub(crate) struct Allowance<C: Clock = DefaultClock> {
    limit: RateLimit,
    limiter: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
}

impl<C: Clock> Allowance<C> {
    /// A full allowance.
    pub(crate) fn new(limit: RateLimit, clock: C) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        Self {
            limit,
            limiter: RateLimiter::direct_with_clock(quota, clock),
        }
    }

    pub(crate) fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Takes one request, if one is left.
    pub(crate) fn take(&self) -> Result<(), RateLimitedError> {
        self.limiter.check().map_err(|not_until| RateLimitedError {
            limit: self.limit,
            retry_after: not_until.wait_time_from(self.limiter.clock().now()),
        })
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;
    use proptest::prelude::*;

    use super::*;

    fn limit(per_second: u32, burst: u32) -> RateLimit {
        RateLimit {
            per_second: NonZeroU32::new(per_second).unwrap(),
            burst: NonZeroU32::new(burst).unwrap(),
        }
    }

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let clock = FakeRelativeClock::default();
        let allowance = Allowance::new(limit(2, 3), clock.clone());
        assert!((0..3).all(|_| allowance.take().is_ok()));
        let refused = allowance.take().unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_millis(500));
        assert_eq!(refused.retry_after_seconds(), 1);
        clock.advance(Duration::from_millis(499));
        assert!(allowance.take().is_err());
        clock.advance(Duration::from_millis(1));
        assert!(allowance.take().is_ok());
        assert!(allowance.take().is_err());
        clock.advance(Duration::from_hours(1));
        assert!((0..3).all(|_| allowance.take().is_ok()));
        assert!(allowance.take().is_err());
    }

    proptest! {
        #[test]
        fn who_waits_as_told_is_let_through(
            per_second in 1..=LARGEST,
            burst in 1..=50_u32,
            pauses in prop::collection::vec(0..2_000_000_000_u64, 0..20),
        ) {
            let clock = FakeRelativeClock::default();
            let allowance = Allowance::new(limit(per_second, burst), clock.clone());
            for pause in pauses {
                clock.advance(Duration::from_nanos(pause));
                while allowance.take().is_ok() {}
                clock.advance(allowance.take().unwrap_err().retry_after);
                prop_assert!(allowance.take().is_ok());
            }
        }
    }
}
