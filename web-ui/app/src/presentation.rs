//! What is shown, as plain text and numbers: sentences, bars, marks, commands.

mod curl;
mod examples;
mod explanation;
mod marks;
mod numbers;
mod obstacle;
mod verdict;

pub use curl::curl_command;
pub use examples::{EXAMPLES, Example};
pub use explanation::{explain, retry_note};
pub use marks::{Mark, Segment, marked_labels, segments};
pub use numbers::{counted, grouped, milliseconds, score};
pub use obstacle::Obstacle;
pub use verdict::{Level, Row, label_name, rows, sentence};
