//! Whether an object in the cluster still is what it should be, told without asking the API server.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Annotation with the digest of what was applied last. A field that was applied and no longer is can only be seen by it.
pub const APPLIED_ANNOTATION: &str = "toxicity.dev/applied";

/// Short digest of a value: 16 hexadecimal digits of SHA-256 over its JSON.
#[must_use]
pub fn digest(value: &Value) -> String {
    let digest: [u8; 32] = Sha256::digest(value.to_string()).into();
    let (head, _) = digest.split_first_chunk::<8>().expect("the digest is longer");
    format!("{:016x}", u64::from_be_bytes(*head))
}

/// Writes the digest of `desired` into its annotations.
pub fn stamp(desired: &mut Value) {
    let digest = digest(desired);
    desired["metadata"]["annotations"][APPLIED_ANNOTATION] = Value::String(digest);
}

/// Whether `live` holds all that the stamped `desired` asks for. Fields of others do not count.
#[must_use]
pub fn is_applied(desired: &Value, live: &Value) -> bool {
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => desired
            .iter()
            // What comes from a list lacks both.
            .filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind") || live.contains_key(*key))
            .all(|(key, desired)| contains(key, desired, live.get(key))),
        _ => false,
    }
}

fn contains(key: &str, desired: &Value, live: Option<&Value>) -> bool {
    let Some(live) = live else {
        // The API server drops what is empty.
        return match desired {
            Value::Null => true,
            Value::Array(values) => values.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
    };
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => desired
            .iter()
            .all(|(inner, desired)| contains(child_key(key, inner), desired, live.get(inner))),
        (Value::Array(desired), Value::Array(live)) => contains_list(key, desired, live),
        (Value::Number(desired), Value::Number(live)) => desired.as_f64() == live.as_f64(),
        (Value::String(desired), Value::String(live)) => {
            desired == live || is_quantity(key) && same_quantity(desired, live)
        }
        _ => desired == live,
    }
}

/// Quantities are known by the map they stand in.
fn child_key<'a>(parent: &'a str, key: &'a str) -> &'a str {
    if is_quantity(parent) { parent } else { key }
}

fn is_quantity(key: &str) -> bool {
    matches!(key, "requests" | "limits" | "sizeLimit" | "averageValue")
}

/// Lists of named things are merged by name, so that others may add to them; other lists are whole.
fn contains_list(key: &str, desired: &[Value], live: &[Value]) -> bool {
    let named = |values: &[Value]| values.iter().all(|value| value["name"].is_string());
    if named(desired) && named(live) && !desired.is_empty() {
        return desired.iter().all(|desired| {
            let counterpart = live.iter().find(|live| live["name"] == desired["name"]);
            contains(key, desired, counterpart)
        });
    }
    desired.len() == live.len()
        && desired
            .iter()
            .zip(live)
            .all(|(desired, live)| contains(key, desired, Some(live)))
}

/// Whether two quantities are the same amount: the API server writes `1000m` as `1`.
fn same_quantity(left: &str, right: &str) -> bool {
    match (amount(left), amount(right)) {
        (Some(left), Some(right)) => (left - right).abs() <= left.abs() * 1e-12,
        _ => false,
    }
}

/// Amount of a quantity: a decimal number with a binary or decimal suffix or an exponent
/// (`k8s.io/apimachinery/pkg/api/resource`).
fn amount(text: &str) -> Option<f64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024.0_f64.powi(2),
        "Gi" => 1024.0_f64.powi(3),
        "Ti" => 1024.0_f64.powi(4),
        "Pi" => 1024.0_f64.powi(5),
        "Ei" => 1024.0_f64.powi(6),
        _ => return text.parse().ok(),
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_others_add_does_not_count() {
        let desired =
            json!({"metadata": {"labels": {"ours": "1"}}, "spec": {"ports": [{"name": "http", "port": 80}]}});
        let live = json!({
            "metadata": {"labels": {"ours": "1", "theirs": "2"}, "uid": "x"},
            "spec": {"ports": [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "more", "port": 81}]},
            "status": {},
        });
        assert!(is_applied(&desired, &live));
    }

    #[test]
    fn what_was_changed_is_seen() {
        let desired =
            json!({"metadata": {"labels": {"ours": "1"}}, "spec": {"replicas": 2, "args": ["a", "b"]}});
        let change = |pointer: &str, value: Value| {
            let mut live = desired.clone();
            *live.pointer_mut(pointer).unwrap() = value;
            is_applied(&desired, &live)
        };
        assert!(is_applied(&desired, &desired));
        assert!(!change("/metadata/labels/ours", json!("2")));
        assert!(!change("/metadata/labels", json!({})));
        assert!(!change("/spec/replicas", json!(3)));
        assert!(!change("/spec/args", json!(["b", "a"])));
        assert!(!change("/spec/args", json!(["a", "b", "c"])));
    }

    #[test]
    fn what_the_api_server_writes_another_way_is_the_same() {
        let resources =
            |cpu: &str, memory: &str| json!({"resources": {"requests": {"cpu": cpu, "memory": memory}}});
        assert!(is_applied(&resources("1000m", "1024Mi"), &resources("1", "1Gi")));
        assert!(is_applied(&resources("0.5", "1e3"), &resources("500m", "1k")));
        assert!(!is_applied(&resources("1000m", "1Gi"), &resources("1", "1G")));
        assert!(is_applied(&json!({"egress": [], "labels": {}}), &json!({})));
        // The same digits elsewhere are text.
        assert!(!is_applied(&json!({"value": "1000m"}), &json!({"value": "1"})));
    }

    #[test]
    fn a_stamp_tells_what_is_no_longer_asked_for() {
        let mut before = json!({"metadata": {"annotations": {}}, "spec": {"a": 1, "b": 2}});
        let mut after = json!({"metadata": {"annotations": {}}, "spec": {"a": 1}});
        stamp(&mut before);
        stamp(&mut after);
        assert!(!is_applied(&after, &before));
        assert!(is_applied(&after, &after));
    }
}
