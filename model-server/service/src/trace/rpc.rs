//! What is known of a request by gRPC.

use http::{HeaderMap, header};

/// Longest name of a method that is believed to be one.
const LONGEST_METHOD: usize = 64;

/// The answer to a method that there is not.
const UNIMPLEMENTED: i64 = 12;

/// Codes that are the server's fault: unknown, deadline exceeded, unimplemented, internal, unavailable, data loss.
const FAILURES: [i64; 6] = [2, 4, UNIMPLEMENTED, 13, 14, 15];

/// A method of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rpc {
    /// Full name of the service.
    pub(super) service: String,
    /// Name of the method in it.
    pub(super) method: String,
}

impl Rpc {
    /// The method that a request asks for, if it is one by gRPC.
    pub(super) fn of(headers: &HeaderMap, path: &str) -> Option<Self> {
        let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        if !kind.starts_with("application/grpc") {
            return None;
        }
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        let is_name =
            method.len() <= LONGEST_METHOD && method.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_name.then(|| Self {
            service: service.to_owned(),
            method: method.to_owned(),
        })
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RpcStatus(pub(super) i64);

impl RpcStatus {
    /// The status in the headers of an answer. One that ends well has its status after the body.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let status = headers.get("grpc-status").and_then(|value| value.to_str().ok());
        Self(status.and_then(|status| status.parse().ok()).unwrap_or_default())
    }

    /// Whether the server has failed.
    pub(super) fn is_failure(self) -> bool {
        FAILURES.contains(&self.0)
    }

    /// Whether the method exists; the name of one that does not is the client's own.
    pub(super) fn is_of_known_method(self) -> bool {
        self.0 != UNIMPLEMENTED
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_names_are_taken_for_methods() {
        let grpc = HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/grpc+proto"),
        )]);
        let rpc = Rpc::of(&grpc, "/a.Service/Method").unwrap();
        assert_eq!((&*rpc.service, &*rpc.method), ("a.Service", "Method"));
        for path in ["/a.Service", "/a.Service/you%20idiot", "/a.Service/a/b"] {
            assert_eq!(Rpc::of(&grpc, path), None, "{path}");
        }
        assert_eq!(Rpc::of(&HeaderMap::new(), "/a.Service/Method"), None);
    }

    #[test]
    fn an_answer_without_a_status_is_good() {
        assert_eq!(RpcStatus::of(&HeaderMap::new()), RpcStatus(0));
        let headers = HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-status"),
            HeaderValue::from_static("14"),
        )]);
        assert!(RpcStatus::of(&headers).is_failure());
        assert!(!RpcStatus(16).is_failure() && !RpcStatus(0).is_failure());
    }
}
