//! What people say of a verdict.

use serde::{Deserialize, Serialize};
use toxicity_api::{ModelIdentity, Scores};
use uuid::Uuid;

use crate::database::QueryError;

/// A person's judgement of a text: a decision, scores per label, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// Tenant of the API key that gave it. Feedback of a tenant reaches only records of that tenant; without a tenant
    /// it reaches all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,

    /// Which way it came.
    pub source: Source,

    /// The record that was judged. Absent: the newest record of the same text, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<Uuid>,

    /// The text that was judged; may be absent where `record_id` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,

    /// Language of the text as a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,

    /// Score per label that the person finds right, 0 to 1; from 0.5 on the label holds. Labels that are not named were
    /// not judged.
    #[serde(default)]
    pub suggested: Scores,

    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,

    /// What the moderator wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,

    /// The client's own name for the comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,

    /// The community the comment was written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community_id: Option<String>,

    /// The client's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,

    /// What the model said at that time. Absent: taken from the record, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelVerdict>,
}

/// What the model said of a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelVerdict {
    /// Which model.
    #[serde(flatten)]
    pub identity: ModelIdentity,

    /// Score per label, 0 to 1.
    pub scores: Scores,

    /// The labels that reached their thresholds.
    pub flags: Vec<String>,
}

/// The ways feedback can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// `/v1alpha1/comments:suggestscore`.
    Suggestscore,
    /// The page for moderators.
    Review,
    /// `/v1/feedback`.
    Api,
}

/// What a moderator can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The text passes: no label holds.
    Approve,
    /// The text goes: it is toxic, whatever the label.
    Reject,
    /// The text has the labels in `suggested`.
    Relabel,
}

/// Feedback as it is read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredFeedback {
    /// Its name, a UUID of version 7.
    pub id: Uuid,

    /// When it was stored, in milliseconds since 1970.
    pub created_at: u64,

    /// What was said. `text` is always there.
    #[serde(flatten)]
    pub feedback: Feedback,
}

/// What is wrong with a [`Feedback`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidFeedback {
    /// It says nothing.
    #[error("feedback must hold `suggested` scores, a `decision`, or both")]
    Empty,
    /// It says nothing of any text.
    #[error("feedback must name its `text` or its `record_id`")]
    NoText,
    /// A relabelling without labels.
    #[error("the decision \"relabel\" needs `suggested` scores")]
    NoLabels,
    /// A score is no score.
    #[error("the suggested score {score} of label \"{label}\" is not between 0 and 1")]
    Score {
        /// The label.
        label: String,
        /// What is said of it.
        score: f32,
    },
}

/// Why feedback was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// It makes no sense.
    #[error(transparent)]
    Invalid(#[from] InvalidFeedback),
    /// There is no such record, or not for this tenant.
    #[error("there is no record \"{0}\"")]
    UnknownRecord(Uuid),
    /// The database failed. The feedback may have been stored if the connection broke in the last moment.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Feedback {
    /// Feedback that came this way and says nothing yet.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self {
            tenant: None,
            source,
            record_id: None,
            text: None,
            language: None,
            suggested: Scores::new(),
            decision: None,
            comment: None,
            client_token: None,
            community_id: None,
            session_id: None,
            model: None,
        }
    }

    /// Checks what can be checked without the database.
    ///
    /// # Errors
    /// When it says nothing, or nothing of any text, or a score is not between 0 and 1.
    pub fn check(&self) -> Result<(), InvalidFeedback> {
        self.subject()?;
        if let Some((label, &score)) = self
            .suggested
            .iter()
            .find(|(_, score)| !(0.0..=1.0).contains(*score))
        {
            let label = label.clone();
            return Err(InvalidFeedback::Score { label, score });
        }
        match self.decision {
            None if self.suggested.is_empty() => Err(InvalidFeedback::Empty),
            Some(Decision::Relabel) if self.suggested.is_empty() => Err(InvalidFeedback::NoLabels),
            _ => Ok(()),
        }
    }
}

impl Feedback {
    /// What it is on.
    pub(crate) fn subject(&self) -> Result<Subject<'_>, InvalidFeedback> {
        match (self.record_id, &self.text) {
            (Some(id), _) => Ok(Subject::Record(id)),
            (None, Some(text)) => Ok(Subject::Text(text)),
            (None, None) => Err(InvalidFeedback::NoText),
        }
    }

    /// Roughly the memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [
            &self.text,
            &self.comment,
            &self.client_token,
            &self.community_id,
            &self.session_id,
        ];
        let texts = texts.into_iter().flatten().map(String::len);
        size_of::<Self>() + texts.sum::<usize>()
    }
}

/// What feedback is on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// This record.
    Record(Uuid),
    /// The newest record of this text, if there is one.
    Text(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feedback() -> Feedback {
        Feedback {
            text: Some("hello".to_owned()),
            ..Feedback::new(Source::Api)
        }
    }

    fn suggesting(score: f32) -> Feedback {
        Feedback {
            suggested: [("toxic".to_owned(), score)].into(),
            ..feedback()
        }
    }

    #[test]
    fn feedback_must_say_something_of_some_text() {
        assert_eq!(feedback().check(), Err(InvalidFeedback::Empty));
        let decided = Feedback {
            decision: Some(Decision::Reject),
            ..feedback()
        };
        assert_eq!(decided.check(), Ok(()));
        let of_nothing = Feedback {
            text: None,
            ..decided
        };
        assert_eq!(of_nothing.check(), Err(InvalidFeedback::NoText));
    }

    #[test]
    fn a_relabelling_needs_labels() {
        let relabelled = Feedback {
            decision: Some(Decision::Relabel),
            ..feedback()
        };
        assert_eq!(relabelled.check(), Err(InvalidFeedback::NoLabels));
    }

    #[test]
    fn scores_lie_between_0_and_1() {
        for score in [0.0, 0.5, 1.0] {
            assert_eq!(suggesting(score).check(), Ok(()));
        }
        for score in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
            assert!(matches!(
                suggesting(score).check(),
                Err(InvalidFeedback::Score { .. })
            ));
        }
    }
}
