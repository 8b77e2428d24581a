//! Puts Latin letters in the place of letters that look like them.
//!
//! What looks like what comes from Unicode's list of confusable characters (UTS #39). That list knows forms that
//! cannot be told apart in print; people also pass off `к` and `я` as k and r. So there are close and loose
//! look-alikes, and loose ones count only in words that are partly Latin already.

mod look_alike;

use std::ops::Range;

use super::Change;
use super::character::{is_general_mark, is_latin};
use super::draft::Draft;
use look_alike::{LookAlike, look_alike};

/// Fewest letters of a partly Latin word in which loose look-alikes count: `μm` and `Δx` are what they are.
const FEWEST_LETTERS: usize = 3;

/// Whether this pass may have something to do with a character, whatever stands beside it.
pub(super) fn concerns(character: char) -> bool {
    look_alike::is_latin_form(character)
}

/// Whether this pass may have something to do with a character in a text that also has Latin letters.
pub(super) fn concerns_beside_latin(character: char) -> bool {
    look_alike::is_foreign_form(character)
}

/// What the letters of a word are.
#[derive(Debug, Default, Clone, Copy)]
struct Word {
    latin: usize,
    close: usize,
    loose: usize,
    /// Letters of other scripts that look like no Latin one.
    unlike: usize,
}

impl Word {
    fn of(draft: &Draft, word: Range<usize>) -> Self {
        let mut letters = Self::default();
        for character in draft
            .characters(word)
            .filter(|character| character.is_alphabetic())
        {
            if is_latin(character) {
                letters.latin += 1;
            } else {
                match look_alike(character) {
                    Some(LookAlike { close: true, .. }) => letters.close += 1,
                    Some(_) => letters.loose += 1,
                    None => letters.unlike += 1,
                }
            }
        }
        letters
    }

    fn foreign(self) -> usize {
        self.close + self.loose + self.unlike
    }

    /// Whether the word can only be a word of another script.
    fn is_foreign(self) -> bool {
        self.latin == 0 && self.loose + self.unlike > 0
    }

    /// Whether the word is partly Latin and for the rest made of look-alikes.
    fn is_mixed(self) -> bool {
        self.latin > 0
            && self.foreign() > 0
            && self.unlike == 0
            && (self.loose == 0 || self.latin + self.foreign() >= FEWEST_LETTERS)
    }

    /// Whether the word holds close look-alikes alone.
    fn is_disguised(self) -> bool {
        self.foreign() > 0 && self.close == self.foreign() && self.latin == 0
    }
}

/// Puts Latin letters in the place of look-alikes: in words that are partly Latin, and in words made of close
/// look-alikes alone when the text is otherwise Latin. A text that is mostly in another script is left alone.
pub(super) fn replace(draft: &mut Draft) {
    replace_latin_forms(draft);
    if !(0..draft.len()).any(|index| concerns_beside_latin(draft[index])) {
        return;
    }
    let words: Vec<(Range<usize>, Word)> = draft
        .stretches(0..draft.len(), |character| {
            character.is_alphanumeric() || is_general_mark(character)
        })
        .into_iter()
        .map(|range| (range.clone(), Word::of(draft, range)))
        .filter(|(_, word)| word.latin + word.foreign() > 0)
        .collect();
    let latin: usize = words.iter().map(|(_, word)| word.latin).sum();
    let foreign: usize = words
        .iter()
        .filter(|(_, word)| word.is_foreign())
        .map(|(_, word)| word.foreign())
        .sum();
    if latin == 0 || foreign > latin {
        return;
    }
    // A lone `α` in Latin text may be meant, and so may a word beside others of its script, unless another word shows
    // what is going on.
    let is_disguise = words.iter().any(|(_, word)| word.is_mixed());
    for (range, word) in words {
        if word.is_mixed() || (word.is_disguised() && (is_disguise || (foreign == 0 && word.foreign() > 1))) {
            for index in range {
                let character = draft[index];
                if let Some(LookAlike { latin, .. }) = look_alike(character).filter(|_| !is_latin(character))
                {
                    draft.replace(index, latin, Change::Homoglyph);
                }
            }
        }
    }
}

/// Small capitals and phonetic letters are Latin by their script and have no other use in a comment.
fn replace_latin_forms(draft: &mut Draft) {
    for index in 0..draft.len() {
        let character = draft[index];
        if look_alike::is_latin_form(character)
            && let Some(LookAlike { latin, .. }) = look_alike(character)
        {
            draft.replace(index, latin, Change::Homoglyph);
        }
    }
}
