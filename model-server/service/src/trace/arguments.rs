//! Flags of traces.

use clap::Args;

/// Where traces are sent.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Traces")]
pub struct TraceArguments {
    /// Send a trace of each request to this OpenTelemetry collector, such as `http://localhost:4318`; without it no trace
    /// is made. `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` goes before it. Headers, sampling, batches and the name of the
    /// service are set by the variables of OpenTelemetry.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "URL",
        hide_env_values = true
    )]
    pub otlp_endpoint: Option<String>,

    /// How traces are sent: `grpc` or `http/protobuf`. Default: `grpc` to port 4317, else `http/protobuf`.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_PROTOCOL", value_name = "PROTOCOL")]
    pub otlp_protocol: Option<String>,
}
