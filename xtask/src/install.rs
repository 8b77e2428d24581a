//! Installs the operator and the smallest sample into a cluster, from the manifests of the repository.

use std::path::{Component as PathPart, Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::component::Component;
use crate::error::Error;
use crate::image::{self, Image};
use crate::process::{announce, output, run};
use crate::workspace::Workspace;

/// Namespace of the operator.
pub const OPERATOR_NAMESPACE: &str = "toxicity-system";

/// Namespace of the sample.
pub const SAMPLE_NAMESPACE: &str = "moderation";

/// Name of the sample's monitor.
pub const SAMPLE: &str = "comments";

const DEPLOYMENT: &str = "toxicity-operator";
const DEFINITION: &str = "customresourcedefinition/toxicitymonitors.toxicity.dev";
const REMEDY: &str = "Its message above says why.";

/// Images that are somewhere a cluster can fetch them from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ImageNames {
    /// Image of the operator, instead of building one.
    #[arg(id = "operator-image", long, value_name = "IMAGE")]
    operator: Option<String>,

    /// Image of the model server, instead of building one.
    #[arg(id = "model-server-image", long, value_name = "IMAGE")]
    model_server: Option<String>,

    /// Image of the web UI, instead of building one.
    #[arg(id = "web-ui-image", long, value_name = "IMAGE")]
    web_ui: Option<String>,
}

/// The three images of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct References {
    /// The operator.
    pub operator: String,
    /// What the operator runs as model server.
    pub model_server: String,
    /// What the operator runs as web UI.
    pub web_ui: String,
}

impl ImageNames {
    fn of(&self, component: Component) -> Option<&str> {
        match component {
            Component::Operator => self.operator.as_deref(),
            Component::ModelServer => self.model_server.as_deref(),
            Component::WebUi => self.web_ui.as_deref(),
        }
    }
}

/// Builds the images that are not named and gives them to the nodes.
///
/// # Errors
/// When one cannot be built, or the nodes are not of this task's making.
pub fn images(workspace: &Workspace, cluster: &Cluster, names: &ImageNames) -> Result<References, Error> {
    let missing: Vec<Component> = Component::ALL
        .into_iter()
        .filter(|&component| names.of(component).is_none())
        .collect();
    let mut built: Vec<Image> = Vec::new();
    if !missing.is_empty() {
        // Before minutes of building.
        cluster.check_takes_images()?;
        built = image::build(workspace, &missing, None)?;
        image::load(cluster, &built)?;
    }
    let reference = |component| {
        let image = built.iter().find(|image| image.component == component);
        let built = image.map(|image| image.reference.as_str());
        names.of(component).or(built).unwrap_or_default().to_owned()
    };
    Ok(References {
        operator: reference(Component::Operator),
        model_server: reference(Component::ModelServer),
        web_ui: reference(Component::WebUi),
    })
}

/// Installs the operator and waits until it runs.
///
/// # Errors
/// When the cluster refuses it or it does not start; what its pods say is printed before.
pub fn operator(workspace: &Workspace, cluster: &Cluster, references: &References) -> Result<(), Error> {
    announce("installing the operator");
    let folder = if cluster.folder.as_os_str().is_empty() {
        workspace.target().join("install")
    } else {
        cluster.folder.join("install")
    };
    let failed = |source| Error::File {
        action: "write",
        path: folder.clone(),
        source,
    };
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let folder = std::fs::canonicalize(&folder).map_err(failed)?;
    let manifests = workspace.root().join("manifests/default");
    let manifests = std::fs::canonicalize(&manifests).map_err(|source| Error::File {
        action: "find",
        path: manifests.clone(),
        source,
    })?;
    let kustomization = kustomization(&relative(&folder, &manifests), references);
    std::fs::write(folder.join("kustomization.yaml"), kustomization.to_string()).map_err(failed)?;

    let mut apply = cluster.kubectl();
    apply.args(["apply", "--server-side", "--force-conflicts", "--kustomize"]);
    run(apply.arg(&folder).stdout(std::process::Stdio::null()), REMEDY)?;
    kubectl(
        cluster,
        &["wait", "--for=condition=Established", DEFINITION, "--timeout=30s"],
    )?;
    let deployment = format!("deployment/{DEPLOYMENT}");
    let mut rollout = cluster.kubectl();
    rollout.args(["rollout", "status", &deployment, "--timeout=180s"]);
    rollout.args(["--namespace", OPERATOR_NAMESPACE]);
    run(&mut quiet(rollout), "What its pods say is above.")
        .inspect_err(|_| print_state(cluster, OPERATOR_NAMESPACE))
}

/// Applies the smallest sample and waits until its monitor is ready.
///
/// # Errors
/// When the monitor does not become ready; its conditions and what its pods say are printed before.
pub fn sample(workspace: &Workspace, cluster: &Cluster) -> Result<(), Error> {
    announce(&format!(
        "applying the sample \"{SAMPLE}\" in namespace \"{SAMPLE_NAMESPACE}\""
    ));
    let folder = workspace.target().join("install");
    let namespace = folder.join("namespace.json");
    let content = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": SAMPLE_NAMESPACE,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        },
    });
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&namespace, content.to_string()))
        .map_err(|source| Error::File {
            action: "write",
            path: namespace.clone(),
            source,
        })?;
    let sample = workspace.root().join("manifests/samples/minimal.yaml");
    for file in [&namespace, &sample] {
        let mut apply = cluster.kubectl();
        apply.args([
            "apply",
            "--server-side",
            "--namespace",
            SAMPLE_NAMESPACE,
            "--filename",
        ]);
        run(quiet(apply).arg(file), REMEDY)?;
    }
    announce("waiting until the monitor is ready");
    let mut wait = cluster.kubectl();
    wait.args(["wait", "--for=condition=Ready", "--timeout=180s"]);
    wait.args([
        "--namespace",
        SAMPLE_NAMESPACE,
        &format!("toxicitymonitors/{SAMPLE}"),
    ]);
    run(
        &mut quiet(wait),
        "Its conditions and what its pods say are above.",
    )
    .inspect_err(|_| {
        print_conditions(cluster);
        print_state(cluster, SAMPLE_NAMESPACE);
        print_state(cluster, OPERATOR_NAMESPACE);
    })
}

/// Prints what a namespace holds and what went wrong in it.
pub fn print_state(cluster: &Cluster, namespace: &str) {
    eprintln!("\nnamespace {namespace}:");
    for arguments in [
        &["get", "deployments,pods", "--output=wide"][..],
        &[
            "get",
            "events",
            "--field-selector=type=Warning",
            "--sort-by=.lastTimestamp",
        ],
        &[
            "logs",
            "--selector=app.kubernetes.io/part-of=toxicity-monitor",
            "--tail=20",
            "--prefix",
        ],
    ] {
        let mut command = cluster.kubectl();
        // What cannot be shown must not hide the error that it should explain.
        let _ = command.args(arguments).args(["--namespace", namespace]).status();
    }
}

fn print_conditions(cluster: &Cluster) {
    let mut get = cluster.kubectl();
    get.args(["get", "--output=json", "--namespace", SAMPLE_NAMESPACE]);
    get.arg(format!("toxicitymonitors/{SAMPLE}"));
    let Ok(text) = output(&mut get, "") else {
        return;
    };
    let monitor: Value = serde_json::from_str(&text).unwrap_or_default();
    eprintln!("\nconditions of {SAMPLE}:");
    for line in condition_lines(&monitor) {
        eprintln!("  {line}");
    }
}

fn condition_lines(monitor: &Value) -> Vec<String> {
    let text = |condition: &Value, field: &str| condition[field].as_str().unwrap_or("-").to_owned();
    let conditions = monitor["status"]["conditions"].as_array();
    let lines: Vec<String> = conditions
        .into_iter()
        .flatten()
        .map(|condition| {
            let [kind, status, reason, message] =
                ["type", "status", "reason", "message"].map(|field| text(condition, field));
            format!("{kind} {status} ({reason}): {message}")
        })
        .collect();
    if lines.is_empty() {
        vec!["none: the operator has not looked at it".to_owned()]
    } else {
        lines
    }
}

fn kubectl(cluster: &Cluster, arguments: &[&str]) -> Result<(), Error> {
    let mut command = cluster.kubectl();
    command.args(arguments);
    run(&mut quiet(command), REMEDY)
}

fn quiet(mut command: Command) -> Command {
    command.stdout(std::process::Stdio::null());
    command
}

/// The repository's manifests with the images of this installation.
fn kustomization(manifests: &Path, references: &References) -> Value {
    let patch = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": DEPLOYMENT},
        "spec": {"template": {"spec": {"containers": [{
            "name": "operator",
            "image": references.operator,
            "imagePullPolicy": "IfNotPresent",
            "env": [
                {"name": "TOXICITY_OPERATOR_MODEL_SERVER_IMAGE", "value": references.model_server},
                {"name": "TOXICITY_OPERATOR_WEB_UI_IMAGE", "value": references.web_ui},
            ],
        }]}}},
    });
    json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [manifests],
        "patches": [{
            "target": {"kind": "Deployment", "name": DEPLOYMENT},
            "patch": patch.to_string(),
        }],
    })
}

/// The way from one folder to another; a kustomization names no absolute paths.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from, to): (Vec<PathPart>, Vec<PathPart>) = (from.components().collect(), to.components().collect());
    let common = from
        .iter()
        .zip(&to)
        .take_while(|(one, other)| one == other)
        .count();
    std::iter::repeat_n(PathPart::ParentDir, from.len() - common)
        .chain(to[common..].iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_manifests_leads_over_the_common_folder() {
        let of = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(
            of(
                "/project/target/cluster/main/install",
                "/project/manifests/default"
            ),
            Path::new("../../../../manifests/default")
        );
        assert_eq!(of("/a", "/a/b"), Path::new("b"));
    }

    #[test]
    fn the_patch_sets_all_three_images() {
        let references = References {
            operator: "registry/operator:1".to_owned(),
            model_server: "registry/model:1".to_owned(),
            web_ui: "registry/web@sha256:0".to_owned(),
        };
        let kustomization = kustomization(Path::new("../default"), &references);
        let patch: Value =
            serde_json::from_str(kustomization["patches"][0]["patch"].as_str().unwrap()).unwrap();
        let container = &patch["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], "registry/operator:1");
        assert_eq!(container["env"][0]["value"], "registry/model:1");
        assert_eq!(container["env"][1]["value"], "registry/web@sha256:0");
    }

    #[test]
    fn a_monitor_that_nobody_has_looked_at_says_so() {
        assert_eq!(condition_lines(&json!({})).len(), 1);
        let monitor = json!({"status": {"conditions": [
            {"type": "Ready", "status": "False", "reason": "Waiting", "message": "0 of 1 pods are ready"},
        ]}});
        assert_eq!(
            condition_lines(&monitor),
            ["Ready False (Waiting): 0 of 1 pods are ready"]
        );
    }
}
