//! The request of `comments:analyze`, and what it takes to answer it.

use indexmap::IndexMap;
use serde::Deserialize;
use toxicity_api::Limits;
use utoipa::ToSchema;

use super::analysis::ScoredAttribute;
use super::comment::{self, Context, TextEntry};
use super::score::{self, ScoreType};
use super::sentence::sentences;
use super::{Analysis, Error, Languages, attribute, language};
use crate::json::{self, JsonObject};
use crate::scored::Labels;

/// Request of `comments:analyze`.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnalyzeCommentRequest {
    /// The text to score.
    #[serde(default)]
    #[schema(required = true, value_type = TextEntry)]
    comment: JsonObject<TextEntry>,

    /// What the comment refers to. It does not change the scores.
    #[schema(value_type = Option<Context>)]
    context: Option<JsonObject<Context>>,

    /// The attributes to score, by name, with what is asked of each; `{}` asks for nothing special.
    #[serde(default)]
    #[schema(
        required = true,
        value_type = std::collections::BTreeMap<String, AttributeParameters>,
        example = json!({"TOXICITY": {}})
    )]
    requested_attributes: IndexMap<String, JsonObject<AttributeParameters>>,

    /// Also score each sentence.
    span_annotations: Option<bool>,

    /// Languages of the comment, as ISO 639-1 or BCP-47 codes; they are detected when there are none.
    #[schema(example = json!(["en"]))]
    languages: Option<Vec<String>>,

    /// Leave an attribute out of the answer, in place of an error, when the model does not score it or not in this
    /// language.
    drop_unsupported_attributes: Option<bool>,

    /// Keep no record of the comment.
    do_not_store: Option<bool>,

    /// Comes back in the answer.
    client_token: Option<String>,

    /// Joins the requests of one session.
    session_id: Option<String>,

    /// The community that the comment was made in.
    community_id: Option<String>,
}

/// What is asked of one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttributeParameters {
    /// The kind of score, which can only be `PROBABILITY`.
    #[schema(example = "PROBABILITY")]
    score_type: Option<ScoreType>,

    /// Scores below this are left out of the answer.
    #[schema(example = 0.0)]
    score_threshold: Option<f32>,
}

/// A request that a model can answer if it judges the language.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyzeRequest {
    /// The comment.
    pub text: String,
    /// What it refers to; of no effect on the scores.
    pub context: Option<Context>,
    /// The languages that the client gives it; when empty, they are to be detected.
    pub languages: Vec<String>,
    /// Whether no record of it may be kept.
    pub do_not_store: bool,
    /// Comes back in the answer.
    pub client_token: Option<String>,
    /// Joins the requests of one session.
    pub session_id: Option<String>,
    /// The community that the comment was made in.
    pub community_id: Option<String>,
    attributes: Vec<ScoredAttribute>,
    drops_unsupported: bool,
    scores_sentences: bool,
}

impl AnalyzeRequest {
    /// Reads the body of a request to a model of these labels.
    ///
    /// # Errors
    /// When it is not the JSON of an [`AnalyzeCommentRequest`], a field breaks a rule of Perspective or a limit, or the
    /// model does not score an attribute.
    pub fn read(body: &[u8], limits: &Limits, labels: &Labels<'_>) -> Result<Self, Error> {
        let request: AnalyzeCommentRequest = json::read(body)?;
        let context = request.context.map(|JsonObject(context)| context);
        let text = comment::checked(request.comment.0, context.as_ref(), limits)?;
        if request.requested_attributes.is_empty() {
            return Err(Error::NoRequestedAttributes);
        }
        let drops_unsupported = request.drop_unsupported_attributes.unwrap_or_default();
        Ok(Self {
            attributes: scored_attributes(request.requested_attributes, drops_unsupported, labels)?,
            text,
            context,
            languages: language::checked(request.languages)?,
            do_not_store: request.do_not_store.unwrap_or_default(),
            client_token: request.client_token,
            session_id: request.session_id,
            community_id: request.community_id,
            drops_unsupported,
            scores_sentences: request.span_annotations.unwrap_or_default(),
        })
    }

    /// What to score to answer the request.
    ///
    /// Without languages in the request the likeliest detected one counts; a model that judges any language needs
    /// none.
    ///
    /// # Errors
    /// When the model does not judge the language, or the language is unknown.
    pub fn plan(&self, languages: &Languages<'_>) -> Result<Analysis<'_>, Error> {
        let answered = self.answered_languages(languages)?;
        let is_supported = answered.iter().all(|language| languages.supports(language));
        if !is_supported && !self.drops_unsupported {
            return Err(self.unsupported_language(languages));
        }
        Ok(Analysis {
            request: self,
            attributes: if is_supported { &self.attributes } else { &[] },
            parts: if self.scores_sentences {
                sentences(&self.text)
            } else {
                std::iter::once(0..self.text.len()).collect()
            },
            languages: answered.to_vec(),
            detected_languages: languages.detected.to_vec(),
        })
    }

    /// The languages that the comment is taken to be in.
    fn answered_languages<'a>(&'a self, languages: &Languages<'a>) -> Result<&'a [String], Error> {
        if !self.languages.is_empty() {
            return Ok(&self.languages);
        }
        match languages.detected.first() {
            Some(likeliest) => Ok(std::slice::from_ref(likeliest)),
            None if languages.any() => Ok(&[]),
            None => Err(Error::LanguageDetectionFailed),
        }
    }

    fn unsupported_language(&self, languages: &Languages<'_>) -> Error {
        let attribute = self.attributes.first().map(|attribute| attribute.name.clone());
        Error::LanguageNotSupported {
            attribute: attribute.unwrap_or_default(),
            requested: self.languages.clone(),
            detected: languages.detected.to_vec(),
            supported: languages.supported.to_vec(),
        }
    }
}

fn scored_attributes(
    requested: IndexMap<String, JsonObject<AttributeParameters>>,
    drops_unsupported: bool,
    labels: &Labels<'_>,
) -> Result<Vec<ScoredAttribute>, Error> {
    let mut scored = Vec::new();
    for (name, JsonObject(parameters)) in requested {
        match attribute::label(&name, labels) {
            Some(label) => {
                score::check_type(parameters.score_type, &name)?;
                scored.push(ScoredAttribute {
                    name,
                    label,
                    threshold: parameters.score_threshold,
                });
            }
            None if drops_unsupported && attribute::is_known(&name) => {}
            None => return Err(Error::unknown_attribute(name, labels)),
        }
    }
    Ok(scored)
}
