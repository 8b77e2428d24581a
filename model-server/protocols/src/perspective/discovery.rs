//! The discovery document, from which Google's client libraries build the methods they offer.

use serde_json::Value;

const DOCUMENT: &str = include_str!("discovery.json");

/// The answer of `GET /$discovery/rest?version=v1alpha1` by a server whose clients reach it at `root`, for example
/// `https://toxicity.example.org/`.
///
/// It offers what is served and no more, so neither batches of requests nor answers in part.
#[must_use]
pub fn discovery_document(root: &str) -> Value {
    let mut document: Value = serde_json::from_str(DOCUMENT).expect("the file is JSON");
    document["rootUrl"] = root.into();
    document["baseUrl"] = root.into();
    document
}
