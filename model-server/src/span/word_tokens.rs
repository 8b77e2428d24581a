//! Which tokens a word is made of.

use std::ops::Range;

/// The tokens of each word that lie inside `window`, as indices into the tokens of the text; empty where none does.
/// `offsets` are the places of all tokens in the text.
pub(super) fn word_tokens(
    words: &[Range<usize>],
    offsets: &[Range<usize>],
    window: &Range<usize>,
) -> impl Iterator<Item = Range<usize>> {
    let mut first = window.start;
    words.iter().map(move |word| {
        while first < window.end && offsets[first].end <= word.start {
            first += 1;
        }
        let inside = offsets[first..window.end].iter();
        first..first + inside.take_while(|token| token.start < word.end).count()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_made_of_one_token_or_more_within_the_window() {
        // "idiots, x you": the first word of three tokens, a comma in between, a character that left no token.
        let words = [0..6, 8..9, 10..13];
        let offsets = [0..2, 2..4, 4..6, 6..7, 10..13];
        let of = |window: Range<usize>| word_tokens(&words, &offsets, &window).collect::<Vec<_>>();
        assert_eq!(of(0..5), [0..3, 4..4, 4..5]);
        assert_eq!(of(1..2), [1..2, 2..2, 2..2]);
    }
}
