//! The span of a request, named and described as OpenTelemetry's conventions for HTTP say.
//!
//! What a client writes is left out but for the host, the request id and the trace that it names: paths and queries can
//! hold texts and keys.

use std::fmt::Display;
use std::time::{Duration, Instant, SystemTime};

use http::uri::Authority;
use http::{HeaderMap, Method, Request, Response, Version, header};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};

use super::Traces;
use super::rpc::{Rpc, RpcStatus};

/// Longest request id that is passed on, in bytes.
const LONGEST_REQUEST_ID: usize = 128;

/// Longest name of a host.
const LONGEST_HOST: usize = 255;

/// The span of a request that is being answered. Dropped before [`Self::finish`] it says that the client has left.
#[derive(Debug)]
pub struct ServerSpan {
    handle: SpanHandle,
    rpc: Option<Rpc>,
    is_recorded: bool,
    is_finished: bool,
}

/// What describes the work behind a request while it goes on.
#[derive(Debug, Clone)]
pub struct SpanHandle {
    traces: Traces,
    context: Context,
    /// The same moment on two clocks.
    started: (Instant, SystemTime),
}

impl Traces {
    /// Begins the span of a request, within the trace that its sender names. `route` is the template of its path.
    #[must_use]
    pub fn begin<B>(&self, request: &Request<B>, route: Option<&str>) -> ServerSpan {
        let started = (Instant::now(), SystemTime::now());
        let headers = Headers(request.headers());
        let parent = self.0.propagator.extract_with_context(&Context::new(), &headers);
        let method = known_method(request.method());
        let name = match (method, route) {
            (method, Some(route)) => format!("{} {route}", method.unwrap_or("HTTP")),
            (method, None) => method.unwrap_or("HTTP").to_owned(),
        };
        let builder = self
            .0
            .tracer
            .span_builder(name)
            .with_kind(SpanKind::Server)
            .with_start_time(started.1);
        let mut span = self.0.tracer.build_with_context(builder, &parent);
        let is_recorded = span.is_recording();
        let rpc = Rpc::of(request.headers(), request.uri().path()).filter(|_| is_recorded && route.is_some());
        if is_recorded {
            span.set_attributes(attributes(request, route, self.0.scheme));
        }
        ServerSpan {
            handle: SpanHandle {
                traces: self.clone(),
                context: Context::new().with_span(span),
                started,
            },
            rpc,
            is_recorded,
            is_finished: false,
        }
    }
}

impl ServerSpan {
    /// What describes the work, where this trace is recorded.
    #[must_use]
    pub fn handle(&self) -> Option<SpanHandle> {
        self.is_recorded.then(|| self.handle.clone())
    }

    /// Id of the trace, recorded or not.
    #[must_use]
    pub fn trace_id(&self) -> impl Display + use<> {
        self.handle.context.span().span_context().trace_id()
    }

    /// Ends the span with what was answered.
    pub fn finish<B>(mut self, response: &Response<B>) {
        self.is_finished = true;
        let span = self.handle.context.span();
        if !self.is_recorded {
            return;
        }
        let status = response.status();
        span.set_attribute(KeyValue::new(
            "http.response.status_code",
            i64::from(status.as_u16()),
        ));
        if let Some(Rpc { service, method }) = self.rpc.take() {
            let status = RpcStatus::of(response.headers());
            if status.is_of_known_method() {
                span.update_name(format!("{service}/{method}"));
                span.set_attribute(KeyValue::new("rpc.method", method));
            }
            span.set_attribute(KeyValue::new("rpc.system", "grpc"));
            span.set_attribute(KeyValue::new("rpc.service", service));
            span.set_attribute(KeyValue::new("rpc.grpc.status_code", status.0));
            if status.is_failure() {
                self.handle.fail(status.0.to_string());
            }
        }
        if status.is_server_error() {
            self.handle.fail(status.as_str().to_owned());
        }
        span.end_with_timestamp(self.handle.time(Instant::now()));
    }
}

impl Drop for ServerSpan {
    fn drop(&mut self) {
        if self.is_recorded && !self.is_finished {
            self.handle.fail("cancelled".to_owned());
            let span = self.handle.context.span();
            span.end_with_timestamp(self.handle.time(Instant::now()));
        }
    }
}

impl SpanHandle {
    /// Notes a number about the request.
    pub fn note(&self, name: &'static str, number: usize) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.context.span().set_attribute(KeyValue::new(name, number));
    }

    /// Adds a span for a stage of the work that began and ended at these moments, with the time that it took, summed
    /// over what was done side by side.
    pub fn stage(&self, name: &'static str, begun: Instant, ended: Instant, work: Duration) {
        let tracer = &self.traces.0.tracer;
        let builder = tracer
            .span_builder(name)
            .with_kind(SpanKind::Internal)
            .with_start_time(self.time(begun))
            .with_attributes([KeyValue::new("toxicity.work_seconds", work.as_secs_f64())]);
        let mut span = tracer.build_with_context(builder, &self.context);
        span.end_with_timestamp(self.time(ended));
    }

    fn fail(&self, reason: String) {
        let span = self.context.span();
        span.set_attribute(KeyValue::new("error.type", reason));
        span.set_status(Status::error(""));
    }

    /// A moment by the clock on the wall, all of one request by the same reading of it.
    fn time(&self, moment: Instant) -> SystemTime {
        let (instant, time) = self.started;
        time + moment.saturating_duration_since(instant)
    }
}

/// The headers as the propagator reads them.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

fn attributes<B>(request: &Request<B>, route: Option<&str>, scheme: &'static str) -> Vec<KeyValue> {
    let method = known_method(request.method()).unwrap_or("_OTHER");
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("url.scheme", scheme),
    ];
    if let Some(version) = version(request.version()) {
        attributes.push(KeyValue::new("network.protocol.version", version));
    }
    if let Some(route) = route {
        attributes.push(KeyValue::new("http.route", route.to_owned()));
        if !route.contains('{') {
            attributes.push(KeyValue::new("url.path", route.to_owned()));
        }
    }
    if let Some(authority) = authority(request) {
        attributes.push(KeyValue::new("server.address", authority.host().to_owned()));
        if let Some(port) = authority.port_u16() {
            attributes.push(KeyValue::new("server.port", i64::from(port)));
        }
    }
    let request_id = request.headers().get("x-request-id");
    let request_id = request_id.and_then(|id| id.to_str().ok());
    if let Some(id) = request_id.filter(|id| id.len() <= LONGEST_REQUEST_ID) {
        let ids = Array::String(vec![StringValue::from(id.to_owned())]);
        attributes.push(KeyValue::new(
            "http.request.header.x-request-id",
            Value::Array(ids),
        ));
    }
    attributes
}

/// The host that the client asks.
fn authority<B>(request: &Request<B>) -> Option<Authority> {
    let of_uri = request.uri().authority().cloned();
    let authority = of_uri.or_else(|| {
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        host.parse().ok()
    });
    authority.filter(|authority| authority.host().len() <= LONGEST_HOST)
}

/// The name of a method of HTTP itself; others are whatever the client writes.
fn known_method(method: &Method) -> Option<&'static str> {
    Some(match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::PATCH => "PATCH",
        Method::TRACE => "TRACE",
        _ => return None,
    })
}

fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::{SpanId, TraceId};
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

    use super::*;
    use crate::trace::TracedServer;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Kept {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().extend(batch);
            Ok(())
        }
    }

    /// The spans of one request, the last one that of the request itself.
    fn spans(request: &Request<()>, route: Option<&str>, answer: impl FnOnce(ServerSpan)) -> Vec<SpanData> {
        let kept = Kept::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(kept.clone())
            .build();
        let server = TracedServer {
            name: "test",
            version: "0",
            encrypted: true,
        };
        answer(Traces::new(provider, server).begin(request, route));
        let spans = kept.0.lock().unwrap();
        spans.clone()
    }

    fn answered(status: u16) -> impl FnOnce(ServerSpan) {
        move |span| span.finish(&Response::builder().status(status).body(()).unwrap())
    }

    fn text(span: &SpanData, key: &str) -> Option<String> {
        let attribute = span
            .attributes
            .iter()
            .find(|attribute| attribute.key.as_str() == key);
        attribute.map(|attribute| attribute.value.as_str().into_owned())
    }

    #[test]
    fn a_request_is_described_without_what_its_sender_writes() {
        let request = Request::post("/v1/records/secret?key=secret")
            .header("host", "scores.example:8443")
            .header("x-request-id", "abc")
            .header("authorization", "Bearer secret")
            .header("user-agent", "secret")
            .body(())
            .unwrap();
        let spans = spans(&request, Some("/v1/records/{id}"), answered(404));
        let [span] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(span.name, "POST /v1/records/{id}");
        assert_eq!(span.span_kind, SpanKind::Server);
        assert_eq!(span.status, Status::Unset);
        for (key, value) in [
            ("http.request.method", "POST"),
            ("http.route", "/v1/records/{id}"),
            ("http.response.status_code", "404"),
            ("url.scheme", "https"),
            ("server.address", "scores.example"),
            ("server.port", "8443"),
            ("network.protocol.version", "1.1"),
            ("http.request.header.x-request-id", "[\"abc\"]"),
        ] {
            assert_eq!(text(span, key).as_deref(), Some(value), "{key}");
        }
        assert_eq!(text(span, "url.path"), None);
        assert!(!format!("{span:?}").contains("secret"), "{span:?}");
    }

    #[test]
    fn failures_of_the_server_are_errors() {
        let request = || Request::get("/info").body(()).unwrap();
        let failed = spans(&request(), Some("/info"), answered(503));
        assert_eq!(failed[0].status, Status::error(""));
        assert_eq!(text(&failed[0], "error.type").as_deref(), Some("503"));
        assert_eq!(text(&failed[0], "url.path").as_deref(), Some("/info"));
        let left = spans(&request(), Some("/info"), drop);
        assert_eq!(text(&left[0], "error.type").as_deref(), Some("cancelled"));
    }

    #[test]
    fn unknown_methods_and_paths_are_not_named() {
        let request = Request::builder()
            .method("SECRET")
            .uri("/secret")
            .body(())
            .unwrap();
        let spans = spans(&request, None, answered(404));
        assert_eq!(spans[0].name, "HTTP");
        assert_eq!(text(&spans[0], "http.request.method").as_deref(), Some("_OTHER"));
        assert!(!format!("{spans:?}").to_lowercase().contains("secret"));
    }

    #[test]
    fn stages_lie_within_the_span_of_the_sender() {
        let request = Request::get("/info")
            .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
            .header("tracestate", "vendor=x")
            .body(())
            .unwrap();
        let spans = spans(&request, Some("/info"), |span| {
            assert_eq!(span.trace_id().to_string(), TRACE);
            let handle = span.handle().unwrap();
            let begun = Instant::now();
            handle.note("toxicity.texts", 3);
            handle.stage(
                "queue",
                begun,
                begun + Duration::from_millis(5),
                Duration::from_millis(7),
            );
            answered(200)(span);
        });
        let [stage, request] = &spans[..] else {
            panic!("{spans:?}")
        };
        let trace = TraceId::from_hex(TRACE).unwrap();
        assert_eq!(request.span_context.trace_id(), trace);
        assert_eq!(
            request.parent_span_id,
            SpanId::from_hex("b7ad6b7169203331").unwrap()
        );
        assert_eq!(request.span_context.trace_state().header(), "vendor=x");
        assert_eq!(text(request, "toxicity.texts").as_deref(), Some("3"));
        assert_eq!(stage.span_context.trace_id(), trace);
        assert_eq!(stage.parent_span_id, request.span_context.span_id());
        assert!(!stage.parent_span_is_remote && request.parent_span_is_remote);
        assert!(stage.start_time >= request.start_time);
        assert_eq!(
            stage.end_time.duration_since(stage.start_time).unwrap(),
            Duration::from_millis(5)
        );
        assert_eq!(text(stage, "toxicity.work_seconds").as_deref(), Some("0.007"));
    }

    #[test]
    fn a_sender_that_records_nothing_is_followed() {
        let request = Request::get("/info")
            .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-00"))
            .body(())
            .unwrap();
        let spans = spans(&request, Some("/info"), |span| {
            assert_eq!(span.trace_id().to_string(), TRACE);
            assert!(span.handle().is_none());
            answered(200)(span);
        });
        assert!(spans.is_empty(), "{spans:?}");
    }

    #[test]
    fn a_call_by_grpc_is_named_by_its_method() {
        let call = |status: &'static str| {
            let request = Request::post("/a.Service/Method")
                .header("content-type", "application/grpc")
                .body(())
                .unwrap();
            spans(&request, Some("/a.Service/{method}"), move |span| {
                let answer = Response::builder().header("grpc-status", status);
                span.finish(&answer.body(()).unwrap());
            })
        };
        let good = &call("0")[0];
        assert_eq!(good.name, "a.Service/Method");
        assert_eq!(text(good, "rpc.method").as_deref(), Some("Method"));
        assert_eq!(good.status, Status::Unset);
        let failed = &call("14")[0];
        assert_eq!(text(failed, "rpc.grpc.status_code").as_deref(), Some("14"));
        assert_eq!(failed.status, Status::error(""));
        let unknown = &call("12")[0];
        assert_eq!(unknown.name, "POST /a.Service/{method}");
        assert_eq!(text(unknown, "rpc.method"), None);
    }
}
