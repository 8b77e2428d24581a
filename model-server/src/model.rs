//! The model folder: what a Hugging Face sequence classifier says of itself, and what decides its verdicts.

mod activation;
mod classifier_config;
mod revision;
mod thresholds;

use std::ops::Range;
use std::path::{Path, PathBuf};

use toxicity_api::{ModelIdentity, Scores, label_index};
use toxicity_model_source::{ONNX_FILES, find_onnx_file};

use crate::drift::Reference;
use crate::window::windows;

pub use activation::{Activation, logit, sigmoid};
pub use classifier_config::{ClassifierConfig, ParseClassifierConfigError};
pub use thresholds::{DEFAULT_THRESHOLD, ThresholdOverride, ThresholdsError};

/// Everything about a model except its weights and its tokenizer.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Name and revision, as answered to clients.
    pub identity: ModelIdentity,
    /// Labels in the order of the model's outputs.
    pub labels: Vec<String>,
    /// Threshold per label, in the same order.
    pub thresholds: Vec<f32>,
    /// How logits become scores.
    pub activation: Activation,
    /// Languages that it judges, as ISO 639-1 codes; `*` stands for any.
    pub languages: Vec<String>,
    /// Tokens of one forward pass, special tokens included.
    pub window_tokens: usize,
    /// Tokens that neighbouring windows share.
    pub overlap_tokens: usize,
}

impl Model {
    /// Indices of all labels.
    #[must_use]
    pub fn all_labels(&self) -> Vec<usize> {
        (0..self.labels.len()).collect()
    }

    /// Index of the label of this name or alias.
    #[must_use]
    pub fn label_index(&self, name: &str) -> Option<usize> {
        label_index(&self.labels, name)
    }

    /// The windows that a text of `tokens` tokens is scored in, when each pass carries `special_tokens` of its own.
    #[must_use]
    pub fn windows(&self, tokens: usize, special_tokens: usize) -> Vec<Range<usize>> {
        let capacity = self.window_tokens.saturating_sub(special_tokens).max(1);
        windows(tokens, capacity, self.overlap_tokens.min(capacity - 1))
    }

    /// Thresholds by label name.
    #[must_use]
    pub fn threshold_map(&self) -> Scores {
        self.by_label(&self.thresholds)
    }

    /// Values of all labels by label name.
    #[must_use]
    pub fn by_label(&self, values: &[f32]) -> Scores {
        self.labels.iter().cloned().zip(values.iter().copied()).collect()
    }
}

/// A model folder whose metadata was read; the weights are not loaded yet.
#[derive(Debug)]
pub struct ModelFolder {
    /// What the folder says of the model.
    pub model: Model,
    /// The weights.
    pub onnx: PathBuf,
    /// The tokenizer.
    pub tokenizer: PathBuf,
    /// How the scores were spread when the model was made.
    pub reference: Option<Reference>,
}

/// What the person who starts the server may decide in place of the folder.
#[derive(Debug, Clone, Default)]
pub struct ModelOverrides {
    /// Name answered to clients.
    pub name: Option<String>,
    /// Tokens of one forward pass.
    pub window_tokens: Option<usize>,
    /// Tokens that neighbouring windows share.
    pub overlap_tokens: Option<usize>,
    /// Thresholds by label.
    pub thresholds: Vec<ThresholdOverride>,
    /// Languages that the model judges.
    pub languages: Vec<String>,
    /// Which ONNX file, where there are several.
    pub onnx_file: Option<String>,
}

/// Why a model folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenModelFolderError {
    /// A file that must be there is not.
    #[error("failed to find \"{file}\" in the model folder \"{folder}\"")]
    FindFile {
        /// The file looked for.
        file: String,
        /// The model folder.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("failed to read \"{path}\"")]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `config.json` does not describe a sequence classifier.
    #[error("failed to understand \"{path}\"")]
    ParseConfig {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ParseClassifierConfigError,
    },
    /// The reference of the scores is no such thing.
    #[error("failed to parse \"reference.json\": it must map labels to 10 counts")]
    ParseReference(#[source] serde_json::Error),
    /// The thresholds do not fit the labels.
    #[error("failed to apply the thresholds")]
    ApplyThresholds(#[from] ThresholdsError),
    /// The window does not fit the model.
    #[error(
        "failed to set the window to {window} tokens with {overlap} of overlap: the model takes 8 to {maximum} \
         tokens, and the overlap must be at most half the window"
    )]
    SetWindow {
        /// Tokens asked for.
        window: usize,
        /// Overlap asked for.
        overlap: usize,
        /// Most tokens the model takes.
        maximum: usize,
    },
}

impl ModelFolder {
    /// Reads the metadata of the model in `folder`.
    ///
    /// # Errors
    /// When a file is missing or unreadable, or when what it says does not fit together.
    pub fn open(folder: &Path, overrides: &ModelOverrides) -> Result<Self, OpenModelFolderError> {
        let find = |file: &str| {
            let path = folder.join(file);
            path.is_file()
                .then_some(path)
                .ok_or_else(|| OpenModelFolderError::FindFile {
                    file: file.to_owned(),
                    folder: folder.to_owned(),
                })
        };
        let config_path = find("config.json")?;
        let tokenizer = find("tokenizer.json")?;
        let choice = overrides.onnx_file.as_deref();
        let onnx = find_onnx_file(folder, choice).ok_or_else(|| OpenModelFolderError::FindFile {
            file: choice.map_or_else(|| ONNX_FILES.join("\" or \""), str::to_owned),
            folder: folder.to_owned(),
        })?;

        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| OpenModelFolderError::ReadFile {
                path: path.to_owned(),
                source,
            })
        };
        let tokenizer_config = find("tokenizer_config.json")
            .ok()
            .map(|path| read(&path))
            .transpose()?;
        let config =
            ClassifierConfig::parse(&read(&config_path)?, tokenizer_config.as_deref()).map_err(|source| {
                OpenModelFolderError::ParseConfig {
                    path: config_path.clone(),
                    source,
                }
            })?;
        let thresholds_file = find("thresholds.json").ok().map(|path| read(&path)).transpose()?;
        let thresholds =
            thresholds::resolve(&config.labels, thresholds_file.as_deref(), &overrides.thresholds)?;

        let reference = match find("reference.json") {
            Ok(path) => {
                Some(serde_json::from_str(&read(&path)?).map_err(OpenModelFolderError::ParseReference)?)
            }
            Err(_) => None,
        };

        let window_tokens = overrides.window_tokens.unwrap_or(config.window_tokens);
        let overlap_tokens = overrides.overlap_tokens.unwrap_or(window_tokens / 4);
        if window_tokens < 8 || window_tokens > config.max_tokens || overlap_tokens > window_tokens / 2 {
            return Err(OpenModelFolderError::SetWindow {
                window: window_tokens,
                overlap: overlap_tokens,
                maximum: config.max_tokens,
            });
        }

        let scored_by = [onnx.as_path(), tokenizer.as_path(), config_path.as_path()];
        let identity = ModelIdentity {
            name: overrides.name.clone().unwrap_or_else(|| folder_name(folder)),
            revision: revision::of_files(&scored_by)
                .map_err(|(path, source)| OpenModelFolderError::ReadFile { path, source })?,
        };
        let model = Model {
            identity,
            labels: config.labels,
            thresholds,
            activation: config.activation,
            languages: overrides.languages.clone(),
            window_tokens,
            overlap_tokens,
        };
        Ok(Self {
            model,
            onnx,
            tokenizer,
            reference,
        })
    }
}

fn folder_name(folder: &Path) -> String {
    let canonical = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    canonical
        .file_name()
        .map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}
