//! The CustomResourceDefinition as it is installed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::Value;

use crate::v1alpha1::ToxicityMonitor;

/// The CustomResourceDefinition. Its descriptions are the doc comments, with the lines of each paragraph joined:
/// `kubectl explain` breaks lines by itself.
#[must_use]
pub fn custom_resource_definition() -> CustomResourceDefinition {
    let mut definition = serde_json::to_value(ToxicityMonitor::crd()).expect("a definition is JSON");
    join_descriptions(&mut definition);
    serde_json::from_value(definition).expect("a definition stays one")
}

fn join_descriptions(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key == "description" => *text = join_lines(text),
                    _ => join_descriptions(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(join_descriptions),
        _ => {}
    }
}

/// Joins the lines of each paragraph and of each item of a list.
fn join_lines(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for line in text.lines() {
        let begins = line.is_empty() || line.trim_start().starts_with("- ") || joined.ends_with('\n');
        if begins && !joined.is_empty() {
            joined.push('\n');
        } else if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(if begins { line } else { line.trim_start() });
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_items_stay_apart() {
        assert_eq!(join_lines("one\ntwo\n\nthree\nfour"), "one two\n\nthree four");
        assert_eq!(
            join_lines("all:\n\n- one\n  more\n- two\n\nend"),
            "all:\n\n- one more\n- two\n\nend"
        );
    }
}
