//! A file that appears when it is whole, and that an interrupted run can go on with.
//!
//! Rows go into `FILE.partial`. At every checkpoint they are made durable first, and then `FILE.resume` says how many
//! bytes of them count. So whenever the process dies, what that file says is true, and what lies behind it is cut off
//! and written again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::resume::{Checkpoint, DifferentRunError, Run};
use crate::row::Tally;

/// Why an output file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputFileError {
    /// The disk refuses.
    #[error("failed to write \"{path}\"")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The same command runs already.
    #[error("another run is writing \"{0}\"; wait for it, or choose another --out")]
    Lock(PathBuf),
    /// An interrupted run would be lost.
    #[error(
        "an interrupted run left \"{partial}\" with {rows} rows; add --resume to go on with it, or delete \"{state}\" \
         to begin anew"
    )]
    Unfinished {
        /// Its output so far.
        partial: PathBuf,
        /// Its state.
        state: PathBuf,
        /// Rows it scored.
        rows: u64,
    },
    /// The interrupted run was another one.
    #[error("failed to resume the interrupted run; repeat its command, or delete \"{state}\" to begin anew")]
    Resume {
        /// The state of the interrupted run.
        state: PathBuf,
        /// What differs.
        source: DifferentRunError,
    },
    /// The state or the output of the interrupted run is damaged.
    #[error("failed to resume: {reason}; delete \"{state}\" to begin anew")]
    Damaged {
        /// The state of the interrupted run.
        state: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl OutputFileError {
    /// Whether the command line is wrong, and not the world.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Unfinished { .. } | Self::Resume { .. })
    }
}

/// An output file that is being written.
#[derive(Debug)]
pub struct OutputFile {
    paths: Paths,
    partial: File,
    bytes: u64,
    /// Absent when the run cannot go on later, for its input can be read only once.
    run: Option<Run>,
}

/// What there was of an output file.
#[derive(Debug)]
pub enum OpenedFile {
    /// Nothing that could be gone on with.
    New(OutputFile),
    /// Rows of an interrupted run.
    Resumed(OutputFile, Tally),
    /// All rows; the file is in its place now.
    Complete(Tally),
}

#[derive(Debug)]
struct Paths {
    target: PathBuf,
    partial: PathBuf,
    state: PathBuf,
    new_state: PathBuf,
}

impl Paths {
    fn new(target: &Path) -> Self {
        let beside = |suffix: &str| {
            let mut name = target.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self {
            partial: beside(".partial"),
            state: beside(".resume"),
            new_state: beside(".resume.new"),
            target: target.to_owned(),
        }
    }
}

impl OutputFile {
    /// Opens the file to write at `target`. With `resume` it goes on with what an interrupted run of the same kind
    /// left, if there is anything.
    ///
    /// # Errors
    /// When the disk refuses, when another run is at it, or when what an interrupted run left would be lost.
    pub fn open(target: &Path, run: Option<Run>, resume: bool) -> Result<OpenedFile, OutputFileError> {
        // Through a link, so that the file it names is replaced and not the link.
        let paths = Paths::new(&target.canonicalize().unwrap_or_else(|_| target.to_owned()));
        let partial = paths.open_partial()?;
        let checkpoint = paths.read_state()?;
        if let Some(checkpoint) = &checkpoint {
            match &run {
                Some(run) if resume => {
                    run.can_resume(&checkpoint.run)
                        .map_err(cannot_resume(&paths.state))?;
                }
                _ => {
                    return Err(OutputFileError::Unfinished {
                        partial: paths.partial,
                        state: paths.state,
                        rows: checkpoint.tally.rows,
                    });
                }
            }
            if checkpoint.complete {
                paths.complete(&partial, checkpoint.output_bytes)?;
                return Ok(OpenedFile::Complete(checkpoint.tally));
            }
        }
        let mut file = Self {
            paths,
            partial,
            bytes: 0,
            run,
        };
        match checkpoint {
            None => {
                file.cut(0)?;
                Ok(OpenedFile::New(file))
            }
            Some(checkpoint) => {
                file.cut(checkpoint.output_bytes)?;
                Ok(OpenedFile::Resumed(file, checkpoint.tally))
            }
        }
    }

    /// Whether the same command can go on with what was written so far.
    #[must_use]
    pub fn can_be_resumed(&self) -> bool {
        self.run.is_some()
    }

    /// Where the rows are until the file is whole.
    #[must_use]
    pub fn partial_path(&self) -> &Path {
        &self.paths.partial
    }

    /// Adds to the end.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.partial.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Makes durable what was written, for the rows of `tally`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn checkpoint(&mut self, tally: &Tally) -> Result<(), OutputFileError> {
        self.record(tally, false)
    }

    /// Makes everything durable and puts the file in its place.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(self, tally: &Tally) -> Result<(), OutputFileError> {
        self.record_complete(tally)?;
        self.paths.put_in_place()?;
        self.paths.remove_state()
    }

    /// Records that nothing is left but to put the file in its place.
    pub(crate) fn record_complete(&self, tally: &Tally) -> Result<(), OutputFileError> {
        self.record(tally, true)
    }

    /// Bytes written so far.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn record(&self, tally: &Tally, complete: bool) -> Result<(), OutputFileError> {
        self.partial
            .sync_data()
            .map_err(cannot_write(&self.paths.partial))?;
        let Some(run) = &self.run else { return Ok(()) };
        self.paths.write_state(&Checkpoint {
            run: run.clone(),
            tally: *tally,
            output_bytes: self.bytes,
            complete,
        })
    }

    /// Keeps the first `bytes` and goes on behind them.
    fn cut(&mut self, bytes: u64) -> Result<(), OutputFileError> {
        let error = cannot_write(&self.paths.partial);
        let length = self.partial.metadata().map_err(&error)?.len();
        if length < bytes {
            return Err(OutputFileError::Damaged {
                state: self.paths.state.clone(),
                reason: format!(
                    "\"{}\" has {length} bytes, and had {bytes}",
                    self.paths.partial.display()
                ),
            });
        }
        self.partial.set_len(bytes).map_err(&error)?;
        self.partial.seek(SeekFrom::Start(bytes)).map_err(&error)?;
        self.bytes = bytes;
        Ok(())
    }
}

impl Paths {
    fn open_partial(&self) -> Result<File, OutputFileError> {
        let error = cannot_write(&self.partial);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.partial)
            .map_err(&error)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, &self.partial).map_err(&error)? => Ok(file),
            // Another run writes it, or has put it in its place just now.
            Ok(()) | Err(TryLockError::WouldBlock) => Err(OutputFileError::Lock(self.target.clone())),
            Err(TryLockError::Error(source)) => Err(error(source)),
        }
    }

    fn read_state(&self) -> Result<Option<Checkpoint>, OutputFileError> {
        let bytes = match std::fs::read(&self.state) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(cannot_write(&self.state)(source)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| OutputFileError::Damaged {
                state: self.state.clone(),
                reason: format!("the state of the interrupted run cannot be read ({error})"),
            })
    }

    fn write_state(&self, checkpoint: &Checkpoint) -> Result<(), OutputFileError> {
        let error = cannot_write(&self.state);
        let bytes = serde_json::to_vec(checkpoint)
            .map_err(io::Error::from)
            .map_err(&error)?;
        let mut file = File::create(&self.new_state).map_err(&error)?;
        file.write_all(&bytes).map_err(&error)?;
        file.sync_all().map_err(&error)?;
        std::fs::rename(&self.new_state, &self.state).map_err(&error)?;
        self.sync_folder()
    }

    /// Does what was left to do when a run died at its very end.
    fn complete(&self, partial: &File, output_bytes: u64) -> Result<(), OutputFileError> {
        let error = cannot_write(&self.partial);
        if partial.metadata().map_err(&error)?.len() == output_bytes {
            self.put_in_place()?;
        } else {
            // The output is in its place already, and this file was made by opening it.
            std::fs::remove_file(&self.partial).map_err(&error)?;
        }
        self.remove_state()
    }

    fn put_in_place(&self) -> Result<(), OutputFileError> {
        std::fs::rename(&self.partial, &self.target).map_err(cannot_write(&self.target))?;
        self.sync_folder()
    }

    fn remove_state(&self) -> Result<(), OutputFileError> {
        match std::fs::remove_file(&self.state) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot_write(&self.state)(error)),
            _ => Ok(()),
        }
    }

    /// A rename is durable when its folder is.
    fn sync_folder(&self) -> Result<(), OutputFileError> {
        let folder = match self.target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(cannot_write(folder))
    }
}

/// Whether `path` still names `file`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (opened, named) = (file.metadata()?, path.metadata());
    Ok(named.is_ok_and(|named| (named.dev(), named.ino()) == (opened.dev(), opened.ino())))
}

fn cannot_resume(state: &Path) -> impl FnOnce(DifferentRunError) -> OutputFileError {
    move |source| OutputFileError::Resume {
        state: state.to_owned(),
        source,
    }
}

fn cannot_write(path: &Path) -> impl Fn(io::Error) -> OutputFileError {
    let path = path.to_owned();
    move |source| OutputFileError::Write {
        path: path.clone(),
        source,
    }
}
