//! Where an output goes.

use std::io::{self, Write};

use super::{OutputFile, OutputFileError};
use crate::row::Tally;

/// Where an output goes.
pub enum Destination {
    /// The standard output, or something else that is not a regular file.
    Stream(Box<dyn Write>),
    /// A file that appears when it is whole.
    File(OutputFile),
}

impl Destination {
    /// Writes some rows and lets go of them.
    ///
    /// # Errors
    /// When the other side does not take them.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stream(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
            Self::File(file) => file.write(bytes),
        }
    }

    /// Makes sure that what was written is still there after a crash, and that a later run knows of it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn checkpoint(&mut self, tally: &Tally) -> Result<(), OutputFileError> {
        match self {
            Self::Stream(_) => Ok(()),
            Self::File(file) => file.checkpoint(tally),
        }
    }

    /// Whether the same command can go on with what was written so far.
    #[must_use]
    pub fn can_be_resumed(&self) -> bool {
        matches!(self, Self::File(file) if file.can_be_resumed())
    }

    /// Puts the whole output in its place.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn finish(self, tally: &Tally) -> Result<(), OutputFileError> {
        match self {
            Self::Stream(_) => Ok(()),
            Self::File(file) => file.finish(tally),
        }
    }
}
