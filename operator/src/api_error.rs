//! What the API server says, in its own words and no more.

use std::fmt;

use kube::runtime::watcher;

/// A request to the API server that failed. The library's own text carries the whole answer, twice.
#[derive(Debug)]
pub struct ApiError(Box<kube::Error>);

impl ApiError {
    /// Status code of the answer, if there was one.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match &*self.0 {
            kube::Error::Api(status) => Some(status.code),
            _ => None,
        }
    }

    /// Whether the namespace is being deleted, so that nothing can be created in it any more.
    #[must_use]
    pub fn is_namespace_ending(&self) -> bool {
        let kube::Error::Api(status) = &*self.0 else {
            return false;
        };
        let causes = status.details.iter().flat_map(|details| &details.causes);
        causes
            .into_iter()
            .any(|cause| cause.reason == "NamespaceTerminating")
    }
}

impl From<kube::Error> for ApiError {
    fn from(error: kube::Error) -> Self {
        Self(Box::new(error))
    }
}

impl From<watcher::Error> for ApiError {
    fn from(error: watcher::Error) -> Self {
        match error {
            watcher::Error::InitialListFailed(source)
            | watcher::Error::WatchStartFailed(source)
            | watcher::Error::WatchFailed(source) => source.into(),
            watcher::Error::WatchError(status) => kube::Error::Api(status).into(),
            error @ watcher::Error::NoResourceVersion => kube::Error::Service(error.into()).into(),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            kube::Error::Api(status) if status.message.is_empty() => {
                write!(formatter, "{} {}", status.code, status.reason)
            }
            kube::Error::Api(status) => formatter.write_str(&status.message),
            error => formatter.write_str(&toxicity_service::error_chain(error)),
        }
    }
}

// The causes are in the text already.
impl std::error::Error for ApiError {}
