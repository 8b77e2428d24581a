//! Cuts drawn-out letters.

use std::ops::Range;

use super::Change;
use super::character::is_cased;
use super::draft::Draft;

/// Fewest times that a letter stands in a row to be drawn out.
const DRAWN_OUT: usize = 3;

/// Cuts letters that stand three or more times in a row: to two where English doubles the letter, else to one, so
/// that `stuuuupid` and `asssss` become words again.
pub(super) fn shorten(draft: &mut Draft) {
    let mut unwanted = Vec::new();
    for word in draft.stretches(0..draft.len(), is_cased) {
        if !is_part_of_code(draft, &word) {
            shorten_word(draft, &word, &mut unwanted);
        }
    }
    draft.remove(&unwanted);
}

fn shorten_word(draft: &mut Draft, word: &Range<usize>, unwanted: &mut Vec<Range<usize>>) {
    if is_roman_numeral(draft, word) {
        return;
    }
    let mut begin = word.start;
    while begin < word.end {
        let letter = draft[begin].to_ascii_lowercase();
        let is_other = |&index: &usize| {
            let starts_word = draft[index].is_uppercase() && draft[index - 1].is_lowercase();
            draft[index].to_ascii_lowercase() != letter || starts_word
        };
        let end = (begin + 1..word.end).find(is_other).unwrap_or(word.end);
        // A word of one letter alone, such as `zzz` or `KKK`, says what it says.
        if end - begin >= DRAWN_OUT && end - begin < word.len() {
            let kept = usize::from(is_doubled(letter, begin == word.start, end == word.end)) + 1;
            unwanted.push(begin + kept..end);
            draft.note(Change::Repetition);
        }
        begin = end;
    }
}

/// Whether English words double a letter at this place.
fn is_doubled(letter: char, at_start: bool, at_end: bool) -> bool {
    match letter {
        'e' | 'o' => true,
        'f' | 'l' | 's' | 'z' => !at_start,
        'b' | 'c' | 'd' | 'g' | 'm' | 'n' | 'p' | 'r' | 't' => !at_start && !at_end,
        _ => false,
    }
}

/// Whether a digit stands beside the letters, as in `F5FFFA`, or they are a hashtag, in which words meet.
fn is_part_of_code(draft: &Draft, word: &Range<usize>) -> bool {
    let before = draft.before(word.start);
    let after = draft.get(word.end);
    before == Some('#') || [before, after].into_iter().flatten().any(char::is_numeric)
}

fn is_roman_numeral(draft: &Draft, word: &Range<usize>) -> bool {
    draft
        .characters(word.clone())
        .all(|character| matches!(character, 'I' | 'V' | 'X' | 'L' | 'C' | 'D' | 'M'))
}
