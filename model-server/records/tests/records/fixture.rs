//! A database for one test, and what to put into it.

mod metrics;
mod postgres;

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;
use toxicity_api::ModelIdentity;
use toxicity_records::{
    Decision, Feedback, FeedbackFilter, Page, PageRequest, Protocol, RecordFilter, Recorder, RecorderOptions,
    Records, Source, StoredRecord, Timeouts, VerdictRecord,
};
use uuid::{NoContext, Timestamp, Uuid};

pub use metrics::Counts;
pub use postgres::{PASSWORD, server_url};

/// Longest time in which things may come to pass in a test.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// An open database of its own.
pub struct Fixture {
    pub url: String,
    pub records: Records,
    _folder: TempDir,
}

impl Fixture {
    /// In a file of SQLite.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/records.db", folder.path().display());
        Self::open(url, folder).await
    }

    /// On the server of PostgreSQL.
    pub async fn postgres() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::open(postgres::new_database().await, folder).await
    }

    /// URL of another database of the same kind that nobody has opened yet.
    pub async fn new_url(&self) -> String {
        if self.url.starts_with("sqlite") {
            self.url.replace("records.db", "new.db")
        } else {
            postgres::new_database().await
        }
    }

    async fn open(url: String, folder: TempDir) -> Self {
        let records = Records::open(&url, timeouts()).await.unwrap();
        Self {
            url,
            records,
            _folder: folder,
        }
    }

    /// Puts records into the database.
    pub async fn write(&self, records: impl IntoIterator<Item = VerdictRecord>) {
        let recorder = self.recorder(RecorderOptions::default(), &Counts::default());
        for record in records {
            recorder.record(record);
        }
        recorder.close(PATIENCE).await;
        assert_eq!(recorder.queued(), (0, 0));
    }

    /// A recorder that writes into the database.
    pub fn recorder(&self, options: RecorderOptions, counts: &Counts) -> Recorder {
        Recorder::start(self.records.clone(), options, std::sync::Arc::new(counts.clone()))
    }

    /// The texts of the first page that a filter lets through.
    pub async fn texts(&self, filter: RecordFilter) -> Vec<String> {
        let page = self.records.list(&filter, PageRequest::default()).await.unwrap();
        texts(&page)
    }

    /// The ids of all feedback.
    pub async fn feedback_ids(&self) -> Vec<Uuid> {
        let mut ids = Vec::new();
        let mut request = PageRequest::default();
        loop {
            let filter = FeedbackFilter::default();
            let page = self.records.list_feedback(&filter, request).await.unwrap();
            ids.extend(page.items.iter().map(|feedback| feedback.id));
            match page.next {
                Some(next) => request.after = Some(next),
                None => return ids,
            }
        }
    }

    /// Runs SQL past the library.
    pub async fn execute(&self, sql: impl Into<String>) {
        let sql = AssertSqlSafe(sql.into());
        if self.url.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            connection.execute(sql).await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            connection.execute(sql).await.unwrap();
        }
    }

    /// Makes the database unavailable for writes until what it returns is dropped or ended.
    pub async fn take_away(&self) -> Away {
        if self.url.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            connection.execute("BEGIN EXCLUSIVE").await.unwrap();
            Away::Locked(connection)
        } else {
            postgres::refuse_connections(&self.url, true).await;
            Away::Refused(self.url.clone())
        }
    }
}

/// A database that is not available.
pub enum Away {
    /// Another process holds its lock.
    Locked(SqliteConnection),
    /// The server has cut all connections and takes no new ones.
    Refused(String),
}

impl Away {
    /// Makes it available again.
    pub async fn end(self) {
        match self {
            Self::Locked(connection) => connection.close().await.unwrap(),
            Self::Refused(url) => postgres::refuse_connections(&url, false).await,
        }
    }
}

/// Short ones where tests wait for failures.
pub fn timeouts() -> Timeouts {
    Timeouts {
        connect: Duration::from_secs(2),
        read: Duration::from_secs(30),
        write: Duration::from_secs(2),
    }
}

/// The texts of a page.
pub fn texts(page: &Page<StoredRecord>) -> Vec<String> {
    page.items
        .iter()
        .map(|record| record.verdict.text.clone())
        .collect()
}

/// A new verdict on a text that is not toxic.
pub fn verdict(text: &str) -> VerdictRecord {
    VerdictRecord {
        id: Uuid::now_v7(),
        tenant: None,
        protocol: Protocol::Native,
        model: ModelIdentity {
            name: "toxic-minilm".to_owned(),
            revision: "4c1e9a03d2b7".to_owned(),
        },
        text: text.to_owned(),
        language: None,
        scores: [("toxic".to_owned(), 0.01), ("threat".to_owned(), 0.02)].into(),
        flags: Vec::new(),
        tokens: 3,
        request_id: None,
    }
}

/// A new verdict on a text that is toxic.
pub fn toxic(text: &str) -> VerdictRecord {
    VerdictRecord {
        scores: [("toxic".to_owned(), 0.9), ("threat".to_owned(), 0.1)].into(),
        flags: vec!["toxic".to_owned()],
        ..verdict(text)
    }
}

/// An id of a time in milliseconds since 1970.
pub fn id_at(milliseconds: u64) -> Uuid {
    let nanoseconds = u32::try_from(milliseconds % 1000).unwrap() * 1_000_000;
    Uuid::new_v7(Timestamp::from_unix(NoContext, milliseconds / 1000, nanoseconds))
}

/// A decision on a record.
pub fn decision(record: Uuid, decision: Decision) -> Feedback {
    Feedback {
        record_id: Some(record),
        decision: Some(decision),
        ..suggestion(&[])
    }
}

/// A suggestion of scores, on nothing yet.
pub fn suggestion(suggested: &[(&str, f32)]) -> Feedback {
    Feedback {
        suggested: suggested
            .iter()
            .map(|&(label, score)| (label.to_owned(), score))
            .collect(),
        ..Feedback::new(Source::Api)
    }
}
