//! Texts, names and label maps as both databases can hold and find them.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use toxicity_api::Scores;

/// The text as it is stored: PostgreSQL holds no U+0000 and SQLite's functions end at it, so U+FFFD stands in its
/// place.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}").into()
    } else {
        text.into()
    }
}

/// What equal texts are found by: the first 8 bytes of the SHA-256. Whoever finds one compares the text itself.
pub(crate) fn key(text: &str) -> i64 {
    let digest = Sha256::digest(text);
    let head = digest.first_chunk().expect("a SHA-256 has 32 bytes");
    i64::from_be_bytes(*head)
}

/// Scores as a JSON object. What is no number has no place in JSON and is left out.
pub(crate) fn scores_json(scores: &Scores) -> String {
    let scores: IndexMap<_, _> = scores
        .iter()
        .filter(|(_, score)| score.is_finite())
        .map(|(label, score)| (storable(label), score))
        .collect();
    to_json(&scores)
}

/// Labels as a JSON array.
pub(crate) fn labels_json(labels: &[String]) -> String {
    let labels: Vec<_> = labels.iter().map(|label| storable(label)).collect();
    to_json(&labels)
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("labels and names are JSON")
}

/// The name of one of a closed set of values, the same as in JSON.
pub(crate) fn name(value: &impl Serialize) -> String {
    let json = to_json(value);
    json.trim_matches('"').to_owned()
}

/// The value of a closed set that has this name.
pub(crate) fn named<T: DeserializeOwned>(name: String) -> Result<T, serde_json::Error> {
    serde_json::from_value(serde_json::Value::String(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Protocol;

    #[test]
    fn only_texts_with_a_null_are_changed() {
        assert!(matches!(storable("no null"), Cow::Borrowed("no null")));
        assert_eq!(storable("a\0b\0"), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn scores_keep_their_order_and_are_numbers() {
        let scores = Scores::from([
            ("toxic".to_owned(), 0.25),
            ("a\0b".to_owned(), 1.0),
            ("threat".to_owned(), f32::NAN),
        ]);
        assert_eq!(scores_json(&scores), "{\"toxic\":0.25,\"a\u{fffd}b\":1.0}");
    }

    #[test]
    fn names_are_those_of_json() {
        assert_eq!(name(&Protocol::OpenInference), "open-inference");
        assert_eq!(named::<Protocol>("tei".to_owned()).unwrap(), Protocol::Tei);
        assert!(named::<Protocol>("telex".to_owned()).is_err());
    }

    #[test]
    fn equal_texts_have_equal_keys() {
        // sha256("abc") begins with ba7816bf8f01cfea (FIPS 180-2, appendix B.1).
        assert_eq!(
            key("abc"),
            i64::from_be_bytes(0xba78_16bf_8f01_cfea_u64.to_be_bytes())
        );
        assert_ne!(key("abc"), key("abd"));
    }
}
