//! What becomes of a row.

use serde::{Deserialize, Serialize};
use toxicity_api::TextVerdict;
use toxicity_input::{Row, RowFailure};

/// What became of one text.
pub type Outcome = Result<TextVerdict, RowFailure>;

/// A row and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredRow {
    /// The row.
    pub row: Row,
    /// What became of its text.
    pub outcome: Outcome,
}

impl ScoredRow {
    /// Whether a label reached its threshold.
    #[must_use]
    pub fn is_flagged(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|verdict| verdict.flagged)
    }
}

/// Rows by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// All that were read.
    pub rows: u64,
    /// Those with a label at its threshold.
    pub flagged: u64,
    /// Those without a verdict.
    pub failed: u64,
    /// Those that were written.
    pub written: u64,
}

impl Tally {
    /// Counts a row, and whether it was written.
    pub fn count(&mut self, row: &ScoredRow, written: bool) {
        self.rows += 1;
        self.flagged += u64::from(row.is_flagged());
        self.failed += u64::from(row.outcome.is_err());
        self.written += u64::from(written);
    }
}
