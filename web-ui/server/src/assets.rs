//! The built web app: pages, and files named by their content.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, Method, StatusCode,
    header::{ALLOW, CACHE_CONTROL, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};
use tower::ServiceExt;
use tower_http::services::{ServeDir, ServeFile};

use crate::Error;

/// A file under `assets/` carries a hash of its content in its name, so it never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A page names the files of one build, so it must be asked for each time.
const ASK_EACH_TIME: HeaderValue = HeaderValue::from_static("no-cache");

/// The folder of the built web app.
#[derive(Debug, Clone)]
pub(crate) struct Assets {
    index: PathBuf,
    page: ServeFile,
    files: ServeDir,
}

impl Assets {
    /// Looks for `index.html`, so that a wrong folder shows at start and not as a blank page.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let index = folder.join("index.html");
        if let Err(source) = File::open(&index) {
            return Err(Error::ReadIndex { path: index, source });
        }
        Ok(Self {
            page: ServeFile::new(&index).precompressed_br().precompressed_gzip(),
            files: ServeDir::new(folder)
                .append_index_html_on_directories(false)
                .redirect_to_trailing_slash(false)
                .precompressed_br()
                .precompressed_gzip(),
            index,
        })
    }

    /// Whether the app can still be read.
    pub(crate) async fn are_readable(&self) -> bool {
        tokio::fs::File::open(&self.index).await.is_ok()
    }

    async fn page(&self, mut request: Request) -> Response {
        // The validators of the file service are size and time of change. In a reproducible image both are the same
        // for two builds, and a browser that kept the old page would then look for files that are gone.
        request.headers_mut().remove(IF_NONE_MATCH);
        request.headers_mut().remove(IF_MODIFIED_SINCE);
        let mut response = answer(self.page.clone().oneshot(request).await);
        response.headers_mut().remove(ETAG);
        response.headers_mut().remove(LAST_MODIFIED);
        response.headers_mut().insert(CACHE_CONTROL, ASK_EACH_TIME);
        response
    }

    async fn file(&self, request: Request) -> Response {
        let is_named_by_content = request.uri().path().starts_with("/assets/");
        let mut response = answer(self.files.clone().oneshot(request).await);
        let found = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
        let lifetime = if found && is_named_by_content {
            FOREVER
        } else {
            ASK_EACH_TIME
        };
        response.headers_mut().insert(CACHE_CONTROL, lifetime);
        if response.status() == StatusCode::NOT_FOUND {
            return (
                StatusCode::NOT_FOUND,
                [(CACHE_CONTROL, ASK_EACH_TIME)],
                "no such file\n",
            )
                .into_response();
        }
        response
    }
}

/// What a path of the app asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A route of the app, answered with `index.html`: the app itself knows its routes.
    Page,
    /// A file of the build. When it is missing, a page in its place would only hide that.
    File,
}

impl Wanted {
    pub(crate) fn of(path: &str) -> Self {
        let last = path.rsplit('/').next().unwrap_or_default();
        if path == "/index.html" {
            Self::Page
        } else if path.starts_with("/assets/") || last.contains('.') {
            Self::File
        } else {
            Self::Page
        }
    }
}

/// Serves pages and files.
pub(crate) async fn serve(State(assets): State<Assets>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (
            StatusCode::METHOD_NOT_ALLOWED,
            [(ALLOW, HeaderValue::from_static("GET, HEAD"))],
        )
            .into_response();
    }
    match Wanted::of(request.uri().path()) {
        Wanted::Page => assets.page(request).await,
        Wanted::File => assets.file(request).await,
    }
}

/// The file services answer every failure themselves.
fn answer<B>(result: Result<http::Response<B>, std::convert::Infallible>) -> Response
where
    B: http_body_util::BodyExt<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    match result {
        Ok(response) => response.map(axum::body::Body::new),
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_pages_and_names_with_an_extension_are_files() {
        for page in ["/", "/index.html", "/analyze", "/a/b", "/v1.0/"] {
            assert_eq!(Wanted::of(page), Wanted::Page, "{page}");
        }
        for file in [
            "/favicon.ico",
            "/assets/app-1234.js",
            "/assets/no-extension",
            "/a/b.map",
        ] {
            assert_eq!(Wanted::of(file), Wanted::File, "{file}");
        }
    }
}
