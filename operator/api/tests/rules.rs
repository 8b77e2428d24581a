//! The rules of the schema, run without an API server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use kube::CustomResourceExt;
use kube::core::cel::{validate_cel, validate_cel_update};
use serde::Deserialize;
use serde_json::{Value, json};
use toxicity_crd::v1alpha1::{ToxicityMonitor, ToxicityMonitorSpec};

#[derive(Deserialize)]
struct Refused {
    #[serde(default = "name")]
    name: String,
    spec: ToxicityMonitorSpec,
    update_from: Option<ToxicityMonitorSpec>,
    message: String,
}

fn name() -> String {
    "comments".to_owned()
}

fn refused() -> Vec<Refused> {
    serde_yaml::from_str(include_str!("refused.yaml")).unwrap()
}

#[test]
fn each_rule_refuses_what_it_should_and_says_why() {
    for case in refused() {
        let monitor = ToxicityMonitor::new(&case.name, case.spec.clone());
        let result = match case.update_from {
            Some(before) => {
                let before = ToxicityMonitor::new(&case.name, before);
                validate_cel(&monitor).unwrap();
                validate_cel_update(&monitor, &before)
            }
            None => validate_cel(&monitor),
        };
        let messages = result.expect_err(&case.message).to_string();
        assert!(
            messages.contains(&case.message),
            "{messages:?} lacks {:?}",
            case.message
        );
    }
}

#[test]
fn every_rule_has_a_case() {
    let messages: Vec<String> = refused().into_iter().map(|case| case.message).collect();
    let mut rules = Vec::new();
    collect_rules(&serde_json::to_value(ToxicityMonitor::crd()).unwrap(), &mut rules);
    assert!(rules.len() > 15, "the schema has {} rules", rules.len());
    for rule in rules {
        assert!(
            messages.iter().any(|message| rule.starts_with(message.as_str())),
            "no case for {rule:?}"
        );
    }
}

fn collect_rules(value: &Value, rules: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for rule in map
                .get("x-kubernetes-validations")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                rules.push(
                    rule["message"]
                        .as_str()
                        .expect("a rule has a plain message")
                        .to_owned(),
                );
            }
            map.values().for_each(|value| collect_rules(value, rules));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_rules(value, rules)),
        _ => {}
    }
}

#[test]
fn an_empty_spec_is_a_complete_monitor() {
    let monitor: ToxicityMonitor = serde_json::from_value(json!({
        "apiVersion": "toxicity.dev/v1alpha1", "kind": "ToxicityMonitor", "metadata": {"name": "comments"}, "spec": {}
    }))
    .unwrap();
    assert_eq!(monitor.spec, ToxicityMonitorSpec::default());
    assert_eq!(monitor.spec.model.source, "bundled");
    assert_eq!(monitor.spec.server.replicas, 1);
    assert!(monitor.spec.web_ui.enabled);
    validate_cel(&monitor).unwrap();
}

#[test]
fn a_field_given_in_part_keeps_the_other_defaults() {
    let spec: ToxicityMonitorSpec = serde_json::from_value(json!({"server": {"replicas": 3}})).unwrap();
    let defaults = ToxicityMonitorSpec::default();
    assert_eq!(spec.server.replicas, 3);
    assert_eq!(spec.server.resources, defaults.server.resources);
    assert_eq!(spec.model, defaults.model);
}

#[test]
fn sources_tell_their_kind() {
    use toxicity_crd::v1alpha1::{Model, SourceScheme};
    let model = |source: &str| Model {
        source: source.to_owned(),
        ..Model::default()
    };
    assert_eq!(model("bundled").scheme(), SourceScheme::Bundled);
    assert_eq!(model("file:///models/a").scheme(), SourceScheme::File);
    assert_eq!(
        model("hf://unitary/toxic-bert@main").scheme(),
        SourceScheme::Download
    );
    assert_eq!(model("pvc://models").claim(), Some(("models", "")));
    assert_eq!(model("pvc://models/a/b").claim(), Some(("models", "a/b")));
}
