//! The part of `GET /info` that clients of text-embeddings-inference read.

use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use crate::scored::Labels;

/// What `GET /info` says in text-embeddings-inference, without the field `version`, which every server has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TextEmbeddingsInfo)]
pub struct Info {
    /// Name of the model.
    #[schema(example = "unitary/toxic-bert")]
    pub model_id: String,
    /// Its revision.
    pub model_sha: Option<String>,
    /// Type of its weights.
    #[schema(example = "int8")]
    pub model_dtype: String,
    /// Name under which it is served.
    #[schema(example = "toxic-bert")]
    pub served_model_name: String,
    /// What it does.
    pub model_type: ModelType,
    /// Calls that are scored or wait at the same time.
    #[schema(example = 256)]
    pub max_concurrent_requests: usize,
    /// Tokens of one forward pass, special tokens included. Longer texts are scored in several.
    #[schema(example = 512)]
    pub max_input_length: usize,
    /// Tokens of the forward passes that run at the same time.
    #[schema(example = 1024)]
    pub max_batch_tokens: usize,
    /// Texts of one forward pass, where that is limited.
    pub max_batch_requests: Option<usize>,
    /// Texts of one call.
    #[schema(example = 1000)]
    pub max_client_batch_size: usize,
    /// Whether a text that is too long is cut; it never is.
    #[schema(example = false)]
    pub auto_truncate: bool,
    /// Threads that tokenize.
    #[schema(example = 2)]
    pub tokenization_workers: usize,
    /// Commit that the server was built from, where that is known.
    pub sha: Option<String>,
    /// Image that it runs in, where that is known.
    pub docker_label: Option<String>,
}

/// What a model does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = TextEmbeddingsModelType)]
pub enum ModelType {
    /// It scores labels.
    Classifier(ClassifierLabels),
}

/// Labels of a classifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TextEmbeddingsClassifier)]
pub struct ClassifierLabels {
    /// Label by index.
    #[schema(value_type = std::collections::BTreeMap<String, String>, example = json!({"0": "toxic"}))]
    pub id2label: IndexMap<String, String>,
    /// Index by label.
    #[schema(value_type = std::collections::BTreeMap<String, usize>, example = json!({"toxic": 0}))]
    pub label2id: IndexMap<String, usize>,
}

impl From<Labels<'_>> for ModelType {
    fn from(labels: Labels<'_>) -> Self {
        let numbered = || labels.names.iter().cloned().enumerate();
        Self::Classifier(ClassifierLabels {
            id2label: numbered()
                .map(|(index, label)| (index.to_string(), label))
                .collect(),
            label2id: numbered().map(|(index, label)| (label, index)).collect(),
        })
    }
}
