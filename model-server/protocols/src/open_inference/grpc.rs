//! The protocol over gRPC, and the standard health service beside it.
//!
//! The services do not check keys: what a layer before them puts into the extensions of the request reaches
//! [`Inference::score`].

mod describe;
mod health;
mod infer;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::Extensions;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_server::HealthServer;
use toxicity_api::Limits;

use self::message::grpc_inference_service_server::{GrpcInferenceService, GrpcInferenceServiceServer};
use self::message::{
    ModelConfigRequest, ModelConfigResponse, ModelInferRequest, ModelInferResponse, ModelMetadataRequest,
    ModelMetadataResponse, ModelReadyRequest, ModelReadyResponse, ModelStatisticsRequest,
    ModelStatisticsResponse, RepositoryIndexRequest, RepositoryIndexResponse, ServerLiveRequest,
    ServerLiveResponse, ServerMetadataRequest, ServerMetadataResponse, ServerReadyRequest,
    ServerReadyResponse,
};
use super::metadata::ServerMetadata;
use super::repository::IndexRequest;
use super::statistics::{Counts, Statistics};
use super::{Error, InferRequest, Inputs, ModelView};
use crate::failure::Failure;
use crate::scored::ScoredText;

pub use self::health::HealthService;

/// Messages and services, generated from `proto/open_inference.proto`.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    reason = "generated; the protocol's specification documents them"
)]
pub mod message {
    tonic::include_proto!("inference");
}

/// What the services need of the server.
pub trait Inference: Send + Sync + 'static {
    /// A loaded model, held for one request, so that a reload in the midst of it changes nothing.
    type Model: Send + Sync;

    /// Version of the server.
    fn version(&self) -> &str;

    /// What one call may ask for.
    fn limits(&self) -> Limits;

    /// The model that is loaded.
    ///
    /// # Errors
    /// While there is none.
    fn model(&self) -> Result<Self::Model, Failure>;

    /// What the protocol is told of `model`.
    fn view<'a>(&self, model: &'a Self::Model) -> ModelView<'a>;

    /// Scores `inputs` by `model`, each in its place, within `timeout` where the client named one. `caller` is what
    /// layers before the service found out about the client.
    fn score(
        &self,
        model: &Self::Model,
        inputs: Inputs,
        timeout: Option<Duration>,
        caller: &Extensions,
    ) -> impl Future<Output = Result<Vec<ScoredText>, Failure>> + Send;

    /// What the server has done since it started.
    fn counts(&self) -> Counts;

    /// Whether the process should go on living.
    fn is_live(&self) -> bool;

    /// Whether a request sent now would be scored.
    fn is_ready(&self) -> impl Future<Output = bool> + Send;
}

/// The service `inference.GRPCInferenceService` over `core`. It takes messages within the limit of bodies, also
/// compressed.
pub fn service<C: Inference>(core: Arc<C>) -> GrpcInferenceServiceServer<InferenceService<C>> {
    let message_bytes = core.limits().body_bytes;
    GrpcInferenceServiceServer::new(InferenceService { core })
        .max_decoding_message_size(message_bytes)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Deflate)
}

/// The service `grpc.health.v1.Health` over `core`.
pub fn health<C: Inference>(core: Arc<C>) -> HealthServer<HealthService<C>> {
    HealthServer::new(HealthService::new(core))
}

/// The service `inference.GRPCInferenceService`.
#[derive(Debug)]
pub struct InferenceService<C> {
    core: Arc<C>,
}

impl<C: Inference> InferenceService<C> {
    /// The loaded model, when a request means it.
    fn model(&self, name: &str, version: &str) -> Result<C::Model, Error> {
        let model = self.core.model()?;
        self.core.view(&model).check(name, Some(version))?;
        Ok(model)
    }
}

#[tonic::async_trait]
impl<C: Inference> GrpcInferenceService for InferenceService<C> {
    async fn server_live(
        &self,
        _: Request<ServerLiveRequest>,
    ) -> Result<Response<ServerLiveResponse>, Status> {
        let live = self.core.is_live();
        Ok(Response::new(ServerLiveResponse { live }))
    }

    async fn server_ready(
        &self,
        _: Request<ServerReadyRequest>,
    ) -> Result<Response<ServerReadyResponse>, Status> {
        let ready = self.core.is_ready().await;
        Ok(Response::new(ServerReadyResponse { ready }))
    }

    async fn model_ready(
        &self,
        request: Request<ModelReadyRequest>,
    ) -> Result<Response<ModelReadyResponse>, Status> {
        let request = request.into_inner();
        let is_served = self.model(&request.name, &request.version).is_ok();
        let ready = is_served && self.core.is_ready().await;
        Ok(Response::new(ModelReadyResponse { ready }))
    }

    async fn server_metadata(
        &self,
        _: Request<ServerMetadataRequest>,
    ) -> Result<Response<ServerMetadataResponse>, Status> {
        let metadata = ServerMetadata::new(self.core.version());
        Ok(Response::new(metadata.into()))
    }

    async fn model_metadata(
        &self,
        request: Request<ModelMetadataRequest>,
    ) -> Result<Response<ModelMetadataResponse>, Status> {
        let request = request.into_inner();
        let model = self.model(&request.name, &request.version)?;
        Ok(Response::new(describe::metadata(&self.core.view(&model))))
    }

    async fn model_infer(
        &self,
        request: Request<ModelInferRequest>,
    ) -> Result<Response<ModelInferResponse>, Status> {
        let (_, caller, message) = request.into_parts();
        let model = self.model(&message.model_name, &message.model_version)?;
        let view = self.core.view(&model);
        let request = InferRequest::from_message(message, &view, &self.core.limits())?;
        let scored = self
            .core
            .score(&model, request.inputs, request.timeout, &caller)
            .await
            .map_err(Error::from)?;
        Ok(Response::new(request.form.into_message(&view, &scored)))
    }

    async fn model_config(
        &self,
        request: Request<ModelConfigRequest>,
    ) -> Result<Response<ModelConfigResponse>, Status> {
        let request = request.into_inner();
        let model = self.model(&request.name, &request.version)?;
        let config = describe::configuration(&self.core.view(&model));
        Ok(Response::new(ModelConfigResponse { config: Some(config) }))
    }

    async fn model_statistics(
        &self,
        request: Request<ModelStatisticsRequest>,
    ) -> Result<Response<ModelStatisticsResponse>, Status> {
        let request = request.into_inner();
        let counts = self.core.counts();
        // Without a name it is about all models, of which there may be none yet.
        let statistics = if request.name.is_empty() {
            let model = self.core.model().ok();
            let view = model.as_ref().map(|model| self.core.view(model));
            Statistics::of(view.as_ref(), counts)
        } else {
            let model = self.model(&request.name, &request.version)?;
            Statistics::of(Some(&self.core.view(&model)), counts)
        };
        Ok(Response::new(statistics.into()))
    }

    async fn repository_index(
        &self,
        request: Request<RepositoryIndexRequest>,
    ) -> Result<Response<RepositoryIndexResponse>, Status> {
        let request = IndexRequest {
            ready: request.into_inner().ready,
        };
        let model = self.core.model().ok();
        let view = model.as_ref().map(|model| self.core.view(model));
        let entries = request.answer(view.as_ref(), self.core.is_ready().await);
        Ok(Response::new(RepositoryIndexResponse {
            models: entries.into_iter().map(Into::into).collect(),
        }))
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let mut status = Self::new(code(&error), error.to_string());
        if let Some(seconds) = error.retry_after_seconds() {
            // Clients with a retry policy obey it: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
            let milliseconds = MetadataValue::from(seconds.saturating_mul(1000));
            status
                .metadata_mut()
                .insert("grpc-retry-pushback-ms", milliseconds);
        }
        status
    }
}

fn code(error: &Error) -> Code {
    let Error::Failure(failure) = error else {
        return match error {
            Error::UnknownModel { .. } | Error::UnknownVersion { .. } => Code::NotFound,
            _ => Code::InvalidArgument,
        };
    };
    match failure {
        Failure::IncompleteBody
        | Failure::MalformedBody(_)
        | Failure::UnsupportedMediaType { .. }
        | Failure::InvalidHeader { .. }
        | Failure::EmptyText { .. }
        | Failure::TextTooLong { .. }
        | Failure::TooManyTexts { .. } => Code::InvalidArgument,
        Failure::BodyTooLarge { .. }
        | Failure::RateLimited { .. }
        | Failure::NoPlace { .. }
        | Failure::Overloaded { .. } => Code::ResourceExhausted,
        Failure::SlowBody { .. } | Failure::DeadlineExceeded { .. } => Code::DeadlineExceeded,
        Failure::MissingKey | Failure::Unauthenticated(_) => Code::Unauthenticated,
        Failure::Forbidden(_) => Code::PermissionDenied,
        Failure::Unavailable(_) => Code::Unavailable,
    }
}
