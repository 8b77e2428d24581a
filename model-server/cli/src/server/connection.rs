//! Requests to one server: its address, the key, and patience.

use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Url};
use serde::de::DeserializeOwned;

use super::answer::{AskError, Refusal};
use crate::arguments::{Key, ServerArguments};

/// Largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Between the first two attempts; it doubles with each further one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why no request can be made.
#[derive(Debug, thiserror::Error)]
pub enum PrepareConnectionError {
    /// The key file cannot be read.
    #[error("failed to read the key in \"{path}\"")]
    ReadKey {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The key cannot be sent.
    #[error("the API key holds a character that a header cannot carry")]
    EncodeKey,
    /// TLS does not start.
    #[error("failed to prepare the HTTP client")]
    StartClient(#[source] reqwest::Error),
}

/// How to ask one server.
#[derive(Debug, Clone)]
pub struct Connection {
    client: Client,
    address: Url,
    shown_address: Url,
    retries: usize,
}

impl Connection {
    /// Prepares requests to the server at `address`; nothing is sent yet.
    ///
    /// # Errors
    /// When the key or the system's certificates cannot be used.
    pub fn prepare(address: &Url, arguments: &ServerArguments) -> Result<Self, PrepareConnectionError> {
        install_cryptography();
        let mut headers = HeaderMap::new();
        if let Some(key) = read_key(arguments)? {
            let mut value = HeaderValue::try_from(format!("Bearer {}", key.secret()))
                .map_err(|_| PrepareConnectionError::EncodeKey)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = Client::builder()
            .user_agent(concat!("toxicity/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(arguments.timeout)
            .build()
            .map_err(PrepareConnectionError::StartClient)?;
        // A path joins behind the last slash.
        let mut address = address.clone();
        if !address.path().ends_with('/') {
            let path = format!("{}/", address.path());
            address.set_path(&path);
        }
        let mut shown_address = address.clone();
        // It fails for addresses that can hold no credentials.
        let _ = shown_address.set_username("");
        let _ = shown_address.set_password(None);
        Ok(Self {
            client,
            address,
            shown_address,
            retries: arguments.retries,
        })
    }

    /// The address without the credentials that it may hold.
    #[must_use]
    pub fn shown_address(&self) -> &Url {
        &self.shown_address
    }

    /// Asks once.
    ///
    /// # Errors
    /// When the server cannot be reached or does not do as asked.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, AskError> {
        ask(self.client.get(self.url(path))).await
    }

    /// Asks until the server is ready. A server that cannot be reached at all is not waited for: more likely the
    /// address is wrong.
    ///
    /// # Errors
    /// As [`Self::get`], when all attempts fail.
    pub async fn get_patiently<T: DeserializeOwned>(&self, path: &str) -> Result<T, AskError> {
        let worth_it = |error: &AskError| error.is_temporary() && !matches!(error, AskError::Reach(_));
        (|| self.get(path))
            .retry(self.pauses())
            .when(worth_it)
            .adjust(with_retry_after)
            .await
    }

    /// Sends `body` as JSON until it is answered.
    ///
    /// # Errors
    /// As [`Self::get`], when all attempts fail.
    pub async fn post_patiently<T: DeserializeOwned>(&self, path: &str, body: Bytes) -> Result<T, AskError> {
        let url = self.url(path);
        let attempt = || {
            let request = self.client.post(url.clone());
            ask(request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone()))
        };
        attempt
            .retry(self.pauses())
            .when(AskError::is_temporary)
            .adjust(with_retry_after)
            .await
    }

    fn url(&self, path: &str) -> Url {
        self.address
            .join(path)
            .expect("the paths of a model server join any address")
    }

    /// Jitter keeps clients that were refused together from coming back together.
    fn pauses(&self) -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_min_delay(SHORTEST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(self.retries)
            .with_jitter()
    }
}

/// TLS of the whole process, also of what downloads models, goes through one implementation.
fn install_cryptography() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It fails only when another part of the process was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The key of the command line, if there is one.
fn read_key(arguments: &ServerArguments) -> Result<Option<Key>, PrepareConnectionError> {
    let Some(path) = &arguments.key_file else {
        return Ok(arguments.key.clone());
    };
    let key = std::fs::read_to_string(path).map_err(|source| PrepareConnectionError::ReadKey {
        path: path.clone(),
        source,
    })?;
    Ok(Some(Key::new(&key)))
}

fn with_retry_after(error: &AskError, pause: Option<Duration>) -> Option<Duration> {
    pause.map(|pause| pause.max(error.retry_after()))
}

async fn ask<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, AskError> {
    let reach = |error: reqwest::Error| AskError::Reach(error.without_url());
    let mut response = request.send().await.map_err(reach)?;
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).cloned();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reach)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(AskError::BoundAnswer(MAX_ANSWER_BYTES));
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        let retry_after = retry_after.as_ref().and_then(|value| value.to_str().ok());
        let refusal = Refusal::read(status, retry_after, &body);
        return Err(AskError::Refused(Box::new(refusal)));
    }
    serde_json::from_slice(&body).map_err(AskError::Understand)
}
