//! The HTTP surface over a backend that knows three words.

mod fixture;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use fixture::{BODY_LIMIT, CHARACTER_LIMIT, LABELS, Server, TEXT_LIMIT};
use proptest::prelude::*;
use serde_json::{Value, json};
use toxicity_api::{AnalyzeResponse, ErrorBody, ErrorCode, Info};

#[tokio::test]
async fn scores_one_text() {
    let answer = Server::ready().analyze(&json!({"text": "You idiot!"})).await;
    assert_eq!(answer.status, StatusCode::OK);
    let response: AnalyzeResponse = answer.parse();
    assert_eq!(response.model.name, "words");
    assert!((response.thresholds["toxic"] - 0.5).abs() < f32::EPSILON);
    let [verdict] = response.results.as_slice() else {
        panic!("one text, one verdict")
    };
    assert!(verdict.flagged);
    assert_eq!(verdict.flags, ["toxic"]);
    assert_eq!(
        verdict.scores.keys().collect::<Vec<_>>(),
        LABELS.iter().collect::<Vec<_>>()
    );
    assert!(verdict.scores["toxic"] > 0.95 && verdict.scores["threat"] < 0.01);
    assert_eq!((verdict.tokens, verdict.windows), (3, 1));
    assert_eq!(
        answer.json()["results"][0].get("spans"),
        None,
        "spans only on request"
    );
}

#[tokio::test]
async fn keeps_the_order_of_many_texts() {
    let texts: Vec<String> = (0..TEXT_LIMIT)
        .map(|index| {
            if index % 3 == 0 {
                format!("idiot {index}")
            } else {
                format!("fine {index}")
            }
        })
        .collect();
    let answer = Server::ready().analyze(&json!({"texts": texts})).await;
    let response: AnalyzeResponse = answer.parse();
    let flagged: Vec<bool> = response.results.iter().map(|verdict| verdict.flagged).collect();
    assert_eq!(
        flagged,
        (0..TEXT_LIMIT).map(|index| index % 3 == 0).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn answers_only_the_labels_asked_for() {
    let server = Server::ready();
    let answer = server
        .analyze(&json!({"text": "idiot", "labels": ["identity_attack", "threat"]}))
        .await;
    let response: AnalyzeResponse = answer.parse();
    let verdict = &response.results[0];
    assert!(!verdict.flagged);
    assert_eq!(
        verdict.scores.keys().collect::<Vec<_>>(),
        ["threat", "identity_hate"]
    );
}

#[tokio::test]
async fn marks_the_words_behind_the_verdict() {
    let text = "👋🏽 Hélène, du bist ein idiot — and a moron. I could kill you";
    let answer = Server::ready()
        .analyze(&json!({"text": text, "spans": true}))
        .await;
    let response: AnalyzeResponse = answer.parse();
    let wide: Vec<u16> = text.encode_utf16().collect();
    let verdict = &response.results[0];
    assert_eq!(verdict.spans_complete, Some(true));
    let marked: Vec<(&str, String, &[String])> = verdict
        .spans
        .as_deref()
        .unwrap()
        .iter()
        .map(|span| {
            let from_utf16 = String::from_utf16(&wide[span.utf16.range()]).unwrap();
            (&text[span.bytes.range()], from_utf16, span.labels.as_slice())
        })
        .collect();
    let words: Vec<&str> = marked.iter().map(|(word, _, _)| *word).collect();
    assert_eq!(words, ["idiot", "moron", "kill"]);
    for (from_bytes, from_utf16, _) in &marked {
        assert_eq!(from_bytes, from_utf16);
    }
    assert_eq!(marked[0].2, ["toxic"]);
    assert_eq!(marked[2].2, ["threat"]);
}

#[tokio::test]
async fn marks_nothing_in_a_text_that_is_not_flagged() {
    let answer = Server::ready()
        .analyze(&json!({"text": "Have a nice day", "spans": true}))
        .await;
    assert_eq!(answer.json()["results"][0]["spans"], json!([]));
}

#[tokio::test]
async fn scores_long_texts_in_windows_up_to_their_last_word() {
    let text = format!("{} idiot", "all is well here ".repeat(60));
    let answer = Server::ready()
        .analyze(&json!({"text": text, "spans": true}))
        .await;
    let verdict = &answer.json()["results"][0];
    assert_eq!(verdict["tokens"], 241);
    // (241 - 16) / (62 - 16), rounded up: 62 of the window's 64 tokens are the text's.
    assert_eq!(verdict["windows"], 5);
    assert_eq!(verdict["flags"], json!(["toxic"]));
    assert_eq!(verdict["spans"].as_array().unwrap().len(), 1);
    assert_eq!(verdict["spans"][0]["bytes"]["end"], text.len());
}

#[tokio::test]
async fn predict_and_analyzer_answer_message_and_content() {
    let server = Server::ready();
    for path in ["/predict", "/analyzer"] {
        let answer = server.post(path, r#"{"input": "I will kill you"}"#).await;
        assert_eq!(answer.status, StatusCode::OK);
        let body = answer.json();
        assert_eq!(body["message"], "ok");
        assert_eq!(body["content"].as_object().unwrap().len(), LABELS.len());
        assert!(body["content"]["threat"].as_f64().unwrap() > 0.9);
        let answer = server.post(path, r#"{"input": " "}"#).await;
        assert_error(
            &answer,
            StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::EmptyText,
            Some("input"),
        );
    }
}

fn assert_error(answer: &fixture::Answer, status: StatusCode, code: ErrorCode, field: Option<&str>) {
    assert_eq!(answer.status, status, "{answer:?}");
    let body: ErrorBody = answer.parse();
    assert_eq!(
        (body.error.code, body.error.field.as_deref()),
        (code, field),
        "{body:?}"
    );
    assert!(!body.error.message.is_empty());
}

#[tokio::test]
async fn bad_requests_name_the_field_and_the_limit() {
    use ErrorCode::{EmptyText, InvalidField, MalformedJson, TextTooLong, TooManyTexts, UnknownLabel};
    let server = Server::ready();
    let long = json!({"text": "a".repeat(CHARACTER_LIMIT + 1)}).to_string();
    let many = json!({"texts": vec!["a"; TEXT_LIMIT + 1]}).to_string();
    let late = json!({"texts": ["a", "b", ""]}).to_string();
    let nested = format!("{{\"text\": {}1{}}}", "[".repeat(500), "]".repeat(500));
    let cases: [(&str, u16, ErrorCode, Option<&str>); 31] = [
        ("", 400, MalformedJson, None),
        ("{", 400, MalformedJson, None),
        ("{\"text\": \"a\"} x", 400, MalformedJson, None),
        ("{\"text\": \"\\ud800\"}", 400, MalformedJson, None),
        ("{\"text\": \"\\udc00\"}", 400, MalformedJson, None),
        ("{\"text\": \"\\ud83d rest\"}", 400, MalformedJson, None),
        ("{\"text\": \"tab\there\u{1}\"}", 400, MalformedJson, None),
        ("{\"text\": NaN}", 400, MalformedJson, None),
        (&nested, 422, InvalidField, Some("text")),
        ("[]", 422, InvalidField, None),
        ("null", 422, InvalidField, None),
        ("[\"a\", null, false, null]", 422, InvalidField, None),
        ("{}", 422, InvalidField, Some("text")),
        ("{\"text\": null}", 422, InvalidField, Some("text")),
        ("{\"text\": 5}", 422, InvalidField, Some("text")),
        ("{\"text\": [\"a\"]}", 422, InvalidField, Some("text")),
        ("{\"text\": \"a\", \"text\": \"b\"}", 422, InvalidField, None),
        ("{\"txt\": \"a\"}", 422, InvalidField, Some("txt")),
        ("{\"texts\": \"a\"}", 422, InvalidField, Some("texts")),
        ("{\"texts\": [\"a\", 5]}", 422, InvalidField, Some("texts[1]")),
        ("{\"texts\": []}", 422, InvalidField, Some("texts")),
        (
            "{\"text\": \"a\", \"texts\": [\"a\"]}",
            422,
            InvalidField,
            Some("texts"),
        ),
        (
            "{\"text\": \"a\", \"spans\": \"yes\"}",
            422,
            InvalidField,
            Some("spans"),
        ),
        (
            "{\"text\": \"a\", \"labels\": []}",
            422,
            InvalidField,
            Some("labels"),
        ),
        (
            "{\"text\": \"a\", \"labels\": [\"toxic\", \"x\"]}",
            422,
            UnknownLabel,
            Some("labels[1]"),
        ),
        ("{\"text\": \"\"}", 422, EmptyText, Some("text")),
        ("{\"text\": \" \\n\\t\\u3000\"}", 422, EmptyText, Some("text")),
        ("{\"text\": \"\\u0000\\u200b\"}", 422, EmptyText, Some("text")),
        (&late, 422, EmptyText, Some("texts[2]")),
        (&long, 422, TextTooLong, Some("text")),
        (&many, 422, TooManyTexts, Some("texts")),
    ];
    for (body, status, code, field) in cases {
        let answer = server.post("/v1/analyze", body.to_owned()).await;
        assert_error(&answer, StatusCode::from_u16(status).unwrap(), code, field);
    }
    let limit = |answer: &fixture::Answer| answer.json()["error"]["limit"].as_u64();
    assert_eq!(
        limit(&server.post("/v1/analyze", long).await),
        Some(CHARACTER_LIMIT as u64)
    );
    assert_eq!(
        limit(&server.post("/v1/analyze", many).await),
        Some(TEXT_LIMIT as u64)
    );
}

#[tokio::test]
async fn odd_but_valid_texts_are_scored() {
    let server = Server::ready();
    for text in [
        "🖕🏽",
        "\u{202e}txet desrever",
        "<script>alert(1)</script>",
        "a\0b",
        "شكرا لك",
        ".",
    ] {
        let answer = server.analyze(&json!({"text": text, "spans": true})).await;
        assert_eq!(answer.status, StatusCode::OK, "{text:?}: {answer:?}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    let answer = Server::ready()
        .post("/v1/analyze", b"{\"text\": \"\xff\xfe\"}".to_vec())
        .await;
    assert_error(&answer, StatusCode::BAD_REQUEST, ErrorCode::MalformedJson, None);
    assert!(answer.text().contains("byte 10"));
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_also_without_a_length() {
    let server = Server::ready();
    let answer = server.post("/v1/analyze", vec![b'a'; BODY_LIMIT + 1]).await;
    assert_error(
        &answer,
        StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::BodyTooLarge,
        None,
    );
    assert_eq!(answer.json()["error"]["limit"], BODY_LIMIT);

    let chunks = futures_util::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![b'a'; 1024])));
    let answer = server.post("/v1/analyze", Body::from_stream(chunks)).await;
    assert_error(
        &answer,
        StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::BodyTooLarge,
        None,
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let pieces = [Ok("{\"text\": "), Err(std::io::Error::other("reset"))];
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    let answer = Server::ready().post("/v1/analyze", body).await;
    assert_error(&answer, StatusCode::BAD_REQUEST, ErrorCode::IncompleteBody, None);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_given_up() {
    let body = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let answer = Server::loading().post("/v1/analyze", body).await;
    assert_error(
        &answer,
        StatusCode::REQUEST_TIMEOUT,
        ErrorCode::IncompleteBody,
        None,
    );
}

#[tokio::test]
async fn only_json_is_read() {
    let server = Server::ready();
    let send = async |content_type: Option<&str>| {
        let mut request = Request::post("/v1/analyze");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        server
            .send(request.body(Body::from("{\"text\": \"a\"}")).unwrap())
            .await
    };
    for accepted in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/x+json",
    ] {
        assert_eq!(send(Some(accepted)).await.status, StatusCode::OK, "{accepted}");
    }
    for refused in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let answer = send(refused).await;
        assert_error(
            &answer,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorCode::UnsupportedMediaType,
            None,
        );
    }
}

#[tokio::test]
async fn unknown_routes_and_methods_have_the_same_error_shape() {
    let server = Server::ready();
    assert_error(
        &server.get("/nope").await,
        StatusCode::NOT_FOUND,
        ErrorCode::NotFound,
        None,
    );
    let answer = server.get("/v1/analyze").await;
    assert_error(
        &answer,
        StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::MethodNotAllowed,
        None,
    );
    assert_eq!(answer.headers["allow"], "POST");
}

#[tokio::test]
async fn one_request_too_many_is_told_to_come_back() {
    let server = Server::with(1, Duration::from_secs(20)).load(1);
    server.behaviour.pause_milliseconds.store(200, Relaxed);
    let request = json!({"text": "hello"});
    let (first, second) = tokio::join!(server.analyze(&request), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        (server.analyze(&request).await, server.get("/readyz").await)
    });
    assert_eq!(first.status, StatusCode::OK);
    let (refused, readiness) = second;
    assert_error(
        &refused,
        StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Overloaded,
        None,
    );
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(
        readiness.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "no room, not ready"
    );
    assert_eq!(
        server.analyze(&request).await.status,
        StatusCode::OK,
        "the place is free again"
    );
    assert!(
        server
            .get("/metrics")
            .await
            .text()
            .contains("toxicity_rejected_requests_total 1")
    );
}

#[tokio::test]
async fn a_text_that_is_known_is_answered_even_when_there_is_no_room() {
    let server = Server::with(1, Duration::from_secs(20)).load(1);
    let known = json!({"texts": ["You idiot!", "fine"]});
    let first = server.analyze(&known).await;
    server.behaviour.pause_milliseconds.store(200, Relaxed);
    let slow = json!({"text": "something new"});
    let (slow, again) = tokio::join!(server.analyze(&slow), server.analyze(&known));
    assert_eq!(slow.status, StatusCode::OK);
    assert_eq!((again.status, again.body), (StatusCode::OK, first.body));
    let metrics = server.get("/metrics").await.text();
    assert!(metrics.contains("toxicity_cache_hits_total 2"), "{metrics}");
    assert!(metrics.contains("toxicity_cache_entries 3"), "{metrics}");
}

#[tokio::test]
async fn identical_texts_in_flight_are_scored_once() {
    let server = Server::ready();
    server.behaviour.pause_milliseconds.store(50, Relaxed);
    let answer = server.analyze(&json!({"texts": vec!["You idiot!"; 20]})).await;
    assert_eq!(answer.json()["results"].as_array().unwrap().len(), 20);
    let metrics = server.get("/metrics").await.text();
    assert!(metrics.contains("toxicity_batches_total 1\n"), "{metrics}");
}

#[tokio::test]
async fn work_that_would_come_too_late_is_refused_with_the_time_to_wait() {
    let server = Server::with(8, Duration::from_secs(2)).load(8);
    server.behaviour.pause_milliseconds.store(100, Relaxed);
    let texts = |from: usize| -> Vec<String> {
        (from..from + 30)
            .map(|number| format!("hello {number}"))
            .collect()
    };
    // So that the server knows how slow it is.
    assert_eq!(
        server.analyze(&json!({"text": "first"})).await.status,
        StatusCode::OK
    );
    let large = json!({"texts": texts(0)});
    let (large, refused) = tokio::join!(server.analyze(&large), async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let started = std::time::Instant::now();
        (
            server.analyze(&json!({"texts": texts(100)})).await,
            started.elapsed(),
        )
    });
    assert_eq!(
        large.status,
        StatusCode::OK,
        "what was let in is answered in time"
    );
    let (refused, time) = refused;
    assert_error(
        &refused,
        StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Overloaded,
        None,
    );
    assert!(refused.headers.contains_key("retry-after"));
    assert!(time < Duration::from_millis(100), "{time:?}");
}

#[tokio::test]
async fn a_request_out_of_time_is_given_up() {
    let server = Server::with(4, Duration::from_millis(100)).load(4);
    server.behaviour.pause_milliseconds.store(80, Relaxed);
    let texts: Vec<String> = (0..40).map(|number| format!("hello {number}")).collect();
    let answer = server.analyze(&json!({"texts": texts})).await;
    assert_error(
        &answer,
        StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::DeadlineExceeded,
        None,
    );
    server.behaviour.pause_milliseconds.store(0, Relaxed);
    let answer = server.analyze(&json!({"text": "hello again"})).await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "what was given up no longer stands in the way"
    );
}

#[tokio::test]
async fn probes_follow_the_life_of_the_server() {
    let server = Server::loading();
    let status = async |path: &'static str| (path, server.get(path).await.status.as_u16());
    assert_eq!(status("/livez").await.1, 200);
    for path in ["/startupz", "/readyz", "/health", "/info"] {
        assert_eq!(status(path).await, (path, 503));
    }
    let answer = server.analyze(&json!({"text": "hello"})).await;
    assert_error(
        &answer,
        StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Unavailable,
        None,
    );

    let server = server.load(8);
    let status = async |path: &'static str| (path, server.get(path).await.status.as_u16());
    for path in ["/livez", "/startupz", "/readyz", "/health", "/info"] {
        assert_eq!(status(path).await, (path, 200));
    }

    server.state.begin_stopping();
    assert_eq!(status("/readyz").await.1, 503);
    assert_eq!(status("/livez").await.1, 200);
    let answer = server.analyze(&json!({"text": "hello"})).await;
    assert_eq!(answer.status, StatusCode::OK, "a stopping server still answers");
}

#[tokio::test]
async fn a_failing_model_is_not_ready_until_it_answers_again() {
    let server = Server::ready();
    server.behaviour.fails.store(true, Relaxed);
    let answer = server.analyze(&json!({"text": "hello"})).await;
    assert_error(
        &answer,
        StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Unavailable,
        None,
    );
    assert!(
        !answer.text().contains("told to fail"),
        "causes are logged, not answered"
    );
    assert_eq!(
        server.get("/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(server.get("/livez").await.status, StatusCode::OK);
    server.behaviour.fails.store(false, Relaxed);
    assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_dead_session_fails_the_liveness_probe() {
    let server = Server::ready();
    server.behaviour.dies.store(true, Relaxed);
    let answer = server.analyze(&json!({"text": "hello"})).await;
    assert_error(
        &answer,
        StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Unavailable,
        None,
    );
    for _ in 0..100 {
        if server.get("/livez").await.status == StatusCode::SERVICE_UNAVAILABLE {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the liveness probe goes on saying yes");
}

#[tokio::test]
async fn info_says_what_is_loaded_and_allowed() {
    let info: Info = Server::ready().get("/info").await.parse();
    assert_eq!(info.model.labels, LABELS);
    assert_eq!((info.model.window_tokens, info.runtime.sessions), (64, 2));
    assert_eq!(
        (info.limits.texts, info.limits.characters),
        (TEXT_LIMIT, CHARACTER_LIMIT)
    );
}

#[tokio::test]
async fn metrics_start_at_zero_and_count() {
    let server = Server::ready();
    let before = server.get("/metrics").await;
    assert_eq!(before.headers["content-type"], "text/plain; version=0.0.4");
    for line in [
        "toxicity_requests_total{route=\"/v1/analyze\",status=\"200\"} 0",
        "toxicity_requests_total{route=\"/predict\",status=\"422\"} 0",
        "toxicity_flags_total{label=\"threat\"} 0",
        "toxicity_score_count{label=\"toxic\"} 0",
        "toxicity_texts_total 0",
        "toxicity_model_info{name=\"words\",revision=\"0\"} 1",
    ] {
        assert!(
            before.text().lines().any(|known| known == line),
            "{line} in\n{}",
            before.text()
        );
    }
    server
        .analyze(&json!({"texts": ["secretword idiot", "fine"]}))
        .await;
    server.post("/v1/analyze", "{").await;
    server.get("/some/secret/path").await;
    let after = server.get("/metrics").await.text();
    for line in [
        "toxicity_requests_total{route=\"/v1/analyze\",status=\"200\"} 1",
        "toxicity_requests_total{route=\"/v1/analyze\",status=\"400\"} 1",
        "toxicity_requests_total{route=\"other\",status=\"404\"} 1",
        "toxicity_flags_total{label=\"toxic\"} 1",
        "toxicity_flagged_texts_total 1",
        "toxicity_texts_total 2",
        "toxicity_score_count{label=\"toxic\"} 2",
        "toxicity_stage_duration_seconds_count{stage=\"inference\"} 2",
        "toxicity_requests_in_flight 1",
    ] {
        assert!(after.lines().any(|known| known == line), "{line} in\n{after}");
    }
    assert!(
        !after.contains("secret"),
        "neither texts nor paths of clients are in the metrics"
    );
}

#[tokio::test]
async fn the_document_lists_every_route_and_no_other() {
    let server = Server::ready();
    let document = server.get("/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    let expected = [
        "/",
        "/$discovery/rest",
        "/analyzer",
        "/health",
        "/info",
        "/livez",
        "/metrics",
        "/predict",
        "/readyz",
        "/startupz",
        "/v1/admin/reload",
        "/v1/analyze",
        "/v1/feedback",
        "/v1/feedback/agreement",
        "/v1/feedback/export",
        "/v1/feedback/{id}",
        "/v1/models/{model}",
        "/v1/moderations",
        "/v1/records",
        "/v1/records/export",
        "/v1/records/summary",
        "/v1/records/{id}",
        "/v1alpha1/comments:analyze",
        "/v1alpha1/comments:suggestscore",
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models",
        "/v2/models/{model}",
        "/v2/models/{model}/config",
        "/v2/models/{model}/infer",
        "/v2/models/{model}/ready",
        "/v2/models/{model}/stats",
        "/v2/models/{model}/versions/{version}",
        "/v2/models/{model}/versions/{version}/config",
        "/v2/models/{model}/versions/{version}/infer",
        "/v2/models/{model}/versions/{version}/ready",
        "/v2/models/{model}/versions/{version}/stats",
        "/v2/repository/index",
    ];
    assert_eq!(paths.keys().collect::<Vec<_>>(), expected);
    for (path, methods) in paths {
        let answer = if methods.get("get").is_some() {
            server.get(path).await
        } else if methods.get("post").is_some() {
            server.post(path, "{}").await
        } else {
            server
                .send(Request::delete(path).body(Body::empty()).unwrap())
                .await
        };
        let documented = &methods.as_object().unwrap().values().next().unwrap()["responses"];
        assert!(
            documented.get(answer.status.as_str()).is_some(),
            "{path} answers {}",
            answer.status
        );
    }
    assert_eq!(server.get("/docs").await.status, StatusCode::SEE_OTHER);
    let page = server.get("/docs/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.headers.contains_key("content-security-policy"));
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let server = Server::ready();
    let made = server.get("/livez").await;
    assert!(!made.headers["x-request-id"].is_empty());
    let request = Request::get("/nope")
        .header("x-request-id", "abc-1")
        .body(Body::empty())
        .unwrap();
    assert_eq!(server.send(request).await.headers["x-request-id"], "abc-1");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_makes_a_server_error(texts in proptest::collection::vec(any::<String>(), 1..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let answer = shared_server().analyze(&json!({"texts": texts, "spans": true})).await;
            prop_assert!(matches!(answer.status.as_u16(), 200 | 422), "{:?}", answer);
            if answer.status == StatusCode::OK {
                let body: Value = answer.json();
                for (text, verdict) in texts.iter().zip(body["results"].as_array().unwrap()) {
                    for span in verdict["spans"].as_array().unwrap() {
                        let position = |name: &str| usize::try_from(span["bytes"][name].as_u64().unwrap()).unwrap();
                        prop_assert!(text.get(position("begin")..position("end")).is_some());
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_body_makes_a_server_error(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(shared_server().post("/v1/analyze", body));
        prop_assert!(matches!(answer.status.as_u16(), 400 | 422), "{:?}", answer);
    }
}

/// One server for all cases of the property tests: loading a tokenizer takes longer than a case.
fn shared_server() -> &'static Server {
    static SERVER: std::sync::OnceLock<Server> = std::sync::OnceLock::new();
    SERVER.get_or_init(Server::ready)
}
