//! How far people and the model agree.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use toxicity_api::Scores;

use crate::feedback::{Decision, Feedback, ModelVerdict};

/// From this suggested score on, a person finds that the label holds.
const HOLDS: f32 = 0.5;

/// How far people and the model agree, on texts as a whole and label by label.
///
/// On a text as a whole they are asked whether it is toxic at all: the model by whether any label is flagged, the
/// person by the decision, or else by whether any suggested score is 0.5 or more. On a label they are compared where
/// the person spoke of it: by the suggested score, or by an approval, which says no to every label. A rejection
/// without scores says nothing of single labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// On texts as a whole.
    pub overall: Confusion,

    /// By label.
    pub labels: IndexMap<String, Confusion>,
}

/// How often each said yes or no.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Both said yes.
    pub both: u64,

    /// Only the model said yes: a false alarm.
    pub model_only: u64,

    /// Only the person said yes: a miss.
    pub person_only: u64,

    /// Both said no.
    pub neither: u64,
}

impl Agreement {
    /// Adds one person's judgement of what the model said. Labels the model does not have are left out.
    pub(crate) fn add(&mut self, feedback: &Feedback, model: &ModelVerdict) {
        let person = match feedback.decision {
            Some(Decision::Approve) => false,
            Some(Decision::Reject) => true,
            Some(Decision::Relabel) | None => feedback.suggested.values().any(|&score| score >= HOLDS),
        };
        self.overall.add(!model.flags.is_empty(), person);

        for label in model.scores.keys() {
            if let Some(person) = said_of(label, &feedback.suggested, feedback.decision) {
                let model = model.flags.contains(label);
                self.labels.entry(label.clone()).or_default().add(model, person);
            }
        }
    }
}

/// Whether the person finds that the label holds; nothing when the person did not speak of it.
fn said_of(label: &str, suggested: &Scores, decision: Option<Decision>) -> Option<bool> {
    match suggested.get(label) {
        Some(&score) => Some(score >= HOLDS),
        None => (decision == Some(Decision::Approve)).then_some(false),
    }
}

impl Confusion {
    fn add(&mut self, model: bool, person: bool) {
        let count = match (model, person) {
            (true, true) => &mut self.both,
            (true, false) => &mut self.model_only,
            (false, true) => &mut self.person_only,
            (false, false) => &mut self.neither,
        };
        *count += 1;
    }

    /// All judgements.
    #[must_use]
    pub fn judgements(&self) -> u64 {
        self.both + self.model_only + self.person_only + self.neither
    }

    /// Part of the judgements in which both said the same; nothing when there are none.
    #[must_use]
    pub fn agreement(&self) -> Option<f64> {
        part(self.both + self.neither, self.judgements())
    }

    /// Part of what the model flagged that people flag too; nothing when it flagged nothing.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        part(self.both, self.both + self.model_only)
    }

    /// Part of what people flag that the model flagged too; nothing when they flagged nothing.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        part(self.both, self.both + self.person_only)
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
fn part(some: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| some as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toxicity_api::ModelIdentity;

    use super::*;
    use crate::feedback::Source;

    const LABELS: [&str; 3] = ["toxic", "threat", "insult"];

    fn feedback(suggested: &[(&str, f32)], decision: Option<Decision>) -> Feedback {
        Feedback {
            text: Some("text".to_owned()),
            suggested: suggested
                .iter()
                .map(|&(label, score)| (label.to_owned(), score))
                .collect(),
            decision,
            ..Feedback::new(Source::Review)
        }
    }

    fn model(flags: &[&str]) -> ModelVerdict {
        ModelVerdict {
            identity: ModelIdentity {
                name: "model".to_owned(),
                revision: "0".to_owned(),
            },
            scores: LABELS.iter().map(|&label| (label.to_owned(), 0.5)).collect(),
            flags: flags.iter().map(|&label| label.to_owned()).collect(),
        }
    }

    fn agreement(judgements: &[(Feedback, ModelVerdict)]) -> Agreement {
        let mut agreement = Agreement::default();
        for (feedback, model) in judgements {
            agreement.add(feedback, model);
        }
        agreement
    }

    #[test]
    fn an_approval_says_no_to_every_label() {
        let agreement = agreement(&[(feedback(&[], Some(Decision::Approve)), model(&["toxic"]))]);
        assert_eq!(agreement.overall.model_only, 1);
        assert_eq!(agreement.labels["toxic"].model_only, 1);
        assert_eq!(agreement.labels["threat"].neither, 1);
    }

    #[test]
    fn a_rejection_says_nothing_of_single_labels() {
        let agreement = agreement(&[(feedback(&[], Some(Decision::Reject)), model(&["toxic"]))]);
        assert_eq!(agreement.overall.both, 1);
        assert!(agreement.labels.is_empty());
    }

    #[test]
    fn suggested_scores_count_from_a_half_on() {
        let agreement = agreement(&[(
            feedback(&[("toxic", 0.5), ("threat", 0.49)], None),
            model(&["threat"]),
        )]);
        assert_eq!(agreement.overall.both, 1);
        assert_eq!(agreement.labels["toxic"].person_only, 1);
        assert_eq!(agreement.labels["threat"].model_only, 1);
        assert!(!agreement.labels.contains_key("insult"));
    }

    #[test]
    fn the_decision_outweighs_the_scores_on_the_whole_text() {
        let agreement = agreement(&[(
            feedback(&[("toxic", 0.9)], Some(Decision::Approve)),
            model(&["toxic"]),
        )]);
        assert_eq!(agreement.overall.model_only, 1);
        assert_eq!(agreement.labels["toxic"].both, 1);
    }

    #[test]
    fn labels_the_model_does_not_have_are_left_out() {
        let agreement = agreement(&[(feedback(&[("SPAM", 1.0)], None), model(&[]))]);
        assert_eq!(agreement.overall.person_only, 1);
        assert!(agreement.labels.is_empty());
    }

    #[test]
    fn measures_are_parts_of_what_they_are_measured_on() {
        let confusion = Confusion {
            both: 6,
            model_only: 2,
            person_only: 3,
            neither: 9,
        };
        assert_eq!(confusion.judgements(), 20);
        assert_eq!(confusion.agreement(), Some(0.75));
        assert_eq!(confusion.precision(), Some(0.75));
        assert_eq!(confusion.recall(), Some(2.0 / 3.0));
        let nothing = Confusion::default();
        assert_eq!(
            (nothing.agreement(), nothing.precision(), nothing.recall()),
            (None, None, None)
        );
    }

    proptest! {
        #[test]
        fn every_judgement_counts_once(
            judgements in prop::collection::vec((any::<bool>(), any::<bool>(), 0..4_usize), 0..50),
        ) {
            let decisions = [None, Some(Decision::Approve), Some(Decision::Reject), Some(Decision::Relabel)];
            let all: Vec<_> = judgements
                .iter()
                .map(|&(model_says, person_says, decision)| {
                    let score = if person_says { 1.0 } else { 0.0 };
                    let flags: &[&str] = if model_says { &["toxic"] } else { &[] };
                    (feedback(&[("toxic", score)], decisions[decision]), model(flags))
                })
                .collect();
            let agreement = agreement(&all);
            prop_assert_eq!(agreement.overall.judgements(), judgements.len() as u64);
            let toxic = agreement.labels.get("toxic").copied().unwrap_or_default();
            prop_assert_eq!(toxic.judgements(), judgements.len() as u64);
            let both = judgements.iter().filter(|(model, person, _)| *model && *person).count();
            prop_assert_eq!(toxic.both, both as u64);
            for measure in [toxic.agreement(), toxic.precision(), toxic.recall()].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&measure));
            }
        }
    }
}
