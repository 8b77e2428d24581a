//! Undoes what people do to a text so that a model does not see what a reader sees.
//!
//! The passes, in this order: styled forms (`ｉｄｉｏｔ`, `𝓲𝓭𝓲𝓸𝓽`) become plain letters; invisible characters and piled-up
//! marks go; look-alikes of other scripts (`іdіоt`, Cyrillic in part) become Latin ones; spaced-out words
//! (`i d i o t`) are joined; digits and signs inside words (`1d10t`) become letters; drawn-out letters (`stuuuupid`)
//! are cut.
//!
//! Nobody can tell `h3llo` from a product name for sure, so the result is for a second look: who scores both texts
//! and takes the higher score of each label can miss nothing by a pass that went too far, and ordinary text comes
//! back as nothing to do.

mod change;
mod character;
mod compatibility;
mod draft;
mod homoglyph;
mod invisible;
mod leet;
mod offset_map;
mod repetition;
mod spacing;
mod suspicion;

use std::ops::Range;

pub use change::{Change, Changes};

use draft::Draft;
use offset_map::OffsetMap;

/// A text whose obfuscation was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    /// What a reader sees. Empty when the text was made of invisible characters alone; at most four times as long as
    /// the original, in characters.
    pub text: String,
    /// What was done.
    pub changes: Changes,
    offsets: OffsetMap,
}

impl Normalized {
    /// The bytes of the original that the bytes `range` of [`text`](Self::text) stand for.
    ///
    /// The answer never splits a character, and whole words come back whole: that of `idiot` is all of `i d i o t`.
    /// The ranges of neighbouring characters leave nothing of the original out. A range that splits a character or
    /// passes the end is widened or cut to characters.
    #[must_use]
    pub fn original_range(&self, range: Range<usize>) -> Range<usize> {
        let begin = self.text.floor_char_boundary(range.start);
        let end = self.text.ceil_char_boundary(range.end).max(begin);
        self.offsets.original_range(begin..end)
    }
}

/// Undoes obfuscation in `text`; nothing when there is none. Takes time linear in the length of the text, and for
/// ordinary text no memory.
#[must_use]
pub fn normalize(text: &str) -> Option<Normalized> {
    suspicion::is_suspicious(text).then(|| undo(text)).flatten()
}

fn undo(text: &str) -> Option<Normalized> {
    let mut draft = Draft::new(text);
    compatibility::replace(&mut draft);
    invisible::remove(&mut draft);
    homoglyph::replace(&mut draft);
    spacing::join(&mut draft);
    leet::replace(&mut draft);
    repetition::shorten(&mut draft);
    draft.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of words from which obfuscated text is made.
    const PIECES: &str = "a i I d o s t u www st idiot AA sss . - * _ 0 1 3 5 55 6 66 4 @ $ ! € 8 # ' / о і ѕ к ж α μ Ꭺ ɪ ｉ \
                          ！ ＄ 𝓲 🅱 🇮 ﬁ ﷺ \u{200b} \u{200d} \u{202e} \u{2800} \u{e0061} \u{1f3f4} \u{fe0f} \u{20e3} \u{301} \
                          \u{336} \u{301}\u{302}\u{303}\u{304} é 你 क 👩 \0";

    fn obfuscated() -> impl Strategy<Value = String> {
        let pieces: Vec<&str> = PIECES.split(' ').chain([" ", "  ", " - ", "\n"]).collect();
        let piece = prop_oneof![
            any::<char>().prop_map(String::from),
            prop::sample::select(pieces).prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn what_is_not_suspicious_holds_nothing_to_undo(text in obfuscated()) {
            if !suspicion::is_suspicious(&text) {
                prop_assert_eq!(undo(&text), None);
            }
        }

        #[test]
        fn every_character_of_the_original_is_accounted_for(text in obfuscated()) {
            let Some(normalized) = normalize(&text) else { return Ok(()) };
            prop_assert!(normalized.text.chars().count() <= compatibility::LONGEST * text.chars().count());
            let mut last = 0..0;
            for (begin, character) in normalized.text.char_indices() {
                let range = normalized.original_range(begin..begin + character.len_utf8());
                prop_assert!(!range.is_empty() && text.get(range.clone()).is_some(), "{:?}", range);
                let follows = range.start >= last.start && range.start <= last.end && range.end >= last.end;
                prop_assert!(follows, "{last:?} {range:?}");
                for byte in begin..begin + character.len_utf8() {
                    prop_assert_eq!(normalized.original_range(byte..byte + 1), range.clone());
                }
                last = range;
            }
            prop_assert!(normalized.text.is_empty() || last.end == text.len());
        }
    }

    #[test]
    fn every_styled_character_is_found_by_the_quick_look() {
        for character in '\u{100}'..='\u{1ffff}' {
            let text = format!("a{character}a");
            if undo(&text).is_some() {
                assert!(suspicion::is_suspicious(&text), "{character:?}");
            }
        }
    }
}
