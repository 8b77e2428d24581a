//! The label that a name stands for.

use toxicity_protocols::perspective::attribute_label;
use toxicity_protocols::scored::Labels;

use crate::model::Model;

/// Index of the label of this name or alias, or of the label that scores the attribute of Perspective of this name, in
/// either case.
pub(super) fn find(model: &Model, name: &str) -> Option<usize> {
    let labels = Labels {
        names: &model.labels,
        thresholds: &model.thresholds,
    };
    model
        .label_index(name)
        .or_else(|| attribute_label(&name.to_ascii_uppercase(), &labels))
}

#[cfg(test)]
pub(super) mod fixture {
    use toxicity_api::ModelIdentity;

    use crate::model::{Activation, Model};

    /// A model with three of the labels.
    pub(in crate::calibrate) fn model() -> Model {
        Model {
            identity: ModelIdentity {
                name: "test".to_owned(),
                revision: "0".to_owned(),
            },
            labels: ["toxic", "obscene", "identity_hate"].map(str::to_owned).to_vec(),
            thresholds: vec![0.5; 3],
            activation: Activation::Sigmoid,
            languages: vec!["en".to_owned()],
            window_tokens: 16,
            overlap_tokens: 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::model;
    use super::*;

    #[test]
    fn a_label_is_found_by_its_names_and_by_those_of_perspective() {
        let find = |name| find(&model(), name);
        assert_eq!(find("toxic"), Some(0));
        assert_eq!(find("toxicity"), Some(0));
        assert_eq!(find("TOXICITY"), Some(0));
        assert_eq!(find("PROFANITY"), Some(1));
        assert_eq!(find("Profanity"), Some(1));
        assert_eq!(find("IDENTITY_ATTACK"), Some(2));
        assert_eq!(find("THREAT"), None, "the model has no such label");
        assert_eq!(find("SPAM"), None);
        assert_eq!(find("id"), None);
    }
}
