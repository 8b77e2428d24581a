//! The model folder: what a Hugging Face sequence classifier says of itself, and what decides its verdicts.

mod activation;
mod classifier_config;
mod revision;
mod source;
mod thresholds;

use std::ops::Range;
use std::path::{Path, PathBuf};

use toxicity_api::{ModelIdentity, Scores};

use crate::window::windows;

pub use activation::{Activation, logit};
pub use classifier_config::{ClassifierConfig, ParseClassifierConfigError};
pub use source::{ModelSource, ModelSourceError};
pub use thresholds::{DEFAULT_THRESHOLD, ThresholdOverride, ThresholdsError};

/// Names under which Detoxify and Jigsaw know the same label; requests and thresholds may use either.
const LABEL_ALIASES: [(&str, &str); 3] = [
    ("toxic", "toxicity"),
    ("severe_toxic", "severe_toxicity"),
    ("identity_hate", "identity_attack"),
];

/// Where the ONNX file may lie inside the folder, first match wins.
const ONNX_FILES: [&str; 5] = [
    "model.onnx",
    "onnx/model.onnx",
    "onnx/model_quantized.onnx",
    "onnx/model_int8.onnx",
    "onnx/model_fp16.onnx",
];

/// Everything about a model except its weights and its tokenizer.
#[derive(Debug, Clone)]
pub struct Model {
    /// Name and revision, as answered to clients.
    pub identity: ModelIdentity,
    /// Labels in the order of the model's outputs.
    pub labels: Vec<String>,
    /// Threshold per label, in the same order.
    pub thresholds: Vec<f32>,
    /// How logits become scores.
    pub activation: Activation,
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
        self.labels
            .iter()
            .cloned()
            .zip(self.thresholds.iter().copied())
            .collect()
    }
}

fn label_index(labels: &[String], name: &str) -> Option<usize> {
    labels.iter().position(|label| label == name).or_else(|| {
        let (jigsaw, detoxify) = LABEL_ALIASES.iter().find(|(a, b)| *a == name || *b == name)?;
        let other = if *jigsaw == name { detoxify } else { jigsaw };
        labels.iter().position(|label| label == other)
    })
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
        let onnx = ONNX_FILES
            .iter()
            .find_map(|file| find(file).ok())
            .ok_or_else(|| OpenModelFolderError::FindFile {
                file: ONNX_FILES.join("\" or \""),
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
            window_tokens,
            overlap_tokens,
        };
        Ok(Self {
            model,
            onnx,
            tokenizer,
        })
    }
}

fn folder_name(folder: &Path) -> String {
    let canonical = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    canonical
        .file_name()
        .map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn finds_labels_by_either_of_their_names() {
        let jigsaw = labels(&["toxic", "severe_toxic", "identity_hate"]);
        assert_eq!(label_index(&jigsaw, "identity_hate"), Some(2));
        assert_eq!(label_index(&jigsaw, "identity_attack"), Some(2));
        assert_eq!(label_index(&jigsaw, "toxicity"), Some(0));
        let detoxify = labels(&["toxicity", "threat"]);
        assert_eq!(label_index(&detoxify, "toxic"), Some(0));
        assert_eq!(label_index(&detoxify, "insult"), None);
    }
}
