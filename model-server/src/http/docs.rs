//! `GET /openapi.json` and `GET /docs`, which work behind a path prefix too: all their links are relative.

use axum::http::{HeaderValue, header};
use axum::routing::get;
use axum::{Json, Router};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi;
use utoipa::openapi::{OpenApi as Document, ServerBuilder};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::AppState;

/// Swagger UI sets inline styles and draws its icons from data addresses; its scripts are files.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Toxicity Monitor model server",
        description = "Scores text for toxicity, label by label, and says which words carry the verdict.",
    ),
    tags(
        (name = "analyze", description = "Score texts"),
        (name = "perspective", description = "Score comments as Google's Perspective API does"),
        (name = "openai", description = "Judge texts as OpenAI's moderation does"),
        (name = "text-embeddings-inference", description = "Classify texts as text-embeddings-inference and Hugging Face do"),
        (name = "open-inference", description = "The Open Inference Protocol of KServe, Triton and Seldon"),
        (name = "records", description = "What was said of texts, and what people say of that; with --records-url"),
        (name = "operations", description = "What is loaded, and how it is doing"),
        (name = "health", description = "Probes"),
    )
)]
struct Description;

/// The part of the document that no route states.
pub(super) fn description() -> Document {
    let mut document = Description::openapi();
    // Relative to the document itself, so that it also holds behind the web server's /api prefix.
    document.servers = Some(vec![ServerBuilder::new().url(".").build()]);
    document
}

pub(super) fn router(document: Document) -> Router<AppState> {
    let policy = SetResponseHeaderLayer::overriding(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    );
    let swagger: Router<AppState> = SwaggerUi::new("/docs")
        .config(
            Config::new(["../openapi.json"])
                .use_base_layout()
                .try_it_out_enabled(true),
        )
        .into();
    swagger
        .layer(policy)
        .route("/openapi.json", get(async move || Json(document)))
}
