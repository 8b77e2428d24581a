//! The one HTTP client: TLS by rustls, proxies and certificates from the environment, no secret on the way to
//! a stranger.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use url::Url;

use crate::credentials::Authorization;
use crate::error::FetchError;
use crate::options::{FetchOptions, Timeouts};
use crate::source::{is_loopback, shown};

/// Redirects in a row that are followed.
const MOST_REDIRECTS: usize = 10;

/// Most bytes of an answer that is kept in memory.
const LONGEST_ANSWER: u64 = 16 << 20;

/// Most bytes of an answer that says why not.
const LONGEST_REASON: u64 = 8 << 10;

/// How this client names itself.
pub(crate) const USER_AGENT: &str = concat!("toxicity-monitor/", env!("CARGO_PKG_VERSION"));

/// The body of a file, or the end of it.
pub(crate) struct Opened {
    /// Where in the file the chunks begin.
    pub start: u64,
    /// Bytes of the whole file.
    pub size: Option<u64>,
    /// What changes with the content.
    pub etag: Option<String>,
    /// The bytes.
    pub chunks: BoxStream<'static, Result<Bytes, FetchError>>,
}

/// What a server says of a file without sending it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileFacts {
    /// Bytes.
    pub size: Option<u64>,
    /// What changes with the content.
    pub etag: Option<String>,
    /// When the content changed, in the server's own words.
    pub modified: Option<String>,
}

/// The one HTTP client.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    client: Client,
    timeouts: Timeouts,
    allow_http: bool,
}

impl HttpClient {
    /// A client for the model source `origin`.
    pub(crate) fn new(options: &FetchOptions, origin: &str) -> Result<Self, FetchError> {
        install_crypto_provider();
        let allow_http = options.allow_http;
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(options.timeouts.connect)
            .redirect(redirects(allow_http))
            // The address of a file is nobody else's business, and may be signed.
            .referer(false)
            // Sums and sizes are those of the bytes on the way.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .build()
            .map_err(|error| FetchError::SetUpClient {
                origin: origin.to_owned(),
                problem: toxicity_service::error_chain(&error),
            })?;
        Ok(Self {
            client,
            timeouts: options.timeouts,
            allow_http,
        })
    }

    /// Asks for a file without its content; none where there is no such file.
    pub(crate) async fn facts(
        &self,
        url: &Url,
        authorization: Option<&Authorization>,
    ) -> Result<Option<FileFacts>, FetchError> {
        let ask = |method| self.send(method, url, authorization, HeaderMap::new());
        let answer = match ask(Method::HEAD).await {
            Err(FetchError::Refused {
                status: 405 | 501, ..
            }) => ask(Method::GET).await,
            answer => answer,
        };
        match answer {
            Ok(answer) => Ok(Some(FileFacts {
                // Many servers say 0 here when they mean that they do not know.
                size: content_length(&answer).filter(|&size| size > 0),
                etag: header_text(&answer, &header::ETAG),
                modified: header_text(&answer, &header::LAST_MODIFIED),
            })),
            // Stores that may not be listed answer 403 for what is not there.
            Err(FetchError::Refused {
                status: 403 | 404 | 410,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a file at the byte `from`. With `etag` the server is told to begin anew when the file is another
    /// by now.
    pub(crate) async fn open(
        &self,
        url: &Url,
        authorization: Option<&Authorization>,
        from: u64,
        etag: Option<&str>,
    ) -> Result<Opened, FetchError> {
        let mut headers = HeaderMap::new();
        if from > 0 {
            headers.insert(header::RANGE, header_value(&format!("bytes={from}-"), url)?);
            if let Some(etag) = etag {
                headers.insert(header::IF_RANGE, header_value(etag, url)?);
            }
        }
        let answer = self.send(Method::GET, url, authorization, headers).await?;
        let what = shown(url.as_str());
        let (start, size) = match answer.status() {
            StatusCode::PARTIAL_CONTENT => header_text(&answer, &header::CONTENT_RANGE)
                .as_deref()
                .and_then(parse_content_range)
                .filter(|(start, _)| *start == from)
                .ok_or_else(|| FetchError::UnderstandAnswer {
                    what: what.clone(),
                    problem: format!("a part from byte {from} was asked for, and another came"),
                })?,
            _ => (0, content_length(&answer)),
        };
        let etag = header_text(&answer, &header::ETAG);
        let chunks = answer
            .bytes_stream()
            .map(move |chunk| chunk.map_err(|error| network_error(&what, error)))
            .boxed();
        Ok(Opened {
            start,
            size,
            etag,
            chunks,
        })
    }

    /// Gets a short JSON document, and its bytes as they came.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        url: &Url,
        authorization: Option<&Authorization>,
        accept: &str,
    ) -> Result<(T, Bytes), FetchError> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, header_value(accept, url)?)]);
        let answer = self.send(Method::GET, url, authorization, headers).await?;
        let what = shown(url.as_str());
        let body = self.read(answer, &what, LONGEST_ANSWER).await?;
        let value = serde_json::from_slice(&body).map_err(|error| FetchError::UnderstandAnswer {
            what,
            problem: error.to_string(),
        })?;
        Ok((value, body))
    }

    /// Asks once. An answer without success is an error.
    async fn send(
        &self,
        method: Method,
        url: &Url,
        authorization: Option<&Authorization>,
        headers: HeaderMap,
    ) -> Result<Response, FetchError> {
        let what = shown(url.as_str());
        if !may_ask(url, self.allow_http) {
            return Err(FetchError::UsePlainHttp { address: what });
        }
        let mut request = self.client.request(method, url.clone()).headers(headers);
        request = match authorization {
            Some(Authorization::Bearer(token)) => request.bearer_auth(token.expose_secret()),
            Some(Authorization::Basic(user, password)) => {
                request.basic_auth(user, Some(password.expose_secret()))
            }
            None => request,
        };
        let limit = self.timeouts.connect + self.timeouts.stall;
        let answer = tokio::time::timeout(limit, request.send())
            .await
            .map_err(|_| stalled(&what, limit))?
            .map_err(|error| network_error(&what, error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let retry_after = header_text(&answer, &header::RETRY_AFTER)
            .as_deref()
            .and_then(|value| parse_retry_after(value, SystemTime::now()));
        let mut detail = header_text(&answer, &HeaderName::from_static("x-error-message"));
        if detail.is_none() {
            // The status is what counts; a reason that does not come is none.
            let body = self.read(answer, &what, LONGEST_REASON).await;
            detail = reason(&body.unwrap_or_default());
        }
        Err(FetchError::Refused {
            what,
            status,
            detail: printable(&detail.unwrap_or_default()),
            retry_after,
        })
    }

    async fn read(&self, answer: Response, what: &str, limit: u64) -> Result<Bytes, FetchError> {
        let mut body = BytesMut::new();
        let mut chunks = answer.bytes_stream();
        loop {
            let chunk = tokio::time::timeout(self.timeouts.stall, chunks.next())
                .await
                .map_err(|_| stalled(what, self.timeouts.stall))?;
            let Some(chunk) = chunk else {
                return Ok(body.freeze());
            };
            let chunk = chunk.map_err(|error| network_error(what, error))?;
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(FetchError::ExceedLimit {
                    what: what.to_owned(),
                    limit,
                    unit: "bytes",
                });
            }
            body.extend_from_slice(&chunk);
        }
    }
}

/// Chooses ring for all TLS of the process. Where another part of the process has chosen already, that choice
/// stays.
pub(crate) fn install_crypto_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn redirects(allow_http: bool) -> Policy {
    Policy::custom(move |attempt| {
        if attempt.previous().len() > MOST_REDIRECTS {
            attempt.error("it redirects too often")
        } else if may_ask(attempt.url(), allow_http) {
            attempt.follow()
        } else {
            attempt.error("it redirects to plain HTTP")
        }
    })
}

fn may_ask(url: &Url, allow_http: bool) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && (allow_http || is_loopback(url))
}

/// Nothing came for too long.
pub(crate) fn stalled(what: &str, limit: Duration) -> FetchError {
    FetchError::Reach {
        what: what.to_owned(),
        source: format!("nothing came for {:.1} s", limit.as_secs_f32()).into(),
    }
}

fn network_error(what: &str, error: reqwest::Error) -> FetchError {
    if error.is_redirect() {
        return FetchError::UnderstandAnswer {
            what: what.to_owned(),
            problem: toxicity_service::error_chain(&error.without_url()),
        };
    }
    FetchError::Reach {
        what: what.to_owned(),
        // The address of a redirect may be signed.
        source: error.without_url().into(),
    }
}

fn header_text(answer: &Response, name: &HeaderName) -> Option<String> {
    answer.headers().get(name)?.to_str().ok().map(str::to_owned)
}

fn header_value(text: &str, url: &Url) -> Result<HeaderValue, FetchError> {
    HeaderValue::from_str(text).map_err(|error| FetchError::UnderstandAnswer {
        what: shown(url.as_str()),
        problem: error.to_string(),
    })
}

fn content_length(answer: &Response) -> Option<u64> {
    header_text(answer, &header::CONTENT_LENGTH)?.parse().ok()
}

/// First byte and size of `bytes 5-9/10`.
fn parse_content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, size.trim().parse().ok()))
}

/// Seconds, or the time of day, of the header `Retry-After`.
fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(value.trim())
            .ok()
            .map(|time| time.duration_since(now).unwrap_or_default()),
    }
}

/// Why not, from a body such as `{"error": "…"}` or, from an OCI registry, `{"errors": [{"message":
/// "…"}]}`.
fn reason(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let candidates = [
        body.get("error"),
        body.pointer("/errors/0/message"),
        body.get("message"),
    ];
    candidates
        .into_iter()
        .flatten()
        .find_map(serde_json::Value::as_str)
        .map(str::to_owned)
}

/// A server's words, short enough and harmless to show.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(300)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_names_start_and_size() {
        assert_eq!(parse_content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(parse_content_range("bytes 5-9/*"), Some((5, None)));
        for wrong in ["", "bytes */10", "bytes 5/10", "5-9/10", "bytes -/"] {
            assert_eq!(parse_content_range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_server_asks_for_a_pause_in_seconds_or_by_the_clock() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let parse = |value| parse_retry_after(value, now);
        assert_eq!(parse("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            parse("Sun, 06 Nov 1994 08:50:37 GMT"),
            Some(Duration::from_mins(1))
        );
        assert_eq!(parse("Sun, 06 Nov 1994 08:48:37 GMT"), Some(Duration::ZERO));
        assert_eq!(parse("soon"), None);
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        let may = |url: &str, allow| may_ask(&Url::parse(url).unwrap(), allow);
        assert!(may("https://host/", false));
        assert!(may("http://127.0.0.1/", false));
        assert!(!may("http://host/", false));
        assert!(may("http://host/", true));
        assert!(!may("ftp://host/", true));
    }

    #[test]
    fn the_reason_of_a_refusal_is_found() {
        assert_eq!(reason(br#"{"error": "gated"}"#).as_deref(), Some("gated"));
        assert_eq!(
            reason(br#"{"errors": [{"code": "DENIED", "message": "no access"}]}"#).as_deref(),
            Some("no access")
        );
        assert_eq!(reason(b"<html>"), None);
        assert_eq!(printable("a\u{1b}[31m\nb"), "a[31mb");
    }
}
