//! The record of verdicts and of what people say of them, in SQLite or PostgreSQL.
//!
//! [`Records::open`] takes one URL and brings the tables up to date. Verdicts go through the [`Recorder`], which
//! never makes a request wait and loses them, counted, rather than memory. Feedback goes through
//! [`Records::add_feedback`], which answers when it is durable. [`Records`] lists, exports, counts, compares people
//! with the model, and forgets.
//!
//! # Guarantees
//! - Feedback that was acknowledged survives `kill -9` and a loss of power: SQLite writes ahead and syncs each commit,
//!   PostgreSQL does so unless its operator turned `synchronous_commit` off.
//! - A verdict is written once, however often a lost connection makes the writer try again: its id is made before.
//!   Until it is written, some hundred milliseconds later, it is lost with the process; a stop in good order waits.
//! - Memory is bounded: the queue by records and bytes, a page by records and bytes, an export by a page.
//! - A read ends within a time limit; no statement locks the database for longer than a few hundred rows take.
//! - Pages are stable: records that come in between move nothing, for the cursor names the last record seen.
//! - Neither the password of a URL nor a text is ever part of an error or of a log line.

mod address;
mod agreement;
mod database;
mod export;
mod feedback;
mod filter;
mod id;
mod metrics;
mod open;
mod page;
mod record;
mod recorder;
mod records;
mod retention;
mod summary;
mod table;
mod text;
mod timeouts;

pub use address::ParseAddressError;
pub use agreement::{Agreement, Confusion};
pub use database::QueryError;
pub use feedback::{
    Decision, Feedback, FeedbackError, InvalidFeedback, ModelVerdict, Source, StoredFeedback,
};
pub use filter::{FeedbackFilter, LabelFilter, RecordFilter, TimeRange};
pub use metrics::{LossReason, RecordsMetrics};
pub use open::OpenError;
pub use page::{Cursor, MAX_PAGE_ITEMS, Page, PageRequest, ParseCursorError};
pub use record::{Protocol, Review, StoredRecord, VerdictRecord};
pub use recorder::{Recorder, RecorderOptions};
pub use records::Records;
pub use retention::Expired;
pub use summary::Summary;
pub use timeouts::Timeouts;
