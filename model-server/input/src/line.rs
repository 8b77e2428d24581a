//! Bytes to lines: marks at the beginning of a file, and lines that may be too long to hold.

use std::io::{self, BufRead, Chain, Cursor, Read};

/// A reader with some of its bytes put back in front.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Looks at up to `COUNT` first bytes and gives them back in front of the rest.
pub(super) fn peek<const COUNT: usize, R: BufRead>(mut reader: R) -> io::Result<(Vec<u8>, Whole<R>)> {
    let mut head = Vec::with_capacity(COUNT);
    reader.by_ref().take(COUNT as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(reader)))
}

/// What the first bytes of a text say of its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrderMark {
    /// No mark, or the one of UTF-8, which is taken away.
    Utf8,
    /// UTF-16 in either order.
    Utf16,
}

/// Reads past the mark that some programs put in front of UTF-8.
pub(super) fn without_byte_order_mark(
    reader: Box<dyn BufRead + Send>,
) -> io::Result<(Box<dyn BufRead + Send>, ByteOrderMark)> {
    let (head, mut reader) = peek::<3, _>(reader)?;
    let mark = if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        ByteOrderMark::Utf16
    } else {
        ByteOrderMark::Utf8
    };
    if head == "\u{feff}".as_bytes() {
        reader.consume(head.len());
    }
    Ok((Box::new(reader), mark))
}

/// One line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The line.
    Whole(Vec<u8>),
    /// A line of more bytes than the limit; it was read over.
    TooLong,
}

/// The lines of a reader, none of more than `limit` bytes in memory.
pub(super) struct Lines<R> {
    reader: R,
    limit: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit }
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        // Room for the line's end, "\r\n".
        let most = self.limit as u64 + 2;
        if self.reader.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let ended = line.ends_with(b"\n");
        if ended {
            line.pop();
            if line.ends_with(b"\r") {
                line.pop();
            }
        }
        if line.len() <= self.limit {
            return Ok(Some(Line::Whole(line)));
        }
        if !ended {
            self.reader.skip_until(b'\n')?;
        }
        Ok(Some(Line::TooLong))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, limit: usize) -> Vec<Line> {
        Lines::new(text.as_bytes(), limit).map(Result::unwrap).collect()
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.into())
    }

    #[test]
    fn lines_end_with_either_kind_of_end_or_with_the_file() {
        assert_eq!(
            lines("one\r\n\ntwo\nthree", 10),
            [whole("one"), whole(""), whole("two"), whole("three")]
        );
        assert_eq!(lines("", 10), []);
    }

    #[test]
    fn a_line_over_the_limit_is_read_over_and_the_next_is_whole() {
        assert_eq!(
            lines("1234\n12345\r\n123456789\n1234\r\n12345", 4),
            [
                whole("1234"),
                Line::TooLong,
                Line::TooLong,
                whole("1234"),
                Line::TooLong
            ]
        );
    }

    #[test]
    fn the_mark_of_utf_8_is_no_part_of_the_text() {
        let read = |bytes: &'static [u8]| {
            let (mut reader, mark) = without_byte_order_mark(Box::new(bytes)).unwrap();
            let mut rest = Vec::new();
            reader.read_to_end(&mut rest).unwrap();
            (rest, mark)
        };
        assert_eq!(read(b"\xef\xbb\xbfid"), (b"id".to_vec(), ByteOrderMark::Utf8));
        assert_eq!(read(b"id"), (b"id".to_vec(), ByteOrderMark::Utf8));
        assert_eq!(read(b"").1, ByteOrderMark::Utf8);
        assert_eq!(read(b"\xff\xfei\0").1, ByteOrderMark::Utf16);
    }
}
