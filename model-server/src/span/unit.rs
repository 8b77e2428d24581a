//! What the search removes and marks: a distinct word with all its occurrences in one window.

use std::collections::HashMap;
use std::ops::Range;

use super::word_tokens::word_tokens;
use crate::tokenization::Tokens;

/// A distinct word of a window. Two spellings of the same tokens (`Idiot`, `idiot`) are one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// Token ids of one occurrence.
    pub(super) ids: Vec<u32>,
    /// Occurrences, as indices into the words of the text.
    pub(super) words: Vec<usize>,
    /// Tokens of all occurrences, as indices into the tokens of the text.
    pub(super) tokens: Vec<usize>,
    /// Whether it is one of the commonest words of the language, which carry no verdict by themselves.
    pub(super) common: bool,
}

/// The units among `words` that have a token inside `window`, in order of first occurrence.
pub(super) fn units(
    words: &[Range<usize>],
    tokens: &Tokens,
    window: &Range<usize>,
    common_ids: Range<u32>,
) -> Vec<Unit> {
    let mut by_ids: HashMap<Vec<u32>, usize> = HashMap::new();
    let mut units: Vec<Unit> = Vec::new();
    for (word_index, inside) in word_tokens(words, &tokens.offsets, window).enumerate() {
        if inside.is_empty() {
            continue;
        }
        let ids = tokens.ids[inside.clone()].to_vec();
        let index = *by_ids.entry(ids.clone()).or_insert_with(|| {
            let common = matches!(ids.as_slice(), [id] if common_ids.contains(id));
            units.push(Unit {
                ids,
                words: Vec::new(),
                tokens: Vec::new(),
                common,
            });
            units.len() - 1
        });
        units[index].words.push(word_index);
        units[index].tokens.extend(inside);
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_occurrences_and_keeps_to_the_window() {
        // "you idiot you fool"
        let words = [0..3, 4..9, 10..13, 14..18];
        let tokens = Tokens {
            ids: vec![7, 50, 51, 7, 90],
            offsets: vec![0..3, 4..6, 6..9, 10..13, 14..18],
        };
        let all = units(&words, &tokens, &(0..5), 0..10);
        assert_eq!(all.len(), 3);
        assert_eq!(
            (all[0].words.as_slice(), all[0].tokens.as_slice()),
            ([0, 2].as_slice(), [0, 3].as_slice())
        );
        assert_eq!(
            (all[1].ids.as_slice(), all[1].common),
            ([50, 51].as_slice(), false)
        );
        assert!(all[0].common && !all[2].common);

        let part = units(&words, &tokens, &(2..4), 0..0);
        assert_eq!(
            part.iter().map(|unit| unit.words.clone()).collect::<Vec<_>>(),
            [vec![1], vec![2]]
        );
    }
}
