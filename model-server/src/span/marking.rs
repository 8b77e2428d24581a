//! Marks words by what the model says of their tokens.

use std::ops::Range;

use super::toxic_token::{ToxicToken, WEAKEST};
use super::word_tokens::word_tokens;

/// Probability from which a word is marked. Models are tuned so that half is right.
const MARKED: f32 = 0.5;

/// The probability that each marked word is toxic; nothing for the others. Where no word is marked by itself, the
/// strongest one may still be what a flagged text was flagged for.
pub(super) fn mark(
    words: &[Range<usize>],
    offsets: &[Range<usize>],
    windows: &[Range<usize>],
    toxic: &[ToxicToken],
) -> Vec<Option<f32>> {
    let probabilities: Vec<f32> = word_tokens(words, offsets, &(0..offsets.len()))
        .map(|tokens| probability(&tokens, windows, toxic))
        .collect();
    // The first of equals, for the last one is taken of what goes backwards.
    let strongest = (0..words.len())
        .rev()
        .max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let marked = probabilities.iter().enumerate().map(|(word, &probability)| {
        let bar = if strongest == Some(word) { WEAKEST } else { MARKED };
        (probability >= bar).then_some(probability)
    });
    marked.collect()
}

/// The highest probability of a token of a word in the windows that hold the word. What a window makes of the rest of a
/// word that it cuts counts only where none holds all of it.
fn probability(word: &Range<usize>, windows: &[Range<usize>], toxic: &[ToxicToken]) -> f32 {
    let begin = toxic.partition_point(|token| token.token < word.start);
    let of_word = toxic[begin..].iter().take_while(|token| token.token < word.end);
    let holds = |window: &Range<usize>| window.start <= word.start && word.end <= window.end;
    let is_held = windows.iter().any(holds);
    of_word
        .filter(|token| !is_held || holds(&windows[token.window]))
        .map(|token| token.probability)
        .fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::super::toxic_token::toxic_tokens;
    use super::*;

    /// "you moronic fool, moron!" in tokens: you moron ##ic fool , moron !
    const WORDS: [Range<usize>; 4] = [0..3, 4..11, 12..16, 18..23];
    const OFFSETS: [Range<usize>; 7] = [0..3, 4..9, 9..11, 12..16, 16..17, 18..23, 23..24];

    /// Marks in percent, by the logits of each window.
    fn marks<const WINDOWS: usize>(windows: [(Range<usize>, &[f32]); WINDOWS]) -> [Option<f32>; 4] {
        let (windows, logits): (Vec<_>, Vec<_>) = windows.into_iter().unzip();
        let toxic = toxic_tokens(&windows, &logits, 0);
        let marks = mark(&WORDS, &OFFSETS, &windows, &toxic);
        let marks = marks
            .into_iter()
            .map(|mark| mark.map(|mark| (mark * 100.0).round()));
        marks.collect::<Vec<_>>().try_into().unwrap()
    }

    #[test]
    fn a_word_counts_as_its_most_toxic_token_from_a_half_on() {
        let logits = [-0.1, -4.0, 2.0, 0.0, 9.0, -0.01, 9.0];
        assert_eq!(
            marks([(0..7, &logits)]),
            [None, Some(88.0), Some(50.0), None],
            "marks of punctuation are no words"
        );
    }

    #[test]
    fn the_strongest_word_stands_alone_where_none_is_sure() {
        let logits = [-3.0, -1.0, -2.0, -0.5, 9.0, -0.5, 9.0];
        assert_eq!(marks([(0..7, &logits)]), [None, None, Some(38.0), None]);
        let logits = [-3.0, -2.19, -3.0, -3.0, 9.0, -3.0, 9.0];
        assert_eq!(marks([(0..7, &logits)]), [None, Some(10.0), None, None]);
        let logits = [-3.0, -2.21, -3.0, -3.0, 9.0, -3.0, 9.0];
        assert_eq!(marks([(0..7, &logits)]), [None; 4], "it must be likely at all");
        assert!(mark(&[], &[], &[], &[]).is_empty());
    }

    #[test]
    fn the_surest_of_all_windows_counts() {
        let (first, second) = ([-9.0, -9.0, -9.0, 1.0], [2.0, -9.0, -9.0, -9.0]);
        assert_eq!(
            marks([(0..4, &first), (3..7, &second)]),
            [None, None, Some(88.0), None]
        );
        let second = [-9.0, -9.0, 3.0, -9.0];
        assert_eq!(
            marks([(0..4, &first), (3..7, &second)]),
            [None, None, Some(73.0), Some(95.0)]
        );
    }

    #[test]
    fn a_window_that_cuts_a_word_says_nothing_of_it_unless_all_do() {
        let (whole, rest) = ([-9.0; 4], [9.0, 0.5, -9.0, -9.0, -9.0]);
        assert_eq!(
            marks([(0..4, &whole), (2..7, &rest)]),
            [None, None, Some(62.0), None]
        );
        let begin = [-9.0, 1.0];
        assert_eq!(
            marks([(0..2, &begin), (2..7, &rest)]),
            [None, Some(100.0), Some(62.0), None]
        );
    }
}
