//! The manifests that are made from the code are what the code says, and the others fit it.
//! `cargo xtask generate` runs this with `TOXICITY_GENERATE=write`, which writes them instead.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use kube::core::cel::validate_cel;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use toxicity_crd::v1alpha1::ToxicityMonitor;
use toxicity_operator::{custom_resource_definition, rbac};

fn manifests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests")
}

fn yaml<T: Serialize>(object: &T) -> String {
    serde_yaml::to_string(object).unwrap()
}

#[test]
fn generated_manifests_are_up_to_date() {
    let generated = [
        ("crd/toxicitymonitors.yaml", custom_resource_definition()),
        ("rbac/cluster_role.yaml", yaml(&rbac::cluster_role())),
        ("leader_election/role.yaml", yaml(&rbac::leader_election_role())),
        ("namespaced/monitored/role.yaml", yaml(&rbac::namespaced_role())),
    ];
    let write = std::env::var_os("TOXICITY_GENERATE").is_some_and(|value| value == "write");
    for (name, content) in generated {
        let path = manifests().join(name);
        let content =
            format!("# Written by `cargo xtask generate`. Change the code it is made from.\n{content}");
        if write {
            fs::write(&path, content).unwrap();
        } else {
            let found = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                found == content,
                "manifests/{name} is out of date: run `cargo xtask generate`"
            );
        }
    }
}

fn documents(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    serde_yaml::Deserializer::from_str(&text)
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|document| !document.is_null())
        .collect()
}

#[test]
fn samples_fit_the_schema() {
    let mut names = Vec::new();
    for entry in fs::read_dir(manifests().join("samples")).unwrap() {
        let path = entry.unwrap().path();
        for document in documents(&path)
            .into_iter()
            .filter(|document| document["kind"] == "ToxicityMonitor")
        {
            let monitor: ToxicityMonitor = serde_json::from_value(document.clone()).unwrap();
            validate_cel(&monitor).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_known(
                &document["spec"],
                &serde_json::to_value(&monitor.spec).unwrap(),
                &path,
            );
            names.push(monitor.metadata.name.unwrap());
        }
    }
    assert!(names.len() >= 3, "there are samples: {names:?}");
}

/// A field that does not come back was not understood.
fn assert_known(written: &Value, understood: &Value, path: &Path) {
    match (written, understood) {
        (Value::Object(written), Value::Object(understood)) => {
            for (key, value) in written {
                let other = understood
                    .get(key)
                    .unwrap_or_else(|| panic!("{}: unknown field {key}", path.display()));
                assert_known(value, other, path);
            }
        }
        (Value::Array(written), Value::Array(understood)) => {
            for (value, other) in written.iter().zip(understood) {
                assert_known(value, other, path);
            }
        }
        _ => {}
    }
}

#[test]
fn the_operator_is_restricted_and_given_only_flags_it_knows() {
    use clap::CommandFactory;
    let deployment = documents(&manifests().join("operator/deployment.yaml")).remove(0);
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    let command = toxicity_operator::arguments::Arguments::command();
    let run = command.find_subcommand("run").unwrap();
    let known: Vec<String> = run
        .get_arguments()
        .chain(command.get_arguments())
        .filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned()))
        .collect();
    for variable in container["env"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap();
        assert!(
            known.iter().any(|known| known == name),
            "the operator does not know {name}"
        );
    }
}
