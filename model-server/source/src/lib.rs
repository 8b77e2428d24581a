//! Where models come from: folders, the Hugging Face Hub, HTTPS, object stores and OCI registries.
//!
//! [`fetch`] makes the model of a [`ModelSource`] a folder on this machine. Downloads go on where they
//! stopped, are checked against the sums that the source tells and the one that [`FetchOptions`] may demand,
//! and appear in the cache by one rename: a half-written model is never loaded. Credentials come from an
//! [`Environment`] and are neither shown nor sent to another host than the source's own.

mod archive;
mod bundled;
mod cache;
mod checksum;
mod credentials;
mod download;
mod environment;
mod error;
mod fetch;
mod http_client;
mod manifest;
mod model_files;
mod options;
mod origin;
pub mod progress;
mod relative_path;
mod retry;
mod source;
mod verify;

pub use archive::ArchiveError;
pub use checksum::{Checksum, ParseChecksumError};
pub use credentials::CredentialsError;
pub use environment::Environment;
pub use error::FetchError;
pub use fetch::{FetchedModel, fetch};
pub use manifest::MANIFEST_FILE;
pub use model_files::{ONNX_FILES, SelectFilesError, find_onnx_file};
pub use options::{FetchLimits, FetchOptions, Retries, Timeouts, default_cache};
pub use progress::Progress;
pub use source::{BucketPrefix, HubRepository, ModelSource, ModelSourceError, ObjectService, WebAddress};
pub use verify::{Difference, DifferenceKind, Verification, VerifyError, verify};
