//! Positions in UTF-16 code units, as Perspective counts.

use std::ops::Range;

/// The positions of byte ranges of `text` that are in order.
pub(super) fn positions(text: &str, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let (mut byte, mut unit) = (0, 0);
    let mut position = |next: usize| {
        unit += text[byte..next].encode_utf16().count();
        byte = next;
        unit
    };
    ranges
        .iter()
        .map(|range| position(range.start)..position(range.end))
        .collect()
}

/// The bytes of a text by their positions in UTF-16 code units.
pub(super) struct ByteIndex {
    /// Position and byte of each character, in order, then those of the end.
    boundaries: Vec<(usize, usize)>,
}

impl ByteIndex {
    pub(super) fn new(text: &str) -> Self {
        let mut boundaries = Vec::with_capacity(text.len() + 1);
        let mut unit = 0;
        for (byte, character) in text.char_indices() {
            boundaries.push((unit, byte));
            unit += character.len_utf16();
        }
        boundaries.push((unit, text.len()));
        Self { boundaries }
    }

    /// The byte at a position, unless it lies behind the end or within a character.
    pub(super) fn byte(&self, unit: usize) -> Option<usize> {
        let found = self
            .boundaries
            .binary_search_by_key(&unit, |&(unit, _)| unit)
            .ok()?;
        Some(self.boundaries[found].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Hé 😀e\u{301}";

    #[test]
    fn counts_utf16_code_units() {
        assert_eq!(positions("Hi there", &[0..2, 3..8]), [0..2, 3..8]);
        assert_eq!(positions(TEXT, &[0..3, 4..8, 8..11]), [0..2, 3..5, 5..7]);
        assert!(positions(TEXT, &[]).is_empty());
    }

    #[test]
    fn finds_the_byte_of_every_boundary_and_of_nothing_else() {
        let index = ByteIndex::new(TEXT);
        let bytes: Vec<_> = (0..=8).map(|unit| index.byte(unit)).collect();
        let expected = [0, 1, 3, 4, 99, 8, 9, 11, 99].map(|byte| Some(byte).filter(|&byte| byte != 99));
        assert_eq!(bytes, expected);
        assert_eq!(index.byte(usize::MAX), None);
    }
}
