//! Joins words that are spelled out with something between the letters.

use std::ops::Range;

use super::Change;
use super::character::{has_plain_case, is_cased, is_general_mark, is_vowel};
use super::draft::Draft;

/// Most characters between two letters.
pub(super) const LONGEST_SEPARATOR: usize = 4;

/// Fewest letters of a word that is spelled out.
pub(super) const FEWEST_LETTERS: usize = 3;

/// Fewest letters where shorter runs are ordinary: `a.k.a.`, `U.S.A.`, `A/B/C`, `a + b + c`, or letters below each
/// other.
const FEWEST_LETTERS_OF_LISTS: usize = 4;

/// Fewest letters of a word that may be followed by more text without a gap, as in `f.u.c.k.you`.
const FEWEST_LETTERS_UNBOUND: usize = 4;

/// Letters that are words: articles, pronouns and conjunctions of several languages, and `u r y` of chats.
const ONE_LETTER_WORDS: &str = "aeiouyàùrnkcbwzавикосуя";

/// A word spelled out: its letters, and what stands between each two of them.
struct Spelled {
    letters: Vec<usize>,
    separator: Range<usize>,
}

impl Spelled {
    fn end(&self) -> usize {
        self.letters.last().map_or(0, |last| last + 1)
    }
}

/// Joins words that are spelled out: three or more single letters with the same separator between each two.
pub(super) fn join(draft: &mut Draft) {
    let mut unwanted = Vec::new();
    let mut index = 0;
    while index < draft.len() {
        let Some(mut spelled) = find(draft, index) else {
            index += 1;
            continue;
        };
        index = spelled.end();
        trim(draft, &mut spelled);
        if is_word(draft, &spelled) {
            unwanted.extend(spelled.letters.windows(2).map(|pair| pair[0] + 1..pair[1]));
            draft.note(Change::Spacing);
        }
    }
    draft.remove(&unwanted);
}

/// The longest run of single letters that begins at `start`, if there is more than one.
fn find(draft: &Draft, start: usize) -> Option<Spelled> {
    let starts_word = !draft.before(start).is_some_and(is_joined_to_letters);
    if !is_cased(draft[start]) || !starts_word || !is_single(draft, start) {
        return None;
    }
    let length = (start + 1..draft.len())
        .take(LONGEST_SEPARATOR + 1)
        .take_while(|&index| is_separator(draft[index]))
        .count();
    let separator = start + 1..start + 1 + length;
    // The one of `-a -b -c` differs at its ends.
    let is_even = draft
        .characters(separator.clone())
        .eq(draft.characters(separator.clone()).rev());
    if length == 0 || length > LONGEST_SEPARATOR || !is_even {
        return None;
    }
    let mut letters = vec![start];
    let mut next = separator.end;
    while is_spelled_letter(draft, next) {
        letters.push(next);
        let between = next + 1..(next + 1 + length).min(draft.len());
        if !draft
            .characters(between.clone())
            .eq(draft.characters(separator.clone()))
        {
            break;
        }
        next = between.end;
    }
    (letters.len() > 1).then_some(Spelled { letters, separator })
}

fn is_single(draft: &Draft, index: usize) -> bool {
    !draft.get(index + 1).is_some_and(is_joined_to_letters)
}

/// Whether the character can be a letter of a word that is spelled out; digits and signs may stand in for letters.
fn is_spelled_letter(draft: &Draft, index: usize) -> bool {
    draft
        .get(index)
        .is_some_and(|character| is_cased(character) || is_stand_in(character))
        && is_single(draft, index)
}

fn is_stand_in(character: char) -> bool {
    matches!(character, '0' | '1' | '3' | '4' | '5' | '7' | '@' | '$' | '!')
}

/// Whether a character makes one word with a letter beside it.
fn is_joined_to_letters(character: char) -> bool {
    character.is_alphanumeric()
        || is_general_mark(character)
        || matches!(character, '\'' | '’' | '@' | '#' | '$')
}

/// Whether a character may stand between the letters of a word that is spelled out. Commas, brackets and quotation
/// marks make lists.
fn is_separator(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '.' | '-' | '_' | '*' | '/' | '~' | '|' | '+' | '·' | '•' | '\u{2010}'..='\u{2014}' | '\u{fe0f}'
        )
        || matches!(character, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Takes off what does not belong: stand-ins at the end, and the words "a" before capitals and "I" after small
/// letters.
fn trim(draft: &Draft, spelled: &mut Spelled) {
    let letters = &mut spelled.letters;
    while letters.last().is_some_and(|&last| !is_cased(draft[last])) {
        letters.pop();
    }
    let is_small = |index: &usize| draft[*index].is_lowercase();
    if let [first, rest @ ..] = letters.as_slice()
        && draft[*first] == 'a'
        && !rest.iter().any(is_small)
    {
        letters.remove(0);
    }
    if let [rest @ .., last] = letters.as_slice()
        && draft[*last] == 'I'
        && rest.iter().all(is_small)
    {
        letters.pop();
    }
}

/// Whether a run of letters is a word rather than an abbreviation, a list or several one-letter words.
fn is_word(draft: &Draft, spelled: &Spelled) -> bool {
    let Spelled { letters, separator } = spelled;
    let cased: Vec<char> = letters
        .iter()
        .map(|&index| draft[index])
        .filter(|&letter| is_cased(letter))
        .collect();
    let small: Vec<char> = cased
        .iter()
        .filter_map(|letter| letter.to_lowercase().next())
        .collect();
    let separated_by = |separators: &[char]| {
        draft
            .characters(separator.clone())
            .any(|character| separators.contains(&character))
    };
    let fewest = if separated_by(&['.', '/', '+', '|', '\n']) {
        FEWEST_LETTERS_OF_LISTS
    } else {
        FEWEST_LETTERS
    };
    let is_blank = draft.characters(separator.clone()).all(char::is_whitespace);
    let is_sentence = is_blank
        && small.len() == FEWEST_LETTERS
        && small.iter().all(|&letter| ONE_LETTER_WORDS.contains(letter));
    // Asterisks also mask letters: the word of `p*n*s` is longer than this.
    let is_masked = separated_by(&['*']) && !small.iter().copied().any(is_vowel);
    small.len() >= fewest
        && has_plain_case(&cased)
        && !is_sentence
        && !is_masked
        && !is_sequence(&small)
        && (is_blank
            || (separated_by(&['.']) && letters.len() >= FEWEST_LETTERS_UNBOUND)
            || is_bound(draft, spelled))
}

/// Whether the letters are all the same or follow each other in the alphabet, up or down.
fn is_sequence(letters: &[char]) -> bool {
    let step = |pair: &[char]| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0]));
    let mut steps = letters.windows(2).map(step);
    steps
        .next()
        .is_some_and(|first| first.abs() <= 1 && steps.all(|step| step == first))
}

/// Whether more text is joined to neither end, as in `x-y-z-axis`.
fn is_bound(draft: &Draft, spelled: &Spelled) -> bool {
    let start = spelled.letters[0];
    let follows_text = draft
        .before(start)
        .is_some_and(|character| !character.is_whitespace())
        && start
            .checked_sub(2)
            .is_some_and(|index| draft[index].is_alphanumeric());
    let precedes_text = draft
        .get(spelled.end())
        .is_some_and(|character| !character.is_whitespace())
        && draft.get(spelled.end() + 1).is_some_and(char::is_alphanumeric);
    !follows_text && !precedes_text
}
