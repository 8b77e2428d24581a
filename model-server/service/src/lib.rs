//! What the long-running processes of Toxicity Monitor share: how they log, serve, stop, count and name
//! their errors.

mod error;
mod in_flight;
mod leaving;
mod log;
mod serve;
mod stop;
mod tls;
#[cfg(feature = "otlp")]
mod trace;

pub use error::error_chain;
pub use in_flight::InFlight;
pub use leaving::Leaving;
pub use log::{LogArguments, LogFormat, ParseLogFilterError, start_logging};
pub use serve::{Server, listen, serve_until};
pub use stop::stop_requested;
pub use tls::{LoadTlsError, Tls, TlsArguments};
#[cfg(feature = "otlp")]
pub use trace::{ServerSpan, SpanHandle, StartTracesError, TraceArguments, TracedServer, Traces};
