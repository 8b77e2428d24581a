//! The database of verdicts and feedback.

use std::ops::Deref;
use std::sync::Arc;

use uuid::Uuid;

use crate::agreement::Agreement;
use crate::database::{Database, QueryError};
use crate::feedback::{Feedback, FeedbackError, StoredFeedback};
use crate::filter::{FeedbackFilter, RecordFilter, TimeRange};
use crate::page::{MAX_PAGE_ITEMS, Page, PageBounds, PageRequest};
use crate::record::{StoredRecord, VerdictRecord};
use crate::summary::Summary;
use crate::table;
use crate::table::records::{Flag, Group, Judged, ROWS_PER_INSERT};

/// The database of verdicts and feedback. Clones share its connections.
///
/// Where a function takes a `tenant`, it sees what belongs to that tenant and nothing else; without one it sees all.
#[derive(Debug, Clone)]
pub struct Records {
    pub(crate) database: Arc<Database>,
}

impl Records {
    /// One page of the records that `filter` lets through, newest first.
    ///
    /// # Errors
    /// When the database fails or takes too long.
    pub async fn list(
        &self,
        filter: &RecordFilter,
        request: PageRequest,
    ) -> Result<Page<StoredRecord>, QueryError> {
        let mut bounds = PageBounds::new(request);
        let dialect = self.database.dialect();
        let statement = table::records::select(dialect, filter, request.before(), request.limit() + 1);
        let items = self.database.rows(statement, |item| bounds.takes(item)).await?;
        Ok(bounds.page(items))
    }

    /// One record.
    ///
    /// # Errors
    /// When the database fails or takes too long.
    pub async fn get(&self, id: Uuid, tenant: Option<&str>) -> Result<Option<StoredRecord>, QueryError> {
        let statement = table::records::select_one(self.database.dialect(), id, tenant);
        self.database.first_row(statement).await
    }

    /// Forgets one record and all feedback on it. Returns whether there was one.
    ///
    /// # Errors
    /// When the database fails or takes too long; then nothing was forgotten.
    pub async fn delete(&self, id: Uuid, tenant: Option<&str>) -> Result<bool, QueryError> {
        let dialect = self.database.dialect();
        let statements = vec![
            table::records::delete_feedback_of_one(dialect, id, tenant),
            table::records::delete_one(dialect, id, tenant),
        ];
        Ok(self.database.execute(statements).await? > 0)
    }

    /// Counts the records that `filter` lets through.
    ///
    /// # Errors
    /// When the database fails or takes too long.
    pub async fn summary(&self, filter: &RecordFilter) -> Result<Summary, QueryError> {
        let dialect = self.database.dialect();
        let (groups, flags) = tokio::try_join!(
            self.database
                .all_rows::<Group>(table::records::count_by_review(dialect, filter)),
            self.database
                .all_rows::<Flag>(table::records::count_by_flag(dialect, filter)),
        )?;
        let mut summary = Summary {
            flags: flags.into_iter().map(|flag| (flag.label, flag.records)).collect(),
            ..Summary::default()
        };
        for group in groups {
            summary.add(group.review, group.records, group.flagged);
        }
        Ok(summary)
    }

    /// Stores feedback and returns its id. When this returns, the feedback is durable.
    ///
    /// Feedback takes what it does not say itself (text, language, the model's verdict) from the record it is on: the
    /// one it names, or else the newest with the same text. A record is there once its [`Recorder`](crate::Recorder)
    /// has written it.
    ///
    /// # Errors
    /// When the feedback makes no sense, names a record that is not there, or the database fails.
    pub async fn add_feedback(&self, mut feedback: Feedback) -> Result<Uuid, FeedbackError> {
        feedback.check()?;
        let dialect = self.database.dialect();
        let tenant = feedback.tenant.as_deref();
        let judged = table::records::select_judged(dialect, feedback.subject()?, tenant);
        match (
            self.database.first_row::<Judged>(judged).await?,
            feedback.record_id,
        ) {
            (Some(judged), _) => {
                feedback.record_id = Some(judged.id);
                feedback.text.get_or_insert(judged.text);
                feedback.language = feedback.language.or(judged.language);
                feedback.model.get_or_insert(judged.model);
            }
            (None, Some(id)) => return Err(FeedbackError::UnknownRecord(id)),
            (None, None) => {}
        }
        let id = Uuid::now_v7();
        let statement = table::feedback::insert(dialect, id, &feedback);
        self.database.execute(vec![statement]).await?;
        Ok(id)
    }

    /// One page of the feedback that `filter` lets through, newest first.
    ///
    /// # Errors
    /// When the database fails or takes too long.
    pub async fn list_feedback(
        &self,
        filter: &FeedbackFilter,
        request: PageRequest,
    ) -> Result<Page<StoredFeedback>, QueryError> {
        let mut bounds = PageBounds::new(request);
        let dialect = self.database.dialect();
        let statement = table::feedback::select(dialect, filter, request.before(), request.limit() + 1);
        let items = self.database.rows(statement, |item| bounds.takes(item)).await?;
        Ok(bounds.page(items))
    }

    /// Takes feedback back. A decision that is taken back leaves its record where it stood before. Returns whether
    /// there was such feedback.
    ///
    /// # Errors
    /// When the database fails or takes too long.
    pub async fn delete_feedback(&self, id: Uuid, tenant: Option<&str>) -> Result<bool, QueryError> {
        let statement = table::feedback::delete_one(self.database.dialect(), id, tenant);
        Ok(self.database.execute(vec![statement]).await? > 0)
    }

    /// How far people and the model agree, by the feedback stored in `time`. Of several judgements of one record the
    /// newest counts; feedback on texts of which no verdict is known is left out.
    ///
    /// # Errors
    /// When the database fails or takes too long.
    pub async fn agreement(&self, time: TimeRange, tenant: Option<&str>) -> Result<Agreement, QueryError> {
        let dialect = self.database.dialect();
        let mut agreement = Agreement::default();
        let mut request = PageRequest {
            limit: MAX_PAGE_ITEMS,
            after: None,
        };
        loop {
            let mut bounds = PageBounds::new(request);
            let statement = table::feedback::select_comparable(
                dialect,
                time,
                tenant,
                request.before(),
                request.limit() + 1,
            );
            let items: Vec<StoredFeedback> = self.database.rows(statement, |item| bounds.takes(item)).await?;
            let page = bounds.page(items);
            for StoredFeedback { feedback, .. } in &page.items {
                if let Some(model) = &feedback.model {
                    agreement.add(feedback, model);
                }
            }
            if page.next.is_none() {
                return Ok(agreement);
            }
            request.after = page.next;
        }
    }

    /// Writes records in one transaction. Those that are there already stay as they are, so that an attempt whose
    /// outcome is unknown can be repeated.
    pub(crate) async fn insert(
        &self,
        records: &[impl Deref<Target = VerdictRecord>],
    ) -> Result<(), QueryError> {
        let dialect = self.database.dialect();
        let mut statements = Vec::new();
        for records in records.chunks(ROWS_PER_INSERT) {
            statements.push(table::records::insert(dialect, records));
            // Requests are answered on the same threads.
            tokio::task::yield_now().await;
        }
        self.database.execute(statements).await?;
        Ok(())
    }

    /// Closes the connections, once all other functions have returned.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
