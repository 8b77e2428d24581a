//! `/v1/records` and `/v1/feedback`: there when records are on.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use serde::Deserialize;
use toxicity_api::ErrorBody;
use toxicity_api::records::{
    AgreementResponse, FeedbackPage, FeedbackRequest, FeedbackResponse, LabelAgreement, Record, RecordPage,
    RecordSummary, Review,
};
use toxicity_records::{
    Confusion, Cursor, FeedbackError, FeedbackFilter, LabelFilter, PageRequest, QueryError, RecordFilter,
    Records, Source, TimeRange,
};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::body::read_json;
use super::context::RequestContext;
use super::scoring::unavailable;
use super::{ApiError, AppState, json, wire};

/// Latest time that the names of records can hold, in milliseconds since 1970.
const LATEST_TIME: u64 = (1 << 48) - 1;

/// Longest time that a request about a record waits for the recorder to write what it holds.
const SETTLING_TIME: Duration = Duration::from_secs(1);

/// All routes of records and feedback.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(export))
        .routes(routes!(summary))
        .routes(routes!(get, delete))
        .routes(routes!(add_feedback, list_feedback))
        .routes(routes!(export_feedback))
        .routes(routes!(agreement))
        .routes(routes!(delete_feedback))
}

/// Which records. All conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct RecordQuery {
    /// Verdicts from this time on, in milliseconds since 1970.
    #[param(maximum = 281_474_976_710_655_u64)]
    since: Option<u64>,
    /// Verdicts before this time, in milliseconds since 1970.
    #[param(maximum = 281_474_976_710_655_u64)]
    until: Option<u64>,
    /// Only of this tenant; for keys that may see all.
    tenant: Option<String>,
    /// Only those that came this way.
    #[param(inline)]
    protocol: Option<toxicity_api::records::RecordProtocol>,
    /// Only those that are flagged, or only those that are not.
    flagged: Option<bool>,
    /// Only those with at least `min_score` on this label.
    label: Option<String>,
    /// Lowest score of `label`, 0 to 1; 0.5 when left out.
    #[param(minimum = 0, maximum = 1)]
    min_score: Option<f64>,
    /// Only texts that contain this.
    contains: Option<String>,
    /// Only those whose review stands so.
    #[param(inline)]
    review: Option<Review>,
    /// Only those with feedback, or only those without.
    with_feedback: Option<bool>,
    /// Most records of a page, 1 to 500; 50 when left out. Only for lists.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// `next` of the page before. Only for lists.
    after: Option<String>,
}

/// Which feedback. All conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct FeedbackQuery {
    /// Feedback from this time on, in milliseconds since 1970.
    #[param(maximum = 281_474_976_710_655_u64)]
    since: Option<u64>,
    /// Feedback before this time, in milliseconds since 1970.
    #[param(maximum = 281_474_976_710_655_u64)]
    until: Option<u64>,
    /// Only of this tenant; for keys that may see all.
    tenant: Option<String>,
    /// Only on this record.
    #[param(format = "uuid")]
    record_id: Option<String>,
    /// Most items of a page, 1 to 500; 50 when left out. Only for lists.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// `next` of the page before. Only for lists.
    after: Option<String>,
}

/// Which time.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TimeQuery {
    /// From this time on, in milliseconds since 1970.
    #[param(maximum = 281_474_976_710_655_u64)]
    since: Option<u64>,
    /// Before this time, in milliseconds since 1970.
    #[param(maximum = 281_474_976_710_655_u64)]
    until: Option<u64>,
    /// Only of this tenant; for keys that may see all.
    tenant: Option<String>,
}

/// What every route here can answer besides its success.
#[derive(utoipa::IntoResponses)]
#[allow(dead_code, reason = "it only documents")]
enum RecordErrors {
    /// No API key, or one that is not known
    #[response(status = 401)]
    Unauthenticated(ErrorBody),
    /// The API key may not do this
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// Records are off, or there is no such thing
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// A parameter, a field or the header `x-request-timeout` is wrong
    #[response(status = 422)]
    Invalid(ErrorBody),
    /// The API key is at its limit; see `Retry-After`
    #[response(status = 429)]
    Overloaded(ErrorBody),
    /// The database does not answer
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// The database, and what of it the asker may see.
fn open(
    state: &AppState,
    parts: &Parts,
    tenant: Option<String>,
) -> Result<(Records, Option<String>), ApiError> {
    let context = RequestContext::of(state, parts)?;
    let records = state.records().ok_or(ApiError::RecordsOff)?;
    Ok((records.clone(), context.visible_tenant(tenant)?))
}

/// Asks the database about one record, and once more when the record is missing: that of a verdict given a moment ago may
/// still wait to be written.
async fn about_record<T, Asked: Future<Output = T>>(
    state: &AppState,
    ask: impl Fn() -> Asked,
    is_missing: impl Fn(&T) -> bool,
) -> T {
    let answer = ask().await;
    match state.recording() {
        Some(recording) if is_missing(&answer) => {
            recording.settle(SETTLING_TIME).await;
            ask().await
        }
        _ => answer,
    }
}

fn query<T: Default>(query: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    let Query(query) = query.map_err(|rejection| ApiError::InvalidField {
        field: String::new(),
        message: rejection.body_text(),
    })?;
    Ok(query)
}

fn invalid(field: &str, message: impl Into<String>) -> ApiError {
    ApiError::InvalidField {
        field: field.to_owned(),
        message: message.into(),
    }
}

fn failed(error: &QueryError) -> ApiError {
    tracing::error!(error = %toxicity_service::error_chain(error), "the database of records failed");
    unavailable("the database of records does not answer; the server's log says why").into()
}

fn id(text: &str, field: &str) -> Result<Uuid, ApiError> {
    Uuid::parse_str(text).map_err(|_| invalid(field, format!("`{field}` must be a UUID")))
}

fn time_range(since: Option<u64>, until: Option<u64>) -> Result<TimeRange, ApiError> {
    for (field, time) in [("since", since), ("until", until)] {
        if time.is_some_and(|time| time > LATEST_TIME) {
            return Err(invalid(
                field,
                format!("`{field}` must be from 0 to {LATEST_TIME}"),
            ));
        }
    }
    Ok(TimeRange { since, until })
}

fn page(limit: Option<usize>, after: Option<&str>) -> Result<PageRequest, ApiError> {
    let limit = limit.unwrap_or(PageRequest::default().limit);
    if !(1..=toxicity_records::MAX_PAGE_ITEMS).contains(&limit) {
        let most = toxicity_records::MAX_PAGE_ITEMS;
        return Err(invalid("limit", format!("`limit` must be from 1 to {most}")));
    }
    let cursor = |text: &str| {
        text.parse::<Cursor>()
            .map_err(|_| invalid("after", "`after` must be the `next` of a page"))
    };
    Ok(PageRequest {
        limit,
        after: after.map(cursor).transpose()?,
    })
}

/// Refuses the parameters of pages where the answer is one whole.
fn without_pages(limit: Option<usize>, after: Option<&String>) -> Result<(), ApiError> {
    let given = [("limit", limit.is_some()), ("after", after.is_some())];
    match given.into_iter().find(|&(_, is_given)| is_given) {
        Some((field, _)) => Err(invalid(
            field,
            format!("`{field}` is for lists; leave it out here"),
        )),
        None => Ok(()),
    }
}

impl RecordQuery {
    fn filter(self, tenant: Option<String>) -> Result<RecordFilter, ApiError> {
        let min_score = self.min_score.unwrap_or(0.5);
        if !(0.0..=1.0).contains(&min_score) {
            return Err(invalid("min_score", "`min_score` must be from 0 to 1"));
        }
        Ok(RecordFilter {
            time: time_range(self.since, self.until)?,
            tenant,
            protocol: self.protocol.map(wire::protocol),
            flagged: self.flagged,
            label: self.label.map(|label| LabelFilter { label, min_score }),
            contains: self.contains,
            review: self.review.map(wire::review),
            with_feedback: self.with_feedback,
        })
    }
}

impl FeedbackQuery {
    fn filter(&self, tenant: Option<String>) -> Result<FeedbackFilter, ApiError> {
        let record_id = self.record_id.as_deref().map(|text| id(text, "record_id"));
        Ok(FeedbackFilter {
            time: time_range(self.since, self.until)?,
            tenant,
            record_id: record_id.transpose()?,
        })
    }
}

/// Records of verdicts, newest first.
#[utoipa::path(get, path = "/v1/records", tag = "records", params(RecordQuery), responses(
    (status = 200, description = "A page of records", body = RecordPage),
    RecordErrors,
))]
async fn list(
    State(state): State<AppState>,
    parts: Parts,
    asked: Result<Query<RecordQuery>, QueryRejection>,
) -> Result<Json<RecordPage>, ApiError> {
    let mut asked = query(asked)?;
    let (records, tenant) = open(&state, &parts, asked.tenant.take())?;
    let request = page(asked.limit, asked.after.as_deref())?;
    let page = records.list(&asked.filter(tenant)?, request).await;
    let page = page.map_err(|error| failed(&error))?;
    Ok(Json(RecordPage {
        items: page.items.into_iter().map(wire::record).collect(),
        next: page.next.map(String::from),
    }))
}

/// All records that the conditions let through, newest first, as JSON Lines.
#[utoipa::path(get, path = "/v1/records/export", tag = "records", params(RecordQuery), responses(
    (status = 200, description = "A record a line", body = String, content_type = "application/x-ndjson"),
    RecordErrors,
))]
async fn export(
    State(state): State<AppState>,
    parts: Parts,
    asked: Result<Query<RecordQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let mut asked = query(asked)?;
    let (records, tenant) = open(&state, &parts, asked.tenant.take())?;
    without_pages(asked.limit, asked.after.as_ref())?;
    Ok(json_lines(records.export(asked.filter(tenant)?)))
}

fn json_lines(
    lines: impl futures_util::Stream<Item = Result<String, QueryError>> + Send + 'static,
) -> Response {
    // The answer has begun when the database fails; the log says why it breaks off.
    let lines = lines.inspect_err(|error| {
        failed(error);
    });
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (headers, Body::from_stream(lines)).into_response()
}

/// How many records there are, and where their review stands.
#[utoipa::path(get, path = "/v1/records/summary", tag = "records", params(RecordQuery), responses(
    (status = 200, description = "Counts", body = RecordSummary),
    RecordErrors,
))]
async fn summary(
    State(state): State<AppState>,
    parts: Parts,
    asked: Result<Query<RecordQuery>, QueryRejection>,
) -> Result<Json<RecordSummary>, ApiError> {
    let mut asked = query(asked)?;
    let (records, tenant) = open(&state, &parts, asked.tenant.take())?;
    without_pages(asked.limit, asked.after.as_ref())?;
    let summary = records.summary(&asked.filter(tenant)?).await;
    Ok(Json(wire::summary(summary.map_err(|error| failed(&error))?)))
}

/// One record.
#[utoipa::path(get, path = "/v1/records/{id}", tag = "records", params(("id" = String, Path, format = "uuid")), responses(
    (status = 200, description = "The record", body = Record),
    RecordErrors,
))]
async fn get(
    State(state): State<AppState>,
    Path(name): Path<String>,
    parts: Parts,
) -> Result<Json<Record>, ApiError> {
    let (records, tenant) = open(&state, &parts, None)?;
    let id = id(&name, "id")?;
    let get = || records.get(id, tenant.as_deref());
    let found = about_record(&state, get, |found| matches!(found, Ok(None))).await;
    let found = found.map_err(|error| failed(&error))?;
    Ok(Json(wire::record(found.ok_or(ApiError::NoSuchRecord)?)))
}

/// Forget one record and all feedback on it.
#[utoipa::path(delete, path = "/v1/records/{id}", tag = "records", params(("id" = String, Path, format = "uuid")), responses(
    (status = 204, description = "It is forgotten"),
    RecordErrors,
))]
async fn delete(
    State(state): State<AppState>,
    Path(name): Path<String>,
    parts: Parts,
) -> Result<StatusCode, ApiError> {
    let (records, tenant) = open(&state, &parts, None)?;
    let id = id(&name, "id")?;
    let delete = || records.delete(id, tenant.as_deref());
    let gone = about_record(&state, delete, |gone| matches!(gone, Ok(false))).await;
    deleted(gone.map_err(|error| failed(&error))?)
}

fn deleted(gone: bool) -> Result<StatusCode, ApiError> {
    if gone {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoSuchRecord)
    }
}

/// Say what a text should have been judged.
///
/// The answer comes when it is stored for good.
#[utoipa::path(post, path = "/v1/feedback", tag = "records", request_body = FeedbackRequest, responses(
    (status = 201, description = "It is stored", body = FeedbackResponse),
    (status = 400, description = "The body is not JSON, not UTF-8 or incomplete", body = ErrorBody),
    (status = 408, description = "The body did not arrive in time", body = ErrorBody),
    (status = 413, description = "The body is too large", body = ErrorBody),
    (status = 415, description = "The content type is not JSON", body = ErrorBody),
    RecordErrors,
))]
async fn add_feedback(
    State(state): State<AppState>,
    request: Request,
) -> Result<(StatusCode, Json<FeedbackResponse>), ApiError> {
    let (parts, body) = read_json(request, state.limits().body_bytes).await?;
    let context = RequestContext::of(&state, &parts)?;
    let request: FeedbackRequest = json::parse(&body)?;
    let records = state.records().ok_or(ApiError::RecordsOff)?;
    let source = if request.review {
        Source::Review
    } else {
        Source::Api
    };
    let record_id = request.record_id.as_deref().map(|text| id(text, "record_id"));
    let feedback = toxicity_records::Feedback {
        tenant: context.tenant(),
        source,
        record_id: record_id.transpose()?,
        language: None,
        suggested: state.own_labels(request.suggested)?,
        decision: request.decision.map(wire::decision),
        comment: request.comment,
        client_token: request.client_token,
        community_id: None,
        session_id: None,
        model: request
            .text
            .as_deref()
            .and_then(|text| state.model_verdict(&context, text)),
        text: request.text,
    };
    let id = store(&state, records, feedback).await?.to_string();
    Ok((StatusCode::CREATED, Json(FeedbackResponse { id })))
}

/// Stores feedback and counts it.
pub(super) async fn store(
    state: &AppState,
    records: &Records,
    feedback: toxicity_records::Feedback,
) -> Result<Uuid, ApiError> {
    let source = feedback.source;
    let add = || records.add_feedback(feedback.clone());
    let added = about_record(state, add, |added| {
        matches!(added, Err(FeedbackError::UnknownRecord(_)))
    });
    let id = added.await.map_err(|error| match error {
        FeedbackError::Invalid(invalid) => ApiError::InvalidField {
            field: String::new(),
            message: invalid.to_string(),
        },
        FeedbackError::UnknownRecord(_) => ApiError::NoSuchRecord,
        FeedbackError::Query(error) => failed(&error),
    })?;
    state.metrics().feedback(source).inc();
    Ok(id)
}

/// Feedback, newest first.
#[utoipa::path(get, path = "/v1/feedback", tag = "records", params(FeedbackQuery), responses(
    (status = 200, description = "A page of feedback", body = FeedbackPage),
    RecordErrors,
))]
async fn list_feedback(
    State(state): State<AppState>,
    parts: Parts,
    asked: Result<Query<FeedbackQuery>, QueryRejection>,
) -> Result<Json<FeedbackPage>, ApiError> {
    let mut asked = query(asked)?;
    let (records, tenant) = open(&state, &parts, asked.tenant.take())?;
    let request = page(asked.limit, asked.after.as_deref())?;
    let page = records.list_feedback(&asked.filter(tenant)?, request).await;
    let page = page.map_err(|error| failed(&error))?;
    Ok(Json(FeedbackPage {
        items: page.items.into_iter().map(wire::feedback).collect(),
        next: page.next.map(String::from),
    }))
}

/// All feedback that the conditions let through, newest first, as JSON Lines: what a model can be trained on.
#[utoipa::path(get, path = "/v1/feedback/export", tag = "records", params(FeedbackQuery), responses(
    (status = 200, description = "Feedback, one a line", body = String, content_type = "application/x-ndjson"),
    RecordErrors,
))]
async fn export_feedback(
    State(state): State<AppState>,
    parts: Parts,
    asked: Result<Query<FeedbackQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let mut asked = query(asked)?;
    let (records, tenant) = open(&state, &parts, asked.tenant.take())?;
    without_pages(asked.limit, asked.after.as_ref())?;
    Ok(json_lines(records.export_feedback(asked.filter(tenant)?)))
}

/// How far people and the model agree.
#[utoipa::path(get, path = "/v1/feedback/agreement", tag = "records", params(TimeQuery), responses(
    (status = 200, description = "On texts as a whole and label by label", body = AgreementResponse),
    RecordErrors,
))]
async fn agreement(
    State(state): State<AppState>,
    parts: Parts,
    asked: Result<Query<TimeQuery>, QueryRejection>,
) -> Result<Json<AgreementResponse>, ApiError> {
    let mut asked = query(asked)?;
    let (records, tenant) = open(&state, &parts, asked.tenant.take())?;
    let time = time_range(asked.since, asked.until)?;
    let agreement = records.agreement(time, tenant.as_deref()).await;
    let agreement = agreement.map_err(|error| failed(&error))?;
    let of = |confusion: &Confusion| LabelAgreement {
        both: confusion.both,
        model_only: confusion.model_only,
        person_only: confusion.person_only,
        neither: confusion.neither,
        agreement: confusion.agreement(),
        precision: confusion.precision(),
        recall: confusion.recall(),
    };
    Ok(Json(AgreementResponse {
        overall: of(&agreement.overall),
        labels: agreement
            .labels
            .iter()
            .map(|(label, confusion)| (label.clone(), of(confusion)))
            .collect(),
    }))
}

/// Take feedback back. A decision that is taken back leaves its record where it stood before.
#[utoipa::path(delete, path = "/v1/feedback/{id}", tag = "records", params(("id" = String, Path, format = "uuid")), responses(
    (status = 204, description = "It is taken back"),
    RecordErrors,
))]
async fn delete_feedback(
    State(state): State<AppState>,
    Path(name): Path<String>,
    parts: Parts,
) -> Result<StatusCode, ApiError> {
    let (records, tenant) = open(&state, &parts, None)?;
    let gone = records.delete_feedback(id(&name, "id")?, tenant.as_deref()).await;
    deleted(gone.map_err(|error| failed(&error))?)
}
