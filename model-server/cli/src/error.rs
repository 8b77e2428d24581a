//! Why a command failed, and with which status.

use std::io;
use std::path::PathBuf;

use reqwest::Url;
use toxicity_input::InputError;

use crate::labels::LabelError;
use crate::local::LocalError;
use crate::output::OutputFileError;
use crate::pipeline::PipelineError;
use crate::server::{AskError, PrepareConnectionError};
use crate::status::Status;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to score.
    #[error("there is nothing to score; give a text, --file FILE, or pipe texts in")]
    FindInput,
    /// An option for files beside texts of the command line.
    #[error("{0} is for files and the standard input, not for texts on the command line")]
    DescribeTexts(&'static str),
    /// The standard input beside other inputs.
    #[error("the standard input must be the only input; score the files in a run of their own")]
    CombineStream,
    /// The standard input cannot be read again.
    #[error("--resume needs an input that can be read again; name files with --file")]
    ResumeStream,
    /// An input cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The output file cannot be written.
    #[error(transparent)]
    OutputFile(#[from] OutputFileError),
    /// The output cannot be written.
    #[error("failed to write {}", .output.as_ref().map_or("the standard output".to_owned(), |path| format!("\"{}\"", path.display())))]
    Write {
        /// The file; absent for the standard output.
        output: Option<PathBuf>,
        /// Why.
        source: io::Error,
    },
    /// Labels or thresholds do not fit the model.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// The server cannot be asked.
    #[error(transparent)]
    PrepareConnection(#[from] PrepareConnectionError),
    /// The server does not say what it serves.
    #[error("failed to ask {address}")]
    Ask {
        /// The server, without its credentials.
        address: Box<Url>,
        /// Why.
        source: Box<AskError>,
    },
    /// The model does not load.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The scorer gave up.
    #[error("failed to score the next rows")]
    Score(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No runtime.
    #[error("failed to start the asynchronous runtime")]
    StartRuntime(#[source] io::Error),
    /// No thread.
    #[error("failed to start a thread that reads")]
    StartThread(#[source] io::Error),
}

impl Error {
    /// For what a server at `address` refuses before any text is sent.
    pub(crate) fn asking(address: &Url) -> impl FnOnce(AskError) -> Self {
        move |source| Self::Ask {
            address: Box::new(address.clone()),
            source: Box::new(source),
        }
    }

    /// Whether the standard output is a pipe that nobody reads any more.
    #[must_use]
    pub fn is_reader_gone(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What the process tells the script that called it.
    #[must_use]
    pub fn status(&self) -> Status {
        let usage = match self {
            Self::FindInput
            | Self::DescribeTexts(_)
            | Self::CombineStream
            | Self::ResumeStream
            | Self::Label(_) => true,
            Self::Input(error) => error.is_usage(),
            Self::OutputFile(error) => error.is_usage(),
            Self::Local(error) => error.is_usage(),
            _ => false,
        };
        if usage { Status::Usage } else { Status::Failed }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<PipelineError<E>> for Error {
    fn from(error: PipelineError<E>) -> Self {
        match error {
            PipelineError::Input(error) => Self::Input(error),
            PipelineError::Score(error) => Self::Score(Box::new(error)),
        }
    }
}
