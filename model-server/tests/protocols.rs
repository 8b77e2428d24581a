//! The protocols of others over a backend that knows three words: that each reaches the same core and speaks its own
//! language when it is refused. What each reads and writes in detail is tested where it is written.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod fixture;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use fixture::{Answer, BODY_LIMIT, Server};
use serde_json::{Value, json};

const INFER: &str = "/v2/models/words/infer";

async fn post(server: &Server, path: &str, body: &Value) -> Answer {
    server.post(path, body.to_string()).await
}

#[tokio::test]
async fn every_protocol_gives_the_same_score() {
    let server = Server::ready();
    let text = "You are an idiot, really.";
    let native = post(&server, "/v1/analyze", &json!({"text": text})).await.json();
    let expected = native["results"][0]["scores"]["toxic"].as_f64().unwrap();
    assert!(expected > 0.9);

    let perspective =
        json!({"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]});
    let openai = json!({"input": text});
    let open_inference =
        json!({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]}]});
    let embeddings = json!({"inputs": text});
    for (path, body, pointer) in [
        ("/predict", json!({"input": text}), "/content/toxic"),
        ("/analyzer", json!({"input": text}), "/content/toxic"),
        (
            "/v1alpha1/comments:analyze?key=any",
            perspective,
            "/attributeScores/TOXICITY/summaryScore/value",
        ),
        ("/v1/moderations", openai, "/results/0/label_scores/toxic"),
        (INFER, open_inference, "/outputs/0/data/0"),
        (
            "/v2/models/words/versions/0/infer",
            json!({"inputs": [
                {"name": "text", "shape": [1, 1], "datatype": "BYTES", "data": [[text]]}
            ]}),
            "/outputs/0/data/0",
        ),
        (
            "/v1/models/words:predict",
            json!({"instances": [text]}),
            "/predictions/0/toxic",
        ),
        ("/predict", embeddings.clone(), "/0/score"),
        ("/", embeddings, "/0/score"),
    ] {
        let answer = post(&server, path, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        let score = answer.json().pointer(pointer).and_then(Value::as_f64);
        let score = score.unwrap_or_else(|| panic!("{path}: {answer:?}"));
        assert!((score - expected).abs() < 1e-6, "{path}: {score}");
    }
}

#[tokio::test]
async fn every_protocol_refuses_in_its_own_words() {
    let server = Server::ready();
    let long = "word ".repeat(2_000);
    let perspective = json!({"comment": {"text": long}, "requestedAttributes": {"TOXICITY": {}}});
    let infer = json!({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [long]}]});
    for (path, body, status, pointer, value) in [
        (
            "/v1alpha1/comments:analyze",
            perspective,
            400,
            "/error/details/0/errorType",
            "COMMENT_TOO_LONG",
        ),
        (
            "/v1/moderations",
            json!({"input": long}),
            400,
            "/error/param",
            "input",
        ),
        (
            "/predict",
            json!({"inputs": long}),
            422,
            "/error_type",
            "Validation",
        ),
        (
            "/predict",
            json!({"inputs": ["a", "b"]}),
            422,
            "/error_type",
            "Validation",
        ),
        (
            "/predict",
            json!({"text": "a"}),
            422,
            "/error/code",
            "invalid_field",
        ),
        ("/", json!({"inputs": " "}), 400, "/error_type", "Empty"),
    ] {
        let answer = post(&server, path, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
        assert_eq!(
            answer.json().pointer(pointer),
            Some(&json!(value)),
            "{path}: {answer:?}"
        );
    }
    let answer = post(&server, INFER, &infer).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.json()["error"].as_str().unwrap().contains("5000"),
        "{answer:?}"
    );
    let answer = post(&server, "/v2/models/other/infer", &infer).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let answer = post(&server, "/v1/models/words:explain", &json!({"instances": ["a"]})).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_protocol_says_when_to_come_again() {
    let server = Server::with(1, Duration::from_secs(20)).load(1);
    server.behaviour.pause_milliseconds.store(600, Relaxed);
    let request = |text: &str| {
        [
            (
                "/v1alpha1/comments:analyze",
                json!({"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}}),
            ),
            ("/v1/moderations", json!({"input": text})),
            ("/predict", json!({"inputs": text})),
            ("/", json!({"inputs": text})),
            (
                INFER,
                json!({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]}]}),
            ),
        ]
    };
    let slow = json!({"text": "slow"});
    let (_, ()) = tokio::join!(server.analyze(&slow), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for (path, body) in request("a word") {
            let answer = post(&server, path, &body).await;
            assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{path}: {answer:?}");
            assert_eq!(answer.headers["retry-after"], "1", "{path}");
        }
    });
    let loading = Server::loading();
    for (path, body) in request("a word") {
        let answer = post(&loading, path, &body).await;
        assert_eq!(
            answer.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{path}: {answer:?}"
        );
        let large = loading.post(path, vec![b' '; BODY_LIMIT + 1]).await;
        assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}: {large:?}");
    }
}

#[tokio::test]
async fn sentences_are_scored_one_by_one_for_perspective() {
    let server = Server::ready();
    let text = "Thank you 👋. You idiot!";
    let body = json!({
        "comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}, "spanAnnotations": true, "clientToken": "a1",
    });
    let answer = post(&server, "/v1alpha1/comments:analyze", &body).await.json();
    let spans = answer["attributeScores"]["TOXICITY"]["spanScores"]
        .as_array()
        .unwrap();
    assert_eq!(spans.len(), 2, "{answer}");
    assert_eq!(spans[1]["end"], text.encode_utf16().count());
    assert!(
        spans[0]["score"]["value"].as_f64().unwrap() < 0.1
            && spans[1]["score"]["value"].as_f64().unwrap() > 0.9
    );
    assert_eq!(answer["clientToken"], "a1");
}

#[tokio::test]
async fn another_language_is_refused_for_perspective() {
    let server = Server::ready();
    for (languages, text) in [
        (json!(["de"]), "hello"),
        (
            json!([]),
            "Das ist ein ganz gewöhnlicher deutscher Satz, der lang genug ist, um erkannt zu werden.",
        ),
    ] {
        let body = json!({"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}, "languages": languages});
        let answer = post(&server, "/v1alpha1/comments:analyze", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        let error = answer.json();
        assert_eq!(
            error["error"]["details"][0]["errorType"], "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
            "{error}"
        );
    }
}

#[tokio::test]
async fn tokens_are_scored_as_they_come() {
    let server = Server::ready();
    let ids: Vec<u32> = fixture::tokenization().tokens("you idiot").unwrap().ids;
    let ids = fixture::tokenization().sequence(ids);
    let shape = [1, ids.len()];
    let body = json!({
        "id": "7",
        "inputs": [{"name": "input_ids", "shape": shape, "datatype": "INT64", "data": ids}],
        "outputs": [{"name": "scores"}],
    });
    let answer = post(&server, INFER, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let answer = answer.json();
    assert_eq!(answer["id"], "7");
    assert!(answer["outputs"][0]["data"][0].as_f64().unwrap() > 0.9);
}

#[tokio::test]
async fn hidden_words_are_found_when_asked_for() {
    let server = Server::ready();
    let text = "you are an 1d10t, sir";
    let plain = post(&server, "/v1/analyze", &json!({"text": text, "spans": true}))
        .await
        .json();
    assert_eq!(plain["results"][0]["flagged"], false);
    assert_eq!(plain["results"][0].get("normalized"), None);
    let body = json!({"texts": [text, "nothing hidden"], "spans": true, "normalize": true});
    let answer = post(&server, "/v1/analyze", &body).await.json();
    let [found, other] = answer["results"].as_array().unwrap().as_slice() else {
        panic!("{answer}")
    };
    assert_eq!(found["flags"], json!(["toxic"]));
    assert_eq!(found["normalized"]["text"], "you are an idiot, sir");
    assert_eq!(found["normalized"]["changes"], json!({"leet": 3}));
    let span = &found["spans"][0]["bytes"];
    let range = |name: &str| usize::try_from(span[name].as_u64().unwrap()).unwrap();
    assert_eq!(&text[range("begin")..range("end")], "1d10t");
    assert_eq!(other.get("normalized"), None);
}

#[tokio::test]
async fn the_probes_of_the_open_inference_protocol_tell_the_truth() {
    let (loading, ready) = (Server::loading(), Server::ready());
    for (path, before) in [
        ("/v2/health/live", 200),
        ("/v2/health/ready", 503),
        ("/v2/models/words/ready", 503),
    ] {
        assert_eq!(loading.get(path).await.status.as_u16(), before, "{path}");
        assert_eq!(ready.get(path).await.status, StatusCode::OK, "{path}");
    }
    for path in [
        "/v2",
        "/v2/models",
        "/v2/models/words",
        "/v2/models/words/config",
        "/v2/models/words/stats",
    ] {
        assert_eq!(ready.get(path).await.status, StatusCode::OK, "{path}");
    }
    let index = ready
        .send(Request::post("/v2/repository/index").body(Body::empty()).unwrap())
        .await;
    assert_eq!(index.json()[0]["state"], "READY");
}
