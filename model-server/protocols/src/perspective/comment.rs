//! A comment, what it refers to, and what both must be.

use serde::{Deserialize, Serialize};
use toxicity_api::Limits;
use utoipa::ToSchema;

use super::Error;
use crate::failure::Failure;
use crate::json::JsonObject;
use crate::text;

/// Bytes of UTF-8 that Perspective takes as a comment.
const LONGEST_COMMENT_BYTES: usize = 20_480;

/// A text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TextEntry {
    /// The text. That of a comment may not be empty nor longer than 20,480 bytes of UTF-8.
    #[serde(default)]
    #[schema(example = "What kind of idiot name is foo? Sorry, I like your name.")]
    pub(super) text: String,

    /// How to read the text; as plain text when left out.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(example = "PLAIN_TEXT")]
    pub(super) text_type: Option<TextType>,
}

/// How to read a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TextType {
    /// As plain text.
    TextTypeUnspecified,
    /// As plain text.
    PlainText,
    /// As HTML, which a comment may not be.
    Html,
}

/// What a comment refers to: a conversation, or an article and the comment above. Not both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Context {
    /// Messages of the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<TextEntry>>, example = json!([{"text": "What do you call it?"}]))]
    pub(super) entries: Option<Vec<JsonObject<TextEntry>>>,

    /// The article and the comment above.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ArticleAndParentComment>, example = json!(null))]
    pub(super) article_and_parent_comment: Option<JsonObject<ArticleAndParentComment>>,
}

/// What a comment below an article refers to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArticleAndParentComment {
    /// The article.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TextEntry>)]
    article: Option<JsonObject<TextEntry>>,

    /// The comment above.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TextEntry>)]
    parent_comment: Option<JsonObject<TextEntry>>,
}

/// The text of a comment, if it and its context are within Perspective's limits and the server's.
pub(super) fn checked(
    comment: TextEntry,
    context: Option<&Context>,
    limits: &Limits,
) -> Result<String, Error> {
    text::check(0, &comment.text, limits.characters)?;
    let length = comment.text.len();
    if length > LONGEST_COMMENT_BYTES {
        return Err(Error::CommentTooLong {
            length,
            limit: LONGEST_COMMENT_BYTES,
            unit: "bytes",
        });
    }
    if comment.text_type == Some(TextType::Html) {
        return Err(Error::HtmlComment);
    }
    if let Some(context) = context {
        context.check(limits)?;
    }
    Ok(comment.text)
}

impl Context {
    fn check(&self, limits: &Limits) -> Result<(), Error> {
        let count = self.entries.as_ref().map_or(0, Vec::len);
        if count > 0 && self.article_and_parent_comment.is_some() {
            return Err(Error::AmbiguousContext);
        }
        if count > limits.texts {
            let limit = limits.texts;
            return Err(Error::Failure(Failure::TooManyTexts { count, limit }));
        }
        Ok(())
    }
}
