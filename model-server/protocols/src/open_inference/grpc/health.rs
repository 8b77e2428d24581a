//! The standard health service, answered by the server's readiness at the moment of the question.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::Inference;

/// Names of what is asked about: the server as a whole, and the service that scores.
const SERVICES: [&str; 2] = ["", "inference.GRPCInferenceService"];

/// How often a watched server is looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// The service `grpc.health.v1.Health`.
#[derive(Debug)]
pub struct HealthService<C> {
    core: Arc<C>,
}

impl<C: Inference> HealthService<C> {
    pub(super) fn new(core: Arc<C>) -> Self {
        Self { core }
    }
}

async fn status(core: &impl Inference) -> ServingStatus {
    if core.is_ready().await {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}

#[tonic::async_trait]
impl<C: Inference> Health for HealthService<C> {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if SERVICES.contains(&request.get_ref().service.as_str()) {
            Ok(Response::new(response(status(&*self.core).await)))
        } else {
            Err(Status::not_found("there is no service of this name"))
        }
    }

    /// The status now and whenever it has changed.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        if !SERVICES.contains(&request.get_ref().service.as_str()) {
            // The service may come to be, says the protocol; here it will not.
            let unknown =
                stream::iter([Ok(response(ServingStatus::ServiceUnknown))]).chain(stream::pending());
            return Ok(Response::new(unknown.boxed()));
        }
        let changes = stream::unfold((Arc::clone(&self.core), None), |(core, last)| async move {
            loop {
                if last.is_some() {
                    tokio::time::sleep(WATCH_INTERVAL).await;
                }
                let now = status(&*core).await;
                if last != Some(now) {
                    return Some((Ok(response(now)), (core, Some(now))));
                }
            }
        });
        Ok(Response::new(changes.boxed()))
    }
}
