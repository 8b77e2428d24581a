//! Delivers spans within the runtime of the server, and tells rarely when the collector does not take them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::Handle;

/// Shortest time between two warnings.
const WARNING_PAUSE: Duration = Duration::from_mins(10);

/// An exporter that works within a runtime, for a limited time.
#[derive(Debug)]
pub(super) struct Delivery<E> {
    exporter: Arc<E>,
    runtime: Handle,
    limit: Duration,
    /// Address of the collector, for the log.
    address: String,
    outages: Mutex<Outages>,
}

impl<E: SpanExporter + 'static> Delivery<E> {
    /// Delivers by `exporter` to `address`, each batch for `limit` at the longest.
    pub(super) fn new(exporter: E, runtime: Handle, limit: Duration, address: String) -> Self {
        Self {
            exporter: Arc::new(exporter),
            runtime,
            limit,
            address,
            outages: Mutex::default(),
        }
    }

    fn tell(&self, spans: usize, result: &OTelSdkResult) {
        let mut outages = self.outages.lock().unwrap_or_else(PoisonError::into_inner);
        let address = &self.address;
        match outages.note(spans, result.is_ok(), Instant::now()) {
            None => {}
            Some(News::Lost(spans)) => {
                let error = result
                    .as_ref()
                    .map_or_else(ToString::to_string, |()| String::new());
                tracing::warn!(
                    address,
                    spans,
                    error,
                    "failed to send traces; the server goes on without them"
                );
            }
            Some(News::Back) => tracing::info!(address, "traces are sent again"),
        }
    }
}

impl<E: SpanExporter + 'static> SpanExporter for Delivery<E> {
    /// The thread that calls this has no runtime, which the clients of HTTP and gRPC need.
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let (spans, limit) = (batch.len(), self.limit);
        let exporter = Arc::clone(&self.exporter);
        let sent = self
            .runtime
            .spawn(async move { tokio::time::timeout(limit, exporter.export(batch)).await });
        let result = match sent.await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(OTelSdkError::Timeout(limit)),
            Err(_) => Err(OTelSdkError::AlreadyShutdown),
        };
        self.tell(spans, &result);
        result
    }

    fn set_resource(&mut self, resource: &Resource) {
        Arc::get_mut(&mut self.exporter)
            .expect("no batch is on its way when the resource is set, before the first one")
            .set_resource(resource);
    }
}

/// What is worth a line in the log.
#[derive(Debug, PartialEq, Eq)]
enum News {
    /// Spans were lost, so many since the last warning.
    Lost(usize),
    /// After a warning spans are taken again.
    Back,
}

/// Remembers what was told of deliveries that failed.
#[derive(Debug, Default)]
struct Outages {
    lost: usize,
    warned_at: Option<Instant>,
    is_told: bool,
}

impl Outages {
    /// Notes a delivery, and says what there is to tell.
    fn note(&mut self, spans: usize, is_taken: bool, now: Instant) -> Option<News> {
        if is_taken {
            return std::mem::take(&mut self.is_told).then_some(News::Back);
        }
        self.lost += spans;
        if self
            .warned_at
            .is_some_and(|warned| now.duration_since(warned) < WARNING_PAUSE)
        {
            return None;
        }
        self.warned_at = Some(now);
        self.is_told = true;
        Some(News::Lost(std::mem::take(&mut self.lost)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_that_is_gone_is_told_of_rarely() {
        let mut outages = Outages::default();
        let start = Instant::now();
        let mut note = |seconds, is_taken| {
            let now = start + Duration::from_secs(seconds);
            outages.note(10, is_taken, now)
        };
        assert_eq!(note(0, true), None);
        assert_eq!(note(5, false), Some(News::Lost(10)));
        assert_eq!(note(10, false), None);
        assert_eq!(note(15, false), None);
        assert_eq!(note(20, true), Some(News::Back));
        // One that comes and goes is told of no oftener.
        assert_eq!(note(25, false), None);
        assert_eq!(note(30, true), None);
        assert_eq!(note(605, false), Some(News::Lost(40)));
        assert_eq!(note(610, true), Some(News::Back));
        assert_eq!(note(615, true), None);
    }

    #[derive(Debug)]
    struct Hanging;

    impl SpanExporter for Hanging {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_collector_that_never_answers_is_given_up() {
        let limit = Duration::from_millis(50);
        let delivery = Delivery::new(Hanging, Handle::current(), limit, String::new());
        let result = delivery.export(Vec::new()).await;
        assert!(matches!(result, Err(OTelSdkError::Timeout(_))), "{result:?}");
    }
}
