//! What is said of what was seen.

use serde_json::json;
use toxicity_crd::v1alpha1::Gateway;

use super::*;
use crate::component::LABEL_COMPONENT;
use crate::controller::apply;

const THEN: i64 = 1_000;
const NOW: i64 = 2_000;

/// What was seen, with all pods answering unless a test says otherwise.
struct Scene {
    spec: ToxicityMonitorSpec,
    invalid: Option<validate::Error>,
    failures: Vec<Failure>,
    model_server: Option<Value>,
    web_ui: Option<Value>,
    pods: Vec<Value>,
    optional: OptionalKinds,
    previous: Option<ToxicityMonitorStatus>,
}

/// A Deployment of `wanted` pods, of which so many are new and so many answer.
fn deployment(wanted: i64, updated: i64, available: i64) -> Value {
    json!({
        "metadata": {"name": "comments-model-server", "generation": 1},
        "spec": {"replicas": wanted},
        "status": {
            "observedGeneration": 1, "replicas": wanted.max(available), "updatedReplicas": updated,
            "availableReplicas": available,
        },
    })
}

fn crashing() -> Vec<Value> {
    vec![json!({
        "metadata": {"name": "comments-model-server-1", "labels": {LABEL_COMPONENT: "model-server"}},
        "status": {"containerStatuses": [
            {"name": "model-server", "lastState": {"terminated": {"exitCode": 1, "message": "error: no such model"}}},
        ]},
    })]
}

impl Scene {
    fn fine() -> Self {
        Self {
            spec: ToxicityMonitorSpec::default(),
            invalid: None,
            failures: Vec::new(),
            model_server: Some(deployment(2, 2, 2)),
            web_ui: Some(deployment(1, 1, 1)),
            pods: Vec::new(),
            optional: ChildKind::ALL
                .into_iter()
                .filter(|kind| kind.is_optional())
                .collect(),
            previous: None,
        }
    }

    fn at(&self, second: i64) -> ToxicityMonitorStatus {
        let key = MonitorKey {
            namespace: "moderation".to_owned(),
            name: "comments".to_owned(),
        };
        let seen = Observation {
            key: &key,
            generation: Some(1),
            spec: &self.spec,
            invalid: self.invalid.as_ref(),
            failures: &self.failures,
            error: None,
            model_server: self.model_server.clone(),
            web_ui: self.web_ui.clone(),
            pods: &self.pods,
            optional: &self.optional,
            model_revision: None,
        };
        status(
            &seen,
            self.previous.as_ref(),
            Timestamp::from_second(second).unwrap(),
        )
    }

    fn status(&self) -> ToxicityMonitorStatus {
        self.at(NOW)
    }

    /// Status and reason of a condition.
    fn says(&self, condition: ConditionType) -> (String, String) {
        let status = self.status();
        let condition = status.condition(condition).unwrap();
        (condition.status.clone(), condition.reason.clone())
    }
}

fn says(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[test]
fn a_monitor_that_is_fine_says_so_in_every_condition() {
    let scene = Scene::fine();
    let said: Vec<_> = ConditionType::ALL.map(|condition| scene.says(condition)).into();
    assert_eq!(
        said,
        [
            says("True", "Available"),
            says("True", "PodsAvailable"),
            says("True", "PodsAvailable"),
            says("True", "Configured"),
            says("False", "RolledOut"),
            says("False", "AsExpected"),
        ]
    );
    let status = scene.status();
    assert_eq!((status.replicas, status.ready_replicas), (2, 2));
    assert_eq!(status.observed_generation, Some(1));
}

#[test]
fn starting_pods_are_progress_and_nothing_wrong() {
    let scene = Scene {
        model_server: Some(deployment(1, 1, 0)),
        ..Scene::fine()
    };
    assert_eq!(scene.says(ConditionType::Ready), says("False", "PodsStarting"));
    assert_eq!(scene.says(ConditionType::Progressing), says("True", "RollingOut"));
    assert_eq!(scene.says(ConditionType::Degraded), says("False", "AsExpected"));
}

#[test]
fn scaling_up_keeps_a_monitor_ready() {
    let scene = Scene {
        model_server: Some(deployment(5, 5, 2)),
        ..Scene::fine()
    };
    assert_eq!(scene.says(ConditionType::Ready), says("True", "Available"));
    assert_eq!(scene.says(ConditionType::Progressing), says("True", "RollingOut"));
}

#[test]
fn a_rollout_that_crashes_names_the_cause_while_old_pods_serve() {
    let scene = Scene {
        model_server: Some(deployment(2, 1, 2)),
        pods: crashing(),
        ..Scene::fine()
    };
    assert_eq!(
        scene.says(ConditionType::ModelServerAvailable),
        says("True", "PodsAvailable")
    );
    assert_eq!(scene.says(ConditionType::Ready), says("False", "PodCrashing"));
    assert_eq!(scene.says(ConditionType::Progressing), says("False", "Stuck"));
    assert_eq!(scene.says(ConditionType::Degraded), says("True", "PodCrashing"));
    let status = scene.status();
    let ready = status.condition(ConditionType::Ready).unwrap();
    assert!(
        ready.message.ends_with("exits with code 1: no such model"),
        "{}",
        ready.message
    );
}

#[test]
fn one_crashed_pod_of_many_degrades_but_does_not_take_readiness() {
    let scene = Scene {
        pods: crashing(),
        ..Scene::fine()
    };
    assert_eq!(scene.says(ConditionType::Ready), says("True", "Available"));
    assert_eq!(scene.says(ConditionType::Degraded), says("True", "PodCrashing"));
}

#[test]
fn a_missing_secret_is_the_reason_everywhere() {
    let scene = Scene {
        invalid: Some(validate::Error::FindSecret {
            name: "s3-credentials".to_owned(),
            namespace: "moderation".to_owned(),
            field: "spec.model.credentialsSecretRef",
        }),
        ..Scene::fine()
    };
    assert_eq!(scene.says(ConditionType::Ready), says("False", "SecretNotFound"));
    assert_eq!(
        scene.says(ConditionType::Degraded),
        says("True", "SecretNotFound")
    );
    assert_eq!(
        scene.says(ConditionType::ModelServerAvailable),
        says("True", "PodsAvailable")
    );
}

#[test]
fn trouble_with_monitoring_does_not_take_readiness() {
    let taken = || apply::Error::TakeName {
        kind: "PrometheusRule",
        name: "comments-monitor".to_owned(),
    };
    let failure = |kind: ChildKind| vec![Failure { kind, error: taken() }];
    let scene = Scene {
        failures: failure(ChildKind::PrometheusRule),
        ..Scene::fine()
    };
    assert_eq!(scene.says(ConditionType::Ready), says("True", "Available"));
    assert_eq!(
        scene.says(ConditionType::MonitoringConfigured),
        says("False", "NameTaken")
    );
    assert_eq!(scene.says(ConditionType::Degraded), says("True", "NameTaken"));
    let scene = Scene {
        failures: failure(ChildKind::Service),
        ..Scene::fine()
    };
    assert_eq!(scene.says(ConditionType::Ready), says("False", "NameTaken"));
}

#[test]
fn an_api_that_is_not_installed_is_named() {
    let mut scene = Scene {
        optional: OptionalKinds::new(),
        ..Scene::fine()
    };
    assert_eq!(
        scene.says(ConditionType::MonitoringConfigured),
        says("False", "PrometheusOperatorNotInstalled")
    );
    assert_eq!(scene.says(ConditionType::Degraded), says("False", "AsExpected"));
    scene.spec.gateway = Some(Gateway {
        parent_refs: Vec::new(),
        hostnames: Vec::new(),
        api: true,
    });
    assert_eq!(
        scene.says(ConditionType::Degraded),
        says("True", "GatewayApiNotInstalled")
    );
    scene.spec.autoscaling = serde_json::from_value(json!({
        "maxReplicas": 2, "keda": {"prometheusAddress": "http://prometheus:9090"},
    }))
    .unwrap();
    assert_eq!(
        scene.says(ConditionType::Degraded),
        says("True", "KedaNotInstalled")
    );
}

#[test]
fn what_is_switched_off_says_so() {
    let mut scene = Scene {
        web_ui: None,
        ..Scene::fine()
    };
    scene.spec.web_ui.enabled = false;
    scene.spec.paused = true;
    scene.model_server = Some(deployment(0, 0, 0));
    assert_eq!(
        scene.says(ConditionType::WebUiAvailable),
        says("False", "Disabled")
    );
    assert_eq!(scene.says(ConditionType::Progressing), says("False", "Paused"));
    assert_eq!(scene.says(ConditionType::Ready), says("False", "ScaledToZero"));
}

#[test]
fn a_transition_time_stays_while_the_status_of_its_condition_does() {
    let mut scene = Scene::fine();
    let before = scene.at(THEN);
    scene.previous = Some(before.clone());
    assert_eq!(scene.at(NOW), before);
    scene.model_server = Some(deployment(2, 2, 0));
    let after = scene.at(NOW);
    let since = |status: &ToxicityMonitorStatus, condition| {
        status
            .condition(condition)
            .unwrap()
            .last_transition_time
            .0
            .as_second()
    };
    assert_eq!(since(&after, ConditionType::Ready), NOW);
    assert_eq!(since(&after, ConditionType::WebUiAvailable), THEN);
}

#[test]
fn addresses_are_those_that_clients_use() {
    let urls = |spec: serde_json::Value| {
        let scene = Scene {
            spec: serde_json::from_value(spec).unwrap(),
            ..Scene::fine()
        };
        let urls = scene.status().urls.unwrap();
        (urls.web_ui.unwrap_or_default(), urls.api.unwrap_or_default())
    };
    let pair = |web_ui: &str, api: &str| (web_ui.to_owned(), api.to_owned());
    let within = "http://comments-model-server.moderation.svc:8000";
    assert_eq!(
        urls(json!({})),
        pair("http://comments-web-ui.moderation.svc", within)
    );
    assert_eq!(
        urls(json!({"ingress": {"host": "a.example", "tlsSecretName": "tls"}})),
        pair("https://a.example", "https://a.example")
    );
    assert_eq!(
        urls(json!({"ingress": {"host": "a.example", "api": false}})),
        pair("http://a.example", "http://a.example/api")
    );
    assert_eq!(urls(json!({"webUi": {"enabled": false}})), pair("", within));
}

#[test]
fn events_tell_changes_once() {
    let told = |before: Option<&ToxicityMonitorStatus>, after: &ToxicityMonitorStatus| {
        let events = transitions(before, after).into_iter();
        events
            .map(|event| (event.reason, event.type_))
            .collect::<Vec<_>>()
    };
    let starting = Scene {
        model_server: Some(deployment(1, 1, 0)),
        ..Scene::fine()
    }
    .status();
    let fine = Scene::fine().status();
    let broken = Scene {
        model_server: Some(deployment(1, 1, 0)),
        pods: crashing(),
        ..Scene::fine()
    }
    .status();
    assert_eq!(
        told(None, &starting),
        [("PodsStarting".to_owned(), EventType::Normal)]
    );
    assert_eq!(told(Some(&starting), &starting), []);
    assert_eq!(
        told(Some(&starting), &fine),
        [("Available".to_owned(), EventType::Normal)]
    );
    assert_eq!(
        told(Some(&fine), &broken),
        [("PodCrashing".to_owned(), EventType::Warning)]
    );
    assert_eq!(
        told(Some(&broken), &fine),
        [
            ("AsExpected".to_owned(), EventType::Normal),
            ("Available".to_owned(), EventType::Normal)
        ]
    );
}
