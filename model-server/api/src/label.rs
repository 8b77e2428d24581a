//! Names of labels.

/// Names under which Jigsaw and Detoxify know the same label; requests and thresholds may use either.
const ALIASES: [(&str, &str); 3] = [
    ("toxic", "toxicity"),
    ("severe_toxic", "severe_toxicity"),
    ("identity_hate", "identity_attack"),
];

/// Index of the label of this name or alias.
#[must_use]
pub fn label_index(labels: &[String], name: &str) -> Option<usize> {
    labels.iter().position(|label| label == name).or_else(|| {
        let (jigsaw, detoxify) = ALIASES.iter().find(|(a, b)| *a == name || *b == name)?;
        let other = if *jigsaw == name { detoxify } else { jigsaw };
        labels.iter().position(|label| label == other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn finds_labels_by_either_of_their_names() {
        let jigsaw = labels(&["toxic", "severe_toxic", "identity_hate"]);
        assert_eq!(label_index(&jigsaw, "identity_hate"), Some(2));
        assert_eq!(label_index(&jigsaw, "identity_attack"), Some(2));
        assert_eq!(label_index(&jigsaw, "toxicity"), Some(0));
        let detoxify = labels(&["toxicity", "threat"]);
        assert_eq!(label_index(&detoxify, "toxic"), Some(0));
        assert_eq!(label_index(&detoxify, "insult"), None);
    }
}
