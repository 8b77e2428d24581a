//! How a model is fetched.

use std::path::PathBuf;
use std::time::Duration;

use crate::checksum::Checksum;
use crate::environment::Environment;

/// How a model is fetched. [`FetchOptions::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// The folder in which fetched models are kept.
    pub cache: PathBuf,
    /// Branch, tag or commit of a source `hf://owner/name` that names none itself.
    pub revision: Option<String>,
    /// The SHA-256 that the model file must have: the archive where the source is one on a web server, the ONNX
    /// file otherwise.
    pub sha256: Option<Checksum>,
    /// Which ONNX file to fetch where there are several: its path in the model folder, or its name alone.
    /// Default: the first of [`ONNX_FILES`](crate::ONNX_FILES) that is there.
    pub onnx_file: Option<String>,
    /// Use only what is in the cache.
    pub offline: bool,
    /// Speak plain HTTP to other machines too, which anybody on the way can read and change. With it, OCI
    /// registries are asked by plain HTTP. This machine is always spoken to without TLS where the address
    /// says so.
    pub allow_http: bool,
    /// How failures are tried again.
    pub retries: Retries,
    /// How long to wait for others.
    pub timeouts: Timeouts,
    /// How much is taken.
    pub limits: FetchLimits,
    /// Where credentials and addresses of services are read from.
    pub environment: Environment,
}

impl FetchOptions {
    /// The defaults, with the environment of this process.
    #[must_use]
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: cache.into(),
            revision: None,
            sha256: None,
            onnx_file: None,
            offline: false,
            allow_http: false,
            retries: Retries::default(),
            timeouts: Timeouts::default(),
            limits: FetchLimits::default(),
            environment: Environment::of_process(),
        }
    }
}

/// The folder for fetched models where none is named: `$TOXICITY_MODEL_CACHE`, else `toxicity-monitor/models`
/// in the user's cache folder (`$XDG_CACHE_HOME`, `~/.cache`). None where there is no home.
#[must_use]
pub fn default_cache(environment: &Environment) -> Option<PathBuf> {
    environment
        .path("TOXICITY_MODEL_CACHE")
        .or_else(|| Some(environment.cache_home()?.join("toxicity-monitor/models")))
}

/// How failures are tried again: broken connections, stalls, 408, 425, 429 and 5xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Tries after the first that bring nothing, one after the other. A try that brings a mebibyte starts the
    /// count anew.
    pub count: usize,
    /// Pause before the first; it doubles with each, up to 30 s. A server's `Retry-After` wins.
    pub first_pause: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            count: 5,
            first_pause: Duration::from_millis(500),
        }
    }
}

/// How long to wait for others. There is no limit on a download as a whole: a slow line is no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect.
    pub connect: Duration,
    /// Between one byte and the next.
    pub stall: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
        }
    }
}

/// How much is taken from a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// Bytes of one file, packed or unpacked.
    pub file_bytes: u64,
    /// Bytes of all files that are downloaded, and of all that are unpacked.
    pub total_bytes: u64,
    /// Files that a source or an archive may list.
    pub files: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            file_bytes: 8 << 30,
            total_bytes: 16 << 30,
            files: 100_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_where_the_environment_says() {
        let cache = |variables: &[(&str, &str)]| {
            let variables = variables
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()));
            default_cache(&variables.collect())
        };
        assert_eq!(cache(&[]), None);
        assert_eq!(
            cache(&[("HOME", "/home/a")]),
            Some("/home/a/.cache/toxicity-monitor/models".into())
        );
        assert_eq!(
            cache(&[("HOME", "/home/a"), ("XDG_CACHE_HOME", "/cache")]),
            Some("/cache/toxicity-monitor/models".into())
        );
        assert_eq!(
            cache(&[("HOME", "/home/a"), ("TOXICITY_MODEL_CACHE", "/models")]),
            Some("/models".into())
        );
    }
}
