//! The table `records`.

use std::ops::Deref;

use sqlx::error::Error;
use toxicity_api::ModelIdentity;
use uuid::Uuid;

use super::push_ids;
use crate::database::{Columns, Dialect, FromColumns, Statement, Value};
use crate::feedback::{ModelVerdict, Subject};
use crate::filter::RecordFilter;
use crate::page::Item;
use crate::record::{Review, StoredRecord, VerdictRecord};
use crate::{id, text};

/// Records that one statement inserts: far below the 32,766 values that SQLite takes, and more would gain nothing.
pub const ROWS_PER_INSERT: usize = 100;

const INSERT: &str = "INSERT INTO records (id, created_at, tenant, protocol, model_name, model_revision, text, \
    text_key, language, scores, flagged, flags, tokens, request_id) VALUES ";

const SELECT: &str = "SELECT records.id, records.tenant, records.protocol, records.model_name, \
    records.model_revision, records.text, records.language, CAST(records.scores AS text) AS scores, \
    CAST(records.flags AS text) AS flags, records.tokens, records.request_id, decisions.decision, \
    (SELECT count(*) FROM feedback WHERE feedback.record_id = records.id) AS feedback \
    FROM records LEFT JOIN decisions ON decisions.record_id = records.id";

/// Adds records; those that are there already stay as they are.
pub fn insert(dialect: Dialect, records: &[impl Deref<Target = VerdictRecord>]) -> Statement<'_> {
    let mut statement = Statement::new(dialect, INSERT);
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            statement.push(", ");
        }
        statement.bind_row([
            record.id.into(),
            id::milliseconds(record.id).into(),
            (&record.tenant).into(),
            Value::name(&record.protocol),
            (&record.model.name).into(),
            (&record.model.revision).into(),
            (&record.text).into(),
            text::key(&record.text).into(),
            (&record.language).into(),
            Value::Json(Some(text::scores_json(&record.scores))),
            (!record.flags.is_empty()).into(),
            Value::Json(Some(text::labels_json(&record.flags))),
            record.tokens.into(),
            (&record.request_id).into(),
        ]);
    }
    statement.push(" ON CONFLICT (id) DO NOTHING");
    // Statements of other lengths are rare: kept prepared, they would only push others out.
    statement.persistent = records.len() == ROWS_PER_INSERT;
    statement
}

/// The records that a filter lets through, newest first, from `before` on.
pub fn select(dialect: Dialect, filter: &RecordFilter, before: Option<Uuid>, limit: usize) -> Statement<'_> {
    let mut statement = Statement::new(dialect, SELECT);
    push_filter(&mut statement, filter, before);
    statement.push(" ORDER BY records.id DESC LIMIT ").bind(limit);
    statement
}

/// One record.
pub fn select_one(dialect: Dialect, id: Uuid, tenant: Option<&str>) -> Statement<'_> {
    let mut statement = Statement::new(dialect, SELECT);
    push_one(&mut statement, id, tenant);
    statement
}

/// Takes one record away.
pub fn delete_one(dialect: Dialect, id: Uuid, tenant: Option<&str>) -> Statement<'_> {
    let mut statement = Statement::new(dialect, "DELETE FROM records");
    push_one(&mut statement, id, tenant);
    statement
}

/// Takes the feedback on one record away.
pub fn delete_feedback_of_one(dialect: Dialect, id: Uuid, tenant: Option<&str>) -> Statement<'_> {
    let mut statement = Statement::new(
        dialect,
        "DELETE FROM feedback WHERE record_id IN (SELECT id FROM records",
    );
    push_one(&mut statement, id, tenant);
    statement.push(")");
    statement
}

fn push_one<'a>(statement: &mut Statement<'a>, id: Uuid, tenant: Option<&'a str>) {
    statement.push(" WHERE records.id = ").bind(id);
    if let Some(tenant) = tenant {
        statement.push(" AND records.tenant = ").bind(tenant);
    }
}

/// How many records a filter lets through, and how many of them are flagged, by where they stand.
pub fn count_by_review(dialect: Dialect, filter: &RecordFilter) -> Statement<'_> {
    let mut statement = Statement::new(
        dialect,
        "SELECT decisions.decision, count(*) AS records, count(*) FILTER (WHERE records.flagged) AS flagged \
         FROM records LEFT JOIN decisions ON decisions.record_id = records.id",
    );
    push_filter(&mut statement, filter, None);
    statement.push(" GROUP BY decisions.decision");
    statement
}

/// How many of the records a filter lets through have each label flagged, the most frequent label first.
pub fn count_by_flag(dialect: Dialect, filter: &RecordFilter) -> Statement<'_> {
    let mut statement = Statement::new(
        dialect,
        format!(
            "SELECT element.value AS label, count(*) AS records \
             FROM records LEFT JOIN decisions ON decisions.record_id = records.id CROSS JOIN {}",
            dialect.elements("records.flags"),
        ),
    );
    push_filter(&mut statement, filter, None);
    statement.push(" AND records.flagged GROUP BY element.value ORDER BY records DESC, label");
    statement
}

/// The record that feedback of `tenant` is on: the newest one if there are several.
pub fn select_judged<'a>(dialect: Dialect, subject: Subject<'a>, tenant: Option<&'a str>) -> Statement<'a> {
    let mut statement = Statement::new(
        dialect,
        "SELECT id, text, language, model_name, model_revision, CAST(scores AS text) AS scores, \
         CAST(flags AS text) AS flags FROM records WHERE ",
    );
    match subject {
        Subject::Record(id) => statement.push("id = ").bind(id),
        Subject::Text(text) => statement
            .push("text_key = ")
            .bind(text::key(text))
            .push(" AND text = ")
            .bind(text),
    };
    if let Some(tenant) = tenant {
        statement.push(" AND tenant = ").bind(tenant);
    }
    statement.push(" ORDER BY id DESC LIMIT 1");
    statement
}

/// What feedback takes from the record it is on.
#[derive(Debug)]
pub struct Judged {
    /// Its id.
    pub id: Uuid,
    /// Its text.
    pub text: String,
    /// The language of its text.
    pub language: Option<String>,
    /// What the model said.
    pub model: ModelVerdict,
}

fn push_filter<'a>(statement: &mut Statement<'a>, filter: &'a RecordFilter, before: Option<Uuid>) {
    let position = statement.dialect().position();
    statement.push(" WHERE true");
    push_ids(statement, "records", filter.time, before);
    if let Some(tenant) = &filter.tenant {
        statement.push(" AND records.tenant = ").bind(tenant);
    }
    if let Some(protocol) = &filter.protocol {
        statement
            .push(" AND records.protocol = ")
            .bind(Value::name(protocol));
    }
    match filter.flagged {
        Some(true) => statement.push(" AND records.flagged"),
        Some(false) => statement.push(" AND NOT records.flagged"),
        None => statement,
    };
    if let Some(label) = &filter.label {
        statement
            .push(" AND ")
            .bind_member("records.scores", &label.label)
            .push(" >= ")
            .bind(label.min_score);
    }
    if let Some(words) = &filter.contains {
        statement
            .push(&format!(" AND {position}(lower(records.text), lower("))
            .bind(words)
            .push(")) > 0");
    }
    match filter.review.map(Review::decision) {
        Some(Some(decision)) => statement
            .push(" AND decisions.decision = ")
            .bind(Value::name(&decision)),
        // By the column that joins, for then PostgreSQL sees that it may stop at the first rows without one.
        Some(None) => statement.push(" AND decisions.record_id IS NULL"),
        None => statement,
    };
    match filter.with_feedback {
        Some(true) => {
            statement.push(" AND EXISTS (SELECT 1 FROM feedback WHERE feedback.record_id = records.id)")
        }
        Some(false) => {
            statement.push(" AND NOT EXISTS (SELECT 1 FROM feedback WHERE feedback.record_id = records.id)")
        }
        None => statement,
    };
}

impl FromColumns for StoredRecord {
    fn from_columns(columns: &impl Columns) -> Result<Self, Error> {
        let id = columns.id("id")?;
        let flags: Vec<String> = columns.json("flags")?;
        Ok(Self {
            created_at: id::milliseconds(id),
            flagged: !flags.is_empty(),
            review: Review::of(columns.optional_named("decision")?),
            feedback: columns.count("feedback")?,
            verdict: VerdictRecord {
                id,
                tenant: columns.optional_text("tenant")?,
                protocol: columns.named("protocol")?,
                model: ModelIdentity {
                    name: columns.text("model_name")?,
                    revision: columns.text("model_revision")?,
                },
                text: columns.text("text")?,
                language: columns.optional_text("language")?,
                scores: columns.json("scores")?,
                flags,
                tokens: columns.count("tokens")?,
                request_id: columns.optional_text("request_id")?,
            },
        })
    }
}

impl FromColumns for Judged {
    fn from_columns(columns: &impl Columns) -> Result<Self, Error> {
        Ok(Self {
            id: columns.id("id")?,
            text: columns.text("text")?,
            language: columns.optional_text("language")?,
            model: ModelVerdict {
                identity: ModelIdentity {
                    name: columns.text("model_name")?,
                    revision: columns.text("model_revision")?,
                },
                scores: columns.json("scores")?,
                flags: columns.json("flags")?,
            },
        })
    }
}

/// The records that stand alike.
#[derive(Debug)]
pub struct Group {
    /// Where they stand.
    pub review: Review,
    /// How many they are.
    pub records: u64,
    /// How many of them are flagged.
    pub flagged: u64,
}

impl FromColumns for Group {
    fn from_columns(columns: &impl Columns) -> Result<Self, Error> {
        Ok(Self {
            review: Review::of(columns.optional_named("decision")?),
            records: columns.count("records")?,
            flagged: columns.count("flagged")?,
        })
    }
}

/// How many records have a label flagged.
#[derive(Debug)]
pub struct Flag {
    /// The label.
    pub label: String,
    /// How many they are.
    pub records: u64,
}

impl FromColumns for Flag {
    fn from_columns(columns: &impl Columns) -> Result<Self, Error> {
        Ok(Self {
            label: columns.text("label")?,
            records: columns.count("records")?,
        })
    }
}

impl Item for StoredRecord {
    fn id(&self) -> Uuid {
        self.verdict.id
    }

    fn bytes(&self) -> usize {
        self.verdict.bytes()
    }
}
