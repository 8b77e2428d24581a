//! Which requests are let in: as many as there are places, and no more work than the sessions can do in the time that a
//! request has. One that is let in meets its deadline; one that would not is told at once when to come again.

use std::time::Duration;

/// Share of its time that a request may expect to wait: the estimate of its work is an estimate.
const USABLE_SHARE: f64 = 0.8;

/// Bytes of a token of English text, about.
const BYTES_PER_TOKEN: usize = 4;

/// Tokens that a text takes beside those of its own.
const SPECIAL_TOKENS: usize = 2;

/// Tokens that a text will take, estimated before it is tokenized.
#[must_use]
pub fn estimated_tokens(text: &str) -> usize {
    text.len() / BYTES_PER_TOKEN + SPECIAL_TOKENS
}

/// A refusal, with the time after which there should be room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Time to wait before trying again.
    pub retry_after: Duration,
}

/// What is being answered.
#[derive(Debug)]
pub struct Admission {
    places: usize,
    requests: usize,
    tokens: usize,
}

impl Admission {
    /// Lets in at most `places` requests at a time.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self {
            places,
            requests: 0,
            tokens: 0,
        }
    }

    /// Lets in a request of about `tokens` tokens that has `patience`, or refuses it. `tokens_per_second` is what the
    /// sessions do; nothing before they have done anything. A request that finds nobody before it is always let in.
    ///
    /// # Errors
    /// When there is no place, or the work before it takes too long.
    pub fn enter(
        &mut self,
        tokens: usize,
        patience: Duration,
        tokens_per_second: Option<f64>,
    ) -> Result<(), Refused> {
        let waiting = tokens_per_second.map_or(0.0, |rate| seconds(self.tokens, rate));
        let own = tokens_per_second.map_or(0.0, |rate| seconds(tokens, rate));
        let usable = patience.as_secs_f64() * USABLE_SHARE;
        let refused = if self.requests >= self.places {
            // One of them ends when its share of the work is done.
            Some(waiting / seconds(self.requests, 1.0))
        } else if self.requests > 0 && waiting + own > usable {
            Some((waiting + own - usable).min(waiting))
        } else {
            None
        };
        if let Some(wait) = refused {
            let retry_after = Duration::try_from_secs_f64(wait).unwrap_or(patience);
            return Err(Refused { retry_after });
        }
        self.requests += 1;
        self.tokens = self.tokens.saturating_add(tokens);
        Ok(())
    }

    /// Notes that some of the work of a request is done.
    pub fn finish(&mut self, tokens: usize) {
        self.tokens = self.tokens.saturating_sub(tokens);
    }

    /// Notes that a request ends, with `tokens` of its work not done.
    pub fn leave(&mut self, tokens: usize) {
        self.requests = self.requests.saturating_sub(1);
        self.finish(tokens);
    }

    /// Whether no further request finds a place.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.requests >= self.places
    }

    /// Requests that are being answered.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// Tokens of their work that are not done, about.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.tokens
    }
}

#[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
fn seconds(tokens: usize, rate: f64) -> f64 {
    tokens as f64 / rate.max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Option<f64> = Some(1000.0);

    #[test]
    fn refuses_what_would_be_too_late_and_says_when_to_come_again() {
        let mut admission = Admission::new(8);
        let patience = Duration::from_secs(10);
        assert_eq!(admission.enter(6000, patience, RATE), Ok(()));
        let refused = admission.enter(4000, patience, RATE).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(2));
        admission.finish(2000);
        assert_eq!(admission.enter(4000, patience, RATE), Ok(()));
        assert!(
            admission.enter(10, Duration::from_secs(1), RATE).is_err(),
            "a hurried one"
        );
    }

    #[test]
    fn a_request_alone_is_let_in_however_large() {
        let mut admission = Admission::new(1);
        assert_eq!(admission.enter(1_000_000, Duration::from_secs(1), RATE), Ok(()));
        assert!(admission.is_full());
        assert!(admission.enter(1, Duration::from_secs(1), RATE).is_err());
        admission.leave(1_000_000);
        assert_eq!((admission.requests(), admission.tokens()), (0, 0));
    }

    #[test]
    fn before_anything_is_known_only_the_places_count() {
        let mut admission = Admission::new(2);
        for _ in 0..2 {
            assert_eq!(admission.enter(1_000_000, Duration::from_secs(1), None), Ok(()));
        }
        let refused = admission.enter(1, Duration::from_secs(1), None).unwrap_err();
        assert_eq!(refused.retry_after, Duration::ZERO);
    }

    proptest! {
        /// The work before a request never takes longer than the request has, unless it is alone.
        #[test]
        fn nobody_is_let_in_to_be_late(
            requests in prop::collection::vec((1_usize..5000, 1_u64..20, prop::bool::ANY), 0..60),
        ) {
            let mut admission = Admission::new(16);
            let mut inside = std::collections::VecDeque::new();
            for (tokens, patience, leaves) in requests {
                if leaves && let Some(done) = inside.pop_front() {
                    admission.leave(done);
                }
                let patience = Duration::from_secs(patience);
                let alone = inside.is_empty();
                if admission.enter(tokens, patience, RATE).is_ok() {
                    inside.push_back(tokens);
                    let work: usize = inside.iter().sum();
                    prop_assert!(alone || seconds(work, 1000.0) <= patience.as_secs_f64());
                    prop_assert!(inside.len() <= 16);
                }
                prop_assert_eq!(admission.tokens(), inside.iter().sum::<usize>());
                prop_assert_eq!(admission.requests(), inside.len());
            }
        }
    }
}
