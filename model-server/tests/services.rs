//! What a server may have besides its model: API keys, and records with feedback.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it cannot go on"
)]

mod fixture;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode};
use fixture::{Answer, Server};
use serde_json::{Value, json};
use toxicity_access::{GeneratedKey, WatchedKeyRing};
use toxicity_model_server::http::Services;
use toxicity_model_server::metrics::Metrics;
use toxicity_model_server::recording::Recording;

/// A server with keys, and the keys of the given attributes.
fn server_with_keys<const COUNT: usize>(attributes: [&str; COUNT]) -> (Server, [String; COUNT]) {
    let mut lines = String::new();
    let secrets = attributes.map(|attributes| {
        let name = format!("key-{}", lines.len());
        let key = GeneratedKey::new(&name, attributes.split_whitespace()).unwrap();
        lines = format!("{lines}{}\n", key.entry);
        key.secret().to_owned()
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    std::fs::write(&path, lines).unwrap();
    let services = Services {
        keys: Some(Arc::new(WatchedKeyRing::open(path).unwrap())),
        ..Services::default()
    };
    let server = Server::with_services(services, Arc::new(Metrics::new())).load(8);
    (server, secrets)
}

async fn ask(server: &Server, path: &str, key: Option<&str>, body: &Value) -> Answer {
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    server
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

#[tokio::test]
async fn only_known_keys_may_ask_in_any_protocol() {
    let (server, [key]) = server_with_keys([""]);
    let infer = json!({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["hi"]}]});
    let perspective =
        json!({"comment": {"text": "hi"}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]});
    for (path, body, status) in [
        ("/v1/analyze", json!({"text": "hi"}), 401),
        ("/predict", json!({"input": "hi"}), 401),
        ("/predict", json!({"inputs": "hi"}), 401),
        ("/", json!({"inputs": "hi"}), 401),
        ("/v1/moderations", json!({"input": "hi"}), 401),
        ("/v2/models/words/infer", infer, 401),
        ("/v1/models/words:predict", json!({"instances": ["hi"]}), 401),
        ("/v1/admin/reload", json!({}), 401),
        ("/v1/feedback", json!({"text": "hi", "decision": "approve"}), 401),
    ] {
        for wrong in [None, Some("tox_wrong")] {
            let answer = ask(&server, path, wrong, &body).await;
            assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
        }
        let answer = ask(&server, path, Some(&key), &body).await;
        let refused = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
        let is_right = answer.status == StatusCode::OK || refused.contains(&answer.status);
        assert!(is_right, "{path}: {answer:?}");
    }
    // Google tells a missing key from a wrong one.
    for (query, status, name) in [
        (String::new(), 403, json!("PERMISSION_DENIED")),
        ("?key=tox_wrong".to_owned(), 400, json!("INVALID_ARGUMENT")),
        (format!("?key={key}"), 200, Value::Null),
    ] {
        let path = format!("/v1alpha1/comments:analyze{query}");
        let answer = ask(&server, &path, None, &perspective).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
        assert_eq!(answer.json()["error"]["status"], name, "{path}");
    }
    for path in ["/livez", "/readyz", "/metrics", "/info", "/docs/"] {
        assert_eq!(
            server.get(path).await.status,
            StatusCode::OK,
            "{path} needs no key"
        );
    }
    assert_eq!(server.get("/v1/records").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_timeout_that_is_none_is_refused_in_every_protocol() {
    let server = Server::ready();
    let infer = json!({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["hi"]}]});
    let perspective =
        json!({"comment": {"text": "hi"}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]});
    for (path, body, status, message) in [
        ("/v1/analyze", json!({"text": "hi"}), 422, "/error/message"),
        ("/predict", json!({"input": "hi"}), 422, "/error/message"),
        ("/predict", json!({"inputs": "hi"}), 422, "/error"),
        ("/", json!({"inputs": "hi"}), 422, "/error"),
        ("/v1/moderations", json!({"input": "hi"}), 400, "/error/message"),
        ("/v2/models/words/infer", infer, 400, "/error"),
        (
            "/v1/models/words:predict",
            json!({"instances": ["hi"]}),
            400,
            "/error",
        ),
        ("/v1alpha1/comments:analyze", perspective, 400, "/error/message"),
    ] {
        let ask = |timeout: &[u8]| {
            let request = Request::post(path)
                .header("content-type", "application/json")
                .header("x-request-timeout", HeaderValue::from_bytes(timeout).unwrap());
            server.send(request.body(Body::from(body.to_string())).unwrap())
        };
        for (timeout, problem) in [
            (&b"abc"[..], "is \"abc\", which is no duration"),
            (b"-1", "is \"-1\", which is no duration"),
            (b"5", "is \"5\", which is no duration"),
            (b"0s", "is \"0s\", which is no time"),
            (b"", "is empty"),
            (b"\xff", "is not printable ASCII"),
        ] {
            let answer = ask(timeout).await;
            assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
            let expected = format!(
                "the header `x-request-timeout` {problem}; send a number and a unit, such as `800ms` or `2s`"
            );
            assert_eq!(answer.json().pointer(message), Some(&json!(expected)), "{path}");
        }
        // More than the server allows is cut to its limit.
        for timeout in [&b"800ms"[..], b"2s", b"1h", b"99999999999999999999s"] {
            let answer = ask(timeout).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_key_has_its_own_rate_thresholds_and_rights() {
    let (server, [slow, strict, admin]) =
        server_with_keys(["rate=1 burst=2", "thresholds=toxicity=0.001", "admin"]);
    let body = json!({"text": "a harmless text"});
    for _ in 0..2 {
        assert_eq!(
            ask(&server, "/v1/analyze", Some(&slow), &body).await.status,
            StatusCode::OK
        );
    }
    let limited = ask(&server, "/v1/analyze", Some(&slow), &body).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.headers["retry-after"], "1");

    let answer = ask(&server, "/v1/analyze", Some(&strict), &body).await.json();
    assert_eq!(answer["results"][0]["flags"], json!(["toxic"]));
    assert!((answer["thresholds"]["toxic"].as_f64().unwrap() - 0.001).abs() < 1e-6);

    assert_eq!(
        ask(&server, "/v1/admin/reload", Some(&strict), &json!({}))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    let reload = ask(&server, "/v1/admin/reload", Some(&admin), &json!({})).await;
    assert_eq!(
        reload.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "this server has nothing to load"
    );
}

/// A server that keeps records in a file of its own.
async fn server_with_records() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("records.db").display());
    let metrics = Arc::new(Metrics::new());
    let services = Services {
        recording: Some(Recording::open(&url, &metrics).await.unwrap()),
        ..Services::default()
    };
    (Server::with_services(services, metrics).load(8), folder)
}

/// Asks until the server has written `count` records.
async fn records(server: &Server, count: usize) -> Vec<Value> {
    for _ in 0..100 {
        let page = server.get("/v1/records").await.json();
        let items = page["items"].as_array().unwrap();
        if items.len() >= count {
            return items.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the records were not written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verdicts_are_kept_unless_the_client_says_no() {
    let (server, _folder) = server_with_records().await;
    let native = server
        .analyze(&json!({"texts": ["You idiot!", "Good day."]}))
        .await
        .json();
    server.analyze(&json!({"text": "a secret", "store": false})).await;
    let hidden =
        json!({"comment": {"text": "another"}, "requestedAttributes": {"TOXICITY": {}}, "doNotStore": true});
    server
        .post("/v1alpha1/comments:analyze", hidden.to_string())
        .await;
    server
        .post("/v1/moderations", json!({"input": "I kill you"}).to_string())
        .await;

    let found = records(&server, 3).await;
    assert_eq!(found.len(), 3, "{found:?}");
    let texts: Vec<_> = found
        .iter()
        .map(|record| record["text"].as_str().unwrap())
        .collect();
    assert!(
        !texts.contains(&"a secret") && !texts.contains(&"another"),
        "{texts:?}"
    );
    let id = native["results"][0]["record_id"].as_str().unwrap();
    let record = server.get(&format!("/v1/records/{id}")).await.json();
    assert_eq!(
        (&record["text"], &record["flags"]),
        (&json!("You idiot!"), &json!(["toxic"]))
    );

    let flagged = server
        .get("/v1/records?flagged=true&protocol=openai&label=threat&min_score=0.9")
        .await
        .json();
    assert_eq!(flagged["items"][0]["text"], "I kill you");
    let export = server.get("/v1/records/export").await;
    assert_eq!(export.text().lines().count(), 3);
    assert_eq!(server.get("/v1/records/summary").await.json()["flagged"], 2);
    for (path, status) in [
        ("/v1/records?limit=0", 422),
        ("/v1/records?limit=501", 422),
        ("/v1/records?flaged=true", 422),
        ("/v1/records?after=nonsense", 422),
        ("/v1/records/nonsense", 422),
        ("/v1/records/00000000-0000-0000-0000-000000000000", 404),
    ] {
        assert_eq!(server.get(path).await.status.as_u16(), status, "{path}");
    }
    let metrics = server.get("/metrics").await.text();
    assert!(metrics.contains("toxicity_records_written_total 3"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feedback_is_stored_before_it_is_acknowledged() {
    let (server, _folder) = server_with_records().await;
    let verdict = server.analyze(&json!({"text": "You idiot!"})).await.json();
    records(&server, 1).await;
    let id = verdict["results"][0]["record_id"].as_str().unwrap();
    let body = json!({"record_id": id, "decision": "approve", "review": true});
    let answer = server.post("/v1/feedback", body.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let approved = server.get("/v1/records?review=approved").await.json();
    assert_eq!(approved["items"][0]["id"], id);

    let suggestion = json!({
        "comment": {"text": "You idiot!"}, "clientToken": "comment:1", "communityId": "Coral:forum",
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}},
    });
    let answer = server
        .post("/v1alpha1/comments:suggestscore", suggestion.to_string())
        .await;
    assert_eq!(
        (answer.status, &answer.json()["clientToken"]),
        (StatusCode::OK, &json!("comment:1"))
    );
    let stored = server.get("/v1/feedback").await.json();
    let sources: Vec<_> = stored["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["source"].clone())
        .collect();
    assert_eq!(sources, [json!("suggestscore"), json!("review")]);
    assert_eq!(stored["items"][0]["suggested"], json!({"toxic": 1.0}));
    assert_eq!(stored["items"][0]["model"]["flags"], json!(["toxic"]));
    let agreement = server.get("/v1/feedback/agreement").await.json();
    assert!(
        agreement["overall"]["both"].as_u64().unwrap() + agreement["overall"]["model_only"].as_u64().unwrap()
            > 0
    );

    for (body, status) in [
        (json!({"text": "a"}), 422),
        (json!({"text": "a", "suggested": {"nonsense": 1.0}}), 422),
        (json!({"text": "a", "suggested": {"toxic": 2.0}}), 422),
        (json!({"record_id": "nonsense", "decision": "approve"}), 422),
        (
            json!({"record_id": "00000000-0000-0000-0000-000000000000", "decision": "approve"}),
            404,
        ),
    ] {
        let answer = server.post("/v1/feedback", body.to_string()).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_found_a_moment_after_its_verdict() {
    let (server, _folder) = server_with_records().await;
    let judge = async |text: &str| {
        let verdict = server.analyze(&json!({ "text": text })).await.json();
        verdict["results"][0]["record_id"].as_str().unwrap().to_owned()
    };
    let body = json!({"record_id": judge("You idiot!").await, "decision": "approve"});
    let answer = server.post("/v1/feedback", body.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");

    let path = format!("/v1/records/{}", judge("Good day.").await);
    assert_eq!(server.get(&path).await.json()["text"], "Good day.");

    let path = format!("/v1/records/{}", judge("a secret").await);
    let answer = server
        .send(Request::delete(&path).body(Body::empty()).unwrap())
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
    assert_eq!(server.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_a_database_records_are_said_to_be_off_and_suggestions_are_answered() {
    let server = Server::ready();
    for path in ["/v1/records", "/v1/records/summary", "/v1/feedback"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json()["error"]["code"], "records_off", "{path}");
    }
    let body =
        json!({"comment": {"text": "hi"}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}});
    let answer = server
        .post("/v1alpha1/comments:suggestscore", body.to_string())
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}
