//! The way of one text: tokenize, cut into windows, score, judge, and on request find the words behind it.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use toxicity_api::{Normalization, TextVerdict};
use toxicity_model_source::FetchError;
use toxicity_protocols::scored::ScoredText;
use toxicity_text::normalization::normalize;

use crate::backend::{Backend, BackendError, LoadOnnxError, Provider, SessionOptions};
use crate::drift::{Drift, DriftMonitor, DriftOptions, Reference};
use crate::loaded_model::LoadedModel;
use crate::metrics::{LabelSeries, Metrics, Stage};
use crate::model::{Model, ModelFolder, ModelOverrides, OpenModelFolderError};
use crate::scheduler::{Backends, Batching, Lane, PassError, Scheduler};
use crate::score_cache::{ScoreCache, TextScores};
use crate::span::{self, Explanation, Found, SpanMethod, toxic_tokens};
use crate::tokenization::{Tokenization, TokenizationError, Tokens};
use crate::verdict::Judgement;

/// Texts above this many bytes are tokenized off the threads that answer requests.
const INLINE_TOKENIZE_BYTES: usize = 4 * 1024;

/// Sessions that one thread of tokenizing keeps busy: it takes some 0.1 ms per text and a session more than 1 ms.
const SESSIONS_PER_THREAD: usize = 4;

/// What to load, and how wide.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// The model folder.
    pub folder: PathBuf,
    /// What to change about it.
    pub overrides: ModelOverrides,
    /// The ONNX Runtime library; absent means beside the executable.
    pub onnxruntime: Option<PathBuf>,
    /// Sessions that score at the same time.
    pub sessions: usize,
    /// How each of them runs.
    pub session: SessionOptions,
    /// Requests that may send passes at the same time.
    pub max_requests: usize,
    /// How passes are put together.
    pub batching: Batching,
    /// Bytes that the cache of scores may take.
    pub cache_bytes: usize,
    /// How the spread of the scores is watched.
    pub drift: DriftOptions,
}

impl Default for EngineOptions {
    /// No model yet; one session for one request at a time, without a cache.
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            overrides: ModelOverrides::default(),
            onnxruntime: None,
            sessions: 1,
            session: SessionOptions::default(),
            max_requests: 1,
            batching: Batching::Single,
            cache_bytes: 0,
            drift: DriftOptions::default(),
        }
    }
}

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum LoadEngineError {
    /// The model cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The folder is unusable.
    #[error(transparent)]
    OpenFolder(#[from] OpenModelFolderError),
    /// The tokenizer is unusable.
    #[error(transparent)]
    Tokenizer(#[from] TokenizationError),
    /// ONNX Runtime or the weights do not load.
    #[error(transparent)]
    Onnx(#[from] LoadOnnxError),
    /// The system gives no thread.
    #[error("failed to start a session thread")]
    StartThread(#[source] std::io::Error),
    /// The model loads but does not answer.
    #[error("failed to score a first text")]
    WarmUp(#[source] BackendError),
}

/// Why a text was not scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The tokenizer found nothing in it.
    #[error("the text holds nothing that can be scored")]
    Empty,
    /// The tokenizer failed.
    #[error(transparent)]
    Tokenize(#[from] TokenizationError),
    /// A forward pass failed.
    #[error(transparent)]
    Pass(#[from] PassError),
}

/// What to find out about a text.
#[derive(Debug, Clone)]
pub struct Question {
    /// Indices of the labels that count.
    pub labels: Vec<usize>,
    /// Score from which each label of the model is flagged.
    pub thresholds: Vec<f32>,
    /// Whether to say which words carry the verdict.
    pub spans: bool,
    /// Whether to also score the text with what hides its words undone.
    pub normalize: bool,
}

impl Question {
    /// All labels of a model by its own thresholds.
    #[must_use]
    pub fn all(model: &Model) -> Self {
        Self::of(model, model.thresholds.clone())
    }

    /// All labels of a model by thresholds of the caller's own.
    #[must_use]
    pub fn of(model: &Model, thresholds: Vec<f32>) -> Self {
        Self {
            labels: model.all_labels(),
            thresholds,
            spans: false,
            normalize: false,
        }
    }
}

/// What was found out about a text.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Scores and flags.
    pub judgement: Judgement,
    /// Tokens of the text, without special tokens.
    pub tokens: usize,
    /// Windows it was scored in.
    pub windows: usize,
    /// The words that carry the verdict, when they were asked for.
    pub(crate) found: Option<Found>,
    /// What was undone before the text was scored a second time, if anything was.
    pub normalization: Option<Normalization>,
}

impl Verdict {
    fn without_words(scores: &TextScores, judgement: Judgement) -> Self {
        Self {
            judgement,
            tokens: scores.tokens,
            windows: scores.windows.len(),
            found: None,
            normalization: None,
        }
    }

    /// The verdict as the protocols of others take it. Its question must have been about all labels.
    #[must_use]
    pub fn scored_text(&self) -> ScoredText {
        let Judgement {
            scores,
            logits,
            flagged,
            ..
        } = &self.judgement;
        ScoredText {
            scores: scores.clone(),
            logits: logits.clone(),
            flagged: (0..scores.len()).map(|label| flagged.contains(&label)).collect(),
            tokens: self.tokens,
            windows: self.windows,
        }
    }

    /// Names of the labels that reach their thresholds, highest score first.
    #[must_use]
    pub fn flags(&self, model: &Model) -> Vec<String> {
        let flagged = self.judgement.flagged.iter();
        flagged.map(|&label| model.labels[label].clone()).collect()
    }

    /// The verdict in the words of the native protocol.
    #[must_use]
    pub fn into_text_verdict(self, model: &Model) -> TextVerdict {
        let flagged = &self.judgement.flagged;
        TextVerdict {
            flagged: !flagged.is_empty(),
            flags: flagged.iter().map(|&label| model.labels[label].clone()).collect(),
            scores: self.judgement.score_map(model),
            tokens: self.tokens,
            windows: self.windows,
            spans_complete: self.found.as_ref().map(|found| found.complete),
            spans: self.found.map(|found| found.spans),
            normalized: self.normalization,
            record_id: None,
        }
    }
}

/// What an engine is made of.
pub struct EngineParts {
    /// What is loaded.
    pub model: Model,
    /// Build information of what runs it.
    pub runtime: String,
    /// What it runs on.
    pub provider: Provider,
    /// Text to tokens.
    pub tokenization: Tokenization,
    /// The sessions.
    pub scheduler: Scheduler,
    /// How the scores were spread when the model was made.
    pub reference: Option<Reference>,
}

/// A loaded model, ready to answer.
pub struct Engine {
    /// What is loaded.
    pub model: Model,
    /// Build information of what runs it.
    pub runtime: String,
    provider: &'static str,
    tokenization: Arc<Tokenization>,
    scheduler: Scheduler,
    cache: ScoreCache,
    drift: DriftMonitor,
    series: LabelSeries,
    metrics: Arc<Metrics>,
}

impl Engine {
    /// Loads a model and starts its sessions.
    ///
    /// # Errors
    /// When anything is missing, does not fit or does not answer.
    pub fn load(options: &EngineOptions, metrics: &Arc<Metrics>) -> Result<Self, LoadEngineError> {
        let loaded = LoadedModel::load(options)?;
        let mut sessions = loaded.sessions(options.sessions)?;
        let joint = loaded.joint_session(&mut sessions)?;
        let boxed = |session| Box::new(session) as Box<dyn Backend>;
        let backends = Backends {
            sessions: sessions.into_iter().map(boxed).collect(),
            joint,
        };
        let scheduler = Scheduler::start(backends, options.max_requests, options.batching, metrics)
            .map_err(LoadEngineError::StartThread)?;
        let parts = EngineParts {
            runtime: loaded.runtime.build_info().to_owned(),
            provider: options.session.provider,
            model: loaded.model,
            tokenization: loaded.tokenization,
            scheduler,
            reference: loaded.reference,
        };
        Ok(Self::new(parts, options.cache_bytes, options.drift, metrics))
    }

    /// What would be loaded, without its weights.
    ///
    /// # Errors
    /// When the folder is missing or does not fit together.
    pub fn describe(options: &EngineOptions) -> Result<Model, LoadEngineError> {
        let folder = ModelFolder::open(&options.folder, &options.overrides)?;
        Ok(folder.model)
    }

    /// An engine of ready parts.
    #[must_use]
    pub fn new(parts: EngineParts, cache_bytes: usize, drift: DriftOptions, metrics: &Arc<Metrics>) -> Self {
        let EngineParts {
            model,
            runtime,
            provider,
            tokenization,
            scheduler,
            reference,
        } = parts;
        let reference = reference.and_then(|reference| reference.counts(&model.labels));
        Self {
            runtime,
            provider: provider.name(),
            tokenization: Arc::new(tokenization),
            scheduler,
            cache: ScoreCache::new(cache_bytes),
            drift: DriftMonitor::new(model.labels.len(), reference, drift, Instant::now()),
            series: metrics.label_series(&model.labels),
            metrics: Arc::clone(metrics),
            model,
        }
    }

    /// Threads of a runtime that keep the sessions busy with the texts of a file.
    #[must_use]
    pub fn feeding_threads(&self) -> usize {
        self.scheduler.sessions().div_ceil(SESSIONS_PER_THREAD)
    }

    /// The queue and its sessions.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Texts in the cache of scores, and the bytes they take, about.
    #[must_use]
    pub fn cached(&self) -> (usize, u64) {
        (self.cache.len(), self.cache.bytes())
    }

    /// The scores of `text`, when they are known.
    #[must_use]
    pub fn known(&self, text: &str) -> Option<Arc<TextScores>> {
        self.cache.get(text)
    }

    /// Finds out what `question` asks about `text` through the lane of its request.
    ///
    /// # Errors
    /// When the text holds no token, or a stage fails.
    pub async fn verdict(
        &self,
        lane: &Lane<'_>,
        text: &str,
        question: &Question,
    ) -> Result<Verdict, ScoreError> {
        let normalized = question.normalize.then(|| normalize(text)).flatten();
        let Some(normalized) = normalized.filter(|normalized| !is_blank(&normalized.text)) else {
            let scores = self.scores(lane, text).await?;
            let mut verdict = Verdict::without_words(&scores, self.judge(&scores, question));
            if question.spans {
                let flagged = &verdict.judgement.flagged;
                verdict.found = Some(self.spans(lane, text, &scores, question, flagged).await?);
            }
            return Ok(verdict);
        };
        // Both count, so a step too far in undoing can hide nothing.
        let (own, undone) =
            futures_util::future::try_join(self.scores(lane, text), self.scores(lane, &normalized.text))
                .await?;
        let both = TextScores {
            tokens: own.tokens,
            windows: own.windows.iter().chain(&undone.windows).cloned().collect(),
            toxic_tokens: None,
        };
        let mut verdict = Verdict::without_words(&both, self.judge(&both, question));
        if question.spans {
            let of = |scores: &TextScores| self.judgement(scores, question);
            let flagged = &verdict.judgement.flagged;
            verdict.found = Some(if of(&undone).highest_flagged() > of(&own).highest_flagged() {
                let text_undone = &normalized.text;
                let found = self.spans(lane, text_undone, &undone, question, flagged).await?;
                found.moved(text, |range| normalized.original_range(range))
            } else {
                self.spans(lane, text, &own, question, flagged).await?
            });
        }
        verdict.normalization = Some(Normalization {
            changes: normalized
                .changes
                .iter()
                .map(|(change, count)| (change.name().to_owned(), count))
                .collect(),
            text: normalized.text,
        });
        Ok(verdict)
    }

    /// Scores rows of tokens as the client made them, special tokens included; each is one forward pass.
    ///
    /// # Errors
    /// When a pass fails.
    pub async fn verdict_of_tokens(
        &self,
        lane: &Lane<'_>,
        ids: Vec<u32>,
        question: &Question,
    ) -> Result<Verdict, ScoreError> {
        let scores = TextScores {
            tokens: ids.len(),
            windows: vec![lane.logits(ids).await?.labels],
            toxic_tokens: None,
        };
        Ok(Verdict::without_words(&scores, self.judge(&scores, question)))
    }

    /// What it runs on.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        self.provider
    }

    /// How it finds the words that carry a verdict.
    #[must_use]
    pub fn span_method(&self) -> SpanMethod {
        if self.scheduler.marks_tokens() {
            SpanMethod::TokenLogits
        } else {
            SpanMethod::LeaveOneOut
        }
    }

    /// Number of ids that tokens can have.
    #[must_use]
    pub fn vocabulary_size(&self) -> usize {
        self.tokenization.vocabulary_size()
    }

    /// Judges a text whose scores are known, without its words.
    #[must_use]
    pub fn verdict_of_known(&self, scores: &TextScores, question: &Question) -> Verdict {
        self.metrics.cache_hits.inc();
        Verdict::without_words(scores, self.judge(scores, question))
    }

    /// The same past the metrics: for what was said of the text before.
    #[must_use]
    pub fn judge_unobserved(&self, scores: &TextScores, question: &Question) -> Verdict {
        Verdict::without_words(scores, self.judgement(scores, question))
    }

    /// Scores a text past the metrics and the cache, for those who compare models.
    ///
    /// # Errors
    /// When the text holds no token, or a stage fails.
    pub async fn unobserved_verdict(
        &self,
        lane: &Lane<'_>,
        text: &str,
        question: &Question,
    ) -> Result<Judgement, ScoreError> {
        let scores = self.score(lane, text).await?;
        Ok(self.judgement(&scores, question))
    }

    /// What is known of the drift of its scores.
    #[must_use]
    pub fn drift(&self) -> Drift {
        self.drift.drift(Instant::now())
    }

    fn judge(&self, scores: &TextScores, question: &Question) -> Judgement {
        let judgement = self.judgement(scores, question);
        self.metrics
            .observe_judgement(&self.series, &judgement, scores.tokens, scores.windows.len());
        self.drift.observe(&judgement.scores, Instant::now());
        judgement
    }

    fn judgement(&self, scores: &TextScores, question: &Question) -> Judgement {
        let Question {
            labels, thresholds, ..
        } = question;
        Judgement::of(&self.model, thresholds, labels, &scores.windows)
    }

    async fn scores(&self, lane: &Lane<'_>, text: &str) -> Result<Arc<TextScores>, ScoreError> {
        if let Some(known) = self.cache.get(text) {
            self.metrics.cache_hits.inc();
            return Ok(known);
        }
        self.metrics.cache_misses.inc();
        self.cache.get_or_score(text, self.score(lane, text)).await
    }

    async fn score(&self, lane: &Lane<'_>, text: &str) -> Result<TextScores, ScoreError> {
        let tokens = self.tokenize(lane, text, false).await?;
        if tokens.ids.is_empty() {
            return Err(ScoreError::Empty);
        }
        let windows = self.windows(&tokens);
        let passes = windows.iter().map(|window| {
            let ids = tokens.ids[window.clone()].iter().copied();
            lane.logits(self.tokenization.sequence(ids))
        });
        let logits = futures_util::future::try_join_all(passes).await?;
        // Kept whether anybody asks for words or not: it is next to nothing, and spares another pass when somebody does.
        let of_tokens: Option<Vec<&[f32]>> = logits.iter().map(|logits| logits.tokens.as_deref()).collect();
        let leading = self.tokenization.leading_count();
        Ok(TextScores {
            tokens: tokens.ids.len(),
            toxic_tokens: of_tokens.map(|of_tokens| toxic_tokens(&windows, &of_tokens, leading)),
            windows: logits.into_iter().map(|logits| logits.labels).collect(),
        })
    }

    /// Sends a text through the model whose scores nobody asks for, past the cache.
    ///
    /// # Errors
    /// When the model does not score it.
    pub async fn probe(&self, patience: Duration) -> Result<(), ScoreError> {
        let lane = self.scheduler.lane(patience);
        self.score(&lane, "ready").await.map(|_| ())
    }

    fn windows(&self, tokens: &Tokens) -> Vec<Range<usize>> {
        self.model
            .windows(tokens.ids.len(), self.tokenization.special_count())
    }

    async fn spans(
        &self,
        lane: &Lane<'_>,
        text: &str,
        scores: &TextScores,
        question: &Question,
        flagged: &[usize],
    ) -> Result<Found, ScoreError> {
        if flagged.is_empty() {
            return Ok(Found {
                spans: Vec::new(),
                complete: true,
            });
        }
        let started = Instant::now();
        let tokens = self.tokenize(lane, text, true).await?;
        let found = span::find(&Explanation {
            model: &self.model,
            tokenization: &self.tokenization,
            lane,
            text,
            tokens: &tokens,
            windows: &self.windows(&tokens),
            logits: &scores.windows,
            toxic_tokens: scores.toxic_tokens.as_deref(),
            thresholds: &question.thresholds,
            flagged,
        })
        .await?;
        self.metrics.observe_stage(Stage::Spans, started.elapsed());
        Ok(found)
    }

    async fn tokenize(&self, lane: &Lane<'_>, text: &str, offsets: bool) -> Result<Tokens, ScoreError> {
        let started = Instant::now();
        let run = move |tokenization: &Tokenization, text: &str| {
            if offsets {
                tokenization.tokens_with_offsets(text)
            } else {
                tokenization.tokens(text)
            }
        };
        let tokens = if text.len() <= INLINE_TOKENIZE_BYTES {
            run(&self.tokenization, text)
        } else {
            let (tokenization, text) = (Arc::clone(&self.tokenization), text.to_owned());
            tokio::task::spawn_blocking(move || run(&tokenization, &text))
                .await
                .map_err(|error| TokenizationError::Encode(error.to_string()))?
        };
        let time = started.elapsed();
        lane.note_tokenization(started, time);
        self.metrics.observe_stage(Stage::Tokenize, time);
        tokens
            .inspect_err(|_| self.metrics.exceptions.inc())
            .map_err(ScoreError::from)
    }
}

/// Whether nothing of a text can be scored.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|character| character.is_whitespace() || character.is_control())
}
