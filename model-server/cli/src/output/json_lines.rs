//! A JSON object per row.

use super::object::write_object;
use super::{Document, Layout};
use crate::row::ScoredRow;

pub(super) struct JsonLines(pub(super) Document);

impl Layout for JsonLines {
    fn begin(&self, _output: &mut Vec<u8>) {}

    fn rows(&self, rows: &[ScoredRow], _first: bool, output: &mut Vec<u8>) {
        for row in rows {
            write_object(&self.0, row, output);
            output.push(b'\n');
        }
    }

    fn end(&self, _output: &mut Vec<u8>) {}
}
