//! Scores at a model server, over HTTP.

mod answer;
mod connection;
mod division;
mod thresholds;

use std::sync::OnceLock;

use bytes::Bytes;
use toxicity_api::{AnalyzeRequest, AnalyzeResponse, Info, ModelIdentity, Scores};

use crate::arguments::ServerArguments;
use crate::labels::{self, LabelError};
use crate::row::Outcome;
use crate::scorer::{Capacity, Named, Question, Scorer};
use division::Division;

pub use answer::{AskError, Refusal};
pub use connection::{Connection, PrepareConnectionError};

/// Texts of one call. More would gain nothing and wait longer for the slowest of them.
const TEXTS: usize = 64;
/// Bytes of the texts of one call, so that a call of long texts is answered in time.
const TEXT_BYTES: usize = 256 * 1024;

/// A server that was asked what it serves.
pub struct Server {
    connection: Connection,
    /// The request without its texts.
    request: AnalyzeRequest,
    labels: Vec<String>,
    /// Thresholds of the command line.
    thresholds: Scores,
    info: Info,
    calls: usize,
    /// The first other model that answered.
    changed_model: OnceLock<ModelIdentity>,
}

impl Server {
    /// A server that serves `info`.
    ///
    /// # Errors
    /// When its model does not have what is asked for.
    pub fn new(
        connection: Connection,
        info: Info,
        question: &Question,
        arguments: &ServerArguments,
    ) -> Result<Self, LabelError> {
        let all = &info.model.labels;
        let labels: Vec<String> = labels::choose(all, &question.labels)?
            .into_iter()
            .map(|index| all[index].clone())
            .collect();
        let thresholds = labels::thresholds(all, &question.thresholds)?;
        let request = AnalyzeRequest {
            texts: Some(Vec::new()),
            spans: question.spans,
            normalize: question.normalize,
            store: !arguments.no_store,
            labels: (!question.labels.is_empty()).then(|| labels.clone()),
            ..AnalyzeRequest::default()
        };
        Ok(Self {
            connection,
            request,
            labels,
            thresholds,
            calls: usize::from(arguments.parallel)
                .min(info.limits.concurrent_requests)
                .max(1),
            info,
            changed_model: OnceLock::new(),
        })
    }

    fn body(&self, texts: &[&str]) -> Bytes {
        let request = AnalyzeRequest {
            texts: Some(texts.iter().map(|&text| text.to_owned()).collect()),
            ..self.request.clone()
        };
        serde_json::to_vec(&request).expect("a request is JSON").into()
    }

    /// Asks for verdicts and judges them by the thresholds in force.
    async fn analyze(&self, texts: &[&str]) -> Result<AnalyzeResponse, AskError> {
        let mut answer: AnalyzeResponse = self
            .connection
            .post_patiently("v1/analyze", self.body(texts))
            .await?;
        if answer.model != self.info.model.identity {
            let _ = self.changed_model.set(answer.model.clone());
        }
        if !self.thresholds.is_empty() {
            answer.thresholds.extend(self.thresholds.clone());
            for verdict in &mut answer.results {
                thresholds::judge(verdict, &answer.thresholds);
            }
        }
        Ok(answer)
    }
}

impl Scorer for Server {
    type Error = AskError;

    fn model(&self) -> &ModelIdentity {
        &self.info.model.identity
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn capacity(&self) -> Capacity {
        let limits = &self.info.limits;
        let text_bytes = limits.body_bytes.saturating_sub(self.body(&[]).len());
        Capacity {
            texts: limits.texts.clamp(1, TEXTS),
            bytes: text_bytes.min(TEXT_BYTES),
            text_bytes,
            text_characters: limits.characters,
            calls: self.calls,
        }
    }

    async fn score(&self, texts: &[&str]) -> Result<Vec<Outcome>, AskError> {
        let mut division = Division::new(texts.len());
        while let Some(group) = division.next_group() {
            let group_texts: Vec<&str> = group.iter().map(|&index| texts[index]).collect();
            match self.analyze(&group_texts).await {
                Ok(answer) => division.answered(&group, answer.results)?,
                Err(error) => division.refused(group, error)?,
            }
        }
        Ok(division.outcomes())
    }

    fn remark(&self) -> Option<String> {
        let changed = self.changed_model.get()?;
        Some(format!(
            "the server changed its model during the run, from {} to {}",
            Named(&self.info.model.identity),
            Named(changed)
        ))
    }
}
