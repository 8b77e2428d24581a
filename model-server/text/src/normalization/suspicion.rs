//! Whether a text could hold anything to undo, found out in one pass without memory.
//!
//! Most texts end here. The signs looked for are wider than what the passes act on, never narrower.

use super::character::is_cased;
use super::{compatibility, homoglyph, invisible, leet, spacing};

/// Whether any pass may find something to undo.
pub(super) fn is_suspicious(text: &str) -> bool {
    let mut watch = Watch::default();
    text.chars().any(|character| watch.notices(character)) || watch.word_ends()
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Watch {
    before: Option<char>,
    /// The letter before, in lower case if it is ASCII, and how often it stands in a row.
    letter: char,
    in_a_row: usize,
    /// Letters since the last gap.
    word: usize,
    /// Characters since the last letter.
    gap: usize,
    /// Words of one letter, with short gaps between them.
    single_letters: usize,
    /// Whether stand-ins since the last letter could belong to the word.
    stands_in: bool,
    has_latin: bool,
    has_foreign: bool,
}

impl Watch {
    fn notices(&mut self, character: char) -> bool {
        let noticed = if character.is_ascii_alphabetic() {
            self.has_latin = true;
            self.letter(character.to_ascii_lowercase())
        } else if character.is_ascii() {
            self.sign(character) || (character.is_ascii_control() && invisible::concerns(character, None))
        } else {
            self.beyond_ascii(character)
        };
        self.before = Some(character);
        noticed || (self.has_latin && self.has_foreign)
    }

    fn beyond_ascii(&mut self, character: char) -> bool {
        if invisible::concerns(character, self.before)
            || compatibility::concerns(character, self.before)
            || homoglyph::concerns(character)
        {
            return true;
        }
        let is_foreign = homoglyph::concerns_beside_latin(character);
        self.has_foreign |= is_foreign;
        if is_foreign || is_cased(character) {
            self.has_latin |= !is_foreign;
            self.letter(character)
        } else {
            self.sign(character)
        }
    }

    fn letter(&mut self, letter: char) -> bool {
        let goes_on = letter == self.letter;
        // A word of one letter alone, such as the www of an address, is not drawn out.
        let was_drawn_out = !goes_on && self.in_a_row > 2;
        self.in_a_row = if goes_on { self.in_a_row + 1 } else { 1 };
        self.letter = letter;
        self.word += 1;
        was_drawn_out
            || (self.in_a_row > 2 && self.word > self.in_a_row)
            || std::mem::take(&mut self.stands_in)
            || (self.word == 1
                && self
                    .before
                    .is_some_and(|before| leet::begins_word(before, letter)))
    }

    fn sign(&mut self, character: char) -> bool {
        let follows_word = self.word > 0;
        if follows_word && matches!(character, '\'' | '’') {
            // The m of "I'm" is no single letter.
            self.word += 1;
        } else if self.word_ends() {
            return true;
        }
        self.letter = '\0';
        self.in_a_row = 0;
        // Digits may be letters of a word that is spelled out.
        if !character.is_numeric() {
            self.gap += 1;
            if self.gap > spacing::LONGEST_SEPARATOR {
                self.single_letters = 0;
            }
        }
        let is_s = match character {
            '$' => follows_word || self.stands_in || self.may_begin('s'),
            '5' => self.stands_in && self.before == Some('5'),
            _ => false,
        };
        self.stands_in = leet::is_stand_in(character) && (follows_word || self.stands_in);
        is_s
    }

    /// Whether the character before may disguise the first letter of a word that goes on with `letter`.
    fn may_begin(&self, letter: char) -> bool {
        self.before
            .is_some_and(|before| leet::begins_word(before, letter))
    }

    /// Notes the end of a word, if there was one, and whether enough single letters stand beside each other.
    fn word_ends(&mut self) -> bool {
        match std::mem::take(&mut self.word) {
            0 => return false,
            1 => self.single_letters += 1,
            _ => self.single_letters = 0,
        }
        self.gap = 0;
        self.single_letters >= spacing::FEWEST_LETTERS
    }
}
