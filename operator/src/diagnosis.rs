//! Why pods do not answer, in words a person can act on.

use serde_json::Value;

use crate::component::{Component, LABEL_COMPONENT};

/// Most characters of what a container said last.
const CAUSE_CHARACTERS: usize = 400;

/// What is wrong with a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Reason of the condition.
    pub reason: &'static str,
    /// What is wrong, and the remedy.
    pub message: String,
}

/// Finds what keeps a component from being as asked. Pods that are just starting are nothing wrong.
#[must_use]
pub fn diagnose(component: Component, deployment: Option<&Value>, pods: &[Value]) -> Option<Diagnosis> {
    let found = staying(component, pods)
        .filter(|pod| !is_ready(pod))
        .find_map(|pod| diagnose_pod(component, pod));
    found.or_else(|| diagnose_deployment(component, deployment?))
}

/// Pods of a component that are not leaving.
pub fn staying(component: Component, pods: &[Value]) -> impl Iterator<Item = &Value> {
    pods.iter().filter(move |pod| {
        pod["metadata"]["labels"][LABEL_COMPONENT] == component.as_str()
            && pod["metadata"]["deletionTimestamp"].is_null()
    })
}

/// Whether a pod answers.
#[must_use]
pub fn is_ready(pod: &Value) -> bool {
    is_true(&pod["status"]["conditions"], "Ready")
}

fn diagnose_pod(component: Component, pod: &Value) -> Option<Diagnosis> {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let status = &pod["status"];
    let containers = status["containerStatuses"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    containers
        .iter()
        .find_map(|container| diagnose_container(component, name, container))
        .or_else(|| diagnose_scheduling(component, name, &status["conditions"]))
        .or_else(|| {
            let evicted = status["phase"] == "Failed";
            evicted.then(|| Diagnosis {
                reason: "PodFailed",
                message: format!(
                    "pod \"{name}\" failed: {}",
                    status["message"]
                        .as_str()
                        .or(status["reason"].as_str())
                        .unwrap_or("no reason given")
                ),
            })
        })
}

fn diagnose_container(component: Component, pod: &str, status: &Value) -> Option<Diagnosis> {
    let container = status["name"].as_str().unwrap_or_default();
    let image = status["image"].as_str().unwrap_or_default();
    let field = component.field();
    let waiting = &status["state"]["waiting"];
    let detail = waiting["message"].as_str().unwrap_or("no details given");
    match waiting["reason"].as_str().unwrap_or_default() {
        "ImagePullBackOff"
        | "ErrImagePull"
        | "ErrImageNeverPull"
        | "InvalidImageName"
        | "ImageInspectError"
        | "RegistryUnavailable" => {
            return Some(Diagnosis {
                reason: "ImagePullFailed",
                message: format!(
                    "the node of pod \"{pod}\" cannot pull image \"{image}\": check {field}.image and \
                     spec.imagePullSecrets, and whether the node reaches the registry"
                ),
            });
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            return Some(Diagnosis {
                reason: "ContainerNotCreated",
                message: format!(
                    "container \"{container}\" of pod \"{pod}\" cannot be created: {}",
                    short(detail)
                ),
            });
        }
        _ => {}
    }
    // A container that crashes is waiting, running again or terminated, by turns; what ended it last stays to be seen.
    let terminated = [&status["state"]["terminated"], &status["lastState"]["terminated"]]
        .into_iter()
        .find(|state| state.is_object())?;
    if terminated["reason"] == "OOMKilled" {
        return Some(Diagnosis {
            reason: "OutOfMemory",
            message: format!(
                "container \"{container}\" of pod \"{pod}\" used more memory than it may: raise \
                 {field}.resources.limits.memory"
            ),
        });
    }
    let code = terminated["exitCode"].as_i64().unwrap_or_default();
    if code == 0 {
        return None;
    }
    let said = terminated["message"]
        .as_str()
        .map(last_words)
        .filter(|line| !line.is_empty());
    let cause = said.unwrap_or_else(|| format!("it left no message; see `kubectl logs {pod} --previous`"));
    Some(Diagnosis {
        reason: "PodCrashing",
        message: format!("container \"{container}\" of pod \"{pod}\" exits with code {code}: {cause}"),
    })
}

fn diagnose_scheduling(component: Component, pod: &str, conditions: &Value) -> Option<Diagnosis> {
    let condition = find(conditions, "PodScheduled")?;
    let unschedulable = condition["status"] == "False" && condition["reason"] == "Unschedulable";
    unschedulable.then(|| Diagnosis {
        reason: "PodUnschedulable",
        message: format!(
            "no node can run pod \"{pod}\": {}; add nodes, or change {field}.resources or {field}.scheduling",
            short(condition["message"].as_str().unwrap_or("no details given")).trim_end_matches('.'),
            field = component.field()
        ),
    })
}

fn diagnose_deployment(component: Component, deployment: &Value) -> Option<Diagnosis> {
    let conditions = &deployment["status"]["conditions"];
    let name = deployment["metadata"]["name"].as_str().unwrap_or_default();
    if let Some(condition) =
        find(conditions, "ReplicaFailure").filter(|condition| condition["status"] == "True")
    {
        let detail = condition["message"].as_str().unwrap_or("no details given");
        return Some(Diagnosis {
            reason: "PodsNotCreated",
            message: format!(
                "the pods of the {} cannot be created: {}",
                component.title(),
                short(detail)
            ),
        });
    }
    let progressing = find(conditions, "Progressing")?;
    let current = deployment["status"]["observedGeneration"] == deployment["metadata"]["generation"];
    let stuck =
        current && progressing["status"] == "False" && progressing["reason"] == "ProgressDeadlineExceeded";
    stuck.then(|| Diagnosis {
        reason: "PodsNotReady",
        message: format!(
            "the new pods of the {} do not get ready: `kubectl describe deployment {name}` and `kubectl logs \
             deployment/{name}` say why",
            component.title()
        ),
    })
}

fn find<'a>(conditions: &'a Value, kind: &str) -> Option<&'a Value> {
    conditions
        .as_array()?
        .iter()
        .find(|condition| condition["type"] == kind)
}

fn is_true(conditions: &Value, kind: &str) -> bool {
    find(conditions, kind).is_some_and(|condition| condition["status"] == "True")
}

/// What a log ends with: its last line that names an error, else its last line, without its frame when that is JSON.
fn last_words(log: &str) -> String {
    let lines = || log.lines().rev().filter(|line| !line.trim().is_empty());
    let named = lines().find_map(|line| line.trim().strip_prefix("error: "));
    let line = named.or_else(|| lines().next()).unwrap_or_default();
    let parsed: Option<Value> = serde_json::from_str(line).ok();
    let message = parsed.as_ref().and_then(|line| line["message"].as_str());
    short(message.unwrap_or(line))
}

fn short(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(CAUSE_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: &Value) -> Vec<Value> {
        vec![json!({
            "metadata": {"name": "comments-model-server-1", "labels": {LABEL_COMPONENT: "model-server"}},
            "status": status,
        })]
    }

    fn container(state: &Value) -> Vec<Value> {
        let mut status = json!({"name": "model-server", "image": "toxicity-model-server:1"});
        for (key, value) in state.as_object().unwrap() {
            status[key] = value.clone();
        }
        pod(&json!({"containerStatuses": [status]}))
    }

    fn reason(pods: &[Value]) -> Option<&'static str> {
        diagnose(Component::ModelServer, None, pods).map(|diagnosis| diagnosis.reason)
    }

    #[test]
    fn each_way_of_not_starting_has_its_reason() {
        let waiting =
            |reason: &str| container(&json!({"state": {"waiting": {"reason": reason, "message": "why"}}}));
        assert_eq!(reason(&waiting("ImagePullBackOff")), Some("ImagePullFailed"));
        assert_eq!(reason(&waiting("ErrImageNeverPull")), Some("ImagePullFailed"));
        assert_eq!(
            reason(&waiting("CreateContainerConfigError")),
            Some("ContainerNotCreated")
        );
        assert_eq!(reason(&waiting("ContainerCreating")), None);
        let terminated = |state: &Value| reason(&container(&json!({"lastState": {"terminated": state}})));
        assert_eq!(
            terminated(&json!({"reason": "OOMKilled", "exitCode": 137})),
            Some("OutOfMemory")
        );
        assert_eq!(
            terminated(&json!({"exitCode": 1, "message": "x"})),
            Some("PodCrashing")
        );
        assert_eq!(terminated(&json!({"exitCode": 0})), None);
        let unschedulable =
            json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1"}]);
        assert_eq!(
            reason(&pod(&json!({"conditions": unschedulable}))),
            Some("PodUnschedulable")
        );
    }

    #[test]
    fn a_crash_names_what_the_container_said_last() {
        let log = "{\"level\":\"INFO\",\"message\":\"loading\"}\nerror: failed to read \"config.json\"\n";
        let pods = container(&json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "message": log}}}));
        let diagnosis = diagnose(Component::ModelServer, None, &pods).unwrap();
        assert_eq!(diagnosis.reason, "PodCrashing");
        assert!(
            diagnosis
                .message
                .ends_with("exits with code 1: failed to read \"config.json\""),
            "{}",
            diagnosis.message
        );
    }

    #[test]
    fn a_last_line_in_json_is_read() {
        let log = "{\"level\":\"ERROR\",\"message\":\"the session failed\",\"target\":\"x\"}\n";
        assert_eq!(last_words(log), "the session failed");
    }

    #[test]
    fn pods_that_answer_end_or_are_of_the_other_component_do_not_count() {
        let crashed = json!([{"name": "a", "lastState": {"terminated": {"exitCode": 1}}}]);
        let ready = json!([{"type": "Ready", "status": "True"}]);
        assert_eq!(
            reason(&pod(&json!({"containerStatuses": crashed, "conditions": ready}))),
            None
        );
        let pods = pod(&json!({"containerStatuses": crashed}));
        assert_eq!(diagnose(Component::WebUi, None, &pods), None);
        let mut ending = Value::clone(&pods[0]);
        ending["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(reason(&[ending]), None);
    }

    #[test]
    fn a_deployment_tells_what_no_pod_can() {
        let deployment = |condition: Value| {
            let deployment = json!({
                "metadata": {"name": "comments-model-server", "generation": 2},
                "status": {"observedGeneration": 2, "conditions": [condition]},
            });
            diagnose(Component::ModelServer, Some(&deployment), &[]).map(|diagnosis| diagnosis.reason)
        };
        let quota = json!({"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"});
        assert_eq!(deployment(quota), Some("PodsNotCreated"));
        let late = json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"});
        assert_eq!(deployment(late), Some("PodsNotReady"));
        assert_eq!(deployment(json!({"type": "Progressing", "status": "True"})), None);
    }
}
