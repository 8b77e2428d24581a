//! How many records there are, and where they stand.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::record::Review;

/// Numbers of records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// All.
    pub records: u64,

    /// Those with at least one label flagged.
    pub flagged: u64,

    /// Those that are flagged and wait for a decision.
    pub flagged_open: u64,

    /// Those that were approved.
    pub approved: u64,

    /// Those that were rejected.
    pub rejected: u64,

    /// Those that were relabelled.
    pub relabelled: u64,

    /// Those with each label flagged, the most frequent label first.
    pub flags: IndexMap<String, u64>,
}

impl Summary {
    /// Adds the records that stand alike, of which `flagged` are flagged.
    pub(crate) fn add(&mut self, review: Review, records: u64, flagged: u64) {
        self.records += records;
        self.flagged += flagged;
        match review {
            // What nobody flagged waits for nobody.
            Review::Open => self.flagged_open += flagged,
            Review::Approved => self.approved += records,
            Review::Rejected => self.rejected += records,
            Review::Relabelled => self.relabelled += records,
        }
    }
}
