//! The sentences of a comment.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// Sentences that one comment is scored in at most.
pub const MOST_SENTENCES: usize = 100;

/// Longest run of characters other than letters and digits inside a sentence. The library looks through such a run
/// anew at each of its characters, so a longer one would cost its square.
const LONGEST_GAP: usize = 64;

/// Byte ranges of the sentences of `text`, in order, without the white space around them; at least one, and at most
/// [`MOST_SENTENCES`].
///
/// Sentences are those of Unicode (UAX #29), so a line break ends one too. A piece without a letter or a digit, such
/// as an emoji, belongs to the sentence before it. When there are too many, neighbours are joined until none but the
/// last is shorter than its share of the text.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut sentences = with_words(text, pieces(text));
    if sentences.len() > MOST_SENTENCES {
        sentences = joined(&sentences, text.len().div_ceil(MOST_SENTENCES));
    }
    sentences
        .into_iter()
        .map(|sentence| trimmed(text, sentence))
        .collect()
}

/// Byte ranges that cover `text`, each of which ends at a sentence boundary or after an overlong gap.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut begin = 0;
    for gap in long_gaps(text) {
        let first = pieces.len();
        pieces.extend(bounds(text, begin..gap.start));
        match pieces[first..].last_mut() {
            Some(last) => last.end = gap.end,
            None => pieces.push(gap.clone()),
        }
        begin = gap.end;
    }
    pieces.extend(bounds(text, begin..text.len()));
    pieces
}

fn bounds(text: &str, part: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let begin = part.start;
    text[part]
        .split_sentence_bound_indices()
        .map(move |(index, sentence)| begin + index..begin + index + sentence.len())
}

/// The runs of more than [`LONGEST_GAP`] characters without a letter or a digit.
fn long_gaps(text: &str) -> Vec<Range<usize>> {
    let mut gaps = Vec::new();
    let mut begin = 0;
    let mut length = 0;
    let end_of_text = (text.len(), 'a');
    for (index, character) in text.char_indices().chain([end_of_text]) {
        if !character.is_alphanumeric() {
            length += 1;
            continue;
        }
        if length > LONGEST_GAP {
            gaps.push(begin..index);
        }
        begin = index + character.len_utf8();
        length = 0;
    }
    gaps
}

/// Joins pieces until each has a letter or a digit, or only one is left.
fn with_words(text: &str, pieces: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut sentences: Vec<Range<usize>> = Vec::with_capacity(pieces.len());
    let mut last_has_word = false;
    for piece in pieces {
        let has_word = text[piece.clone()].chars().any(char::is_alphanumeric);
        match sentences.last_mut() {
            Some(last) if !(has_word && last_has_word) => {
                last.end = piece.end;
                last_has_word |= has_word;
            }
            _ => {
                sentences.push(piece);
                last_has_word = has_word;
            }
        }
    }
    sentences
}

/// Joins neighbours until all but the last have at least `shortest` bytes.
fn joined(sentences: &[Range<usize>], shortest: usize) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(MOST_SENTENCES);
    for sentence in sentences {
        match joined.last_mut() {
            Some(last) if last.len() < shortest => last.end = sentence.end,
            _ => joined.push(sentence.clone()),
        }
    }
    joined
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let sentence = &text[range.clone()];
    let begin = range.end - sentence.trim_start().len();
    begin..begin + sentence.trim().len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn white_space_between_sentences_belongs_to_none() {
        let cases: [(&str, &[&str]); 8] = [
            (
                "What kind of idiot name is foo? Sorry, I like your name.",
                &["What kind of idiot name is foo?", "Sorry, I like your name."],
            ),
            ("Hi there", &["Hi there"]),
            ("  One.  Two!\t", &["One.", "Two!"]),
            ("One line\r\nanother\n\nthird", &["One line", "another", "third"]),
            ("It is 3.5 m long, e.g. here.", &["It is 3.5 m long, e.g. here."]),
            ("He said \"no.\" She left.", &["He said \"no.\"", "She left."]),
            ("你好。再见。", &["你好。", "再见。"]),
            (
                "cafe\u{301}. E\u{301}te\u{301}.",
                &["cafe\u{301}.", "E\u{301}te\u{301}."],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_has_no_words_belongs_to_a_neighbour() {
        assert_eq!(
            split("You are great.\n😀😀\nReally."),
            ["You are great.\n😀😀", "Really."]
        );
        assert_eq!(split("...\n!!!\nYou."), ["...\n!!!\nYou."]);
        assert_eq!(split(" 😀\n😀 "), ["😀\n😀"]);
    }

    #[test]
    fn an_overlong_gap_ends_a_sentence() {
        let gap = format!(".{}", " ".repeat(LONGEST_GAP - 1));
        assert_eq!(split(&format!("One{gap}two")), [format!("One{gap}two")]);
        assert_eq!(split(&format!("One{gap} two")), ["One.", "two"]);
        assert_eq!(split(&format!("One{gap} ")), ["One."]);
        assert_eq!(split(&format!("{gap} one")), [format!("{gap} one")]);
    }

    #[test]
    fn the_library_sees_no_overlong_gap() {
        let longest_gap = |part: &str| {
            part.split(char::is_alphanumeric)
                .map(|gap| gap.chars().count())
                .max()
        };
        for filling in [" ", ")", ". ", ".\u{301} ", " 1"] {
            let text = format!("a.{}b.{}", filling.repeat(10_000), filling.repeat(10_000));
            let gaps = long_gaps(&text);
            let begins = std::iter::once(0).chain(gaps.iter().map(|gap| gap.end));
            let ends = gaps.iter().map(|gap| gap.start).chain([text.len()]);
            for (begin, end) in begins.zip(ends) {
                assert!(longest_gap(&text[begin..end]) <= Some(LONGEST_GAP), "{filling:?}");
            }
        }
    }

    #[test]
    fn too_many_sentences_are_joined_and_long_ones_stay() {
        let long = format!("{}.", "word ".repeat(40).trim_end());
        let text = format!("{}{long} {}", "A. ".repeat(150), "B. ".repeat(150));
        let found = split(&text);
        assert!(found.len() <= MOST_SENTENCES);
        assert!(found.iter().any(|sentence| sentence.ends_with(&long)));
        assert!(found[0].len() < 12, "{:?}", found[0]);
    }

    proptest! {
        #[test]
        fn sentences_cover_all_but_white_space(text in "(\\PC|[.!?\n\r\t a\u{301}\u{200d}😀]){1,400}") {
            let found = sentences(&text);
            prop_assert!(found.len() <= MOST_SENTENCES);
            let mut end = 0;
            for sentence in &found {
                prop_assert!(text[end..sentence.start].trim().is_empty());
                prop_assert!(text.trim().is_empty() || sentence.start < sentence.end);
                end = sentence.end;
            }
            prop_assert!(text[end..].trim().is_empty());
        }

        #[test]
        fn there_are_never_too_many_sentences(text in "([A-Z]\\. |[a-z ]{0,30}[.!?\n]){0,700}") {
            prop_assert!(sentences(&text).len() <= MOST_SENTENCES);
        }
    }
}
