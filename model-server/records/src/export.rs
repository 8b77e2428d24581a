//! Everything, as a stream of lines.

use futures_util::TryStreamExt;
use futures_util::stream::{self, Stream};
use serde::Serialize;

use crate::database::QueryError;
use crate::filter::{FeedbackFilter, RecordFilter};
use crate::page::{Cursor, MAX_PAGE_ITEMS, Page, PageRequest};
use crate::records::Records;

impl Records {
    /// The records that `filter` lets through, newest first, as JSON Lines: each item is one line with its line feed.
    ///
    /// It reads page by page as the lines are taken, so it holds one page in memory and no connection between pages.
    /// What comes in after the first page is left out.
    pub fn export(
        &self,
        filter: RecordFilter,
    ) -> impl Stream<Item = Result<String, QueryError>> + Send + use<> {
        let records = self.clone();
        lines(move |request| {
            let (records, filter) = (records.clone(), filter.clone());
            async move { records.list(&filter, request).await }
        })
    }

    /// The feedback that `filter` lets through, in the same way: what a model can be trained on.
    pub fn export_feedback(
        &self,
        filter: FeedbackFilter,
    ) -> impl Stream<Item = Result<String, QueryError>> + Send + use<> {
        let records = self.clone();
        lines(move |request| {
            let (records, filter) = (records.clone(), filter.clone());
            async move { records.list_feedback(&filter, request).await }
        })
    }
}

/// Where an export stands.
enum Progress {
    /// The next page begins after this cursor.
    After(Option<Cursor>),
    /// There are no more pages.
    Done,
}

fn lines<T, F>(mut page: impl FnMut(PageRequest) -> F) -> impl Stream<Item = Result<String, QueryError>>
where
    T: Serialize,
    F: Future<Output = Result<Page<T>, QueryError>>,
{
    let pages = stream::try_unfold(Progress::After(None), move |progress| {
        let page = match progress {
            Progress::After(after) => Some(page(PageRequest {
                limit: MAX_PAGE_ITEMS,
                after,
            })),
            Progress::Done => None,
        };
        async move {
            let Some(page) = page else {
                return Ok::<_, QueryError>(None);
            };
            let page = page.await?;
            let progress = match page.next {
                Some(next) => Progress::After(Some(next)),
                None => Progress::Done,
            };
            Ok(Some((page.items, progress)))
        }
    });
    pages
        .map_ok(|items| stream::iter(items.into_iter().map(|item| Ok(line(&item)))))
        .try_flatten()
}

fn line(item: &impl Serialize) -> String {
    let mut line = serde_json::to_string(item).expect("records and feedback are JSON");
    line.push('\n');
    line
}
