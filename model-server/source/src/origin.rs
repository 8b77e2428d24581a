//! The kinds of places that models are fetched from.

mod bucket;
mod hub;
mod registry;
mod web;

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path as ObjectPath;
use url::Url;

use crate::checksum::Checksum;
use crate::credentials::Authorization;
use crate::error::FetchError;
use crate::http_client::{HttpClient, Opened};
use crate::options::FetchOptions;
use crate::progress::Progress;
use crate::relative_path::RelativePath;
use crate::source::ModelSource;

use registry::Registry;

/// What was asked for, as far as that is known without the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The name by which a revision is remembered, which may mean another one later: a branch or tag. Empty
    /// where there is but one; the revision itself where that is what was asked for.
    pub name: String,
    /// The revision, where the source names one that cannot change.
    pub pinned: Option<String>,
}

/// What a source holds at the moment.
#[derive(Debug)]
pub(crate) struct Offer {
    /// Commit or digest; none where the files' etags must do.
    pub revision: Option<String>,
    /// All files that may be part of the model. Where two have the same path, the later one counts.
    pub files: Vec<RemoteFile>,
}

/// A file that can be downloaded.
#[derive(Debug)]
pub(crate) struct RemoteFile {
    /// The file for people.
    pub label: String,
    /// What the file is to the model.
    pub content: Content,
    /// Bytes.
    pub size: Option<u64>,
    /// The sum it must have.
    pub sha256: Option<Checksum>,
    /// What changes with the content.
    pub etag: Option<String>,
    /// Where the bytes are.
    pub location: Location,
}

/// What a file is to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// The file of this path.
    File(RelativePath),
    /// A packed folder, in which the model may lie anywhere.
    Archive,
}

/// Where the bytes of a file are.
#[derive(Debug)]
pub(crate) enum Location {
    /// On a web server.
    Web {
        /// The address.
        url: Url,
        /// What the server wants to see.
        authorization: Option<Authorization>,
        /// What may help when the server does not let us in.
        hint: &'static str,
    },
    /// In an object store, which answers only with just this version.
    Object {
        /// The bucket.
        store: Arc<dyn ObjectStore>,
        /// The object.
        path: ObjectPath,
        /// Its version.
        etag: Option<String>,
    },
    /// In an OCI registry.
    Blob {
        /// The repository.
        registry: Arc<Registry>,
        /// The digest.
        digest: String,
    },
}

impl RemoteFile {
    /// Where a file that is no archive lies in the source.
    pub(crate) fn path(&self) -> Option<&RelativePath> {
        match &self.content {
            Content::File(path) => Some(path),
            Content::Archive => None,
        }
    }
}

impl Location {
    /// Opens the file at the byte `from`. With `etag` the file begins anew when it is another by now.
    pub(crate) async fn open(
        &self,
        http: &HttpClient,
        from: u64,
        etag: Option<&str>,
    ) -> Result<Opened, FetchError> {
        match self {
            Self::Web {
                url,
                authorization,
                hint,
            } => http
                .open(url, authorization.as_ref(), from, etag)
                .await
                .map_err(|error| error.with_hint(hint)),
            Self::Object { store, path, etag } => {
                bucket::open(store.as_ref(), path, from, etag.clone()).await
            }
            Self::Blob { registry, digest } => registry.open_blob(http, digest, from).await,
        }
    }
}

/// What `source` asks for.
pub(crate) fn wanted(source: &ModelSource, options: &FetchOptions) -> Result<Wanted, FetchError> {
    if let (Some(revision), false) = (&options.revision, matches!(source, ModelSource::Hub(_))) {
        return Err(FetchError::UseRevision {
            revision: revision.clone(),
            origin: source.to_string(),
            problem: "a revision goes with a source hf://owner/name".to_owned(),
        });
    }
    match source {
        ModelSource::Hub(repository) => hub::wanted(repository, options),
        ModelSource::Web(address) => Ok(web::wanted(address, options)),
        ModelSource::Registry(reference) => Ok(registry::wanted(reference)),
        ModelSource::Bundled | ModelSource::Folder(_) | ModelSource::Bucket(_) => Ok(Wanted {
            name: String::new(),
            pinned: None,
        }),
    }
}

/// Asks what `source` holds at the moment.
pub(crate) async fn resolve(
    source: &ModelSource,
    wanted: &Wanted,
    http: &HttpClient,
    options: &FetchOptions,
    progress: &dyn Progress,
) -> Result<Offer, FetchError> {
    match source {
        ModelSource::Hub(repository) => hub::resolve(repository, &wanted.name, http, options, progress).await,
        ModelSource::Web(address) => web::resolve(address, http, options, progress).await,
        ModelSource::Bucket(bucket) => bucket::resolve(bucket, options).await,
        ModelSource::Registry(reference) => registry::resolve(reference, http, options, progress).await,
        ModelSource::Bundled | ModelSource::Folder(_) => Ok(Offer {
            revision: None,
            files: Vec::new(),
        }),
    }
}
