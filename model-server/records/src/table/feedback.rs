//! The table `feedback`.

use sqlx::error::Error;
use toxicity_api::ModelIdentity;
use uuid::Uuid;

use super::push_ids;
use crate::database::{Columns, Dialect, FromColumns, Statement, Value};
use crate::feedback::{Feedback, ModelVerdict, StoredFeedback};
use crate::filter::{FeedbackFilter, TimeRange};
use crate::page::Item;
use crate::{id, text};

const SELECT: &str = "SELECT feedback.id, feedback.tenant, feedback.source, feedback.record_id, feedback.text, \
    feedback.language, CAST(feedback.suggested AS text) AS suggested, feedback.decision, feedback.comment, \
    feedback.client_token, feedback.community_id, feedback.session_id, feedback.model_name, \
    feedback.model_revision, CAST(feedback.scores AS text) AS scores, CAST(feedback.flags AS text) AS flags \
    FROM feedback WHERE true";

/// Adds feedback.
pub fn insert(dialect: Dialect, id: Uuid, feedback: &Feedback) -> Statement<'_> {
    let model = feedback.model.as_ref();
    let mut statement = Statement::new(
        dialect,
        "INSERT INTO feedback (id, created_at, tenant, source, record_id, text, language, suggested, decision, comment, \
         client_token, community_id, session_id, model_name, model_revision, scores, flags) VALUES ",
    );
    statement.bind_row([
        id.into(),
        id::milliseconds(id).into(),
        (&feedback.tenant).into(),
        Value::name(&feedback.source),
        feedback.record_id.into(),
        (&feedback.text).into(),
        (&feedback.language).into(),
        Value::Json(Some(text::scores_json(&feedback.suggested))),
        Value::optional_name(feedback.decision.as_ref()),
        (&feedback.comment).into(),
        (&feedback.client_token).into(),
        (&feedback.community_id).into(),
        (&feedback.session_id).into(),
        model.map(|model| model.identity.name.as_str()).into(),
        model.map(|model| model.identity.revision.as_str()).into(),
        Value::Json(model.map(|model| text::scores_json(&model.scores))),
        Value::Json(model.map(|model| text::labels_json(&model.flags))),
    ]);
    statement
}

/// The feedback that a filter lets through, newest first, from `before` on.
pub fn select(
    dialect: Dialect,
    filter: &FeedbackFilter,
    before: Option<Uuid>,
    limit: usize,
) -> Statement<'_> {
    let mut statement = Statement::new(dialect, SELECT);
    push_ids(&mut statement, "feedback", filter.time, before);
    if let Some(tenant) = &filter.tenant {
        statement.push(" AND feedback.tenant = ").bind(tenant);
    }
    if let Some(record) = filter.record_id {
        statement.push(" AND feedback.record_id = ").bind(record);
    }
    statement.push(" ORDER BY feedback.id DESC LIMIT ").bind(limit);
    statement
}

/// The feedback that can be held against the model, newest first, from `before` on: it knows what the model said, and
/// it is the newest word on its record.
pub fn select_comparable(
    dialect: Dialect,
    time: TimeRange,
    tenant: Option<&str>,
    before: Option<Uuid>,
    limit: usize,
) -> Statement<'_> {
    let mut statement = Statement::new(dialect, SELECT);
    push_ids(&mut statement, "feedback", time, before);
    statement.push(
        " AND feedback.flags IS NOT NULL AND (feedback.record_id IS NULL OR NOT EXISTS (SELECT 1 FROM feedback AS later \
         WHERE later.record_id = feedback.record_id AND later.id > feedback.id))",
    );
    if let Some(tenant) = tenant {
        statement.push(" AND feedback.tenant = ").bind(tenant);
    }
    statement.push(" ORDER BY feedback.id DESC LIMIT ").bind(limit);
    statement
}

/// Takes one feedback away.
pub fn delete_one(dialect: Dialect, id: Uuid, tenant: Option<&str>) -> Statement<'_> {
    let mut statement = Statement::new(dialect, "DELETE FROM feedback WHERE id = ");
    statement.bind(id);
    if let Some(tenant) = tenant {
        statement.push(" AND tenant = ").bind(tenant);
    }
    statement
}

impl FromColumns for StoredFeedback {
    fn from_columns(columns: &impl Columns) -> Result<Self, Error> {
        let id = columns.id("id")?;
        let model = columns
            .optional_json("flags")?
            .map(|flags| {
                Ok::<_, Error>(ModelVerdict {
                    identity: ModelIdentity {
                        name: columns.text("model_name")?,
                        revision: columns.text("model_revision")?,
                    },
                    scores: columns.json("scores")?,
                    flags,
                })
            })
            .transpose()?;
        Ok(Self {
            id,
            created_at: id::milliseconds(id),
            feedback: Feedback {
                tenant: columns.optional_text("tenant")?,
                source: columns.named("source")?,
                record_id: columns.optional_id("record_id")?,
                text: columns.optional_text("text")?,
                language: columns.optional_text("language")?,
                suggested: columns.json("suggested")?,
                decision: columns.optional_named("decision")?,
                comment: columns.optional_text("comment")?,
                client_token: columns.optional_text("client_token")?,
                community_id: columns.optional_text("community_id")?,
                session_id: columns.optional_text("session_id")?,
                model,
            },
        })
    }
}

impl Item for StoredFeedback {
    fn id(&self) -> Uuid {
        self.id
    }

    fn bytes(&self) -> usize {
        self.feedback.bytes()
    }
}
