//! Which records and which feedback.

use std::ops::Range;

use uuid::Uuid;

use crate::id;
use crate::record::{Protocol, Review};

/// Times from `since` on and before `until`, in milliseconds since 1970. The default is all time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// First time; absent means from the beginning.
    pub since: Option<u64>,

    /// First time after the range; absent means until now and later.
    pub until: Option<u64>,
}

/// Which records. All conditions must hold; the default is every record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordFilter {
    /// When the verdict was given.
    pub time: TimeRange,

    /// Whose.
    pub tenant: Option<String>,

    /// How it was asked.
    pub protocol: Option<Protocol>,

    /// Whether at least one label was flagged.
    pub flagged: Option<bool>,

    /// A label that has at least some score.
    pub label: Option<LabelFilter>,

    /// Words the text contains. Capital letters do not count: those of ASCII in both databases, those of other
    /// scripts in PostgreSQL where its locale knows them.
    pub contains: Option<String>,

    /// Where the review stands.
    pub review: Option<Review>,

    /// Whether there is feedback on it.
    pub with_feedback: Option<bool>,
}

/// A label that has at least some score.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelFilter {
    /// The label.
    pub label: String,

    /// Lowest score, 0 to 1.
    pub min_score: f64,
}

/// Which feedback. All conditions must hold; the default is all feedback.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedbackFilter {
    /// When it was stored.
    pub time: TimeRange,

    /// Whose.
    pub tenant: Option<String>,

    /// On which record.
    pub record_id: Option<Uuid>,
}

impl TimeRange {
    /// The ids that were made in the range: from `start` on, before `end`.
    pub(crate) fn ids(self) -> Range<Uuid> {
        id::first(self.since.unwrap_or(0))..self.until.map_or(Uuid::max(), id::first)
    }
}
