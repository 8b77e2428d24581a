//! The text under work.

use std::ops::{Index, Range};

use super::offset_map::OffsetMap;
use super::{Change, Changes, Normalized};

/// A character and the bytes of the original that it stands for. Neighbours leave no byte out; characters that came
/// from one stand for the same bytes.
#[derive(Debug, Clone, Copy)]
struct Cell {
    character: char,
    begin: usize,
    end: usize,
}

/// The characters of a text while its obfuscation is undone.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    original: &'a str,
    cells: Vec<Cell>,
    changes: Changes,
}

impl Index<usize> for Draft<'_> {
    type Output = char;

    fn index(&self, index: usize) -> &char {
        &self.cells[index].character
    }
}

impl<'a> Draft<'a> {
    pub(super) fn new(original: &'a str) -> Self {
        let cells = original
            .char_indices()
            .map(|(begin, character)| Cell {
                character,
                begin,
                end: begin + character.len_utf8(),
            })
            .collect();
        Self {
            original,
            cells,
            changes: Changes::default(),
        }
    }

    /// How many characters there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The character at `index`, if there is one.
    pub(super) fn get(&self, index: usize) -> Option<char> {
        self.cells.get(index).map(|cell| cell.character)
    }

    /// The character before `index`, if there is one.
    pub(super) fn before(&self, index: usize) -> Option<char> {
        self.get(index.checked_sub(1)?)
    }

    /// The characters of `range`.
    pub(super) fn characters(&self, range: Range<usize>) -> impl DoubleEndedIterator<Item = char> {
        self.cells[range].iter().map(|cell| cell.character)
    }

    /// The longest stretches of `range` whose characters all satisfy `belongs`.
    pub(super) fn stretches(&self, range: Range<usize>, belongs: impl Fn(char) -> bool) -> Vec<Range<usize>> {
        let begin = range.start;
        stretches((begin..).zip(self.characters(range)), belongs)
    }

    /// Notes that something was done.
    pub(super) fn note(&mut self, change: Change) {
        self.changes.add(change);
    }

    /// Puts `character` in the place of the one at `index`.
    pub(super) fn replace(&mut self, index: usize, character: char, change: Change) {
        self.cells[index].character = character;
        self.note(change);
    }

    /// Puts the characters that `expansion` gives in the place of those for which it gives some.
    pub(super) fn expand<T: Iterator<Item = char>>(
        &mut self,
        change: Change,
        expansion: impl Fn(&Self, usize) -> Option<T>,
    ) {
        let Some(first) = (0..self.len()).find(|&index| expansion(self, index).is_some()) else {
            return;
        };
        let mut expanded = self.cells[..first].to_vec();
        for index in first..self.len() {
            let cell = self.cells[index];
            match expansion(self, index) {
                Some(characters) => {
                    expanded.extend(characters.map(|character| Cell { character, ..cell }));
                    self.changes.add(change);
                }
                None => expanded.push(cell),
            }
        }
        self.cells = expanded;
    }

    /// Takes out the characters of these stretches, which are in order and apart. Their bytes fall to the character
    /// before them, or after them at the beginning.
    pub(super) fn remove(&mut self, stretches: &[Range<usize>]) {
        let mut kept = 0_usize;
        let mut fallen = None;
        let mut stretches = stretches.iter().peekable();
        for index in 0..self.cells.len() {
            let cell = self.cells[index];
            while stretches.next_if(|stretch| stretch.end <= index).is_some() {}
            if stretches.peek().is_some_and(|stretch| stretch.contains(&index)) {
                match kept.checked_sub(1) {
                    Some(last) => self.cells[last].end = self.cells[last].end.max(cell.end),
                    None => fallen = fallen.or(Some(cell.begin)),
                }
            } else {
                let begin = fallen.take().unwrap_or(cell.begin);
                self.cells[kept] = Cell { begin, ..cell };
                kept += 1;
            }
        }
        self.cells.truncate(kept);
    }

    /// The normalized text, if anything was done.
    pub(super) fn finish(self) -> Option<Normalized> {
        if self.changes.is_empty() {
            return None;
        }
        let mut text = String::with_capacity(self.original.len());
        let mut offsets = OffsetMap::new(self.original.len());
        for cell in &self.cells {
            let begin = text.len();
            text.push(cell.character);
            let verbatim = self.original[cell.begin..cell.end] == text[begin..];
            offsets.push(begin, cell.begin..cell.end, verbatim);
        }
        Some(Normalized {
            text,
            changes: self.changes,
            offsets,
        })
    }
}

/// The longest stretches of numbered characters that all satisfy `belongs`.
pub(super) fn stretches(
    characters: impl Iterator<Item = (usize, char)>,
    belongs: impl Fn(char) -> bool,
) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for (index, _) in characters.filter(|&(_, character)| belongs(character)) {
        match stretches.last_mut() {
            Some(last) if last.end == index => last.end += 1,
            _ => stretches.push(index..index + 1),
        }
    }
    stretches
}
