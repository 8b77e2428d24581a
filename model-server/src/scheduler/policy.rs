//! Which forward passes run next: the pure part of the scheduler.
//!
//! Passes are taken in the order of their urgency: when they came plus the time that their request had. With one time
//! limit for all that is the order of arrival; a request in a hurry goes ahead of one that is not. The true deadline
//! only decides what is not worth running any more: ordered by it, a request of a thousand texts would hold up all
//! that come after.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Passes looked at for company of the first one: more would cost more than batching gains.
const LOOK_AHEAD: usize = 128;

/// How passes are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batching {
    /// Each alone.
    Single,
    /// Passes of the same length, up to so many tokens in all. On CPUs padding costs more than batching gains.
    EqualLengths {
        /// Tokens of a batch.
        tokens: usize,
    },
    /// Passes of any length, padded to the longest, up to so many tokens with padding. For accelerators.
    Padded {
        /// Tokens of a batch.
        tokens: usize,
    },
}

impl Batching {
    /// Whether a batch of `count` passes of up to `longest` tokens may take in one of `length`.
    fn admits(self, count: usize, longest: usize, length: usize) -> bool {
        match self {
            Self::Single => false,
            Self::EqualLengths { tokens } => length == longest && (count + 1) * longest <= tokens,
            Self::Padded { tokens } => (count + 1) * longest.max(length) <= tokens,
        }
    }
}

/// What of a pass matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirements {
    /// Its length.
    pub tokens: usize,
    /// Time that its request had when it came.
    pub patience: Duration,
    /// When its answer is of no use any more.
    pub deadline: Instant,
}

/// What became of the passes at the head.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken<T> {
    /// To be run together, most urgent first; empty when nothing waits.
    pub batch: Vec<T>,
    /// Too late: not to be run.
    pub expired: Vec<T>,
    /// Nobody waits for them: not to be run.
    pub cancelled: usize,
}

/// Passes that wait.
#[derive(Debug)]
pub struct Policy<T> {
    waiting: BTreeMap<(Instant, u64), (Requirements, T)>,
    arrivals: u64,
    tokens: usize,
    capacity: usize,
    batching: Batching,
}

impl<T> Policy<T> {
    /// Holds at most `capacity` passes.
    #[must_use]
    pub fn new(capacity: usize, batching: Batching) -> Self {
        Self {
            waiting: BTreeMap::new(),
            arrivals: 0,
            tokens: 0,
            capacity,
            batching,
        }
    }

    /// Takes in a pass, or gives it back when there is no room.
    ///
    /// # Errors
    /// When `capacity` passes wait already.
    pub fn push(&mut self, now: Instant, requirements: Requirements, pass: T) -> Result<(), T> {
        if self.waiting.len() >= self.capacity {
            return Err(pass);
        }
        let urgency = now.checked_add(requirements.patience).unwrap_or(now);
        self.waiting
            .insert((urgency, self.arrivals), (requirements, pass));
        self.arrivals += 1;
        self.tokens += requirements.tokens;
        Ok(())
    }

    /// Gives what should run next. What is too late or cancelled is sorted out on the way.
    pub fn take(&mut self, now: Instant, is_cancelled: impl Fn(&T) -> bool) -> Taken<T> {
        let mut taken = Taken {
            batch: Vec::new(),
            expired: Vec::new(),
            cancelled: 0,
        };
        let mut longest = 0;
        while taken.batch.is_empty() {
            let Some((_, (requirements, pass))) = self.waiting.pop_first() else {
                return taken;
            };
            self.tokens -= requirements.tokens;
            if is_cancelled(&pass) {
                taken.cancelled += 1;
            } else if requirements.deadline <= now {
                taken.expired.push(pass);
            } else {
                longest = requirements.tokens;
                taken.batch.push(pass);
            }
        }
        if self.batching == Batching::Single {
            return taken;
        }
        let mut company = Vec::new();
        for (key, (requirements, pass)) in self.waiting.iter().take(LOOK_AHEAD) {
            let count = 1 + company.len();
            if self.batching.admits(count, longest, requirements.tokens)
                && requirements.deadline > now
                && !is_cancelled(pass)
            {
                longest = longest.max(requirements.tokens);
                company.push(*key);
            }
        }
        for key in company {
            let (requirements, pass) = self.waiting.remove(&key).expect("the key was just seen");
            self.tokens -= requirements.tokens;
            taken.batch.push(pass);
        }
        taken
    }

    /// Passes that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Tokens of the passes that wait.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.tokens = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A pass of a test.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Pass {
        number: usize,
        tokens: usize,
        cancelled: bool,
    }

    fn pass(number: usize, tokens: usize) -> Pass {
        Pass {
            number,
            tokens,
            cancelled: false,
        }
    }

    fn requirements(now: Instant, tokens: usize, milliseconds: u64) -> Requirements {
        let patience = Duration::from_millis(milliseconds);
        Requirements {
            tokens,
            patience,
            deadline: now + patience,
        }
    }

    fn numbers(policy: &mut Policy<Pass>, now: Instant) -> Vec<usize> {
        let taken = policy.take(now, |pass| pass.cancelled);
        taken.batch.into_iter().map(|pass| pass.number).collect()
    }

    #[test]
    fn a_request_in_a_hurry_goes_ahead_and_equals_keep_their_order() {
        let now = Instant::now();
        let mut policy = Policy::new(8, Batching::Single);
        for (number, patience) in [(0, 1000), (1, 1000), (2, 10)] {
            policy
                .push(now, requirements(now, 4, patience), pass(number, 4))
                .unwrap();
        }
        assert_eq!(numbers(&mut policy, now), [2]);
        assert_eq!(numbers(&mut policy, now), [0]);
        assert_eq!(numbers(&mut policy, now), [1]);
        assert!(numbers(&mut policy, now).is_empty());
    }

    #[test]
    fn equal_lengths_run_together_and_nothing_is_padded() {
        let now = Instant::now();
        let mut policy = Policy::new(8, Batching::EqualLengths { tokens: 12 });
        for (number, tokens) in [4, 5, 4, 4, 4].into_iter().enumerate() {
            policy
                .push(now, requirements(now, tokens, 100), pass(number, tokens))
                .unwrap();
        }
        assert_eq!(numbers(&mut policy, now), [0, 2, 3]);
        assert_eq!(numbers(&mut policy, now), [1]);
        assert_eq!(numbers(&mut policy, now), [4]);
    }

    #[test]
    fn a_padded_batch_counts_its_padding() {
        let now = Instant::now();
        let mut policy = Policy::new(8, Batching::Padded { tokens: 16 });
        for (number, tokens) in [4, 8, 2, 2].into_iter().enumerate() {
            policy
                .push(now, requirements(now, tokens, 100), pass(number, tokens))
                .unwrap();
        }
        assert_eq!(numbers(&mut policy, now), [0, 1]);
        assert_eq!(numbers(&mut policy, now), [2, 3]);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push {
            tokens: usize,
            patience: u64,
            cancelled: bool,
        },
        Wait(u64),
        Take,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (1_usize..9, 1_u64..40, prop::bool::weighted(0.2))
                .prop_map(|(tokens, patience, cancelled)| Step::Push { tokens, patience, cancelled }),
            1 => (1_u64..20).prop_map(Step::Wait),
            2 => Just(Step::Take),
        ];
        prop::collection::vec(step, 0..80)
    }

    fn batchings() -> impl Strategy<Value = Batching> {
        prop_oneof![
            Just(Batching::Single),
            (1_usize..40).prop_map(|tokens| Batching::EqualLengths { tokens }),
            (1_usize..40).prop_map(|tokens| Batching::Padded { tokens }),
        ]
    }

    proptest! {
        /// Whatever comes in whatever order: each pass is given once, run only in time and only when somebody waits, the
        /// most urgent first, in a batch that keeps its rule, and the sums are right.
        #[test]
        fn nothing_is_lost_run_twice_or_run_in_vain(
            steps in steps(), batching in batchings(), capacity in 1_usize..12,
        ) {
            let mut now = Instant::now();
            let mut policy = Policy::new(capacity, batching);
            let mut waiting: Vec<(Instant, Pass)> = Vec::new();
            let mut pushed = 0;
            for step in steps {
                match step {
                    Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                    Step::Push { tokens, patience, cancelled } => {
                        let pass = Pass { number: pushed, tokens, cancelled };
                        let requirements = requirements(now, tokens, patience);
                        pushed += 1;
                        let room = policy.len() < capacity;
                        prop_assert_eq!(policy.push(now, requirements, pass.clone()).is_ok(), room);
                        if room {
                            waiting.push((requirements.deadline, pass));
                        }
                    }
                    Step::Take => {
                        let taken = policy.take(now, |pass| pass.cancelled);
                        let mut remove = |number: usize| {
                            let index = waiting.iter().position(|(_, pass)| pass.number == number);
                            waiting.remove(index.expect("what is taken was waiting"))
                        };
                        for pass in &taken.expired {
                            prop_assert!(remove(pass.number).0 <= now);
                        }
                        let batch: Vec<_> = taken.batch.iter().map(|pass| remove(pass.number)).collect();
                        for (deadline, pass) in &batch {
                            prop_assert!(*deadline > now && !pass.cancelled);
                        }
                        let longest = batch.iter().map(|(_, pass)| pass.tokens).max().unwrap_or_default();
                        match batching {
                            _ if batch.len() < 2 => {}
                            Batching::Single => prop_assert!(false, "no batches were asked for"),
                            Batching::EqualLengths { tokens } => {
                                prop_assert!(batch.iter().all(|(_, pass)| pass.tokens == longest));
                                prop_assert!(longest * batch.len() <= tokens);
                            }
                            Batching::Padded { tokens } => prop_assert!(longest * batch.len() <= tokens),
                        }
                        // Patience and deadline agree here, so the first is the most urgent of all that are in time.
                        if let Some((first, _)) = batch.first() {
                            let others = waiting.iter().filter(|(deadline, pass)| *deadline > now && !pass.cancelled);
                            prop_assert!(others.into_iter().all(|(deadline, _)| deadline >= first));
                        }
                        let gone = waiting.len();
                        prop_assert_eq!(gone - taken.cancelled, policy.len());
                        // The cancelled ones that were sorted out are the most urgent of the cancelled.
                        let mut cancelled: Vec<_> =
                            waiting.iter().filter(|(_, pass)| pass.cancelled).map(|(at, pass)| (*at, pass.number)).collect();
                        cancelled.sort_unstable();
                        for (_, number) in cancelled.into_iter().take(taken.cancelled) {
                            waiting.retain(|(_, pass)| pass.number != number);
                        }
                    }
                }
                prop_assert_eq!(policy.len(), waiting.len());
                prop_assert_eq!(policy.tokens(), waiting.iter().map(|(_, pass)| pass.tokens).sum::<usize>());
            }
        }
    }
}
