//! From positions in the normalized text back to the original.

use std::ops::Range;

/// A stretch of the normalized text, up to where the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// First byte in the normalized text.
    begin: usize,
    /// The bytes of the original that it stands for.
    original: Range<usize>,
    /// Whether both are the same text, so that each byte has its own place.
    verbatim: bool,
}

/// Where each byte of a normalized text came from. Takes memory for the places where something was done alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OffsetMap {
    pieces: Vec<Piece>,
    original_length: usize,
}

impl OffsetMap {
    /// The map of a text that has no characters yet.
    pub(super) fn new(original_length: usize) -> Self {
        Self {
            pieces: Vec::new(),
            original_length,
        }
    }

    /// Adds the next character, which begins at byte `begin` of the normalized text.
    pub(super) fn push(&mut self, begin: usize, original: Range<usize>, verbatim: bool) {
        match self.pieces.last_mut() {
            Some(last) if verbatim && last.verbatim => last.original.end = original.end,
            _ => self.pieces.push(Piece {
                begin,
                original,
                verbatim,
            }),
        }
    }

    /// The bytes of the original that `range` stands for; `range` must be within the text and split no character.
    pub(super) fn original_range(&self, range: Range<usize>) -> Range<usize> {
        if range.is_empty() {
            let place = self.place(range.start, |piece| piece.original.start);
            return place..place;
        }
        let begin = self.place(range.start, |piece| piece.original.start);
        // The last byte decides, since the byte after it may belong to another piece.
        let last = self.place(range.end - 1, |piece| piece.original.end - 1);
        begin..last + 1
    }

    /// The place of one byte of the normalized text; `edge` gives it where the text was changed.
    fn place(&self, byte: usize, edge: impl Fn(&Piece) -> usize) -> usize {
        let after = self.pieces.partition_point(|piece| piece.begin <= byte);
        let Some(piece) = after.checked_sub(1).map(|index| &self.pieces[index]) else {
            return self.original_length;
        };
        if piece.verbatim {
            (piece.original.start + (byte - piece.begin)).min(self.original_length)
        } else {
            edge(piece)
        }
    }
}
