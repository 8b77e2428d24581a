//! Whether the scores of today are spread as they used to be: the population stability index of each label.
//!
//! The index of two distributions over the same bins is Σ (p − q) ln(p / q), as credit scoring has used it since the
//! 1990s (Siddiqi, Credit Risk Scorecards, 2006): below 0.1 nothing has changed, above 0.25 much has. What has
//! changed may be the texts or who writes them; a moderator must look.
//!
//! The reference comes with the model, as `reference.json` beside it, or is learned from the first texts.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use toxicity_api::label_index;

/// Upper edges of all bins but the last. Most scores are near 0, so the bins are finer there.
const EDGES: [f32; 9] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9];

/// Bins of a distribution.
pub const BINS: usize = EDGES.len() + 1;

/// Texts without which a distribution says nothing.
const FEWEST_TEXTS: u64 = 500;

/// Added to each bin, so that an empty one does not make the index infinite.
const SMOOTHING: f64 = 0.5;

/// How often texts fell into each bin.
pub type Counts = [u64; BINS];

/// How scores were spread when the model was made: counts by label, in bins with the edges 0.01, 0.02, 0.05, 0.1, 0.2,
/// 0.35, 0.5, 0.7 and 0.9.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(pub IndexMap<String, Counts>);

impl Reference {
    /// The counts of each label, if it has those of all.
    #[must_use]
    pub fn counts(&self, labels: &[String]) -> Option<Vec<Counts>> {
        let names: Vec<String> = self.0.keys().cloned().collect();
        let of = |label: &String| self.0.get_index(label_index(&names, label)?);
        labels
            .iter()
            .map(|label| of(label).map(|(_, counts)| *counts))
            .collect()
    }
}

/// How the reference is learned and how much of the present is compared with it.
#[derive(Debug, Clone, Copy)]
pub struct DriftOptions {
    /// Time for which the reference is learned where the model brings none.
    pub learning: Duration,
    /// Time of which the scores are compared with it: between one and two of these.
    pub period: Duration,
}

impl Default for DriftOptions {
    fn default() -> Self {
        Self {
            learning: Duration::from_hours(24),
            period: Duration::from_hours(1),
        }
    }
}

/// Watches the scores of one model.
#[derive(Debug)]
pub struct DriftMonitor {
    options: DriftOptions,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    reference: Vec<Counts>,
    /// When learning ends; nothing once the reference stands.
    learning_until: Option<Instant>,
    before: Vec<Counts>,
    present: Vec<Counts>,
    present_since: Instant,
}

/// What is known of the drift.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// Texts that the reference rests on.
    pub reference_texts: u64,
    /// Whether the reference is still being learned.
    pub learning: bool,
    /// Population stability index of each label; nothing while there are too few texts on either side.
    pub stability: Option<Vec<f64>>,
}

impl DriftMonitor {
    /// Watches a model of `labels` labels, from `now` on; `reference` is what the model brings.
    #[must_use]
    pub fn new(labels: usize, reference: Option<Vec<Counts>>, options: DriftOptions, now: Instant) -> Self {
        let empty = || vec![[0; BINS]; labels];
        let learning_until = reference.is_none().then(|| now + options.learning);
        let state = State {
            reference: reference.unwrap_or_else(empty),
            learning_until,
            before: empty(),
            present: empty(),
            present_since: now,
        };
        Self {
            options,
            state: Mutex::new(state),
        }
    }

    /// Takes in the scores of a text, one per label.
    pub fn observe(&self, scores: &[f32], now: Instant) {
        let mut state = self.state();
        state.turn(now, self.options.period);
        let State {
            reference,
            learning_until,
            present,
            ..
        } = &mut *state;
        let learned = if learning_until.is_some() {
            Some(reference)
        } else {
            None
        };
        for counts in learned.into_iter().chain([present]) {
            for (counts, &score) in counts.iter_mut().zip(scores) {
                counts[bin(score)] += 1;
            }
        }
    }

    /// What is known now.
    #[must_use]
    pub fn drift(&self, now: Instant) -> Drift {
        let mut state = self.state();
        state.turn(now, self.options.period);
        let reference_texts = state.reference.first().map_or(0, texts);
        let recent: Vec<Counts> = state
            .before
            .iter()
            .zip(&state.present)
            .map(|(before, present)| std::array::from_fn(|bin| before[bin] + present[bin]))
            .collect();
        let learning = state.learning_until.is_some();
        let is_known = !learning && recent.first().map_or(0, texts) >= FEWEST_TEXTS;
        let pairs = || state.reference.iter().zip(&recent);
        Drift {
            reference_texts,
            learning,
            stability: is_known.then(|| {
                pairs()
                    .map(|(expected, actual)| stability_index(expected, actual))
                    .collect()
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends learning and periods whose time is over.
    fn turn(&mut self, now: Instant, period: Duration) {
        let enough = self.reference.first().map_or(0, texts) >= FEWEST_TEXTS;
        if enough && self.learning_until.is_some_and(|until| now >= until) {
            self.learning_until = None;
        }
        let elapsed = now.saturating_duration_since(self.present_since);
        if elapsed < period {
            return;
        }
        let empty = vec![[0; BINS]; self.present.len()];
        let ended = std::mem::replace(&mut self.present, empty.clone());
        // Nothing came for a whole period: what ended then is old by now.
        self.before = if elapsed < 2 * period { ended } else { empty };
        self.present_since = now;
    }
}

/// The population stability index between what was expected and what is.
#[must_use]
pub fn stability_index(expected: &Counts, actual: &Counts) -> f64 {
    let shares = |counts: &Counts| {
        let all = float(texts(counts)) + SMOOTHING * float(BINS as u64);
        counts.map(|count| (float(count) + SMOOTHING) / all)
    };
    let (expected, actual) = (shares(expected), shares(actual));
    let terms = expected.iter().zip(&actual).map(|(q, p)| (p - q) * (p / q).ln());
    terms.sum()
}

fn bin(score: f32) -> usize {
    EDGES.iter().position(|&edge| score < edge).unwrap_or(EDGES.len())
}

fn texts(counts: &Counts) -> u64 {
    counts.iter().sum()
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPTIONS: DriftOptions = DriftOptions {
        learning: Duration::from_secs(100),
        period: Duration::from_secs(10),
    };

    fn observe(monitor: &DriftMonitor, score: f32, texts: usize, now: Instant) {
        for _ in 0..texts {
            monitor.observe(&[score, 0.0], now);
        }
    }

    #[test]
    fn learns_first_and_then_tells_what_has_changed() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let monitor = DriftMonitor::new(2, None, OPTIONS, start);
        observe(&monitor, 0.03, 900, after(1));
        observe(&monitor, 0.95, 100, after(1));
        let drift = monitor.drift(after(2));
        assert_eq!(
            (drift.learning, drift.reference_texts, drift.stability),
            (true, 1000, None)
        );

        observe(&monitor, 0.03, 900, after(101));
        observe(&monitor, 0.95, 100, after(101));
        let same = monitor.drift(after(102)).stability.unwrap();
        assert!(same.iter().all(|&index| index < 0.01), "{same:?}");

        observe(&monitor, 0.95, 2000, after(130));
        let drift = monitor.drift(after(131));
        let changed = drift.stability.unwrap();
        assert!(changed[0] > 1.0 && changed[1] < 0.01, "{changed:?}");
        assert_eq!(drift.reference_texts, 1000, "what came later is not learned");
        assert_eq!(
            monitor.drift(after(200)).stability,
            None,
            "nothing came for a while"
        );
    }

    #[test]
    fn too_few_texts_teach_nothing() {
        let start = Instant::now();
        let monitor = DriftMonitor::new(2, None, OPTIONS, start);
        observe(&monitor, 0.03, 10, start);
        assert!(monitor.drift(start + Duration::from_secs(1000)).learning);
    }

    #[test]
    fn a_reference_of_the_model_needs_no_learning() {
        let reference: Reference = serde_json::from_str(
            r#"{"toxicity": [900,0,0,0,0,0,0,0,0,100], "threat": [1000,0,0,0,0,0,0,0,0,0]}"#,
        )
        .unwrap();
        let labels = ["toxic", "threat"].map(str::to_owned);
        let counts = reference.counts(&labels).unwrap();
        assert_eq!(reference.counts(&["insult".to_owned()]), None);
        let now = Instant::now();
        let monitor = DriftMonitor::new(2, Some(counts), OPTIONS, now);
        observe(&monitor, 0.0, 1000, now);
        let stability = monitor.drift(now).stability.unwrap();
        assert!(stability[0] > 0.25 && stability[1] < 0.01, "{stability:?}");
    }

    proptest! {
        #[test]
        fn the_index_is_never_negative_and_zero_for_equals(
            a in prop::array::uniform10(0_u64..10_000), b in prop::array::uniform10(0_u64..10_000),
        ) {
            prop_assert!(stability_index(&a, &b) >= -1e-12);
            prop_assert!(stability_index(&a, &b).is_finite());
            prop_assert!(stability_index(&a, &a).abs() < 1e-12);
        }
    }
}
