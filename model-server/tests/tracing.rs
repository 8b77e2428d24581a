//! Traces, as a collector receives them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it cannot go on"
)]

mod fixture;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::TcpListener as BlockingListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use axum::routing::post;
use fixture::Server;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use prost::Message;
use serde_json::json;
use tokio::net::TcpListener;
use toxicity_access::{GeneratedKey, WatchedKeyRing};
use toxicity_model_server::http::Services;
use toxicity_model_server::metrics::Metrics;
use toxicity_service::{Leaving, TraceArguments, TracedServer, Traces, serve_until};

/// A word of the texts that are sent, which must stay on this side.
const WORD: &str = "grumblewort";

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// Time for sending what is left.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// What a collector has received by HTTP or gRPC.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Starts one, and gives its address.
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let by_http = {
            let collector = collector.clone();
            async move |body: Bytes| {
                let request = ExportTraceServiceRequest::decode(body).unwrap();
                collector.0.lock().unwrap().push(request);
            }
        };
        let by_grpc = TraceServiceServer::new(collector.clone());
        let router = Router::new().route("/v1/traces", post(by_http)).route_service(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            by_grpc,
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let servers = vec![toxicity_service::Server::plain(listener, router)];
            let never = std::future::pending::<Infallible>();
            match serve_until(servers, &Leaving::default(), never, Duration::ZERO).await {}
        });
        (collector, address)
    }

    fn all_spans(&self) -> Vec<Span> {
        let received = self.0.lock().unwrap();
        let spans = received
            .iter()
            .flat_map(|request| &request.resource_spans)
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| &scope.spans);
        spans.cloned().collect()
    }

    /// Spans of requests, by their names.
    fn requests(&self) -> BTreeMap<String, Span> {
        let spans = self.all_spans().into_iter();
        spans
            .filter(|span| span.kind() == SpanKind::Server)
            .map(|span| (span.name.clone(), span))
            .collect()
    }

    /// Spans within that of a request, by their names.
    fn stages(&self, request: &Span) -> BTreeMap<String, Span> {
        let spans = self.all_spans().into_iter();
        spans
            .filter(|span| span.parent_span_id == request.span_id && span.trace_id == request.trace_id)
            .map(|span| (span.name.clone(), span))
            .collect()
    }

    /// Whether `text` stands anywhere in what came.
    fn holds(&self, text: &str) -> bool {
        let received = self.0.lock().unwrap();
        received.iter().any(|request| {
            let bytes = request.encode_to_vec();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        })
    }

    fn service_name(&self) -> Option<String> {
        let received = self.0.lock().unwrap();
        let resource = received[0].resource_spans[0].resource.as_ref()?;
        let name = resource
            .attributes
            .iter()
            .find(|attribute| attribute.key == "service.name")?;
        match name.value.as_ref()?.value.as_ref()? {
            Value::StringValue(name) => Some(name.clone()),
            _ => None,
        }
    }
}

/// An attribute, as text.
fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        Value::DoubleValue(number) => Some(number.to_string()),
        Value::ArrayValue(array) => match array.values[..] {
            [ref only] => match only.value.as_ref()? {
                Value::StringValue(text) => Some(text.clone()),
                other => panic!("{other:?}"),
            },
            _ => None,
        },
        other => panic!("{other:?}"),
    }
}

fn hex(id: &[u8]) -> String {
    use std::fmt::Write;
    id.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A server with one API key, which sends its traces to `endpoint`.
fn traced_server(endpoint: &str, protocol: Option<&str>) -> (Server, Traces, String) {
    let arguments = TraceArguments {
        otlp_endpoint: Some(endpoint.to_owned()),
        otlp_protocol: protocol.map(str::to_owned),
    };
    let server = TracedServer {
        name: "words-server",
        version: "0",
        encrypted: false,
    };
    let traces = Traces::start(&arguments, server).unwrap().unwrap();
    let key = GeneratedKey::new("forum", std::iter::empty()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    std::fs::write(&path, format!("{}\n", key.entry)).unwrap();
    let services = Services {
        keys: Some(Arc::new(WatchedKeyRing::open(path).unwrap())),
        traces: Some(traces.clone()),
        ..Services::default()
    };
    let server = Server::with_services(services, Arc::new(Metrics::new())).load(8);
    (server, traces, key.secret().to_owned())
}

fn analysis(key: &str) -> Request<Body> {
    let body = json!({"text": format!("you idiot, said {WORD}")});
    Request::post("/v1/analyze?note=grumblewort")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {key}"))
        .header("host", "scores.example:8443")
        .header("x-request-id", "request-7")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("tracestate", "vendor=x")
        .body(Body::from(body.to_string()))
        .unwrap()
}

#[tokio::test]
async fn a_request_becomes_a_span_with_its_stages_and_without_its_text() {
    let (collector, address) = Collector::start().await;
    let (server, traces, key) = traced_server(&address, None);
    assert_eq!(server.send(analysis(&key)).await.status, StatusCode::OK);
    // The API key of Perspective is in the query.
    let body = json!({"comment": {"text": format!("{WORD} {WORD}")}, "requestedAttributes": {"TOXICITY": {}},
        "languages": ["en"]});
    let path = format!("/v1alpha1/comments:analyze?key={key}");
    assert_eq!(server.post(&path, body.to_string()).await.status, StatusCode::OK);
    assert_eq!(
        server.get(&format!("/{WORD}")).await.status,
        StatusCode::NOT_FOUND
    );
    traces.stop(STOP_LIMIT).await;

    let spans = collector.requests();
    let span = &spans["POST /v1/analyze"];
    assert_eq!(hex(&span.trace_id), TRACE);
    assert_eq!(hex(&span.parent_span_id), PARENT);
    assert_eq!(span.trace_state, "vendor=x");
    assert_eq!(span.kind(), SpanKind::Server);
    assert_eq!(span.status.clone().unwrap_or_default().code(), SpanStatus::Unset);
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/v1/analyze"),
        ("url.path", "/v1/analyze"),
        ("url.scheme", "http"),
        ("http.response.status_code", "200"),
        ("server.address", "scores.example"),
        ("server.port", "8443"),
        ("http.request.header.x-request-id", "request-7"),
        ("toxicity.texts", "1"),
    ] {
        assert_eq!(attribute(span, name).as_deref(), Some(value), "{name}");
    }
    let stages = collector.stages(span);
    for stage in ["tokenize", "queue", "inference"] {
        let stage = &stages[stage];
        let (begun, ended) = (stage.start_time_unix_nano, stage.end_time_unix_nano);
        assert!(span.start_time_unix_nano <= begun && begun <= ended && ended <= span.end_time_unix_nano);
        assert!(attribute(stage, "toxicity.work_seconds").is_some());
    }
    assert!(spans.contains_key("POST /v1alpha1/comments:analyze"), "{spans:?}");
    assert!(spans.contains_key("GET"), "{spans:?}");
    assert_eq!(collector.service_name().as_deref(), Some("words-server"));
    for secret in [WORD, "idiot", &key, "Bearer"] {
        assert!(!collector.holds(secret), "{secret}");
    }
}

#[tokio::test]
async fn failures_show_and_probes_do_not() {
    let (collector, address) = Collector::start().await;
    let (server, traces, key) = traced_server(&address, None);
    server
        .behaviour
        .fails
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let answer = server.send(analysis(&key)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    for path in [
        "/livez",
        "/readyz",
        "/startupz",
        "/health",
        "/metrics",
        "/v2/health/live",
    ] {
        server.get(path).await;
    }
    // A sender that records nothing is followed.
    let mut unsampled = analysis(&key);
    *unsampled.uri_mut() = "/predict".parse().unwrap();
    let parent = format!("00-{TRACE}-{PARENT}-00").parse().unwrap();
    unsampled.headers_mut().insert("traceparent", parent);
    server.send(unsampled).await;
    traces.stop(STOP_LIMIT).await;

    let spans = collector.requests();
    let names: Vec<_> = spans.keys().collect();
    assert_eq!(names, ["POST /v1/analyze"]);
    let span = &spans["POST /v1/analyze"];
    assert_eq!(span.status.clone().unwrap().code(), SpanStatus::Error);
    assert_eq!(attribute(span, "error.type").as_deref(), Some("503"));
}

#[tokio::test]
async fn traces_go_by_grpc_too_and_name_its_methods() {
    let (collector, address) = Collector::start().await;
    let (server, traces, _) = traced_server(&address, Some("grpc"));
    for method in ["ServerMetadata", "ServerLive"] {
        let request = Request::post(format!("/inference.GRPCInferenceService/{method}"))
            .header("content-type", "application/grpc")
            // A message without fields.
            .body(Body::from(vec![0; 5]))
            .unwrap();
        assert_eq!(server.send(request).await.status, StatusCode::OK);
    }
    traces.stop(STOP_LIMIT).await;

    let spans = collector.requests();
    let names: Vec<_> = spans.keys().collect();
    assert_eq!(names, ["inference.GRPCInferenceService/ServerMetadata"]);
    let span = &spans["inference.GRPCInferenceService/ServerMetadata"];
    assert_eq!(attribute(span, "rpc.system").as_deref(), Some("grpc"));
    assert_eq!(attribute(span, "rpc.grpc.status_code").as_deref(), Some("0"));
}

#[tokio::test]
async fn a_collector_that_is_gone_or_hangs_holds_nothing_up() {
    let closed = BlockingListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    // Connections are taken by the system, and nobody ever answers.
    let hanging = BlockingListener::bind("127.0.0.1:0").unwrap();
    for address in [closed, hanging.local_addr().unwrap()] {
        for protocol in ["http/protobuf", "grpc"] {
            let (server, traces, key) = traced_server(&format!("http://{address}"), Some(protocol));
            let limit = Duration::from_millis(500);
            let started = Instant::now();
            // More than the queue holds.
            for _ in 0..3_000 {
                assert_eq!(server.send(analysis(&key)).await.status, StatusCode::OK);
            }
            let answered = started.elapsed();
            assert!(answered < Duration::from_secs(20), "{answered:?}");
            let started = Instant::now();
            traces.stop(limit).await;
            let stopped = started.elapsed();
            assert!(stopped < limit + Duration::from_secs(1), "{stopped:?}");
        }
    }
}

#[test]
fn an_address_that_is_none_keeps_the_server_from_starting() {
    let output = Command::new(env!("CARGO_BIN_EXE_toxicity-model-server"))
        .args(["serve", "--otlp-endpoint", "collector:4318"])
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(message.contains("--otlp-endpoint"), "{message}");
    assert!(message.contains("\"http://localhost:4318\""), "{message}");
}
