//! Who asks, in which protocol and how long they wait: what is known of a request before its texts are scored.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use humantime::DurationError;
use toxicity_access::{Key, KeyRing, presented_key};
use toxicity_protocols::failure::Failure;
use toxicity_records::Protocol;
use toxicity_service::SpanHandle;

use super::error::shortened;
use super::{ApiError, AppState};
use crate::engine::Question;
use crate::model::Model;
use crate::recording::Provenance;

/// Header in which a client says how long it waits, such as `800ms` or `2s`.
const TIMEOUT: &str = "x-request-timeout";

/// What is known of a request besides its texts.
#[derive(Debug, Clone)]
pub(super) struct RequestContext {
    /// Longest time until the answer.
    pub(super) patience: Duration,
    /// Whether a record may be kept.
    pub(super) may_store: bool,
    /// Language of the texts, where it is known.
    pub(super) language: Option<String>,
    /// Its span, where it is traced.
    pub(super) span: Option<SpanHandle>,
    protocol: Protocol,
    request_id: Option<String>,
    /// The sender's key, where the server wants one.
    key: Option<Arc<Key>>,
}

impl RequestContext {
    /// The context of a request, if its sender may ask.
    pub(super) fn of(state: &AppState, parts: &Parts) -> Result<Self, Failure> {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let key = state
            .keys()
            .map(|keys| authenticate(state, &keys.current(), parts))
            .transpose()?;
        let longest = state.request_timeout();
        let asked = asked_patience(&parts.headers)?;
        Ok(Self {
            patience: asked.map_or(longest, |asked| asked.min(longest)),
            may_store: true,
            language: None,
            span: state.traces().and_then(|_| parts.extensions.get().cloned()),
            protocol: Protocol::Native,
            request_id: header("x-request-id").map(str::to_owned),
            key,
        })
    }

    /// The same, asked in the protocol of others.
    pub(super) fn by(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// The same with less time, where the client has said so in its protocol's own way.
    pub(super) fn within(mut self, timeout: Option<Duration>) -> Self {
        self.patience = timeout.map_or(self.patience, |timeout| timeout.min(self.patience));
        self
    }

    /// Tenant of the sender's key.
    pub(super) fn tenant(&self) -> Option<String> {
        self.key.as_ref().map(|key| key.entry.tenant().to_owned())
    }

    /// Whether the sender may change the server: by its key, or where there are no keys by being on this machine.
    pub(super) fn check_admin(&self, parts: &Parts) -> Result<(), Failure> {
        let may = match &self.key {
            Some(key) => key.entry.is_admin,
            None => is_local(parts),
        };
        if may {
            return Ok(());
        }
        Err(Failure::Forbidden(
            match &self.key {
                Some(_) => "this API key may not change the server; give it the attribute \"admin\"",
                None => {
                    "without API keys only this machine may change the server; start it with --api-keys-file"
                }
            }
            .to_owned(),
        ))
    }

    /// Whose texts these are, for the record.
    pub(super) fn provenance(&self) -> Provenance {
        Provenance {
            tenant: self.tenant(),
            protocol: self.protocol,
            language: self.language.clone(),
            request_id: self.request_id.clone(),
        }
    }

    /// The tenant whose records the sender sees; nothing means all of them. `asked` is the one it asks for.
    pub(super) fn visible_tenant(&self, asked: Option<String>) -> Result<Option<String>, ApiError> {
        let own = self
            .key
            .as_ref()
            .filter(|key| !key.entry.is_admin)
            .map(|key| key.entry.tenant());
        match (own, asked) {
            (None, asked) => Ok(asked),
            (Some(own), None) => Ok(Some(own.to_owned())),
            (Some(own), Some(asked)) if own == asked => Ok(Some(asked)),
            (Some(_), Some(_)) => Err(ApiError::Forbidden(
                "this API key sees the records of its own tenant".to_owned(),
            )),
        }
    }

    /// What is asked of a model about all its labels, by the thresholds of the sender.
    pub(super) fn question(&self, state: &AppState, model: &Model) -> Question {
        Question {
            normalize: state.normalizes(),
            ..Question::of(model, self.thresholds(model))
        }
    }

    /// Threshold of each label for the sender: that of its key, else the model's.
    fn thresholds(&self, model: &Model) -> Vec<f32> {
        let mut thresholds = model.thresholds.clone();
        let own = self.key.iter().flat_map(|key| &key.entry.thresholds);
        for (label, &threshold) in own {
            if let Some(label) = model.label_index(label) {
                thresholds[label] = threshold;
            }
        }
        thresholds
    }
}

/// How long a client says it waits, if it says so.
fn asked_patience(headers: &HeaderMap) -> Result<Option<Duration>, Failure> {
    let Some(value) = headers.get(TIMEOUT) else {
        return Ok(None);
    };
    let invalid = |problem: String| Failure::InvalidHeader {
        name: TIMEOUT,
        problem: format!("{problem}; send a number and a unit, such as `800ms` or `2s`"),
    };
    let text = value
        .to_str()
        .map_err(|_| invalid("is not printable ASCII".to_owned()))?;
    if text.is_empty() {
        return Err(invalid("is empty".to_owned()));
    }
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err(invalid(format!("is \"{}\", which is no time", shortened(text)))),
        Ok(asked) => Ok(Some(asked)),
        // Longer than can be counted is longer than any limit.
        Err(DurationError::NumberOverflow) => Ok(Some(Duration::MAX)),
        Err(_) => Err(invalid(format!(
            "is \"{}\", which is no duration",
            shortened(text)
        ))),
    }
}

/// Finds the key of a request and takes one of its requests.
fn authenticate(state: &AppState, ring: &KeyRing, parts: &Parts) -> Result<Arc<Key>, Failure> {
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let refuse = |failure| {
        state.metrics().unauthenticated_requests.inc();
        failure
    };
    let presented = presented_key(headers, parts.uri.query()).ok_or_else(|| refuse(Failure::MissingKey))?;
    let key = ring
        .authenticate(&presented)
        .ok_or_else(|| refuse(Failure::Unauthenticated("this API key is not known".to_owned())))?;
    key.admit().map_err(|limited| {
        state.metrics().rate_limited_requests.inc();
        Failure::RateLimited {
            limit: limited.limit.per_second.get(),
            retry_after_seconds: limited.retry_after_seconds(),
        }
    })?;
    Ok(key)
}

/// Whether a request was made on this machine, and not for somebody else.
fn is_local(parts: &Parts) -> bool {
    let forwarded = ["forwarded", "x-forwarded-for"];
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_none_or(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback())
        && !forwarded.iter().any(|name| parts.headers.contains_key(*name))
}
