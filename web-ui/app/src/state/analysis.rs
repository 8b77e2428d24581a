//! One text on its way to a verdict.

use std::rc::Rc;

use toxicity_api::{AnalyzeResponse, ModelIdentity, Scores, TextVerdict};
use yew::{AttrValue, Reducible};

use crate::{error::ClientError, state::Retry};

/// State of the Analyze page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Analysis {
    /// What the text field holds.
    pub text: AttrValue,
    /// Where the newest submission stands.
    pub phase: Phase,
    /// The last verdict. It stays while the text is edited or a call fails.
    pub verdict: Option<Rc<Verdict>>,
    /// Number of the newest submission.
    sequence: u64,
}

/// Where the newest submission stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Phase {
    /// Nothing is on its way.
    #[default]
    Idle,
    /// A call is on its way.
    Sending(Submission),
    /// The call failed.
    Failed(Failure),
}

/// A text that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Tells this call from every other of the page.
    pub sequence: u64,
    /// The text as it was sent.
    pub text: AttrValue,
    /// How often it was sent before and failed.
    pub attempt: u32,
    /// Why it failed the last time.
    pub failed_by: Option<ClientError>,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What was sent.
    pub submission: Submission,
    /// Why it failed.
    pub error: ClientError,
    /// When it is sent again.
    pub retry: Retry,
}

/// What the server said of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The text that was judged.
    pub text: AttrValue,
    /// Which model judged.
    pub model: ModelIdentity,
    /// Threshold per label.
    pub thresholds: Scores,
    /// The verdict itself.
    pub result: TextVerdict,
    /// From sending to having read the answer.
    pub round_trip_milliseconds: f64,
}

/// What happens to the page.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The text field changed.
    Edit(AttrValue),
    /// The text of the field is sent.
    Submit,
    /// Another text fills the field and is sent.
    SubmitText(AttrValue),
    /// Everything starts over.
    Clear,
    /// What is on its way or waits is given up.
    Cancel,
    /// What failed is sent again now.
    RetryNow,
    /// A second has passed.
    Tick,
    /// The browser has a network again.
    Online,
    /// A call came back.
    Answer {
        /// Number of the submission that it answers.
        sequence: u64,
        /// What came back, and after how many milliseconds.
        result: Result<(AnalyzeResponse, f64), ClientError>,
    },
}

impl Analysis {
    /// The call that is on its way.
    #[must_use]
    pub fn submission(&self) -> Option<&Submission> {
        match &self.phase {
            Phase::Sending(submission) => Some(submission),
            Phase::Idle | Phase::Failed(_) => None,
        }
    }

    /// The call that failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.phase {
            Phase::Failed(failure) => Some(failure),
            Phase::Idle | Phase::Sending(_) => None,
        }
    }

    /// Whether seconds are counted down to the next attempt.
    #[must_use]
    pub fn is_counting_down(&self) -> bool {
        matches!(
            self.failure(),
            Some(Failure {
                retry: Retry::In(_),
                ..
            })
        )
    }

    /// Whether the verdict is about another text than the field holds. While a call is on its way this is no news.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.submission().is_none()
            && self
                .verdict
                .as_ref()
                .is_some_and(|verdict| verdict.text != self.text)
    }

    /// What stands in the way of a verdict, and when it is tried again; nothing for the time while it is.
    #[must_use]
    pub fn trouble(&self) -> Option<(&ClientError, Option<Retry>)> {
        match &self.phase {
            Phase::Idle => None,
            Phase::Sending(submission) => submission.failed_by.as_ref().map(|error| (error, None)),
            Phase::Failed(failure) => Some((&failure.error, Some(failure.retry))),
        }
    }

    fn send(&mut self, text: AttrValue) {
        self.send_as(Submission {
            sequence: 0,
            text,
            attempt: 0,
            failed_by: None,
        });
    }

    fn send_as(&mut self, submission: Submission) {
        if submission.text.trim().is_empty() {
            return;
        }
        self.sequence += 1;
        self.phase = Phase::Sending(Submission {
            sequence: self.sequence,
            ..submission
        });
    }

    fn send_again(&mut self) {
        if let Some(Failure {
            submission, error, ..
        }) = self.failure().cloned()
        {
            let attempt = submission.attempt.saturating_add(1);
            self.send_as(Submission {
                attempt,
                failed_by: Some(error),
                ..submission
            });
        }
    }

    fn settle(&mut self, submission: Submission, result: Result<(AnalyzeResponse, f64), ClientError>) {
        let read = result.and_then(|(response, round_trip_milliseconds)| {
            let AnalyzeResponse {
                model,
                thresholds,
                results,
            } = response;
            let missing = || ClientError::ReadAnswer {
                reason: "it holds no verdict".to_owned(),
            };
            let result = results.into_iter().next().ok_or_else(missing)?;
            Ok(Verdict {
                text: submission.text.clone(),
                model,
                thresholds,
                result,
                round_trip_milliseconds,
            })
        });
        match read {
            Ok(verdict) => {
                self.verdict = Some(Rc::new(verdict));
                self.phase = Phase::Idle;
            }
            Err(error) => {
                let retry = Retry::after(&error, submission.attempt);
                self.phase = Phase::Failed(Failure {
                    submission,
                    error,
                    retry,
                });
            }
        }
    }

    /// The state after an action.
    pub fn apply(&mut self, action: Action) {
        match action {
            Action::Edit(text) => self.text = text,
            Action::Submit => self.send(self.text.clone()),
            Action::SubmitText(text) => {
                self.text = text.clone();
                self.send(text);
            }
            // The sequence goes on, so that a late answer finds nothing that waits for it.
            Action::Clear => {
                *self = Self {
                    sequence: self.sequence,
                    ..Self::default()
                }
            }
            Action::Cancel => self.phase = Phase::Idle,
            Action::RetryNow => self.send_again(),
            Action::Online => {
                if self
                    .failure()
                    .is_some_and(|failure| failure.retry != Retry::Never)
                {
                    self.send_again();
                }
            }
            Action::Tick => match &mut self.phase {
                Phase::Failed(Failure {
                    retry: Retry::In(seconds),
                    ..
                }) if *seconds > 1 => *seconds -= 1,
                Phase::Failed(Failure {
                    retry: Retry::In(_), ..
                }) => self.send_again(),
                _ => {}
            },
            Action::Answer { sequence, result } => {
                if let Some(submission) = self
                    .submission()
                    .filter(|sent| sent.sequence == sequence)
                    .cloned()
                {
                    self.settle(submission, result);
                }
            }
        }
    }
}

impl Reducible for Analysis {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut next = (*self).clone();
        next.apply(action);
        Rc::new(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(score: f32) -> (AnalyzeResponse, f64) {
        let scores = Scores::from([("toxic".to_owned(), score)]);
        let result = TextVerdict {
            flagged: false,
            flags: vec![],
            scores,
            tokens: 1,
            windows: 1,
            spans: Some(vec![]),
            spans_complete: None,
            normalized: None,
            record_id: None,
        };
        let model = ModelIdentity {
            name: "tiny".to_owned(),
            revision: "abc".to_owned(),
        };
        (
            AnalyzeResponse {
                model,
                thresholds: Scores::default(),
                results: vec![result],
            },
            3.0,
        )
    }

    fn unreachable() -> ClientError {
        ClientError::ReachServer {
            reason: String::new(),
        }
    }

    fn after(actions: impl IntoIterator<Item = Action>) -> Analysis {
        let mut analysis = Analysis::default();
        actions.into_iter().for_each(|action| analysis.apply(action));
        analysis
    }

    fn edit(text: &str) -> Action {
        Action::Edit(text.to_owned().into())
    }

    fn answer(sequence: u64, result: Result<(AnalyzeResponse, f64), ClientError>) -> Action {
        Action::Answer { sequence, result }
    }

    fn score(analysis: &Analysis) -> Option<f32> {
        analysis
            .verdict
            .as_ref()
            .map(|verdict| verdict.result.scores["toxic"])
    }

    #[test]
    fn a_late_answer_never_replaces_a_newer_one() {
        let mut analysis = after([edit("one"), Action::Submit, edit("two"), Action::Submit]);
        analysis.apply(answer(1, Ok(response(0.1))));
        assert_eq!(score(&analysis), None, "the first call was given up");
        analysis.apply(answer(2, Ok(response(0.2))));
        assert_eq!(score(&analysis), Some(0.2));
        analysis.apply(answer(1, Err(unreachable())));
        assert_eq!(analysis.phase, Phase::Idle);
        assert_eq!(score(&analysis), Some(0.2));
    }

    #[test]
    fn an_answer_after_clear_or_cancel_is_dropped() {
        for action in [Action::Clear, Action::Cancel] {
            let analysis = after([edit("one"), Action::Submit, action, answer(1, Ok(response(0.1)))]);
            assert_eq!(score(&analysis), None);
        }
        let analysis = after([
            edit("one"),
            Action::Submit,
            Action::Clear,
            edit("two"),
            Action::Submit,
            answer(1, Ok(response(0.1))),
        ]);
        assert_eq!(analysis.submission().map(|sent| sent.sequence), Some(2));
    }

    #[test]
    fn a_blank_text_is_not_sent() {
        assert_eq!(after([edit(" \n\t"), Action::Submit]).phase, Phase::Idle);
    }

    #[test]
    fn editing_makes_the_verdict_stale_and_undoing_makes_it_current() {
        let mut analysis = after([edit("one"), Action::Submit, answer(1, Ok(response(0.1)))]);
        assert!(!analysis.is_stale());
        analysis.apply(edit("one more"));
        assert!(analysis.is_stale() && analysis.verdict.is_some());
        analysis.apply(edit("one"));
        assert!(!analysis.is_stale());
    }

    #[test]
    fn a_failure_is_retried_with_growing_waits_until_it_works() {
        let mut analysis = after([edit("one"), Action::Submit, answer(1, Err(unreachable()))]);
        assert_eq!(
            analysis.failure().map(|failure| failure.retry),
            Some(Retry::In(3))
        );
        analysis.apply(Action::Tick);
        assert_eq!(
            analysis.failure().map(|failure| failure.retry),
            Some(Retry::In(2))
        );
        analysis.apply(Action::Tick);
        analysis.apply(Action::Tick);
        assert_eq!(
            analysis.submission().map(|sent| (sent.sequence, sent.attempt)),
            Some((2, 1))
        );
        analysis.apply(answer(2, Err(unreachable())));
        assert_eq!(
            analysis.failure().map(|failure| failure.retry),
            Some(Retry::In(6))
        );
        analysis.apply(Action::RetryNow);
        analysis.apply(answer(3, Ok(response(0.3))));
        assert_eq!((score(&analysis), &analysis.phase), (Some(0.3), &Phase::Idle));
    }

    #[test]
    fn a_network_that_is_back_sends_what_waits() {
        let mut analysis = after([
            edit("one"),
            Action::Submit,
            answer(1, Err(ClientError::SendOffline)),
        ]);
        analysis.apply(Action::Tick);
        assert!(!analysis.is_counting_down() && analysis.failure().is_some());
        analysis.apply(Action::Online);
        assert!(analysis.submission().is_some());
        let refused = ClientError::GetVerdict { status: 500 };
        let analysis = after([
            edit("one"),
            Action::Submit,
            answer(1, Err(refused)),
            Action::Online,
        ]);
        assert!(analysis.submission().is_none());
    }

    #[test]
    fn an_answer_without_a_verdict_is_an_error() {
        let (mut empty, time) = response(0.1);
        empty.results.clear();
        let analysis = after([edit("one"), Action::Submit, answer(1, Ok((empty, time)))]);
        assert!(matches!(
            analysis.failure().map(|failure| &failure.error),
            Some(ClientError::ReadAnswer { .. })
        ));
    }

    #[test]
    fn a_failure_keeps_the_verdict_before_it() {
        let analysis = after([
            edit("one"),
            Action::Submit,
            answer(1, Ok(response(0.1))),
            edit("two"),
            Action::Submit,
            answer(2, Err(unreachable())),
        ]);
        assert!(score(&analysis).is_some() && analysis.is_stale());
    }
}
