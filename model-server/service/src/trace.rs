//! Traces of requests, sent to an OpenTelemetry collector by OTLP. Neither texts nor keys nor query strings are in them.

mod arguments;
mod delivery;
mod destination;
mod rpc;
mod sampling;
mod server_span;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracer, SdkTracerProvider};
use reqwest::redirect::Policy;

use delivery::Delivery;
use destination::Destination;

pub use arguments::TraceArguments;
pub use server_span::{ServerSpan, SpanHandle};

/// Time for one delivery where `OTEL_EXPORTER_OTLP_TIMEOUT` says nothing.
const DELIVERY_LIMIT: Duration = Duration::from_secs(10);

/// Why traces do not start.
#[derive(Debug, thiserror::Error)]
pub enum StartTracesError {
    /// The address of the collector is no URL.
    #[error(
        "failed to read the address \"{address}\" of {name}; use a URL such as \"http://localhost:4318\""
    )]
    ReadAddress {
        /// The address.
        address: String,
        /// The flag or the variable that sets it.
        name: &'static str,
    },
    /// The address of the collector holds a secret, which would be shown where the address is.
    #[error(
        "failed to use the address of {name}: it holds a user name; \
         send what the collector wants to know in OTEL_EXPORTER_OTLP_HEADERS"
    )]
    UseCredentials {
        /// The flag or the variable that sets it.
        name: &'static str,
    },
    /// The protocol is not known here.
    #[error("failed to use the protocol \"{protocol}\" of {name}; use \"grpc\" or \"http/protobuf\"")]
    UseProtocol {
        /// The protocol.
        protocol: String,
        /// The flag or the variable that sets it.
        name: &'static str,
    },
    /// The HTTP client does not start.
    #[error("failed to start the HTTP client for traces")]
    StartClient(#[source] reqwest::Error),
    /// What sends the traces does not start.
    #[error("failed to start sending traces")]
    StartExporter(#[source] ExporterBuildError),
}

/// The server whose requests are traced.
#[derive(Debug, Clone, Copy)]
pub struct TracedServer {
    /// Name of the service, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` gives another.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Whether it is asked by TLS.
    pub encrypted: bool,
}

/// Makes spans and sends them in the background. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Traces(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
    scheme: &'static str,
}

impl Traces {
    /// Starts sending traces, if the arguments or the environment name a collector. Must be called within a runtime.
    ///
    /// # Errors
    /// When the address of the collector or the protocol is of no use.
    pub fn start(arguments: &TraceArguments, server: TracedServer) -> Result<Option<Self>, StartTracesError> {
        let Some(destination) = Destination::of(arguments, variable)? else {
            return Ok(None);
        };
        if let Some(problem) = sampling::problem(variable) {
            tracing::warn!(problem, "every trace is recorded, unless its sender says no");
        }
        let limit = delivery_limit(variable);
        let exporter = exporter(&destination, limit)?;
        let address = destination.shown();
        tracing::info!(address, protocol = destination.protocol.name(), "sending traces");
        let delivery = Delivery::new(exporter, tokio::runtime::Handle::current(), limit, address);
        let provider = SdkTracerProvider::builder()
            .with_resource(resource(server))
            .with_span_processor(BatchSpanProcessor::builder(delivery).build())
            .build();
        Ok(Some(Self::new(provider, server)))
    }

    fn new(provider: SdkTracerProvider, server: TracedServer) -> Self {
        Self(Arc::new(Shared {
            tracer: provider.tracer(server.name),
            provider,
            propagator: TraceContextPropagator::new(),
            scheme: if server.encrypted { "https" } else { "http" },
        }))
    }

    /// Sends what is left, for `limit` at the longest. Spans that end later are lost.
    pub async fn stop(&self, limit: Duration) {
        let provider = self.0.provider.clone();
        let stopped = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(limit)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!(
                seconds = limit.as_secs_f64(),
                "the last traces were not sent in time"
            );
        }
    }
}

/// A variable of the environment; an empty one is none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Time for one delivery.
fn delivery_limit(variable: impl Fn(&str) -> Option<String>) -> Duration {
    let milliseconds = variable("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")
        .or_else(|| variable("OTEL_EXPORTER_OTLP_TIMEOUT"))
        .and_then(|value| value.trim().parse().ok());
    milliseconds.map_or(DELIVERY_LIMIT, Duration::from_millis)
}

/// What is said of the server itself; what the environment says of it goes before what is known here.
fn resource(server: TracedServer) -> Resource {
    let detected = Resource::builder().build();
    let is_named = detected
        .get(&Key::new("service.name"))
        .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let version = Key::new("service.version");
    let mut builder = Resource::builder();
    if !is_named {
        builder = builder.with_service_name(server.name);
    }
    if detected.get(&version).is_none() {
        builder = builder.with_attribute(KeyValue::new(version, server.version));
    }
    builder.build()
}

fn exporter(destination: &Destination, limit: Duration) -> Result<SpanExporter, StartTracesError> {
    // Another part of the process may have chosen ring already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint = destination.url.to_string();
    let built = match destination.protocol {
        destination::Protocol::Grpc => {
            let mut builder = SpanExporter::builder()
                .with_tonic()
                .with_endpoint(endpoint)
                .with_protocol(Protocol::Grpc)
                .with_timeout(limit);
            if destination.is_encrypted() {
                builder = builder.with_tls_config(ClientTlsConfig::new().with_native_roots());
            }
            builder.build()
        }
        destination::Protocol::Http => {
            let mut client = reqwest::Client::builder()
                .timeout(limit)
                // The headers may hold a key, which is nobody else's.
                .redirect(Policy::none());
            if destination.is_encrypted() {
                client = client.tls_certs_only(roots());
            }
            let client = client.build().map_err(StartTracesError::StartClient)?;
            SpanExporter::builder()
                .with_http()
                .with_http_client(client)
                .with_endpoint(endpoint)
                .with_protocol(Protocol::HttpBinary)
                .with_timeout(limit)
                .build()
        }
    };
    built.map_err(StartTracesError::StartExporter)
}

/// The certificates that this machine trusts. The verifier of the platform, which is the client's own choice, logs an
/// error at every try.
fn roots() -> Vec<reqwest::Certificate> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "failed to read certificates for sending traces");
    }
    let certificates = found.certs.iter();
    certificates
        .filter_map(|certificate| reqwest::Certificate::from_der(certificate).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_delivery_is_in_milliseconds() {
        let limit = |general: Option<&str>, own: Option<&str>| {
            delivery_limit(|name| match name {
                "OTEL_EXPORTER_OTLP_TIMEOUT" => general.map(str::to_owned),
                _ => own.map(str::to_owned),
            })
        };
        assert_eq!(limit(None, None), DELIVERY_LIMIT);
        assert_eq!(limit(Some("soon"), None), DELIVERY_LIMIT);
        assert_eq!(limit(Some("2000"), None), Duration::from_secs(2));
        assert_eq!(limit(Some("2000"), Some("500")), Duration::from_millis(500));
    }

    #[test]
    fn a_server_is_known_by_its_name_and_version() {
        let server = TracedServer {
            name: "some-server",
            version: "1.2.3",
            encrypted: false,
        };
        let resource = resource(server);
        let value = |key| {
            resource
                .get(&Key::new(key))
                .map(|value| value.as_str().into_owned())
        };
        assert_eq!(value("service.name").as_deref(), Some("some-server"));
        assert_eq!(value("service.version").as_deref(), Some("1.2.3"));
    }
}
