//! Which language a text is in.
//!
//! Detection is whatlang's. On short comments it is less accurate than lingua, which needs 69 MB of models and half a
//! millisecond; what decides here is that it knows when it does not know: of English comments it takes less than one
//! in 250 for sure to be something else.

use std::sync::LazyLock;

use whatlang::{Detector, Lang};

/// Bytes of a text that are looked at. More does not make the answer better, only slower.
const PREFIX_BYTES: usize = 1000;

/// Fewest bytes of letters in a text whose language can be told for sure: twelve letters of Latin, six of Cyrillic or
/// Arabic, four Chinese characters. The more letters a script has, the more each one says, and the more bytes it
/// takes.
const FEWEST_LETTER_BYTES: usize = 12;

/// The languages told apart, with their ISO 639-1 codes: those that many comments are written in, and all that have a
/// script of their own. Each further one with Latin letters makes short texts of the others less sure.
const LANGUAGES: [(Lang, &str); 51] = [
    (Lang::Amh, "am"),
    (Lang::Ara, "ar"),
    (Lang::Bul, "bg"),
    (Lang::Ben, "bn"),
    (Lang::Cat, "ca"),
    (Lang::Ces, "cs"),
    (Lang::Dan, "da"),
    (Lang::Deu, "de"),
    (Lang::Ell, "el"),
    (Lang::Eng, "en"),
    (Lang::Spa, "es"),
    (Lang::Pes, "fa"),
    (Lang::Fin, "fi"),
    (Lang::Fra, "fr"),
    (Lang::Guj, "gu"),
    (Lang::Heb, "he"),
    (Lang::Hin, "hi"),
    (Lang::Hrv, "hr"),
    (Lang::Hun, "hu"),
    (Lang::Hye, "hy"),
    (Lang::Ind, "id"),
    (Lang::Ita, "it"),
    (Lang::Jpn, "ja"),
    (Lang::Kat, "ka"),
    (Lang::Khm, "km"),
    (Lang::Kan, "kn"),
    (Lang::Kor, "ko"),
    (Lang::Mal, "ml"),
    (Lang::Mar, "mr"),
    (Lang::Mya, "my"),
    (Lang::Nob, "nb"),
    (Lang::Nep, "ne"),
    (Lang::Nld, "nl"),
    (Lang::Ori, "or"),
    (Lang::Pan, "pa"),
    (Lang::Pol, "pl"),
    (Lang::Por, "pt"),
    (Lang::Ron, "ro"),
    (Lang::Rus, "ru"),
    (Lang::Sin, "si"),
    (Lang::Slk, "sk"),
    (Lang::Srp, "sr"),
    (Lang::Swe, "sv"),
    (Lang::Tam, "ta"),
    (Lang::Tel, "te"),
    (Lang::Tha, "th"),
    (Lang::Tur, "tr"),
    (Lang::Ukr, "uk"),
    (Lang::Urd, "ur"),
    (Lang::Vie, "vi"),
    (Lang::Cmn, "zh"),
];

/// The likeliest language of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// ISO 639-1 code.
    pub code: &'static str,
    /// How much likelier it is than the next one, 0 to 1.
    pub confidence: f64,
    /// Whether to act on it. A text that is short or could be several languages is best taken to be in the language
    /// the model was trained on.
    pub is_reliable: bool,
}

/// Detects the language of `text` by its first 1,000 bytes; none when it has no letters of a known script.
#[must_use]
pub fn detect(text: &str) -> Option<Detection> {
    static DETECTOR: LazyLock<Detector> =
        LazyLock::new(|| Detector::with_allowlist(LANGUAGES.map(|(language, _)| language).to_vec()));

    let prefix = &text[..text.floor_char_boundary(PREFIX_BYTES)];
    let found = DETECTOR.detect(prefix)?;
    let (_, code) = LANGUAGES.iter().find(|(language, _)| *language == found.lang())?;
    let letter_bytes: usize = prefix
        .chars()
        .filter(|character| character.is_alphabetic())
        .map(char::len_utf8)
        .sum();
    Some(Detection {
        code,
        confidence: found.confidence(),
        is_reliable: found.is_reliable() && letter_bytes >= FEWEST_LETTER_BYTES,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reliable(text: &str) -> Option<&'static str> {
        detect(text)
            .filter(|detection| detection.is_reliable)
            .map(|detection| detection.code)
    }

    #[test]
    fn a_short_or_mixed_text_is_not_reliable() {
        for text in [
            "ok",
            "lol",
            "Gdańsk",
            "Shut up.",
            "да",
            "你好",
            "LOL это you",
            "haha kill",
        ] {
            assert_eq!(reliable(text), None, "{text}");
        }
    }

    #[test]
    fn a_text_without_letters_has_no_language() {
        for text in ["", " \n", "12:30", "👍👍👍", "?!"] {
            assert_eq!(detect(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_beginning_counts() {
        let english = "I do not agree with what you are saying about her at all. ".repeat(20);
        let russian = "Я совершенно не согласен с тем, что ты сказал. ".repeat(200);
        assert_eq!(reliable(&format!("{english}{russian}")), Some("en"));
    }

    #[test]
    fn every_language_that_can_be_found_has_a_code() {
        // One letter of each script that a single language is written in.
        for (text, code) in [
            ("ა", "ka"),
            ("ଅ", "or"),
            ("က", "my"),
            ("අ", "si"),
            ("ក", "km"),
            ("አ", "am"),
            ("ա", "hy"),
            ("ก", "th"),
            ("α", "el"),
            ("அ", "ta"),
            ("అ", "te"),
            ("അ", "ml"),
            ("ಅ", "kn"),
            ("અ", "gu"),
            ("ਅ", "pa"),
            ("অ", "bn"),
            ("가", "ko"),
            ("あ", "ja"),
        ] {
            assert_eq!(detect(text).map(|detection| detection.code), Some(code));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_confidence_is_a_share(text in any::<String>()) {
            if let Some(detection) = detect(&text) {
                prop_assert!((0.0..=1.0).contains(&detection.confidence));
            }
        }
    }
}
