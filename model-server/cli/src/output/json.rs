//! One JSON list, an object per row.

use super::object::write_object;
use super::{Document, Layout};
use crate::row::ScoredRow;

pub(super) struct Json(pub(super) Document);

impl Layout for Json {
    fn begin(&self, output: &mut Vec<u8>) {
        output.push(b'[');
    }

    fn rows(&self, rows: &[ScoredRow], first: bool, output: &mut Vec<u8>) {
        for (index, row) in rows.iter().enumerate() {
            output.extend_from_slice(if first && index == 0 { b"\n" } else { b",\n" });
            write_object(&self.0, row, output);
        }
    }

    fn end(&self, output: &mut Vec<u8>) {
        output.extend_from_slice(b"\n]\n");
    }
}
