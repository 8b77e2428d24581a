//! Which words carry a verdict, and where they stand in the text.

mod marking;
mod search;
mod toxic_token;
mod unit;
mod word_tokens;

use std::ops::Range;

use toxicity_api::{Offsets, Span};

use crate::engine::ScoreError;
use crate::model::{Model, logit};
use crate::scheduler::Lane;
use crate::tokenization::{Tokenization, Tokens};
use crate::word::words;
use search::{Mark, Score, Window};
use unit::Unit;

pub(crate) use toxic_token::{ToxicToken, toxic_tokens};

/// Passes over a window that the search of one text may spend in all. A comment takes some 11; this is for texts of
/// many windows, and bounds the work that one text can ask for.
const PASSES_PER_TEXT: usize = 320;

/// Passes that the search of one window may spend.
const PASSES_PER_WINDOW: usize = 96;

/// Fewest passes with which the search of another window is begun.
const FEWEST_PASSES: usize = 24;

/// How the words that carry a verdict are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanMethod {
    /// The model says of each token how toxic it is, in the pass that scores the text.
    TokenLogits,
    /// Words are left out and scored alone, in passes of their own.
    LeaveOneOut,
}

impl SpanMethod {
    /// Name as answered by `/info`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TokenLogits => "token-logits",
            Self::LeaveOneOut => "leave-one-out",
        }
    }
}

/// A text with its verdict, to be explained.
pub(crate) struct Explanation<'a> {
    pub(crate) model: &'a Model,
    pub(crate) tokenization: &'a Tokenization,
    pub(crate) lane: &'a Lane<'a>,
    pub(crate) text: &'a str,
    /// Tokens of the text, with offsets.
    pub(crate) tokens: &'a Tokens,
    pub(crate) windows: &'a [Range<usize>],
    /// Logits of each window.
    pub(crate) logits: &'a [Vec<f32>],
    /// What the model says of the tokens; nothing when it does not judge them.
    pub(crate) toxic_tokens: Option<&'a [ToxicToken]>,
    /// Threshold of each label of the model.
    pub(crate) thresholds: &'a [f32],
    /// The labels that the text is flagged with.
    pub(crate) flagged: &'a [usize],
}

/// The words that carry a verdict.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// In reading order.
    pub(crate) spans: Vec<Span>,
    /// Whether every flagged window was searched.
    pub(crate) complete: bool,
}

impl Found {
    /// The same words in the text that the searched one was made of; `origin` gives the range there of a range here.
    pub(crate) fn moved(mut self, text: &str, origin: impl Fn(Range<usize>) -> Range<usize>) -> Self {
        let mut utf16 = Utf16Counter::new(text);
        for span in &mut self.spans {
            let Range { start, end } = origin(span.bytes.range());
            span.bytes = Offsets { begin: start, end };
            // Neighbouring words may come from one place.
            let begin = if start < utf16.byte {
                Utf16Counter::new(text).at(start)
            } else {
                utf16.at(start)
            };
            span.utf16 = Offsets {
                begin,
                end: utf16.at(end),
            };
        }
        self
    }
}

/// What is known of one word so far.
struct MarkedWord {
    weight: f32,
    labels: Vec<usize>,
}

/// Finds the words that carry the verdict: those that the model marks, or else those that a search finds.
pub(crate) async fn find(explanation: &Explanation<'_>) -> Result<Found, ScoreError> {
    let words = words(explanation.text);
    let (marked, complete) = match explanation.toxic_tokens {
        Some(toxic) => (mark(explanation, &words, toxic), true),
        None => leave_out(explanation, &words).await?,
    };
    Ok(Found {
        spans: spans(explanation.model, explanation.text, &words, &marked),
        complete,
    })
}

/// The words that the model marks. It does not say of which label they are.
fn mark(
    explanation: &Explanation<'_>,
    words: &[Range<usize>],
    toxic: &[ToxicToken],
) -> Vec<Option<MarkedWord>> {
    let offsets = &explanation.tokens.offsets;
    let marks = marking::mark(words, offsets, explanation.windows, toxic).into_iter();
    let marked = marks.map(|probability| {
        Some(MarkedWord {
            weight: probability?,
            labels: explanation.flagged.to_vec(),
        })
    });
    marked.collect()
}

/// Searches the flagged windows, strongest first, for the words that carry the verdict; says too whether it came to all
/// of them.
async fn leave_out(
    explanation: &Explanation<'_>,
    words: &[Range<usize>],
) -> Result<(Vec<Option<MarkedWord>>, bool), ScoreError> {
    let Explanation {
        model,
        tokenization,
        lane,
        tokens,
        windows,
        ..
    } = *explanation;
    let empty = model
        .activation
        .log_odds(&lane.logits(tokenization.sequence([])).await?.labels);
    let mut marked: Vec<Option<MarkedWord>> = words.iter().map(|_| None).collect();
    let mut passes = PASSES_PER_TEXT;
    let flagged_windows = flagged_windows(explanation);
    let strongest = flagged_windows.first().map_or(1.0, |window| window.score);
    let mut complete = true;
    for FlaggedWindow {
        index,
        labels,
        log_odds,
        score,
    } in flagged_windows
    {
        if passes < FEWEST_PASSES {
            complete = false;
            break;
        }
        let units = unit::units(words, tokens, &windows[index], tokenization.common_ids());
        let bars: Vec<f32> = labels
            .iter()
            .map(|&label| logit(explanation.thresholds[label]))
            .collect();
        let empty: Vec<f32> = labels.iter().map(|&label| empty[label]).collect();
        let scorer = WindowScore {
            explanation,
            window: &windows[index],
            units: &units,
            labels: &labels,
        };
        let window = Window {
            units: &units,
            base: &log_odds,
            empty: &empty,
            bars: &bars,
        };
        let mut allowed = passes.min(PASSES_PER_WINDOW);
        let granted = allowed;
        for Mark {
            unit,
            weight,
            labels: carried,
        } in search::search(&window, &scorer, &mut allowed).await?
        {
            let weight = weight * score / strongest;
            for &word in &units[unit].words {
                if marked[word].as_ref().is_none_or(|known| known.weight < weight) {
                    let labels = carried.iter().map(|&label| labels[label]).collect();
                    marked[word] = Some(MarkedWord { weight, labels });
                }
            }
        }
        passes -= granted - allowed;
    }
    Ok((marked, complete))
}

struct FlaggedWindow {
    index: usize,
    labels: Vec<usize>,
    log_odds: Vec<f32>,
    score: f32,
}

/// The windows that reach a threshold of a label the text is flagged with, strongest first.
fn flagged_windows(explanation: &Explanation<'_>) -> Vec<FlaggedWindow> {
    let Explanation {
        model,
        logits,
        thresholds,
        flagged,
        ..
    } = *explanation;
    let mut windows: Vec<FlaggedWindow> = logits
        .iter()
        .enumerate()
        .filter_map(|(index, logits)| {
            let scores = model.activation.scores(logits);
            let labels: Vec<usize> = flagged
                .iter()
                .copied()
                .filter(|&label| scores[label] >= thresholds[label])
                .collect();
            let score = labels.iter().map(|&label| scores[label]).reduce(f32::max)?;
            let all = model.activation.log_odds(logits);
            let log_odds = labels.iter().map(|&label| all[label]).collect();
            Some(FlaggedWindow {
                index,
                labels,
                log_odds,
                score,
            })
        })
        .collect();
    windows.sort_by(|a, b| b.score.total_cmp(&a.score));
    windows
}

/// Scores changed windows through the lane of the request.
struct WindowScore<'a> {
    explanation: &'a Explanation<'a>,
    window: &'a Range<usize>,
    units: &'a [Unit],
    labels: &'a [usize],
}

impl WindowScore<'_> {
    async fn log_odds(&self, ids: impl IntoIterator<Item = u32>) -> Result<Vec<f32>, ScoreError> {
        let Explanation {
            model,
            tokenization,
            lane,
            ..
        } = *self.explanation;
        let logits = lane.logits(tokenization.sequence(ids)).await?;
        let all = model.activation.log_odds(&logits.labels);
        Ok(self.labels.iter().map(|&label| all[label]).collect())
    }
}

impl Score for WindowScore<'_> {
    async fn without(&self, removed: Vec<usize>) -> Result<Vec<f32>, ScoreError> {
        let mut kept = vec![true; self.window.len()];
        for &token in removed.iter().flat_map(|&unit| &self.units[unit].tokens) {
            kept[token - self.window.start] = false;
        }
        let ids = &self.explanation.tokens.ids[self.window.clone()];
        self.log_odds(ids.iter().zip(kept).filter(|(_, kept)| *kept).map(|(&id, _)| id))
            .await
    }

    async fn alone(&self, index: usize) -> Result<Vec<f32>, ScoreError> {
        self.log_odds(self.units[index].ids.iter().copied()).await
    }
}

fn spans(model: &Model, text: &str, words: &[Range<usize>], marked: &[Option<MarkedWord>]) -> Vec<Span> {
    let mut utf16 = Utf16Counter::new(text);
    let marked = words
        .iter()
        .zip(marked)
        .filter_map(|(word, mark)| Some((word, mark.as_ref()?)));
    marked
        .map(|(word, MarkedWord { weight, labels })| Span {
            labels: labels.iter().map(|&label| model.labels[label].clone()).collect(),
            weight: *weight,
            bytes: Offsets {
                begin: word.start,
                end: word.end,
            },
            utf16: Offsets {
                begin: utf16.at(word.start),
                end: utf16.at(word.end),
            },
        })
        .collect()
}

/// Turns rising byte positions into UTF-16 positions in one walk over the text.
struct Utf16Counter<'a> {
    text: &'a str,
    byte: usize,
    units: usize,
}

impl<'a> Utf16Counter<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            byte: 0,
            units: 0,
        }
    }

    fn at(&mut self, byte: usize) -> usize {
        self.units += self.text[self.byte..byte]
            .chars()
            .map(char::len_utf16)
            .sum::<usize>();
        self.byte = byte;
        self.units
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_offsets_name_the_same_words(text in any::<String>()) {
            let words = words(&text);
            let wide: Vec<u16> = text.encode_utf16().collect();
            let mut utf16 = Utf16Counter::new(&text);
            for word in words {
                let (begin, end) = (utf16.at(word.start), utf16.at(word.end));
                let from_utf16 = String::from_utf16(&wide[begin..end]).expect("whole characters");
                prop_assert_eq!(from_utf16.as_str(), &text[word]);
            }
        }
    }
}
