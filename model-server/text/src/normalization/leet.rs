//! Puts letters in the place of digits and signs that stand in for them.
//!
//! One digit in a word means little: `mp3`, `H1N1`, `1st` and `log4j` are words. What counts is a stand-in between
//! letters, in a word that is not an acronym, a code or a number with its unit.

use std::ops::Range;

use super::Change;
use super::character::{has_plain_case, is_cased, is_vowel};
use super::draft::{Draft, stretches};

/// Most characters of a word; hashes and tokens are longer.
const LONGEST_WORD: usize = 24;

/// Fewest characters of a number in hexadecimal digits.
const SHORTEST_HEXADECIMAL: usize = 6;

/// Most stand-ins in a row, as in `a55`.
const LONGEST_GROUP: usize = 2;

/// Stand-ins that disguise the first letter of a word, and how these words go on: with all of a short ending, with
/// the beginning of a longer one. Before anything else `@` begins the name of an account, `$` a price or a variable,
/// and a digit a number with its unit.
const FIRST_LETTERS: [(&[char], &[&str]); 3] = [
    (&['!', '1', '¡'], &["diot"]),
    (
        &['@', '4'],
        &[
            "nal", "nus", "rse", "rsehol", "ss", "sses", "sshat", "sshead", "sshol", "sswip",
        ],
    ),
    (
        &['$', '5'],
        &[
            "atan", "crew", "cum", "ex", "exist", "exual", "exy", "hit", "hits", "hoot", "ick", "issy",
            "kank", "lut", "luts", "tupid", "uck", "ucke", "ucki", "ucks", "uicid",
        ],
    ),
];

/// Longest ending of [`FIRST_LETTERS`] that must be all of it.
const SHORT_ENDING: usize = 3;

/// Fewest characters around a 4 for it to be the word "for".
const FEWEST_LETTERS_AROUND_FOUR: usize = 3;

/// Letters of durations such as `1h30m`.
const TIME_UNITS: &str = "dhms";

/// Puts letters in the place of the stand-ins in words that mix both.
pub(super) fn replace(draft: &mut Draft) {
    for token in draft.stretches(0..draft.len(), |character| !character.is_whitespace()) {
        if is_technical(draft, token.clone()) {
            continue;
        }
        for word in draft.stretches(token, is_part_of_word) {
            if !draft.characters(word.clone()).any(is_stand_in) {
                continue;
            }
            let characters: Vec<char> = draft.characters(word.clone()).collect();
            for (index, letter) in letters(&characters) {
                draft.replace(word.start + index, letter, Change::Leet);
            }
        }
    }
}

/// Whether this pass may have something to do with a character between letters.
pub(super) fn is_stand_in(character: char) -> bool {
    matches!(
        character,
        '0' | '1' | '3' | '4' | '5' | '6' | '7' | '9' | '@' | '$' | '!' | '¡' | '€'
    )
}

/// Whether a character may disguise the first letter of a word that goes on with `letter`.
pub(super) fn begins_word(character: char, letter: char) -> bool {
    FIRST_LETTERS.iter().any(|(stand_ins, endings)| {
        stand_ins.contains(&character) && endings.iter().any(|ending| ending.starts_with(letter))
    })
}

/// Whether a token is an address, a hashtag, a path, code or a version: it holds a sign that does not occur inside
/// words, or a dot or colon between letters or digits, as in `example.com`, `a@b.org`, `v1.2` or `WP:3RR`.
fn is_technical(draft: &Draft, token: Range<usize>) -> bool {
    let is_joint = |index: usize| {
        let (before, after) = (draft.before(index), draft.get(index + 1));
        before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
    };
    token.clone().any(|index| match draft[index] {
        '/' | '\\' | '=' | '_' | '{' | '}' | '<' | '>' | '~' | '^' | '%' | '&' | '#' | '`' | '|' => true,
        '.' | ':' => is_joint(index),
        _ => false,
    })
}

/// Whether a character can be part of a word in which others stand in for letters.
fn is_part_of_word(character: char) -> bool {
    is_cased(character) || character.is_numeric() || is_stand_in(character)
}

/// Which characters of a word become which letters; none when it is no disguised word.
fn letters(characters: &[char]) -> Vec<(usize, char)> {
    let word = Word::new(characters);
    let groups = word.disguising_groups();
    let mut letters: Vec<(usize, char)> = Vec::new();
    for index in groups.into_iter().flatten() {
        let before = match letters.last() {
            Some(&(last, letter)) if last + 1 == index => Some(letter),
            _ => index.checked_sub(1).map(|before| characters[before]),
        };
        if let Some(letter) = word.letter(index, before) {
            letters.push((index, letter));
        }
    }
    letters
}

/// A word that may hold stand-ins.
struct Word<'a> {
    characters: &'a [char],
    /// Its letters.
    letters: Vec<char>,
    /// The stretches without letters.
    groups: Vec<Range<usize>>,
}

impl<'a> Word<'a> {
    /// Signs that end a sentence do not belong to the word.
    fn new(characters: &'a [char]) -> Self {
        let end = characters
            .iter()
            .rposition(|character| !matches!(character, '!' | '@' | '¡'))
            .map_or(0, |last| last + 1);
        let characters = &characters[..end];
        Self {
            characters,
            letters: characters
                .iter()
                .copied()
                .filter(|&character| is_cased(character))
                .collect(),
            groups: stretches(characters.iter().copied().enumerate(), |character| {
                !is_cased(character)
            }),
        }
    }

    /// The groups that stand in for letters.
    fn disguising_groups(&self) -> Vec<Range<usize>> {
        if self.groups.is_empty() || self.characters.len() > LONGEST_WORD || !has_plain_case(&self.letters) {
            return Vec::new();
        }
        if self.has_known_ending() {
            return self.groups.clone();
        }
        if self.characters[0] == '@' {
            return Vec::new();
        }
        let mut inner = self
            .groups
            .iter()
            .filter(|group| group.start > 0 && group.end < self.characters.len())
            .peekable();
        let is_disguised =
            inner.peek().is_some() && inner.all(|group| self.may_be_letters(group)) && self.is_likely();
        self.groups
            .iter()
            .filter(|group| (is_disguised && self.may_be_letters(group)) || self.ends_in_s(group))
            .cloned()
            .collect()
    }

    /// Whether a group can be read as letters.
    fn may_be_letters(&self, group: &Range<usize>) -> bool {
        let characters = &self.characters[group.clone()];
        if characters.len() > LONGEST_GROUP || !characters.iter().copied().all(is_stand_in) {
            return false;
        }
        match characters {
            ['6', '6'] | ['9', '9'] => true,
            _ if characters.iter().any(|character| matches!(character, '6' | '9')) => false,
            ['1', ..] if group.end == self.characters.len() => {
                // A number at the end, unless it goes on from a vowel.
                group
                    .start
                    .checked_sub(1)
                    .is_some_and(|index| is_vowel(self.characters[index]))
            }
            _ if characters.iter().any(|character| matches!(character, '!' | '@')) => {
                characters.len() == 1 && self.is_one_word_around(group, 1)
            }
            ['4'] => self.is_one_word_around(group, FEWEST_LETTERS_AROUND_FOUR),
            [first, second] if self.is_capital() => first == second,
            _ => true,
        }
    }

    /// Whether the parts before and after a stand-in cannot both be words, as in `sh!t` but not in `stop!you`,
    /// `me@home` or `bikes4kids`: one of them has fewer than `fewest` characters or no vowel.
    fn is_one_word_around(&self, group: &Range<usize>, fewest: usize) -> bool {
        let is_word = |part: &[char]| part.len() >= fewest && part.iter().copied().any(is_vowel);
        let (before, after) = (&self.characters[..group.start], &self.characters[group.end..]);
        !(is_word(before) && is_word(after))
    }

    fn is_capital(&self) -> bool {
        self.letters.iter().all(|letter| letter.is_uppercase())
    }

    /// Whether a word with stand-ins inside is likelier to be disguised than to be an acronym or a code.
    fn is_likely(&self) -> bool {
        let letters = self.letters.len();
        let digits = self
            .characters
            .iter()
            .filter(|character| character.is_numeric())
            .count();
        let has_digits_alone = letters + digits == self.characters.len();
        let is_small = self.letters.iter().all(|letter| letter.is_lowercase());
        let is_hexadecimal = self.characters.starts_with(&['0', 'x'])
            || (self.characters.len() >= SHORTEST_HEXADECIMAL
                && self.characters.iter().all(char::is_ascii_hexdigit));
        match letters {
            _ if is_hexadecimal => false,
            0 | 1 => false,
            // `s3x`, `y0u` and `1d10t`, but not `W3C`, `h1n1` and `1h30m`.
            2 if digits > 2 => {
                digits == 3
                    && self.characters.last().is_some_and(|&last| is_cased(last))
                    && !self.letters.iter().all(|&letter| TIME_UNITS.contains(letter))
            }
            2 => self.characters.len() == 3 && is_small && (self.is_syllable() || self.characters[1] == '0'),
            // `SH1T`, but not `C3PO`.
            3 if has_digits_alone && self.is_capital() => self.is_syllable(),
            _ => digits <= letters + 1,
        }
    }

    /// Whether the only vowel is one stand-in between consonants.
    fn is_syllable(&self) -> bool {
        let [group] = self.groups.as_slice() else {
            return false;
        };
        group.len() == 1
            && matches!(self.characters[group.start], '0' | '1' | '3' | '4' | '@' | '!')
            && !self.letters.iter().copied().any(is_vowel)
    }

    /// Whether the word begins with a stand-in and goes on as one of [`FIRST_LETTERS`] does.
    fn has_known_ending(&self) -> bool {
        let first = self.characters[0];
        let Some((_, endings)) = FIRST_LETTERS
            .iter()
            .find(|(stand_ins, _)| stand_ins.contains(&first))
        else {
            return false;
        };
        if !self
            .characters
            .get(1)
            .is_some_and(|&second| is_cased(second) || second == '$')
        {
            return false;
        }
        let ending: String = (1..self.characters.len())
            .map(|index| {
                let character = self.characters[index];
                let letter = self.letter(index, Some(self.characters[index - 1]));
                letter.unwrap_or(character).to_ascii_lowercase()
            })
            .collect();
        endings.iter().any(|known| match known.len() {
            ..=SHORT_ENDING => ending == *known,
            _ => ending.starts_with(known),
        })
    }

    /// Whether a group ends the word as an s that is no currency and no number: `a$$`, `bitche$`, `jacka55`.
    fn ends_in_s(&self, group: &Range<usize>) -> bool {
        if group.end < self.characters.len() {
            return false;
        }
        match &self.characters[group.clone()] {
            ['$', '$'] => group.start > 0,
            ['5', '5'] => self
                .letters
                .last()
                .is_some_and(|&last| last.is_lowercase() && is_vowel(last)),
            ['$'] => self.letters.len() > 2,
            _ => false,
        }
    }

    /// The letter that the stand-in at `index` is put for, after the letter `before`.
    fn letter(&self, index: usize, before: Option<char>) -> Option<char> {
        let letter = match self.characters[index] {
            '0' => 'o',
            '3' | '€' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '6' | '9' => 'g',
            '7' => 't',
            '1' | '!' | '¡' => self.i_or_l(index, before),
            _ => return None,
        };
        Some(if self.letters.len() > 1 && self.is_capital() {
            letter.to_ascii_uppercase()
        } else {
            letter
        })
    }

    /// `l` after a vowel (`a55h01e`, twice in `ki11`) and where it makes a common beginning with a vowel to come
    /// (`s1ut`), else `i`.
    fn i_or_l(&self, index: usize, before: Option<char>) -> char {
        let vowel_follows = self
            .characters
            .get(index + 1)
            .is_some_and(|&after| is_vowel(after) || matches!(after, '0' | '3' | '4' | '@'));
        match before.map(|before| before.to_ascii_lowercase()) {
            Some(before) if is_vowel(before) => 'l',
            Some('l') if self.characters[index - 1] != 'l' => 'l',
            Some('b' | 'c' | 'f' | 'g' | 'k' | 'p' | 's') | None if vowel_follows => 'l',
            _ => 'i',
        }
    }
}
