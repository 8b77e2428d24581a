//! A reader that stops where its allowance ends, however much a hostile archive makes others read.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

/// Bytes that may still be read. Clones are one allowance.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowance(Rc<Cell<u64>>);

impl Allowance {
    pub(super) fn set(&self, bytes: u64) {
        self.0.set(bytes);
    }

    pub(super) fn left(&self) -> u64 {
        self.0.get()
    }
}

/// Reads within an allowance.
#[derive(Debug)]
pub(super) struct Allowed<R> {
    reader: R,
    allowance: Allowance,
}

impl<R> Allowed<R> {
    pub(super) fn new(reader: R, allowance: &Allowance) -> Self {
        Self {
            reader,
            allowance: allowance.clone(),
        }
    }
}

impl<R: Read> Read for Allowed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.left();
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other("more is read than allowed"));
        }
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.reader.read(&mut buffer[..length])?;
        self.allowance.set(left - read as u64);
        Ok(read)
    }
}

impl<R: Seek> Seek for Allowed<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.reader.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_ends_with_the_allowance() {
        let allowance = Allowance::default();
        let mut reader = Allowed::new(io::repeat(7), &allowance);
        let mut buffer = [0; 8];
        assert!(reader.read(&mut buffer).is_err());
        allowance.set(10);
        assert_eq!(reader.read(&mut buffer).unwrap(), 8);
        assert_eq!(reader.read(&mut buffer).unwrap(), 2);
        assert!(reader.read(&mut buffer).is_err());
    }
}
