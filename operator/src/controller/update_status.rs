//! Step five: says how it goes. What is said is a pure function of what was seen; it is written only when it differs.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::runtime::events::{Event, EventType};
use serde_json::Value;
use toxicity_crd::v1alpha1::{ConditionType, ToxicityMonitorSpec, ToxicityMonitorStatus, Urls};

use super::apply::{Failure, is_rolled_out};
use super::validate;
use crate::cache::MonitorKey;
use crate::child::ChildKind;
use crate::component::Component;
use crate::diagnosis::{Diagnosis, diagnose};
use crate::discovery::OptionalKinds;

/// What was seen in one look.
pub struct Observation<'a> {
    /// Namespace and name.
    pub key: &'a MonitorKey,
    /// Generation of the spec.
    pub generation: Option<i64>,
    /// What is asked for.
    pub spec: &'a ToxicityMonitorSpec,
    /// Why the spec cannot be met, if so.
    pub invalid: Option<&'a validate::Error>,
    /// Children that could not be made so.
    pub failures: &'a [Failure],
    /// Why looking itself failed, if so.
    pub error: Option<String>,
    /// Deployment of the model server.
    pub model_server: Option<Value>,
    /// Deployment of the web UI.
    pub web_ui: Option<Value>,
    /// Pods of both.
    pub pods: &'a [Value],
    /// Optional kinds that the cluster has.
    pub optional: &'a OptionalKinds,
    /// Revision that the model server gives.
    pub model_revision: Option<String>,
}

/// Status of a condition, its reason and its message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Verdict {
    status: &'static str,
    reason: &'static str,
    message: String,
}

impl Verdict {
    fn new(status: bool, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: if status { "True" } else { "False" },
            reason,
            message: message.into(),
        }
    }
}

/// The state of a component.
struct ComponentState {
    component: Component,
    wanted: i64,
    available: i64,
    updated: i64,
    exists: bool,
    rolled_out: bool,
    diagnosis: Option<Diagnosis>,
}

impl ComponentState {
    fn new(component: Component, deployment: Option<&Value>, pods: &[Value]) -> Self {
        let number = |pointer: &str| {
            let value = deployment.and_then(|deployment| deployment.pointer(pointer));
            value.and_then(Value::as_i64).unwrap_or_default()
        };
        Self {
            component,
            wanted: number("/spec/replicas"),
            available: number("/status/availableReplicas"),
            updated: number("/status/updatedReplicas"),
            exists: deployment.is_some(),
            rolled_out: deployment.is_some_and(is_rolled_out),
            diagnosis: diagnose(component, deployment, pods),
        }
    }

    fn availability(&self) -> Verdict {
        let title = self.component.title();
        if self.available > 0 {
            let message = format!("{} of {} pods of the {title} answer", self.available, self.wanted);
            return Verdict::new(true, "PodsAvailable", message);
        }
        if self.exists && self.wanted == 0 {
            let message = format!(
                "the {title} is scaled to 0 pods: raise {}.replicas",
                self.component.field()
            );
            return Verdict::new(false, "ScaledToZero", message);
        }
        match &self.diagnosis {
            Some(diagnosis) => Verdict::new(false, diagnosis.reason, diagnosis.message.clone()),
            None if self.exists => Verdict::new(
                false,
                "PodsStarting",
                format!("the pods of the {title} are starting"),
            ),
            None => Verdict::new(
                false,
                "NotCreated",
                format!("the Deployment of the {title} does not exist yet"),
            ),
        }
    }
}

/// The status to report. `previous` is the one reported last, whose transition times are kept where nothing changed.
#[must_use]
pub fn status(
    seen: &Observation<'_>,
    previous: Option<&ToxicityMonitorStatus>,
    now: Timestamp,
) -> ToxicityMonitorStatus {
    let model_server = ComponentState::new(Component::ModelServer, seen.model_server.as_ref(), seen.pods);
    let web_ui = ComponentState::new(Component::WebUi, seen.web_ui.as_ref(), seen.pods);
    let mut components = vec![&model_server];
    if seen.spec.web_ui.enabled {
        components.push(&web_ui);
    }
    let degraded = degraded(seen, &components);
    let conditions = ConditionType::ALL.map(|condition| {
        let verdict = match condition {
            ConditionType::Ready => ready(seen, &components),
            ConditionType::ModelServerAvailable => model_server.availability(),
            ConditionType::WebUiAvailable if seen.spec.web_ui.enabled => web_ui.availability(),
            ConditionType::WebUiAvailable => Verdict::new(false, "Disabled", "spec.webUi.enabled is false"),
            ConditionType::MonitoringConfigured => monitoring(seen),
            ConditionType::Progressing => progressing(seen, &components),
            ConditionType::Degraded => degraded.clone(),
        };
        to_condition(condition, verdict, seen.generation, previous, now)
    });
    let number = |pointer: &str| {
        let value = seen
            .model_server
            .as_ref()
            .and_then(|deployment| deployment.pointer(pointer));
        let value = value.and_then(Value::as_i64).unwrap_or_default();
        i32::try_from(value).unwrap_or(i32::MAX)
    };
    let selector = Component::ModelServer.selector(&seen.key.name);
    let selector: Vec<String> = selector
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    ToxicityMonitorStatus {
        observed_generation: seen.generation,
        conditions: conditions.into(),
        replicas: number("/status/replicas"),
        ready_replicas: number("/status/availableReplicas"),
        selector: Some(selector.join(",")),
        model_revision: seen
            .model_revision
            .clone()
            .or_else(|| previous.and_then(|previous| previous.model_revision.clone())),
        urls: Some(urls(seen.key, seen.spec)),
    }
}

fn ready(seen: &Observation<'_>, components: &[&ComponentState]) -> Verdict {
    if let Some(verdict) = blocked(seen) {
        return verdict;
    }
    if let Some(state) = components.iter().find(|state| state.available == 0) {
        return state.availability();
    }
    // Old pods serve what the spec no longer asks for: that will not mend by itself.
    let stuck = components
        .iter()
        .find(|state| !state.rolled_out && state.diagnosis.is_some());
    if let Some((state, diagnosis)) = stuck.and_then(|state| Some((state, state.diagnosis.as_ref()?))) {
        let message = format!(
            "{} of {} pods of the {} answer, but it is not as the spec asks: {}",
            state.available,
            state.wanted,
            state.component.title(),
            diagnosis.message
        );
        return Verdict::new(false, diagnosis.reason, message);
    }
    Verdict::new(true, "Available", "texts are scored")
}

/// What keeps the spec from being met before any pod comes into it.
fn blocked(seen: &Observation<'_>) -> Option<Verdict> {
    if let Some(error) = &seen.error {
        return Some(Verdict::new(false, "ReconcileFailed", error.clone()));
    }
    if let Some(invalid) = seen.invalid {
        return Some(Verdict::new(false, invalid.reason(), invalid.to_string()));
    }
    let failure = seen
        .failures
        .iter()
        .find(|failure| !is_monitoring(failure.kind))?;
    Some(Verdict::new(
        false,
        failure.error.reason(),
        explain(&failure.error),
    ))
}

fn is_monitoring(kind: ChildKind) -> bool {
    matches!(kind, ChildKind::ServiceMonitor | ChildKind::PrometheusRule)
}

fn explain(error: &dyn std::error::Error) -> String {
    toxicity_service::error_chain(error)
}

fn monitoring(seen: &Observation<'_>) -> Verdict {
    let options = &seen.spec.monitoring;
    let wanted = [
        (ChildKind::ServiceMonitor, options.service_monitor.enabled),
        (ChildKind::PrometheusRule, options.prometheus_rule.enabled),
    ];
    if let Some(failure) = seen.failures.iter().find(|failure| is_monitoring(failure.kind)) {
        return Verdict::new(false, failure.error.reason(), explain(&failure.error));
    }
    if seen.invalid.is_some() || seen.error.is_some() {
        return Verdict::new(
            false,
            "SpecNotMet",
            "the condition Degraded says what is wrong with the spec",
        );
    }
    if wanted
        .iter()
        .any(|&(kind, enabled)| enabled && !seen.optional.contains(&kind))
    {
        return Verdict::new(
            false,
            "PrometheusOperatorNotInstalled",
            "the API monitoring.coreos.com/v1 is not installed: scraping and alerts follow as soon as prometheus-operator \
             is there; or set spec.monitoring.serviceMonitor.enabled and spec.monitoring.prometheusRule.enabled to false",
        );
    }
    if wanted.iter().all(|(_, enabled)| !enabled) && !options.dashboard.enabled {
        return Verdict::new(false, "Disabled", "spec.monitoring asks for nothing");
    }
    Verdict::new(
        true,
        "Configured",
        "scraping, alerts and dashboard are there as asked",
    )
}

fn progressing(seen: &Observation<'_>, components: &[&ComponentState]) -> Verdict {
    if seen.spec.paused {
        return Verdict::new(
            false,
            "Paused",
            "spec.paused is true: children are left as they are",
        );
    }
    if let Some(verdict) = blocked(seen) {
        return Verdict::new(
            false,
            "Blocked",
            format!("nothing is rolled out: {}", verdict.message),
        );
    }
    let Some(state) = components.iter().find(|state| !state.rolled_out) else {
        return Verdict::new(false, "RolledOut", "all pods are as the spec asks");
    };
    let title = state.component.title();
    if let Some(diagnosis) = &state.diagnosis {
        let message = format!("the rollout of the {title} is stuck: {}", diagnosis.message);
        return Verdict::new(false, "Stuck", message);
    }
    let message = format!(
        "{} of {} pods of the {title} are new, {} answer",
        state.updated, state.wanted, state.available
    );
    Verdict::new(true, "RollingOut", message)
}

fn degraded(seen: &Observation<'_>, components: &[&ComponentState]) -> Verdict {
    if let Some(verdict) = blocked(seen) {
        return Verdict::new(true, verdict.reason, verdict.message);
    }
    if let Some(diagnosis) = components.iter().find_map(|state| state.diagnosis.as_ref()) {
        return Verdict::new(true, diagnosis.reason, diagnosis.message.clone());
    }
    if let Some(failure) = seen.failures.first() {
        return Verdict::new(true, failure.error.reason(), explain(&failure.error));
    }
    let keda = seen
        .spec
        .autoscaling
        .as_ref()
        .is_some_and(|autoscaling| autoscaling.keda.is_some());
    if keda && !seen.optional.contains(&ChildKind::ScaledObject) {
        return Verdict::new(
            true,
            "KedaNotInstalled",
            "the API keda.sh/v1alpha1 is not installed: a HorizontalPodAutoscaler stands in until it is; or remove \
             spec.autoscaling.keda",
        );
    }
    if seen.spec.gateway.is_some() && !seen.optional.contains(&ChildKind::HttpRoute) {
        return Verdict::new(
            true,
            "GatewayApiNotInstalled",
            "the API gateway.networking.k8s.io/v1 is not installed: the HTTPRoute follows as soon as it is; or remove \
             spec.gateway",
        );
    }
    Verdict::new(false, "AsExpected", "nothing is wrong")
}

fn to_condition(
    condition: ConditionType,
    verdict: Verdict,
    generation: Option<i64>,
    previous: Option<&ToxicityMonitorStatus>,
    now: Timestamp,
) -> Condition {
    let before = previous.and_then(|previous| previous.condition(condition));
    let since = before
        .filter(|before| before.status == verdict.status)
        .map_or(Time(now), |before| before.last_transition_time.clone());
    Condition {
        type_: condition.as_str().to_owned(),
        status: verdict.status.to_owned(),
        reason: verdict.reason.to_owned(),
        message: verdict.message,
        observed_generation: generation,
        last_transition_time: since,
    }
}

fn urls(key: &MonitorKey, spec: &ToxicityMonitorSpec) -> Urls {
    let within = |component: Component| {
        let port = match component.service_port() {
            80 => String::new(),
            port => format!(":{port}"),
        };
        format!(
            "http://{}.{}.svc{port}",
            component.object_name(&key.name),
            key.namespace
        )
    };
    let by_ingress = spec.ingress.as_ref().map(|ingress| {
        let scheme = if ingress.tls_secret_name.is_some() {
            "https"
        } else {
            "http"
        };
        (format!("{scheme}://{}", ingress.host), ingress.api)
    });
    // Whether a gateway ends TLS is the gateway's business; its listeners are not looked at.
    let by_gateway = spec
        .gateway
        .as_ref()
        .and_then(|gateway| Some((format!("http://{}", gateway.hostnames.first()?), gateway.api)));
    let outside = by_ingress.or(by_gateway);
    let in_cluster = within(Component::ModelServer);
    let web_ui = spec.web_ui.enabled.then(|| {
        outside
            .as_ref()
            .map_or_else(|| within(Component::WebUi), |(url, _)| url.clone())
    });
    let api = match &outside {
        Some((url, true)) => url.clone(),
        Some((url, false)) => format!("{url}/api"),
        None => in_cluster.clone(),
    };
    Urls {
        web_ui,
        api: Some(api),
        in_cluster: Some(in_cluster),
    }
}

/// Events for what has changed: none while things stay as they are.
#[must_use]
pub fn transitions(before: Option<&ToxicityMonitorStatus>, after: &ToxicityMonitorStatus) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for condition in [ConditionType::Degraded, ConditionType::Ready] {
        let Some(now) = after.condition(condition) else {
            continue;
        };
        let then = before.and_then(|before| before.condition(condition));
        if then.is_some_and(|then| then.status == now.status && then.reason == now.reason) {
            continue;
        }
        let good = (condition == ConditionType::Ready) == (now.status == "True");
        // Starting to be fine from nothing is no news; and one thing is told once.
        let untold = then.is_none() && condition == ConditionType::Degraded && good;
        if untold || events.iter().any(|event| event.reason == now.reason) {
            continue;
        }
        let starting = matches!(now.reason.as_str(), "PodsStarting" | "NotCreated");
        events.push(Event {
            type_: if good || starting {
                EventType::Normal
            } else {
                EventType::Warning
            },
            reason: now.reason.clone(),
            // The API server takes a kilobyte.
            note: Some(now.message.chars().take(1000).collect()),
            action: condition.as_str().to_owned(),
            secondary: None,
        });
    }
    events
}

#[cfg(test)]
mod tests;
