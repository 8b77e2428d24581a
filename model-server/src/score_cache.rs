//! Scores of texts that were scored before, and of texts that are being scored: identical texts are scored once.
//!
//! A cache belongs to one loaded model, so what it holds is always of that model's revision. It is keyed by the exact
//! text, not by a digest of it: two texts can never be taken for one.

use std::future::Future;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::span::ToxicToken;

/// What the model says of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct TextScores {
    /// Tokens of the text, without special tokens.
    pub tokens: usize,
    /// Logits of each window, one per label.
    pub windows: Vec<Vec<f32>>,
    /// What the model says of the tokens; nothing when it does not judge them.
    pub(crate) toxic_tokens: Option<Box<[ToxicToken]>>,
}

/// Bytes that an entry takes beside its text and its numbers.
const ENTRY_BYTES: usize = 176;

/// Weighs entries by the memory they take.
#[derive(Debug, Clone, Copy)]
struct Bytes;

impl Weighter<String, Arc<TextScores>> for Bytes {
    fn weight(&self, text: &String, scores: &Arc<TextScores>) -> u64 {
        let numbers: usize = scores
            .windows
            .iter()
            .map(|logits| size_of::<Vec<f32>>() + size_of_val(logits.as_slice()))
            .sum();
        let tokens = scores.toxic_tokens.as_deref().map_or(0, size_of_val);
        (text.len() + numbers + tokens + ENTRY_BYTES) as u64
    }
}

/// The cache of one loaded model.
pub(crate) struct ScoreCache(Cache<String, Arc<TextScores>, Bytes>);

impl ScoreCache {
    /// Takes about `bytes` bytes when full. With 0 nothing is kept, but identical texts in flight still are scored once.
    pub(crate) fn new(bytes: usize) -> Self {
        let expected_entries = bytes / (4 * ENTRY_BYTES);
        Self(Cache::with_weighter(expected_entries, bytes as u64, Bytes))
    }

    /// The scores of a text that is known.
    pub(crate) fn get(&self, text: &str) -> Option<Arc<TextScores>> {
        self.0.get(text)
    }

    /// The scores of a text that is known, or is being scored for somebody else, or else those that `score` finds. When
    /// the one who scores gives up or fails, the next one who waits scores in its place.
    pub(crate) async fn get_or_score<E>(
        &self,
        text: &str,
        score: impl Future<Output = Result<TextScores, E>>,
    ) -> Result<Arc<TextScores>, E> {
        self.0
            .get_or_insert_async(text, async { score.await.map(Arc::new) })
            .await
    }

    /// Texts that it holds.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Bytes that it takes, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.weight()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn scores(tokens: usize) -> TextScores {
        TextScores {
            tokens,
            windows: vec![vec![0.0; 6]],
            toxic_tokens: None,
        }
    }

    #[tokio::test]
    async fn toxic_tokens_are_weighed_too() {
        let token = ToxicToken {
            token: 0,
            window: 0,
            probability: 0.5,
        };
        let weight = async |toxic_tokens: Option<Box<[ToxicToken]>>| {
            let cache = ScoreCache::new(1 << 20);
            let scores = TextScores {
                toxic_tokens,
                ..scores(1000)
            };
            let kept = cache.get_or_score("text", async { Ok::<_, ()>(scores) });
            kept.await.unwrap();
            cache.bytes()
        };
        let without = weight(None).await;
        assert_eq!(weight(Some(Box::default())).await, without);
        let with = weight(Some(vec![token; 1000].into())).await;
        assert_eq!(with - without, 1000 * size_of::<ToxicToken>() as u64);
    }

    #[tokio::test]
    async fn identical_texts_in_flight_are_scored_once_even_when_nothing_is_kept() {
        for bytes in [0, 1 << 20] {
            let cache = ScoreCache::new(bytes);
            let runs = AtomicUsize::new(0);
            let ask = || {
                cache.get_or_score("same", async {
                    runs.fetch_add(1, Ordering::Relaxed);
                    for _ in 0..5 {
                        tokio::task::yield_now().await;
                    }
                    Ok::<_, ()>(scores(3))
                })
            };
            let answers = futures_util::future::join_all((0..20).map(|_| ask())).await;
            assert!(answers.into_iter().all(|answer| answer.unwrap().tokens == 3));
            assert_eq!(runs.load(Ordering::Relaxed), 1, "{bytes} bytes");
            assert_eq!(cache.get("same").is_some(), bytes > 0);
        }
    }

    #[tokio::test]
    async fn when_the_first_gives_up_the_next_scores() {
        let cache = ScoreCache::new(1 << 20);
        let mut first = Box::pin(cache.get_or_score("text", std::future::pending::<Result<_, ()>>()));
        assert!(futures_util::poll!(&mut first).is_pending());
        let mut second = Box::pin(cache.get_or_score("text", async { Ok::<_, ()>(scores(1)) }));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        assert_eq!(second.await.unwrap().tokens, 1);
        assert!(
            cache
                .get_or_score("other", async { Err::<TextScores, _>(()) })
                .await
                .is_err()
        );
        assert!(cache.get("other").is_none(), "a failure is not kept");
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let cache = ScoreCache::new(1 << 20);
        for number in 0..20_000 {
            let text = format!("{number} {}", "long ".repeat(number % 100));
            cache
                .get_or_score(&text, async { Ok::<_, ()>(scores(1)) })
                .await
                .unwrap();
        }
        assert!(cache.bytes() <= 1 << 20);
        assert!(cache.len() > 500, "{}", cache.len());
    }
}
