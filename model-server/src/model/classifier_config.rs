//! `config.json` and `tokenizer_config.json` of a Hugging Face sequence classifier.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Activation;

/// Window of a model whose files name none: what BERT was made for.
const FALLBACK_TOKENS: usize = 512;

/// What the configuration files say, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierConfig {
    /// Labels in the order of the model's outputs.
    pub labels: Vec<String>,
    /// How logits become scores.
    pub activation: Activation,
    /// Tokens the model was tuned for, special tokens included: `model_max_length` where it is given.
    pub window_tokens: usize,
    /// Most tokens the model's positions allow.
    pub max_tokens: usize,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ParseClassifierConfigError {
    /// Not JSON, or fields of wrong types.
    #[error("failed to parse the JSON")]
    Parse(#[from] serde_json::Error),
    /// `id2label` is missing or empty.
    #[error("`id2label` must name at least one label")]
    NameLabels,
    /// `id2label` is not numbered 0, 1, 2 and so on.
    #[error("`id2label` must number its labels from 0 without gaps; \"{0}\" is missing")]
    NumberLabels(usize),
    /// Two labels share a name.
    #[error("`id2label` names \"{0}\" twice")]
    RepeatLabel(String),
    /// A problem type that is no classification.
    #[error(
        "`problem_type` is \"{0}\"; only \"multi_label_classification\" and \"single_label_classification\" \
         can be scored"
    )]
    ClassifyProblem(String),
}

#[derive(Deserialize)]
struct RawConfig {
    #[serde(default)]
    id2label: BTreeMap<String, String>,
    problem_type: Option<String>,
    max_position_embeddings: Option<usize>,
    model_type: Option<String>,
    pad_token_id: Option<usize>,
}

#[derive(Deserialize)]
struct RawTokenizerConfig {
    // Hugging Face writes 1e30 for "unlimited", which only a float can hold.
    model_max_length: Option<f64>,
}

impl ClassifierConfig {
    /// Reads `config.json` and, where there is one, `tokenizer_config.json`.
    ///
    /// # Errors
    /// When the JSON does not describe a classifier.
    pub fn parse(config: &str, tokenizer_config: Option<&str>) -> Result<Self, ParseClassifierConfigError> {
        let raw: RawConfig = serde_json::from_str(config)?;
        let labels = numbered_labels(&raw.id2label)?;
        let activation = match raw.problem_type.as_deref() {
            Some("single_label_classification") => Activation::Softmax,
            // Toxicity labels are independent of each other; a softmax over them is the classic mistake.
            Some("multi_label_classification") | None => Activation::Sigmoid,
            Some(other) => return Err(ParseClassifierConfigError::ClassifyProblem(other.to_owned())),
        };
        let max_tokens = usable_positions(&raw);
        let model_max_length = match tokenizer_config {
            Some(text) => serde_json::from_str::<RawTokenizerConfig>(text)?.model_max_length,
            None => None,
        };
        let window_tokens = model_max_length
            .filter(|&length| length >= 1.0)
            .map_or(max_tokens, |length| max_tokens.min(saturating_usize(length)));
        Ok(Self {
            labels,
            activation,
            window_tokens,
            max_tokens,
        })
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as wanted"
)]
fn saturating_usize(length: f64) -> usize {
    length as usize
}

/// RoBERTa and its kin start counting positions after the padding token's id, so they lose that many.
fn usable_positions(raw: &RawConfig) -> usize {
    let positions = raw
        .max_position_embeddings
        .filter(|&positions| positions > 0)
        .unwrap_or(FALLBACK_TOKENS);
    let offset = match raw.model_type.as_deref() {
        Some("roberta" | "xlm-roberta" | "camembert" | "mpnet" | "longformer") => {
            raw.pad_token_id.unwrap_or(1) + 1
        }
        _ => 0,
    };
    positions.saturating_sub(offset)
}

fn numbered_labels(id2label: &BTreeMap<String, String>) -> Result<Vec<String>, ParseClassifierConfigError> {
    if id2label.is_empty() {
        return Err(ParseClassifierConfigError::NameLabels);
    }
    let mut labels = Vec::with_capacity(id2label.len());
    for index in 0..id2label.len() {
        let label = id2label
            .get(&index.to_string())
            .ok_or(ParseClassifierConfigError::NumberLabels(index))?;
        if labels.contains(label) {
            return Err(ParseClassifierConfigError::RepeatLabel(label.clone()));
        }
        labels.push(label.clone());
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_labels_by_number_not_by_text() {
        let entries: Vec<String> = (0..12)
            .map(|index| format!("\"{index}\": \"label{index}\""))
            .collect();
        let json = format!("{{\"id2label\": {{{}}}}}", entries.join(","));
        let config = ClassifierConfig::parse(&json, None).unwrap();
        assert_eq!(config.labels[2], "label2");
        assert_eq!(config.labels[11], "label11");
    }

    #[test]
    fn takes_softmax_only_where_the_config_says_single_label() {
        let parse = |problem: &str| {
            let json = format!(r#"{{"id2label": {{"0": "a", "1": "b"}}, "problem_type": {problem}}}"#);
            ClassifierConfig::parse(&json, None).map(|config| config.activation)
        };
        assert_eq!(
            parse("\"single_label_classification\"").unwrap(),
            Activation::Softmax
        );
        assert_eq!(
            parse("\"multi_label_classification\"").unwrap(),
            Activation::Sigmoid
        );
        assert_eq!(parse("null").unwrap(), Activation::Sigmoid);
        assert!(
            parse("\"regression\"")
                .unwrap_err()
                .to_string()
                .contains("regression")
        );
    }

    #[test]
    fn window_is_the_smaller_of_tokenizer_length_and_positions() {
        let json = r#"{"id2label": {"0": "a"}, "max_position_embeddings": 514, "model_type": "roberta", "pad_token_id": 1}"#;
        let parse = |tokenizer| ClassifierConfig::parse(json, tokenizer).unwrap();
        assert_eq!((parse(None).window_tokens, parse(None).max_tokens), (512, 512));
        assert_eq!(parse(Some(r#"{"model_max_length": 192}"#)).window_tokens, 192);
        assert_eq!(
            parse(Some(r#"{"model_max_length": 1000000000000000019884624838656}"#)).window_tokens,
            512
        );
    }

    #[test]
    fn refuses_labels_that_cannot_be_told_apart() {
        let error = |json: &str| ClassifierConfig::parse(json, None).unwrap_err().to_string();
        assert!(error("{}").contains("at least one label"));
        assert!(error(r#"{"id2label": {"0": "a", "2": "b"}}"#).contains("\"1\" is missing"));
        assert!(error(r#"{"id2label": {"0": "a", "1": "a"}}"#).contains("\"a\" twice"));
    }
}
