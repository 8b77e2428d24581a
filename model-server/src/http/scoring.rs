//! What every protocol does with its texts: check, admit, score within the time limit.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use toxicity_protocols::failure::Failure;
use toxicity_protocols::scored::ScoredText;
use uuid::Uuid;

use super::AppState;
use super::context::RequestContext;
use crate::admission::estimated_tokens;
use crate::engine::{Engine, Question, ScoreError, Verdict, is_blank};
use crate::scheduler::{Lane, PassError, WorkTimings};
use crate::span::SpanMethod;

/// Work of a text whose words are searched for, relative to scoring it: that takes some 11 passes over it.
const SEARCH_WORK: usize = 12;

/// A place of a request that is being answered, with the work that is left of it.
pub(super) struct Place {
    state: AppState,
    tokens: AtomicUsize,
}

impl Place {
    /// Lets a request of about `tokens` tokens in.
    fn take(state: &AppState, engine: &Engine, tokens: usize, patience: Duration) -> Result<Self, Failure> {
        let rate = engine.scheduler().tokens_per_second();
        let entered = state.admission().enter(tokens, patience, rate);
        if let Err(refused) = entered {
            state.metrics().rejected_requests.inc();
            let seconds = refused.retry_after.as_secs_f64().ceil();
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the cast saturates"
            )]
            let retry_after_seconds = (seconds as u64).max(1);
            return Err(if state.admission().is_full() {
                Failure::NoPlace {
                    limit: state.limits().concurrent_requests,
                    retry_after_seconds,
                }
            } else {
                Failure::Overloaded { retry_after_seconds }
            });
        }
        Ok(Self {
            state: state.clone(),
            tokens: AtomicUsize::new(tokens),
        })
    }

    /// Notes that a text is done.
    fn finish(&self, tokens: usize) {
        self.tokens.fetch_sub(tokens, Ordering::Relaxed);
        self.state.admission().finish(tokens);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let left = self.tokens.load(Ordering::Relaxed);
        self.state.admission().leave(left);
    }
}

/// What became of the texts of a request.
pub(super) struct Answered {
    /// One for each text.
    pub(super) verdicts: Vec<Verdict>,
    /// Where the time went.
    pub(super) timings: WorkTimings,
    /// Names of the records of the texts, where records are kept.
    pub(super) records: Vec<Uuid>,
}

impl Answered {
    /// The verdicts as the protocols of others take them.
    pub(super) fn scored_texts(&self) -> Vec<ScoredText> {
        self.verdicts.iter().map(Verdict::scored_text).collect()
    }
}

/// Admits a request and answers `question` about its texts in time, a few at a time and in order. Texts whose scores are
/// known take neither place nor time.
pub(super) async fn score(
    state: &AppState,
    engine: &Engine,
    context: &RequestContext,
    texts: &[String],
    question: &Question,
) -> Result<Answered, Failure> {
    state.metrics().note_request_time();
    check(state, texts)?;
    let mut answered = match known(engine, texts, question) {
        Some(verdicts) => Answered {
            verdicts,
            timings: WorkTimings::default(),
            records: Vec::new(),
        },
        None => run(state, engine, context, Parts::Texts(texts), question).await?,
    };
    if let Some(shadow) = state.shadow() {
        for (text, verdict) in texts.iter().zip(&answered.verdicts) {
            shadow.observe(text, &verdict.judgement, &engine.model);
        }
    }
    if let Some(recording) = state.recording().filter(|_| context.may_store) {
        let provenance = context.provenance();
        let texts = texts.iter().zip(&answered.verdicts);
        let record = |(text, verdict): (&String, &Verdict)| {
            recording.record(text, verdict, &engine.model, &provenance)
        };
        answered.records = texts.map(record).collect();
    }
    Ok(answered)
}

/// The same for rows of tokens.
pub(super) async fn score_tokens(
    state: &AppState,
    engine: &Engine,
    context: &RequestContext,
    rows: &[Vec<u32>],
    question: &Question,
) -> Result<Answered, Failure> {
    state.metrics().note_request_time();
    check_count(state, rows.len())?;
    run(state, engine, context, Parts::Rows(rows), question).await
}

/// What a request sends to be scored.
#[derive(Clone, Copy)]
enum Parts<'a> {
    Texts(&'a [String]),
    /// Rows of tokens.
    Rows(&'a [Vec<u32>]),
}

impl Parts<'_> {
    fn count(self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Rows(rows) => rows.len(),
        }
    }

    /// Tokens that one part will take through the model, about.
    fn work(self, index: usize, question: &Question, method: SpanMethod) -> usize {
        match self {
            Self::Texts(texts) => {
                let searches = question.spans && method == SpanMethod::LeaveOneOut;
                let times = if searches { SEARCH_WORK } else { 1 };
                estimated_tokens(&texts[index]) * times * if question.normalize { 2 } else { 1 }
            }
            Self::Rows(rows) => rows[index].len(),
        }
    }

    async fn verdict(
        self,
        index: usize,
        engine: &Engine,
        lane: &Lane<'_>,
        question: &Question,
    ) -> Result<Verdict, ScoreError> {
        match self {
            Self::Texts(texts) => engine.verdict(lane, &texts[index], question).await,
            Self::Rows(rows) => {
                engine
                    .verdict_of_tokens(lane, rows[index].clone(), question)
                    .await
            }
        }
    }
}

/// Lets a request in and scores its parts.
async fn run(
    state: &AppState,
    engine: &Engine,
    context: &RequestContext,
    parts: Parts<'_>,
    question: &Question,
) -> Result<Answered, Failure> {
    let patience = context.patience;
    let work = |index| parts.work(index, question, engine.span_method());
    let tokens = (0..parts.count()).map(work).sum();
    let place = Place::take(state, engine, tokens, patience)?;
    let lane = engine.scheduler().lane(patience);
    let verdicts = stream::iter(0..parts.count())
        .map(|index| {
            let (lane, place) = (&lane, &place);
            async move {
                let verdict = parts.verdict(index, engine, lane, question).await;
                place.finish(work(index));
                verdict.map_err(|error| failure(&error, index, patience))
            }
        })
        .buffered(lane.width())
        .try_collect();
    let verdicts = tokio::time::timeout(patience, verdicts).await;
    let timings = lane.timings();
    if let Some(span) = &context.span {
        span.note("toxicity.texts", parts.count());
        for stage in timings.stages() {
            span.stage(stage.name, stage.begun, stage.ended, stage.work);
        }
    }
    let verdicts = verdicts.map_err(|_| deadline_exceeded(patience))??;
    Ok(Answered {
        verdicts,
        timings,
        records: Vec::new(),
    })
}

/// The verdicts, when the scores of all texts are known and nothing else is asked for.
fn known(engine: &Engine, texts: &[String], question: &Question) -> Option<Vec<Verdict>> {
    if question.spans || question.normalize {
        return None;
    }
    let scores: Vec<_> = texts
        .iter()
        .map(|text| engine.known(text))
        .collect::<Option<_>>()?;
    let verdicts = scores
        .iter()
        .map(|scores| engine.verdict_of_known(scores, question));
    Some(verdicts.collect())
}

fn check_count(state: &AppState, count: usize) -> Result<(), Failure> {
    let limit = state.limits().texts;
    if count > limit {
        return Err(Failure::TooManyTexts { count, limit });
    }
    Ok(())
}

fn check(state: &AppState, texts: &[String]) -> Result<(), Failure> {
    check_count(state, texts.len())?;
    let limit = state.limits().characters;
    let mut texts = texts.iter().enumerate();
    texts.try_for_each(|(index, text)| check_text(text, index, limit))
}

fn check_text(text: &str, index: usize, limit: usize) -> Result<(), Failure> {
    if is_blank(text) {
        return Err(Failure::EmptyText { index });
    }
    // A text of fewer bytes than characters allowed needs no counting.
    if text.len() > limit {
        let length = text.chars().count();
        if length > limit {
            return Err(Failure::TextTooLong { index, length, limit });
        }
    }
    Ok(())
}

fn failure(error: &ScoreError, index: usize, patience: Duration) -> Failure {
    match error {
        ScoreError::Empty => Failure::EmptyText { index },
        ScoreError::Tokenize(_) | ScoreError::Pass(PassError::Backend(_)) => {
            tracing::error!(%error, "failed to score a text");
            unavailable("the model failed to score the text; the server's log says why")
        }
        ScoreError::Pass(PassError::QueueFull) => unavailable("the queue is full; try again shortly"),
        ScoreError::Pass(PassError::Expired) => deadline_exceeded(patience),
        ScoreError::Pass(PassError::Stopped) => unavailable("the server is stopping"),
    }
}

fn deadline_exceeded(patience: Duration) -> Failure {
    Failure::DeadlineExceeded {
        seconds: patience.as_secs(),
    }
}

pub(super) fn unavailable(message: &str) -> Failure {
    Failure::Unavailable(message.to_owned())
}
