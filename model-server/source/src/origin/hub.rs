//! The Hugging Face Hub, by its plain HTTP interface.
//!
//! `GET /api/models/OWNER/NAME/revision/REVISION?blobs=true` tells the commit and its files,
//! `GET /OWNER/NAME/resolve/COMMIT/FILE` gives one (<https://huggingface.co/docs/hub/api>).

use serde::Deserialize;
use url::Url;

use super::{Content, Location, Offer, RemoteFile, Wanted};
use crate::checksum::Checksum;
use crate::credentials::hub_token;
use crate::error::FetchError;
use crate::http_client::HttpClient;
use crate::options::FetchOptions;
use crate::progress::Progress;
use crate::relative_path::RelativePath;
use crate::retry::retry;
use crate::source::{HubRepository, parse_revision};

/// Where the Hub is when `HF_ENDPOINT` does not say.
const ENDPOINT: &str = "https://huggingface.co";

/// The branch when none is named.
const DEFAULT_BRANCH: &str = "main";

/// What may help when the Hub does not let us in.
const HINT: &str = "check the name; for a private or gated repository put a token with access into HF_TOKEN";

/// A repository at one commit.
#[derive(Debug, Deserialize)]
struct Repository {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Debug, Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<LargeFile>,
}

#[derive(Debug, Deserialize)]
struct LargeFile {
    sha256: Checksum,
}

pub(super) fn wanted(repository: &HubRepository, options: &FetchOptions) -> Result<Wanted, FetchError> {
    let name = match (&repository.revision, &options.revision) {
        (Some(named), Some(asked)) if named != asked => {
            return Err(FetchError::UseRevision {
                revision: asked.clone(),
                origin: repository.to_string(),
                problem: "the source names another one itself".to_owned(),
            });
        }
        (Some(named), _) => named.clone(),
        (None, Some(asked)) => parse_revision(asked).map_err(|problem| FetchError::UseRevision {
            revision: asked.clone(),
            origin: repository.to_string(),
            problem,
        })?,
        (None, None) => DEFAULT_BRANCH.to_owned(),
    };
    let pinned = is_commit(&name).then(|| name.clone());
    Ok(Wanted { name, pinned })
}

pub(super) async fn resolve(
    repository: &HubRepository,
    revision: &str,
    http: &HttpClient,
    options: &FetchOptions,
    progress: &dyn Progress,
) -> Result<Offer, FetchError> {
    let origin = repository.to_string();
    let endpoint = options.environment.get("HF_ENDPOINT").unwrap_or(ENDPOINT);
    let endpoint = Url::parse(endpoint).map_err(|error| FetchError::SetUpClient {
        origin: origin.clone(),
        problem: format!("HF_ENDPOINT is no address ({error})"),
    })?;
    let token = hub_token(&options.environment).map_err(|source| FetchError::ReadCredentials {
        origin: origin.clone(),
        source,
    })?;
    let (owner, name) = (repository.owner.as_str(), repository.name.as_str());
    let mut question = below(&endpoint, &["api", "models", owner, name, "revision", revision]);
    question.set_query(Some("blobs=true"));
    let ask = || http.json::<Repository>(&question, token.as_ref(), "application/json");
    let (found, _) = retry(options.retries, progress, ask)
        .await
        .map_err(|error| error.with_hint(HINT))?;
    if !is_commit(&found.sha) {
        return Err(FetchError::UnderstandAnswer {
            what: origin,
            problem: "it names no commit".to_owned(),
        });
    }
    let files = found.siblings.into_iter().filter_map(|sibling| {
        // A name that is no path inside the folder is none that a model needs.
        let path = RelativePath::parse(&sibling.rfilename).ok()?;
        let mut segments = vec![owner, name, "resolve", &found.sha];
        segments.extend(path.as_str().split('/'));
        let url = below(&endpoint, &segments);
        Some(RemoteFile {
            label: path.to_string(),
            content: Content::File(path),
            size: sibling.size,
            sha256: sibling.lfs.map(|file| file.sha256),
            etag: None,
            location: Location::Web {
                url,
                authorization: token.clone(),
                hint: HINT,
            },
        })
    });
    Ok(Offer {
        files: files.collect(),
        revision: Some(found.sha),
    })
}

/// An address below the endpoint, each segment escaped: a revision may hold a `/`.
fn below(endpoint: &Url, segments: &[&str]) -> Url {
    let mut url = endpoint.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_with_a_slash_is_one_segment() {
        let endpoint = Url::parse("https://mirror.example.org/hub/").unwrap();
        assert_eq!(
            below(&endpoint, &["api", "models", "a", "b", "revision", "refs/pr/1"]).as_str(),
            "https://mirror.example.org/hub/api/models/a/b/revision/refs%2Fpr%2F1"
        );
    }

    #[test]
    fn a_commit_is_40_digits() {
        assert!(is_commit("0123456789abcdef0123456789abcdef01234567"));
        assert!(!is_commit("main"));
        assert!(!is_commit("0123456789ABCDEF0123456789abcdef01234567"));
    }
}
