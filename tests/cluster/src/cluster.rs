//! The cluster under test, found by the environment that `cargo xtask test` gives.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use kube::{Client, Config};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::sync::OnceCell;

/// Namespace of the operator and of its leases.
#[must_use]
pub fn operator_namespace() -> &'static str {
    "toxicity-system"
}

/// The repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("this crate lies in the repository")
}

/// A variable that `cargo xtask test` sets.
///
/// # Panics
/// When it does not.
#[must_use]
pub fn environment(name: &str) -> PathBuf {
    let value = std::env::var_os(name).map(PathBuf::from);
    value.unwrap_or_else(|| {
        panic!(
            "{name} is not set: these tests need a cluster of their own; run `cargo xtask test operator`, or `cargo \
             xtask test cluster` for those that need nodes"
        )
    })
}

/// Folder of the cluster's state, with a file for each of its processes.
fn state() -> PathBuf {
    environment("TOXICITY_CLUSTER_STATE")
}

/// Kills a process of the cluster at once, such as `kube-apiserver`.
///
/// # Panics
/// When it is not there.
pub fn kill_component(component: &str) {
    let path = state().join("pid").join(component);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let pid = text.lines().next().and_then(|line| line.trim().parse().ok());
    let pid = Pid::from_raw(pid.expect("the first line is the process id"));
    kill(pid, Signal::SIGKILL).expect("the process is there");
}

/// Starts what of the cluster does not run.
///
/// # Panics
/// When that fails.
pub fn start_cluster() {
    let state = state();
    let name = state
        .file_name()
        .and_then(OsStr::to_str)
        .expect("the folder is named like the cluster");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["xtask", "cluster", "up", "--name", name])
        .current_dir(repository())
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// How the administrator reaches the cluster.
pub async fn admin_config() -> Config {
    let _ = environment("KUBECONFIG");
    let mut config = Config::infer().await.expect("KUBECONFIG names a cluster");
    // A test that breaks something must see it.
    config.default_retry = false;
    config
}

/// A client of the administrator. One for each test: a client ends with the runtime that made it.
pub async fn client() -> Client {
    Client::try_from(admin_config().await).expect("the configuration makes a client")
}

/// What kubectl said.
#[derive(Debug, Clone)]
pub struct Kubectl {
    /// The command line, for messages.
    pub command: String,
    /// Whether it succeeded.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Kubectl {
    /// Standard output of a command that must succeed.
    ///
    /// # Panics
    /// When it failed.
    #[must_use]
    pub fn expect(self) -> String {
        assert!(
            self.success,
            "`{}` failed:\n{}{}",
            self.command, self.stdout, self.stderr
        );
        self.stdout
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// When the command failed or wrote something else.
    #[must_use]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.expect()).expect("kubectl writes JSON")
    }
}

/// Runs kubectl as administrator, with `input` as its standard input.
///
/// # Panics
/// When it cannot be started.
pub fn kubectl<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>, input: Option<&str>) -> Kubectl {
    let _ = environment("KUBECONFIG");
    let mut command = Command::new("kubectl");
    command
        .args(arguments)
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!("kubectl is not on the path ({error}): run `cargo xtask test operator`")
    });
    if let Some(input) = input {
        let mut pipe = child.stdin.take().expect("standard input is piped");
        pipe.write_all(input.as_bytes()).expect("kubectl reads its input");
    }
    let output: Output = child.wait_with_output().expect("kubectl ends");
    let words: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    Kubectl {
        command: format!("kubectl {}", words.join(" ")),
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Keeps a text for people to look at, and says where.
///
/// # Panics
/// When it cannot be written.
pub fn save(name: &str, text: &str) {
    // Tests lie in `<target>/<profile>/deps`; the folder is the one that cargo gives to integration tests.
    let binary = std::env::current_exe().expect("a running test has a path");
    let target = binary.ancestors().nth(3).expect("tests lie in the build folder");
    let path = target.join("tmp").join(name);
    std::fs::write(&path, text).expect("the folder for temporary files can be written");
    println!("kept {}", path.display());
}

/// What the operator installs into a cluster before it can start, once for each run of the tests.
pub(crate) async fn install() {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    INSTALLED
        .get_or_init(async || {
            let manifests = repository().join("manifests");
            let apply = |flag: &str, path: &str| {
                let path = manifests.join(path);
                let words = ["apply", "--server-side", "--force-conflicts", flag];
                let words = words.iter().map(|word| OsStr::new(*word));
                let _ = kubectl(words.chain([path.as_os_str()]), None).expect();
            };
            apply("-f", "operator/namespace.yaml");
            let account = std::fs::read_to_string(manifests.join("operator/service_account.yaml")).unwrap();
            let words = [
                "apply",
                "--server-side",
                "--namespace",
                operator_namespace(),
                "-f",
                "-",
            ];
            let _ = kubectl(words, Some(&account)).expect();
            apply("-k", "crd");
            apply("-k", "leader_election");
            let words = [
                "wait",
                "--for=condition=Established",
                "--timeout=30s",
                "customresourcedefinition/toxicitymonitors.toxicity.dev",
            ];
            let _ = kubectl(words, None).expect();
        })
        .await;
}
