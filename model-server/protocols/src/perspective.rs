//! Google's Perspective API (`commentanalyzer` v1alpha1): `comments:analyze` and `comments:suggestscore`.
//!
//! Names, shapes and messages are those of its discovery document (revision 20190414, and later ones for
//! `dropUnsupportedAttributes`) and of its documentation at github.com/conversationai/perspectiveapi. Where these
//! leave a choice, the item that makes the choice says which. As in the JSON form of Protocol Buffers, `null` stands
//! for a field that is left out, and a field that is not known is an error.

mod analysis;
mod analyze;
mod attribute;
mod comment;
mod discovery;
mod error;
mod language;
mod score;
mod sentence;
mod suggest;
mod utf16;

pub use analysis::{Analysis, AnalyzeCommentResponse};
pub use analyze::{AnalyzeCommentRequest, AnalyzeRequest, AttributeParameters};
pub use attribute::{available as available_attributes, label as attribute_label};
pub use comment::{ArticleAndParentComment, Context, TextEntry, TextType};
pub use discovery::discovery_document;
pub use error::{Detail, Error, ErrorBody, ErrorType, FieldViolation, LanguageNotSupported, Status};
pub use language::Languages;
pub use score::{AttributeScores, Score, ScoreType, SpanScore};
pub use sentence::MOST_SENTENCES;
pub use suggest::{
    SpanSuggestion, SuggestCommentScoreRequest, SuggestCommentScoreResponse, SuggestScoreRequest,
    SuggestedScore, SuggestedScores, SuggestedSpanScore, Suggestion,
};
