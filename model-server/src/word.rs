//! The words of a text, as a person would point at them.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// Characters that stand in for letters inside a word, as in `f*ck`, `a$$hole` or `sh!t`.
const STAND_INS: [char; 8] = ['*', '@', '$', '#', '!', '_', '%', '&'];

/// Separators with which a word is spelled out, as in `i d i o t` or `i-d-i-o-t`.
const SPELLING_SEPARATORS: [&str; 6] = [" ", ".", "-", "_", "*", "/"];

/// Fewest letters of a word that is spelled out; two could be initials.
const FEWEST_SPELLED_LETTERS: usize = 3;

/// Byte ranges of the words of `text`, in order and apart from each other.
///
/// Words are those of Unicode (UAX #29) and emoji. Parts that belong to one disguised word are joined: `f*ck` and
/// `i d i o t` are one word each. Ranges never split a character.
#[must_use]
pub fn words(text: &str) -> Vec<Range<usize>> {
    let segments: Vec<Range<usize>> = text
        .split_word_bound_indices()
        .filter(|(_, segment)| is_word(segment))
        .map(|(begin, segment)| begin..begin + segment.len())
        .collect();
    let joined = join_spelled_out(text, &join_disguised(text, segments));
    let mut words: Vec<Range<usize>> = Vec::with_capacity(joined.len());
    for (index, word) in joined.iter().enumerate() {
        let floor = words.last().map_or(0, |word| word.end);
        let ceiling = joined.get(index + 1).map_or(text.len(), |word| word.start);
        words.push(with_outer_stand_ins(text, word, floor..ceiling));
    }
    words
}

fn is_word(segment: &str) -> bool {
    segment
        .chars()
        .any(|character| character.is_alphanumeric() || is_pictograph(character))
}

fn is_pictograph(character: char) -> bool {
    matches!(u32::from(character), 0x2600..=0x27BF | 0x1F000..=0x1FAFF)
}

fn join_disguised(text: &str, segments: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::with_capacity(segments.len());
    for segment in segments {
        match words.last_mut() {
            Some(last) if is_disguise(&text[last.clone()], &text[last.end..segment.start]) => {
                last.end = segment.end;
            }
            _ => words.push(segment),
        }
    }
    words
}

/// Whether `gap` hides letters after the beginning `left`: stand-ins, or dashes after at most two letters (`f--k`).
fn is_disguise(left: &str, gap: &str) -> bool {
    let stands_in = !gap.is_empty() && gap.chars().all(|character| STAND_INS.contains(&character));
    let dashes = gap.len() >= 2 && gap.bytes().all(|byte| byte == b'-') && left.chars().count() <= 2;
    stands_in || dashes
}

fn join_spelled_out(text: &str, words: &[Range<usize>]) -> Vec<Range<usize>> {
    let is_letter = |word: &Range<usize>| {
        let mut characters = text[word.clone()].chars();
        characters
            .next()
            .is_some_and(|first| first.is_alphabetic() && first.is_ascii())
            && characters.next().is_none()
    };
    let mut joined = Vec::with_capacity(words.len());
    let mut index = 0;
    while index < words.len() {
        let mut end = index + 1;
        if is_letter(&words[index]) && end < words.len() {
            let separator = &text[words[index].end..words[end].start];
            while SPELLING_SEPARATORS.contains(&separator)
                && end < words.len()
                && is_letter(&words[end])
                && &text[words[end - 1].end..words[end].start] == separator
            {
                end += 1;
            }
        }
        if end - index >= FEWEST_SPELLED_LETTERS {
            joined.push(words[index].start..words[end - 1].end);
            index = end;
        } else {
            joined.push(words[index].clone());
            index += 1;
        }
    }
    joined
}

/// Takes in stand-ins for a first or last letter, `@sshole` or `fuc*`, within what no other word holds.
fn with_outer_stand_ins(text: &str, word: &Range<usize>, free: Range<usize>) -> Range<usize> {
    let begin = free.start
        + text[free.start..word.start]
            .trim_end_matches(['*', '@', '$'])
            .len();
    let after = &text[word.end..free.end];
    begin..word.end + (after.len() - after.trim_start_matches('*').len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        words(text).into_iter().map(|word| &text[word]).collect()
    }

    #[test]
    fn leaves_punctuation_out() {
        assert_eq!(
            split("You're a stupid, worthless idiot."),
            ["You're", "a", "stupid", "worthless", "idiot"]
        );
        assert_eq!(split(" \n\t...—"), Vec::<&str>::new());
    }

    #[test]
    fn joins_disguised_words() {
        assert_eq!(
            split("what a f*cking a$$hole, sh!t"),
            ["what", "a", "f*cking", "a$$hole", "sh!t"]
        );
        assert_eq!(
            split("you f--king @sshole fuc*"),
            ["you", "f--king", "@sshole", "fuc*"]
        );
        assert_eq!(split("an i d i o t here"), ["an", "i d i o t", "here"]);
        assert_eq!(split("m-o-r-o-n"), ["m-o-r-o-n"]);
        assert_eq!(split("I a m"), ["I a m"]);
        assert_eq!(split("vitamin B and C"), ["vitamin", "B", "and", "C"]);
    }

    #[test]
    fn knows_other_scripts_and_emoji() {
        assert_eq!(split("أنت غبي جدا"), ["أنت", "غبي", "جدا"]);
        assert_eq!(split("你是白痴").len(), 4);
        assert_eq!(split("you 🖕🏽!"), ["you", "🖕🏽"]);
        assert_eq!(split("naïve café"), ["naïve", "café"]);
    }

    proptest! {
        #[test]
        fn words_are_in_order_and_split_no_character(text in any::<String>()) {
            let mut last = 0;
            for word in words(&text) {
                prop_assert!(word.start >= last && word.start < word.end);
                prop_assert!(text.get(word.clone()).is_some());
                last = word.end;
            }
        }

        #[test]
        fn every_letter_is_in_a_word(text in "[a-z0-9*@$!' .,\u{e9}\u{4f60}-]{0,40}") {
            let mut covered = vec![false; text.len()];
            for word in words(&text) {
                covered[word].fill(true);
            }
            for (begin, character) in text.char_indices() {
                prop_assert!(!character.is_alphanumeric() || covered[begin], "{} in {}", character, text);
            }
        }
    }
}
