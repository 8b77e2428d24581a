//! Archives and folders on web servers.

use futures_util::{FutureExt, StreamExt, TryStreamExt};
use url::Url;

use super::{Content, Location, Offer, RemoteFile, Wanted};
use crate::credentials::{Authorization, web_token};
use crate::error::FetchError;
use crate::http_client::{FileFacts, HttpClient};
use crate::model_files::{OPTIONAL_FILES, REQUIRED_FILES, onnx_candidates};
use crate::options::FetchOptions;
use crate::progress::Progress;
use crate::relative_path::RelativePath;
use crate::retry::retry;
use crate::source::{WebAddress, WebContent, shown};

/// Questions at the same time.
const CONCURRENT_QUESTIONS: usize = 4;

/// Most numbered files of external data, as exporters split the weights of large models.
const MOST_DATA_FILES: usize = 64;

/// What may help when the server does not let us in.
const HINT: &str = "if it wants a token, put it into TOXICITY_MODEL_TOKEN";

/// The sum of an archive says what is in it; nothing else on a web server lasts.
pub(super) fn wanted(address: &WebAddress, options: &FetchOptions) -> Wanted {
    let pinned = match address.content() {
        WebContent::Archive => options.sha256.as_ref().map(|sum| format!("sha256:{sum}")),
        WebContent::Folder => None,
    };
    Wanted {
        name: pinned.clone().unwrap_or_default(),
        pinned,
    }
}

pub(super) async fn resolve(
    address: &WebAddress,
    http: &HttpClient,
    options: &FetchOptions,
    progress: &dyn Progress,
) -> Result<Offer, FetchError> {
    let server = Server {
        http,
        options,
        progress,
        authorization: web_token(&options.environment),
    };
    let files = match address.content() {
        WebContent::Archive => vec![server.archive(address).await?],
        WebContent::Folder => server.folder(address.url(), options.onnx_file.as_deref()).await?,
    };
    Ok(Offer {
        revision: wanted(address, options).pinned,
        files,
    })
}

/// A web server and how it is asked.
struct Server<'a> {
    http: &'a HttpClient,
    options: &'a FetchOptions,
    progress: &'a dyn Progress,
    authorization: Option<Authorization>,
}

impl Server<'_> {
    async fn archive(&self, address: &WebAddress) -> Result<RemoteFile, FetchError> {
        let url = address.url();
        let facts = self.facts(url).await?.ok_or_else(|| FetchError::Refused {
            what: shown(url.as_str()),
            status: 404,
            detail: format!("there is no such file, or it may not be read; {HINT}"),
            retry_after: None,
        })?;
        if self.options.sha256.is_none() {
            self.warn_of_silent_changes(url, &facts);
        }
        let name = url.path().rsplit('/').next().unwrap_or_default();
        let mut file = self.remote_file(url.clone(), name, Content::Archive, facts);
        file.sha256.clone_from(&self.options.sha256);
        Ok(file)
    }

    /// A web server lists nothing, so each name that a model may hold is asked for.
    async fn folder(&self, base: &Url, onnx_file: Option<&str>) -> Result<Vec<RemoteFile>, FetchError> {
        let names = REQUIRED_FILES.iter().chain(&OPTIONAL_FILES);
        let paths = names.filter_map(|name| RelativePath::parse(name).ok());
        let questions: Vec<_> = paths.map(|path| self.file_in(base, path).boxed()).collect();
        let answers: Vec<Option<RemoteFile>> = futures_util::stream::iter(questions)
            .buffered(CONCURRENT_QUESTIONS)
            .try_collect()
            .await?;
        let mut files: Vec<RemoteFile> = answers.into_iter().flatten().collect();
        let candidates = onnx_candidates(onnx_file).map_err(|source| FetchError::SelectFiles {
            origin: shown(base.as_str()),
            source,
        })?;
        for candidate in candidates {
            if let Some(onnx) = self.file_in(base, candidate.clone()).await? {
                files.push(onnx);
                files.extend(self.external_data(base, &candidate).await?);
                break;
            }
        }
        Ok(files)
    }

    async fn external_data(&self, base: &Url, onnx: &RelativePath) -> Result<Vec<RemoteFile>, FetchError> {
        let name = onnx.file_name();
        let stem = name.trim_end_matches(".onnx");
        let mut files = Vec::new();
        for data in [format!("{name}.data"), format!("{stem}.data")] {
            files.extend(self.file_in(base, onnx.sibling(&data)).await?);
        }
        for number in 0..MOST_DATA_FILES {
            let data = if number == 0 {
                format!("{name}_data")
            } else {
                format!("{name}_data_{number}")
            };
            match self.file_in(base, onnx.sibling(&data)).await? {
                Some(file) => files.push(file),
                None => break,
            }
        }
        Ok(files)
    }

    async fn file_in(&self, base: &Url, path: RelativePath) -> Result<Option<RemoteFile>, FetchError> {
        let mut url = base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.as_str().split('/'));
        }
        let Some(facts) = self.facts(&url).await? else {
            return Ok(None);
        };
        self.warn_of_silent_changes(&url, &facts);
        let label = path.to_string();
        Ok(Some(self.remote_file(url, &label, Content::File(path), facts)))
    }

    async fn facts(&self, url: &Url) -> Result<Option<FileFacts>, FetchError> {
        retry(self.options.retries, self.progress, || {
            self.http.facts(url, self.authorization.as_ref())
        })
        .await
        .map_err(|error| error.with_hint(HINT))
    }

    fn warn_of_silent_changes(&self, url: &Url, facts: &FileFacts) {
        if facts.etag.is_none() && facts.modified.is_none() {
            self.progress.warning(&format!(
                "\"{}\" comes with neither ETag nor Last-Modified: a change that keeps its size \
                 will go unnoticed",
                shown(url.as_str())
            ));
        }
    }

    fn remote_file(&self, url: Url, label: &str, content: Content, facts: FileFacts) -> RemoteFile {
        RemoteFile {
            label: label.to_owned(),
            content,
            size: facts.size,
            sha256: None,
            etag: facts.etag.or(facts.modified),
            location: Location::Web {
                url,
                authorization: self.authorization.clone(),
                hint: HINT,
            },
        }
    }
}
