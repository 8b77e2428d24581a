//! Where the time of a request goes.

use std::time::{Duration, Instant};

/// Where the time of a request went, summed over its texts and passes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkTimings {
    /// Making tokens.
    pub tokenization: Duration,
    /// Waiting for a session.
    pub queue: Duration,
    /// Forward passes.
    pub inference: Duration,
    /// When tokens were made.
    tokenized: Option<Period>,
    /// When passes waited.
    queued: Option<Period>,
    /// When passes ran.
    inferred: Option<Period>,
}

/// When a stage of a request was at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageTime {
    /// What it is.
    pub name: &'static str,
    /// When the first of its work began.
    pub begun: Instant,
    /// When the last of its work ended.
    pub ended: Instant,
    /// How long it took, summed over what was done side by side; less than the time between where there were pauses.
    pub work: Duration,
}

/// From the first beginning to the last end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Period {
    begun: Instant,
    ended: Instant,
}

impl Period {
    fn widen(period: &mut Option<Self>, begun: Instant, ended: Instant) {
        let known = period.get_or_insert(Self { begun, ended });
        known.begun = known.begun.min(begun);
        known.ended = known.ended.max(ended);
    }
}

impl WorkTimings {
    /// Adds the making of tokens.
    pub(super) fn add_tokenization(&mut self, begun: Instant, time: Duration) {
        self.tokenization += time;
        Period::widen(&mut self.tokenized, begun, begun + time);
    }

    /// Adds a pass that waited from `queued_at` on and ran after it.
    pub(super) fn add_pass(&mut self, queued_at: Instant, queue: Duration, inference: Duration) {
        self.queue += queue;
        self.inference += inference;
        let begun = queued_at + queue;
        Period::widen(&mut self.queued, queued_at, begun);
        Period::widen(&mut self.inferred, begun, begun + inference);
    }

    /// The stages that were at work, in the order in which a text passes them.
    pub fn stages(&self) -> impl Iterator<Item = StageTime> {
        let stages = [
            ("tokenize", self.tokenized, self.tokenization),
            ("queue", self.queued, self.queue),
            ("inference", self.inferred, self.inference),
        ];
        stages.into_iter().filter_map(|(name, period, work)| {
            let Period { begun, ended } = period?;
            Some(StageTime {
                name,
                begun,
                ended,
                work,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_span_their_work_and_sum_it() {
        let mut timings = WorkTimings::default();
        assert_eq!(timings.stages().count(), 0);
        let start = Instant::now();
        let milliseconds = Duration::from_millis;
        timings.add_pass(start + milliseconds(5), milliseconds(10), milliseconds(20));
        timings.add_pass(start, milliseconds(2), milliseconds(4));
        let stages: Vec<_> = timings.stages().collect();
        let expected = |name, begun, ended, work| StageTime {
            name,
            begun: start + milliseconds(begun),
            ended: start + milliseconds(ended),
            work: milliseconds(work),
        };
        assert_eq!(
            stages,
            [expected("queue", 0, 15, 12), expected("inference", 2, 35, 24)]
        );
        assert_eq!(timings.queue, milliseconds(12));
    }
}
