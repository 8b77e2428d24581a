//! Perspective's attributes, and the labels of a model that score them.

use crate::scored::Labels;

/// What one score goes by.
struct Attribute {
    /// Perspective's names for it.
    names: &'static [&'static str],
    /// The names of the label that scores it, in the Jigsaw and in the Detoxify family; none where neither has one.
    labels: &'static [&'static str],
}

/// The attributes Perspective had until its end. `TOXICITY_FAST` was a quicker model of the same thing.
const ATTRIBUTES: [Attribute; 8] = [
    Attribute {
        names: &["TOXICITY", "TOXICITY_EXPERIMENTAL", "TOXICITY_FAST"],
        labels: &["toxic", "toxicity"],
    },
    Attribute {
        names: &["SEVERE_TOXICITY", "SEVERE_TOXICITY_EXPERIMENTAL"],
        labels: &["severe_toxic", "severe_toxicity"],
    },
    Attribute {
        names: &["IDENTITY_ATTACK", "IDENTITY_ATTACK_EXPERIMENTAL"],
        labels: &["identity_hate", "identity_attack"],
    },
    Attribute {
        names: &["INSULT", "INSULT_EXPERIMENTAL"],
        labels: &["insult"],
    },
    Attribute {
        names: &["PROFANITY", "PROFANITY_EXPERIMENTAL", "OBSCENE"],
        labels: &["obscene"],
    },
    Attribute {
        names: &["THREAT", "THREAT_EXPERIMENTAL"],
        labels: &["threat"],
    },
    Attribute {
        names: &["SEXUALLY_EXPLICIT"],
        labels: &["sexual_explicit"],
    },
    Attribute {
        names: &[
            "FLIRTATION",
            "AFFINITY_EXPERIMENTAL",
            "COMPASSION_EXPERIMENTAL",
            "CURIOSITY_EXPERIMENTAL",
            "NUANCE_EXPERIMENTAL",
            "PERSONAL_STORY_EXPERIMENTAL",
            "REASONING_EXPERIMENTAL",
            "RESPECT_EXPERIMENTAL",
            "CONSTRUCTIVE_EXPERIMENTAL",
            "ALIENATION_EXPERIMENTAL",
            "FEARMONGERING_EXPERIMENTAL",
            "GENERALIZATION_EXPERIMENTAL",
            "MORAL_OUTRAGE_EXPERIMENTAL",
            "POWER_APPEAL_EXPERIMENTAL",
            "SCAPEGOATING_EXPERIMENTAL",
            "ATTACK_ON_AUTHOR",
            "ATTACK_ON_COMMENTER",
            "ATTACK_ON_PUBLISHER",
            "INCOHERENT",
            "INFLAMMATORY",
            "LIKELY_TO_REJECT",
            "OFF_TOPIC",
            "SPAM",
            "UNSUBSTANTIAL",
        ],
        labels: &[],
    },
];

/// Index of the model's label that scores the attribute `name`.
#[must_use]
pub fn label(name: &str, labels: &Labels<'_>) -> Option<usize> {
    let attribute = ATTRIBUTES
        .iter()
        .find(|attribute| attribute.names.contains(&name))?;
    labels.find(attribute.labels)
}

/// Whether Perspective had an attribute of this name.
pub(super) fn is_known(name: &str) -> bool {
    ATTRIBUTES.iter().any(|attribute| attribute.names.contains(&name))
}

/// The attributes that a model of these labels scores.
#[must_use]
pub fn available(labels: &Labels<'_>) -> Vec<&'static str> {
    let scored = ATTRIBUTES
        .iter()
        .filter(|attribute| labels.find(attribute.labels).is_some());
    scored.flat_map(|attribute| attribute.names).copied().collect()
}
