//! Redirects of the model server, as the browser must see them.

use http::{HeaderMap, HeaderValue, header::LOCATION};

use super::Upstream;

/// Puts the prefix of the API before a redirect that stays on the model server. Others are left alone.
pub(super) fn rewrite(headers: &mut HeaderMap, upstream: &Upstream, prefix: &str) {
    let rewritten = headers
        .get(LOCATION)
        .and_then(|location| location.to_str().ok())
        .and_then(|location| upstream.path_of(location))
        .and_then(|path| HeaderValue::try_from(format!("{prefix}{path}")).ok());
    if let Some(location) = rewritten {
        headers.insert(LOCATION, location);
    }
}
