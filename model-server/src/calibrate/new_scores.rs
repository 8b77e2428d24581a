//! The model's scores of all texts of a file, of which only a few are in memory at a time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt};
use toxicity_input::{InputError, Row, Rows};

use super::error::CalibrateError;
use crate::engine::{Engine, Question, ScoreError, is_blank};

/// Calls at the same time: while one ends, the other keeps all sessions busy.
pub(super) const CALLS: usize = 2;
/// Rows of one call.
const ROWS: usize = 32;
/// Memory of the rows of one call, unless one row alone has more.
const ROW_BYTES: usize = 1024 * 1024;
/// No text of a file is in a hurry.
const PATIENCE: Duration = Duration::from_hours(24);

/// The new scores of a file, in the order of its rows.
#[derive(Debug)]
pub(super) struct NewScores {
    /// Rows of the file.
    pub rows: usize,
    /// Rows that have no scores.
    pub left_out: LeftOut,
    /// Per label of the model; empty where nobody asked for it.
    labels: Vec<Vec<Option<f32>>>,
}

/// Rows that cannot be scored.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// How many there are.
    pub rows: usize,
    /// Line of the first of them, and what is wrong with it.
    pub first: Option<(u64, String)>,
}

impl NewScores {
    /// The score of each row, where it has one.
    pub(super) fn of(&self, label: usize) -> &[Option<f32>] {
        &self.labels[label]
    }
}

/// Scores the texts of `rows` and keeps the scores of `labels`. `advance` hears how many rows are done.
pub(super) async fn score(
    engine: &Arc<Engine>,
    rows: Rows,
    labels: &[usize],
    normalize: bool,
    mut advance: impl FnMut(usize),
) -> Result<NewScores, CalibrateError> {
    let question = Arc::new(Question {
        normalize,
        ..Question::all(&engine.model)
    });
    let mut scored = stream::iter(Batches(rows))
        .map(|batch| {
            let (engine, question) = (Arc::clone(engine), Arc::clone(&question));
            async move {
                let batch = batch?;
                // On the threads of the runtime, so that texts are also tokenized side by side.
                tokio::spawn(async move { score_batch(&engine, &question, batch).await })
                    .await
                    .expect("scoring does not panic")
                    .map_err(CalibrateError::Score)
            }
        })
        .buffered(CALLS);
    let mut new = NewScores {
        rows: 0,
        left_out: LeftOut::default(),
        labels: vec![Vec::new(); engine.model.labels.len()],
    };
    while let Some(batch) = scored.next().await {
        for outcome in batch? {
            new.rows += 1;
            for &label in labels {
                let score = outcome.as_ref().ok().map(|scores| scores[label]);
                new.labels[label].push(score);
            }
            if let Err(failure) = outcome {
                new.left_out.rows += 1;
                new.left_out.first.get_or_insert(failure);
            }
        }
        advance(new.rows);
    }
    Ok(new)
}

/// The scores of a row, or its line and what is wrong with it.
type Outcome = Result<Vec<f32>, (u64, String)>;

async fn score_batch(
    engine: &Engine,
    question: &Question,
    rows: Vec<Row>,
) -> Result<Vec<Outcome>, ScoreError> {
    let lane = engine.scheduler().lane(PATIENCE);
    let scores = rows.iter().map(async |row| {
        let failed = |failure: String| Ok(Err((row.line(), failure)));
        if let Some(failure) = &row.content.failure {
            return failed(failure.to_string());
        }
        let text = &row.content.text;
        if is_blank(text) {
            return failed("the text is empty".to_owned());
        }
        match engine.verdict(&lane, text, question).await {
            Ok(verdict) => Ok(Ok(verdict.judgement.scores)),
            Err(error @ (ScoreError::Empty | ScoreError::Tokenize(_))) => {
                failed(toxicity_service::error_chain(&error))
            }
            Err(error) => Err(error),
        }
    });
    try_join_all(scores).await
}

/// Rows by what goes into one call.
struct Batches(Rows);

impl Iterator for Batches {
    type Item = Result<Vec<Row>, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < ROWS && bytes < ROW_BYTES {
            match self.0.next() {
                Some(Ok(row)) => {
                    bytes += row.memory();
                    batch.push(row);
                }
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        (!batch.is_empty()).then_some(Ok(batch))
    }
}
