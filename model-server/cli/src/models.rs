//! `toxicity models`.

use std::fmt::Write;

use toxicity_api::ModelInfo;

use crate::arguments::ModelsFormat;

/// What is known of a model, ready to print.
#[must_use]
pub fn render(model: &ModelInfo, format: ModelsFormat) -> String {
    match format {
        ModelsFormat::Json => {
            let json = serde_json::to_string_pretty(model).expect("a description is JSON");
            json + "\n"
        }
        ModelsFormat::Table => table(model),
    }
}

fn table(model: &ModelInfo) -> String {
    let scores = match model.activation.as_str() {
        "sigmoid" => "sigmoid: labels are independent",
        "softmax" => "softmax: exactly one label holds",
        other => other,
    };
    let facts = [
        ("model", model.identity.name.clone()),
        ("revision", model.identity.revision.clone()),
        ("languages", model.languages.join(", ")),
        ("scores", scores.to_owned()),
        ("window", format!("{} tokens", model.window_tokens)),
    ];
    let mut table = String::new();
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(table, "{name:<10} {value}").expect("writing to memory does not fail");
    }
    let width = model.labels.iter().map(|label| label.chars().count()).max();
    let width = width.unwrap_or_default().max("label".len());
    writeln!(table, "\n{:<width$}  flagged from", "label").expect("writing to memory does not fail");
    for label in &model.labels {
        let threshold = model.thresholds.get(label).map(f32::to_string);
        writeln!(table, "{label:<width$}  {}", threshold.unwrap_or_default())
            .expect("writing to memory does not fail");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_shown_with_its_thresholds() {
        let model: ModelInfo = serde_json::from_str(
            r#"{"name": "toxic-minilm", "revision": "4c1e9a03d2b7", "labels": ["toxic", "identity_hate"],
                "thresholds": {"toxic": 0.5, "identity_hate": 0.25}, "activation": "sigmoid", "window_tokens": 192}"#,
        )
        .unwrap();
        let table = render(&model, ModelsFormat::Table);
        assert!(table.contains("revision   4c1e9a03d2b7\n"), "{table}");
        assert!(table.contains("toxic          0.5\n"), "{table}");
        assert!(table.contains("identity_hate  0.25\n"), "{table}");
        assert!(
            !table.contains("languages"),
            "what is not known is not shown: {table}"
        );
        let json = render(&model, ModelsFormat::Json);
        assert_eq!(serde_json::from_str::<ModelInfo>(&json).unwrap(), model);
    }
}
