//! Why a model cannot be fetched. No message holds a credential, or the query of an address.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::archive::ArchiveError;
use crate::checksum::Checksum;
use crate::credentials::CredentialsError;
use crate::model_files::SelectFilesError;
use crate::source::ModelSourceError;

/// Why a model cannot be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The source is not usable.
    #[error(transparent)]
    LocateModel(#[from] ModelSourceError),
    /// A revision was asked for that does not fit the source.
    #[error("failed to use the revision \"{revision}\" with \"{origin}\": {problem}")]
    UseRevision {
        /// The revision asked for.
        revision: String,
        /// The model source.
        origin: String,
        /// What does not fit.
        problem: String,
    },
    /// The model is not in the cache, and the network may not be used.
    #[error(
        "failed to find \"{origin}\" in the cache \"{cache}\" while offline: {missing}",
        cache = .cache.display()
    )]
    FindInCache {
        /// The model source.
        origin: String,
        /// The cache.
        cache: PathBuf,
        /// What is missing there.
        missing: String,
    },
    /// The source does not hold a model.
    #[error("failed to find a model in \"{origin}\"")]
    SelectFiles {
        /// The model source.
        origin: String,
        /// What is missing.
        source: SelectFilesError,
    },
    /// Credentials are there but cannot be used.
    #[error("failed to read the credentials for \"{origin}\"")]
    ReadCredentials {
        /// The model source.
        origin: String,
        /// Why.
        source: CredentialsError,
    },
    /// Everybody on the way could read and change what is fetched.
    #[error(
        "failed to get \"{address}\": plain HTTP is used only to this machine; use https://, or allow \
         plain HTTP explicitly"
    )]
    UsePlainHttp {
        /// The address.
        address: String,
    },
    /// TLS or a client of a service cannot be set up.
    #[error("failed to set up the client for \"{origin}\": {problem}")]
    SetUpClient {
        /// The model source.
        origin: String,
        /// Why.
        problem: String,
    },
    /// The server cannot be reached, or the connection broke. Trying again may help.
    #[error("failed to get \"{what}\"")]
    Reach {
        /// What was asked for.
        what: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server answered, but not with what was asked for.
    #[error("failed to get \"{what}\": the server answered {status}{}", followed(.detail))]
    Refused {
        /// What was asked for.
        what: String,
        /// Status of the answer.
        status: u16,
        /// What the server said, and what may help.
        detail: String,
        /// The pause the server asked for.
        retry_after: Option<Duration>,
    },
    /// The answer makes no sense.
    #[error("failed to understand the answer to \"{what}\": {problem}")]
    UnderstandAnswer {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The source changed between two questions.
    #[error("failed to get \"{what}\" whole: it changed meanwhile")]
    Changed {
        /// What was asked for.
        what: String,
    },
    /// More than the limit allows.
    #[error("failed to take \"{what}\": it has more than {limit} {unit}, the limit")]
    ExceedLimit {
        /// What is too large.
        what: String,
        /// The limit.
        limit: u64,
        /// What the limit counts.
        unit: &'static str,
    },
    /// The file is not the one that was asked for.
    #[error("failed to accept \"{what}\": its SHA-256 is {found}, but it must be {expected}")]
    CompareChecksum {
        /// The file.
        what: String,
        /// The sum it must have.
        expected: Checksum,
        /// The sum it has.
        found: Checksum,
    },
    /// An archive cannot be read, or is hostile.
    #[error("failed to unpack \"{what}\"")]
    Unpack {
        /// The archive.
        what: String,
        /// Why.
        source: ArchiveError,
    },
    /// A file of the cache, or of a local model, cannot be read or written.
    #[error("failed to {action} \"{path}\"", path = .path.display())]
    AccessFile {
        /// What was done with it.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl FetchError {
    /// Failure to do `action` with the file at `path`.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::AccessFile { action, path, source }
    }

    /// Whether the same question may be answered a moment later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Reach { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }

    /// The pause the server asked for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Says what may help when the server does not let us in.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: &str) -> Self {
        if let Self::Refused {
            status: 401 | 403 | 404,
            detail,
            ..
        } = &mut self
        {
            if !detail.is_empty() {
                detail.push_str("; ");
            }
            detail.push_str(hint);
        }
        self
    }
}

fn followed(detail: &str) -> String {
    if detail.is_empty() {
        String::new()
    } else {
        format!(" ({detail})")
    }
}
