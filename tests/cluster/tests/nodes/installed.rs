//! What the tests on nodes share: the operator as it is installed, ways to a monitor from outside, and one table of what
//! the faults cost.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toxicity_cluster_tests::{
    Metrics, Scene, Traffic, TrafficReport, kubectl, operator_namespace, repository, save,
};

/// Address of a node, on which every `NodePort` answers.
pub const NODE: &str = "10.89.0.11";

/// Pods of the tests ask for little, so that many fit on small nodes.
pub fn small() -> Value {
    json!({"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}})
}

/// What the installed operator counts.
pub fn metrics() -> Metrics {
    let path = format!(
        "/api/v1/namespaces/{}/services/toxicity-operator:metrics/proxy/metrics",
        operator_namespace()
    );
    Metrics::parse(&kubectl(["get", "--raw", &path], None).expect())
}

/// Makes a component reachable from outside and gives its address.
pub async fn node_port(scene: &Scene, monitor: &str, component: &str) -> String {
    let service = scene
        .create(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": format!("{monitor}-{component}-outside")},
            "spec": {
                "type": "NodePort",
                "selector": {"app.kubernetes.io/instance": monitor, "app.kubernetes.io/component": component},
                "ports": [{"port": 80, "targetPort": "http"}],
            },
        }))
        .await;
    format!("http://{NODE}:{}", service["spec"]["ports"][0]["nodePort"])
}

/// Load on the model server of a monitor, through its Service's like from outside.
pub async fn load(scene: &Scene, monitor: &str) -> Traffic {
    let address = format!("{}/v1/analyze", node_port(scene, monitor, "model-server").await);
    let client = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(2)))
        .build()
        .new_agent();
    scene
        .until("the model server answers from outside", 20, async || {
            client.post(&address).send_json(json!({"text": "hello"})).is_ok()
        })
        .await;
    Traffic::start(&address, 4, Duration::from_millis(40))
}

/// What a fault cost.
struct Row {
    fault: String,
    report: TrafficReport,
    recovered: Duration,
}

static TABLE: Mutex<Vec<Row>> = Mutex::new(Vec::new());

/// Notes what a fault cost, prints the whole table so far, and fails when a request was lost.
pub fn note(fault: &str, report: TrafficReport, since: Instant) {
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    let lost = (report.lost > 0).then(|| format!("{fault}: {report}"));
    table.push(Row {
        fault: fault.to_owned(),
        report,
        recovered: since.elapsed(),
    });
    let mut text = format!(
        "{:<44} {:>8} {:>6} {:>12} {:>13}\n",
        "fault", "sent", "lost", "slowest", "recovered in"
    );
    for row in table.iter() {
        let milliseconds = row.report.slowest.as_millis();
        let seconds = row.recovered.as_secs_f64();
        let (fault, sent, lost) = (&row.fault, row.report.sent, row.report.lost);
        writeln!(
            text,
            "{fault:<44} {sent:>8} {lost:>6} {milliseconds:>9} ms {seconds:>11.1} s"
        )
        .expect("a text takes all");
    }
    save("faults.txt", &text);
    println!("{text}");
    drop(table);
    if let Some(lost) = lost {
        panic!("{lost}");
    }
}

/// A volume on this machine, whose file system the nodes share, for one claim. Another user may write to it.
pub struct HandMadeVolume {
    name: String,
    /// What is in it.
    pub folder: tempfile::TempDir,
}

impl HandMadeVolume {
    /// A volume of a storage class for the claim of this name.
    pub fn new(scene: &Scene, class: &str, claim: &str, access: &str) -> Self {
        let folder = tempfile::TempDir::with_prefix("toxicity-volume-").unwrap();
        // The servers run as another user.
        open(folder.path(), 0o777);
        let name = format!("{claim}-{}", scene.name());
        let volume = json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": "1Gi"}, "accessModes": [access], "storageClassName": class,
                "hostPath": {"path": folder.path()},
                "claimRef": {"namespace": scene.name(), "name": claim},
            },
        })
        .to_string();
        let _ = kubectl(["create", "-f", "-"], Some(&volume)).expect();
        Self { name, folder }
    }
}

impl Drop for HandMadeVolume {
    fn drop(&mut self) {
        let _ = kubectl(["delete", "persistentvolume", &self.name, "--wait=false"], None);
    }
}

/// A claim `models` with the folders `a` and `b`, each with the bundled model, and files that go with it.
pub struct Models {
    _volume: HandMadeVolume,
}

impl Models {
    pub async fn new(scene: &Scene) -> Self {
        let volume = HandMadeVolume::new(scene, "", "models", "ReadOnlyMany");
        for name in ["a", "b"] {
            let target = volume.folder.path().join(name);
            std::fs::create_dir(&target).unwrap();
            open(&target, 0o755);
            for entry in std::fs::read_dir(repository().join("models/toxic-minilm")).unwrap() {
                let entry = entry.unwrap();
                let file = target.join(entry.file_name());
                std::fs::copy(entry.path(), &file).unwrap();
                open(&file, 0o644);
            }
        }
        // Another revision of the same model.
        let config = volume.folder.path().join("b/config.json");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("{text}\n")).unwrap();
        scene
            .create(json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "models"},
                "spec": {
                    "accessModes": ["ReadOnlyMany"], "storageClassName": "", "volumeName": volume.name,
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            }))
            .await;
        Self { _volume: volume }
    }
}

fn open(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
