//! A text per line.

use std::io::BufRead;

use super::line::{Line, Lines};
use super::text::{decoded, too_long};
use super::{MAX_ROW_BYTES, Opened, Shape};
use crate::row::Original;

pub(super) fn open(reader: impl BufRead + Send + 'static) -> Opened {
    let contents = Lines::new(reader, MAX_ROW_BYTES).map(|line| {
        Ok(match line? {
            Line::TooLong => too_long(),
            Line::Whole(bytes) => decoded(bytes, Original::Text),
        })
    });
    Opened {
        shape: Shape::Texts,
        contents: Box::new(contents),
    }
}
