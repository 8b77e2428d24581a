//! Names of labels on the command line.

use toxicity_api::{Scores, label_index};

/// Why labels cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LabelError {
    /// A label that the model does not have.
    #[error("the model has no label \"{name}\"; it has {}", .labels.join(", "))]
    Find {
        /// The name asked for.
        name: String,
        /// The labels there are.
        labels: Vec<String>,
    },
    /// A threshold that no score could be compared with.
    #[error("the threshold {value} of \"{label}\" must be above 0 and at most 1")]
    BoundThreshold {
        /// The label.
        label: String,
        /// The value.
        value: f32,
    },
}

/// Indices of the labels asked for, in the model's order; all of them when none is named.
///
/// # Errors
/// When the model does not have one.
pub fn choose(labels: &[String], names: &[String]) -> Result<Vec<usize>, LabelError> {
    if names.is_empty() {
        return Ok((0..labels.len()).collect());
    }
    let mut chosen = names
        .iter()
        .map(|name| find(labels, name))
        .collect::<Result<Vec<_>, _>>()?;
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
}

/// Thresholds by the model's own names.
///
/// # Errors
/// When the model does not have a label, or a value is no threshold.
pub fn thresholds(labels: &[String], overrides: &[(String, f32)]) -> Result<Scores, LabelError> {
    overrides
        .iter()
        .map(|(label, value)| {
            let index = find(labels, label)?;
            if *value > 0.0 && *value <= 1.0 {
                Ok((labels[index].clone(), *value))
            } else {
                Err(LabelError::BoundThreshold {
                    label: label.clone(),
                    value: *value,
                })
            }
        })
        .collect()
}

fn find(labels: &[String], name: &str) -> Result<usize, LabelError> {
    label_index(labels, name).ok_or_else(|| LabelError::Find {
        name: name.to_owned(),
        labels: labels.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn labels_come_once_and_in_the_model_s_order() {
        let labels = names(&["toxic", "threat", "insult"]);
        assert_eq!(choose(&labels, &[]), Ok(vec![0, 1, 2]));
        assert_eq!(
            choose(&labels, &names(&["insult", "toxicity", "toxic"])),
            Ok(vec![0, 2])
        );
        let error = choose(&labels, &names(&["rude"])).unwrap_err().to_string();
        assert_eq!(
            error,
            "the model has no label \"rude\"; it has toxic, threat, insult"
        );
    }

    #[test]
    fn thresholds_have_the_model_s_names_and_are_scores() {
        let labels = names(&["toxic", "threat"]);
        let of = |value| thresholds(&labels, &[("toxicity".to_owned(), value)]);
        assert_eq!(of(1.0), Ok([("toxic".to_owned(), 1.0)].into()));
        for wrong in [0.0, 1.1, -1.0, f32::NAN] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
