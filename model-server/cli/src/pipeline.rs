//! Rows in, scored rows out, in their order: as many calls at the same time as the scorer takes, and no more.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt};
use toxicity_input::{InputError, Row};

use crate::batch::take_batch;
use crate::read_ahead::ReadAhead;
use crate::row::ScoredRow;
use crate::scorer::{Capacity, Scorer};

/// Why no further rows come.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError<E: std::error::Error + 'static> {
    /// The input ended before its end.
    #[error(transparent)]
    Input(InputError),
    /// The scorer gave up.
    #[error("failed to score the next rows")]
    Score(#[source] E),
}

/// The rows of `read_ahead` with what `scorer` says of them, some at a time. A batch is what has been read when a call
/// becomes free, so that a slow stream is answered row by row and a fast one in full batches.
pub fn scored_rows<S: Scorer>(
    read_ahead: ReadAhead,
    scorer: &Arc<S>,
) -> impl Stream<Item = Result<Vec<ScoredRow>, PipelineError<S::Error>>> + use<S> {
    let capacity = scorer.capacity();
    let scorer = Arc::clone(scorer);
    batches(read_ahead, capacity)
        .map(move |batch| {
            let scorer = Arc::clone(&scorer);
            async move {
                let rows = batch.map_err(PipelineError::Input)?;
                // On the threads of the runtime, so that also what a scorer computes itself runs in parallel.
                tokio::spawn(async move { score(&*scorer, rows).await })
                    .await
                    .expect("scoring does not panic")
                    .map_err(PipelineError::Score)
            }
        })
        .buffered(capacity.calls)
}

fn batches(read_ahead: ReadAhead, capacity: Capacity) -> impl Stream<Item = Result<Vec<Row>, InputError>> {
    let start = Some((read_ahead, VecDeque::new()));
    stream::unfold(start, move |state| async move {
        let (mut read_ahead, mut waiting) = state?;
        if waiting.is_empty() && !read_ahead.receive(&mut waiting, capacity.texts).await {
            let error = read_ahead.end().await.err()?;
            return Some((Err(error), None));
        }
        let batch = take_batch(&mut waiting, &capacity);
        Some((Ok(batch), Some((read_ahead, waiting))))
    })
}

async fn score<S: Scorer>(scorer: &S, rows: Vec<Row>) -> Result<Vec<ScoredRow>, S::Error> {
    let texts: Vec<&str> = rows
        .iter()
        .filter(|row| row.content.failure.is_none())
        .map(|row| row.content.text.as_str())
        .collect();
    let outcomes = if texts.is_empty() {
        Vec::new()
    } else {
        scorer.score(&texts).await?
    };
    let mut outcomes = outcomes.into_iter();
    let with_outcome = rows.into_iter().map(|row| {
        let outcome = match row.content.failure.clone() {
            Some(failure) => Err(failure),
            None => outcomes.next().expect("a scorer gives an outcome per text"),
        };
        ScoredRow { row, outcome }
    });
    Ok(with_outcome.collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use toxicity_api::{ModelIdentity, TextVerdict};
    use toxicity_input::{RowFailure, Rows};

    use super::*;
    use crate::row::Outcome;

    /// Takes its time with long texts and says of each how long it is.
    struct Lengths {
        model: ModelIdentity,
        running: AtomicUsize,
        most_running: AtomicUsize,
    }

    impl Scorer for Lengths {
        type Error = std::io::Error;

        fn model(&self) -> &ModelIdentity {
            &self.model
        }

        fn labels(&self) -> &[String] {
            &[]
        }

        fn capacity(&self) -> Capacity {
            Capacity {
                texts: 3,
                bytes: 1_000,
                text_bytes: 1_000,
                text_characters: 100,
                calls: 4,
            }
        }

        async fn score(&self, texts: &[&str]) -> Result<Vec<Outcome>, Self::Error> {
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_running.fetch_max(running, Ordering::SeqCst);
            for _ in 0..texts.iter().map(|text| text.len()).sum() {
                tokio::task::yield_now().await;
            }
            self.running.fetch_sub(1, Ordering::SeqCst);
            if texts.contains(&"the end") {
                return Err(std::io::Error::other("gave up"));
            }
            let verdict = |text: &&str| TextVerdict {
                tokens: text.len(),
                ..verdict()
            };
            Ok(texts.iter().map(verdict).map(Ok).collect())
        }
    }

    fn verdict() -> TextVerdict {
        serde_json::from_str(r#"{"flagged": false, "flags": [], "scores": {}, "tokens": 0, "windows": 1}"#)
            .unwrap()
    }

    fn lengths() -> Arc<Lengths> {
        Arc::new(Lengths {
            model: ModelIdentity {
                name: "lengths".to_owned(),
                revision: "1".to_owned(),
            },
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
        })
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn rows_come_in_their_order_however_long_each_takes() {
        let texts: Vec<String> = (0..500_usize).map(|index| "x".repeat(index * 37 % 101)).collect();
        let scorer = lengths();
        let read_ahead = ReadAhead::start(Rows::of_texts(texts.clone()), 0).unwrap();
        let room = read_ahead.room();
        let batches: Vec<_> = scored_rows(read_ahead, &scorer).collect().await;
        let mut number = 0;
        for scored in batches.into_iter().flat_map(Result::unwrap) {
            let expected = &texts[number];
            number += 1;
            assert_eq!(
                (scored.row.number, &scored.row.content.text),
                (number as u64, expected)
            );
            match scored.outcome {
                Ok(verdict) => assert_eq!(verdict.tokens, expected.len()),
                Err(failure) if expected.is_empty() => {
                    assert_eq!(failure, RowFailure("the text is empty".to_owned()));
                }
                Err(failure) => panic!("{number}: {failure}"),
            }
            room.release(&scored.row);
        }
        assert_eq!(number, texts.len());
        assert!(scorer.most_running.load(Ordering::SeqCst) <= 4);
    }

    #[tokio::test]
    async fn a_scorer_that_gives_up_ends_the_rows_after_those_before() {
        let texts = ["a", "b", "c", "d", "e", "the end", "f"]
            .map(str::to_owned)
            .to_vec();
        let read_ahead = ReadAhead::start(Rows::of_texts(texts), 2).unwrap();
        let mut rows = std::pin::pin!(scored_rows(read_ahead, &lengths()));
        let mut seen = Vec::new();
        let error = loop {
            match rows.next().await.expect("it ends with an error") {
                Ok(scored) => seen.extend(scored.into_iter().map(|scored| scored.row.number)),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, PipelineError::Score(_)));
        assert_eq!(
            seen,
            (3..3 + seen.len() as u64).collect::<Vec<_>>(),
            "the first two are left out"
        );
    }
}
