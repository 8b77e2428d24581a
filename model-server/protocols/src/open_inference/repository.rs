//! The list of models: `POST /v2/repository/index`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Error, ModelView};
use crate::json;

/// Request of the index. An empty body is one too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = OpenInferenceIndexRequest)]
pub struct IndexRequest {
    /// Whether to list only a model that is ready.
    #[serde(default)]
    pub ready: bool,
}

/// A model in the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceIndexEntry)]
pub struct IndexEntry {
    /// Its name.
    #[schema(example = "toxic-minilm")]
    pub name: String,
    /// Its revision.
    pub version: String,
    /// `READY` or `UNAVAILABLE`.
    #[schema(example = "READY")]
    pub state: &'static str,
    /// Why it is in this state; empty when it is ready.
    pub reason: &'static str,
}

impl IndexRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// When it is neither empty nor what it should be.
    pub fn read(body: &[u8]) -> Result<Self, Error> {
        if body.is_empty() {
            Ok(Self::default())
        } else {
            Ok(json::read(body)?)
        }
    }

    /// The answer: the loaded model, where one is, and whether it is ready.
    #[must_use]
    pub fn answer(self, model: Option<&ModelView<'_>>, ready: bool) -> Vec<IndexEntry> {
        let listed = model.filter(|_| ready || !self.ready).map(|model| IndexEntry {
            name: model.name.to_owned(),
            version: model.version.to_owned(),
            state: if ready { "READY" } else { "UNAVAILABLE" },
            reason: if ready {
                ""
            } else {
                "the server has no room or is stopping"
            },
        });
        listed.into_iter().collect()
    }
}
