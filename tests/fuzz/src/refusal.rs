//! What must hold of every refusal.

use http::StatusCode;
use serde::Serialize;

/// Most bytes of an answer that refuses. It quotes what a client sent, and cuts it.
const LONGEST: usize = 4 * 1024;

/// Checks that a refusal blames the client and does not send its request back to it.
///
/// # Panics
/// When it does not hold.
pub fn assert_refusal(status: StatusCode, body: &impl Serialize) {
    assert!(status.is_client_error(), "{status}");
    let body = serde_json::to_string(body).expect("an answer is JSON");
    assert!(body.len() <= LONGEST, "{} bytes: {body:.1000}", body.len());
}
