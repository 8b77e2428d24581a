//! The operator as a process, with the rights that its manifests give it and no more.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::{install, kubectl, operator_namespace};
use crate::metrics::Metrics;
use crate::wait::until;

/// Time that an operator gets to start, and to stop.
const START: Duration = Duration::from_secs(30);

/// Lines of the log that a failed test prints.
const LOG_LINES: usize = 40;

/// How to start an operator.
#[derive(Debug, Clone)]
pub struct Options {
    /// Namespace whose monitors it looks after; none means all.
    pub namespace: Option<String>,
    /// Name of its lease.
    pub lease: String,
    /// How long the lease lasts.
    pub lease_duration: &'static str,
    /// Its name in the lease.
    pub identity: String,
    /// Address of the API server, instead of its own.
    pub server: Option<String>,
    /// Whether it is started again when it ends, as Kubernetes does with a container.
    pub supervised: bool,
    /// Further arguments.
    pub arguments: Vec<String>,
}

impl Options {
    /// For the monitors of one namespace, with a lease of that name.
    #[must_use]
    pub fn of(namespace: &str) -> Self {
        Self {
            namespace: Some(namespace.to_owned()),
            lease: namespace.to_owned(),
            lease_duration: "15s",
            identity: "one".to_owned(),
            server: None,
            supervised: false,
            arguments: Vec::new(),
        }
    }
}

/// A process that may have been started again.
struct Running {
    child: Mutex<Child>,
    stopping: AtomicBool,
    starts: AtomicU32,
    ended: Mutex<Option<ExitStatus>>,
}

/// An operator, stopped when dropped.
pub struct Operator {
    running: Arc<Running>,
    supervisor: Option<JoinHandle<()>>,
    listen: String,
    log: PathBuf,
    _folder: TempDir,
}

impl Operator {
    /// Starts an operator and waits until it answers.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(options: Options) -> Self {
        install().await;
        let folder =
            TempDir::with_prefix("toxicity-operator-").expect("there is a folder for temporary files");
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, kubeconfig_of(options.server.as_deref()).to_string())
            .expect("a temporary file can be written");
        let log = folder.path().join("log");
        let listen = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(binary());
        command
            .args(["run", "--discovery-interval=1s"])
            .arg(format!("--listen={listen}"))
            .arg(format!("--lease-name={}", options.lease))
            .arg(format!("--lease-duration={}", options.lease_duration))
            .arg(format!("--identity={}", options.identity))
            .args(
                options
                    .namespace
                    .map(|namespace| format!("--watch-namespace={namespace}")),
            )
            .args(options.arguments)
            .env("KUBECONFIG", &kubeconfig)
            .env_remove("KUBERNETES_SERVICE_HOST");
        let operator = Self::supervise(command, options.supervised, listen, log, folder);
        operator.until_answering().await;
        operator
    }

    fn supervise(
        mut command: Command,
        supervised: bool,
        listen: String,
        log: PathBuf,
        folder: TempDir,
    ) -> Self {
        let start = {
            let log = log.clone();
            move || {
                let file = |path: &PathBuf| -> File {
                    let mut options = OpenOptions::new();
                    options
                        .create(true)
                        .append(true)
                        .open(path)
                        .expect("the log can be written")
                };
                command
                    .stdin(Stdio::null())
                    .stdout(file(&log))
                    .stderr(file(&log))
                    .spawn()
                    .expect("the operator starts")
            }
        };
        let mut start = start;
        let running = Arc::new(Running {
            child: Mutex::new(start()),
            stopping: AtomicBool::new(false),
            starts: AtomicU32::new(1),
            ended: Mutex::new(None),
        });
        let watched = Arc::clone(&running);
        let supervisor = std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(20));
                let mut child = watched.child.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(status) = child.try_wait().expect("a child can be waited for") else {
                    continue;
                };
                if watched.stopping.load(Ordering::SeqCst) || !supervised {
                    *watched.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
                    return;
                }
                std::thread::sleep(Duration::from_secs(1));
                watched.starts.fetch_add(1, Ordering::SeqCst);
                *child = start();
            }
        });
        Self {
            running,
            supervisor: Some(supervisor),
            listen,
            log,
            _folder: folder,
        }
    }

    async fn until_answering(&self) {
        let answering = async || {
            assert!(self.ended().is_none(), "the operator ended:\n{}", self.log_tail());
            self.get("healthz").map(|_| ())
        };
        until("the operator answers", START, answering).await;
    }

    /// Waits until the operator leads and has read everything.
    pub async fn until_leading(&self) {
        let leading = async || {
            assert!(self.ended().is_none(), "the operator ended:\n{}", self.log_tail());
            self.get("readyz").filter(|text| text == "leading\n").map(|_| ())
        };
        until("the operator leads", START, leading).await;
    }

    fn get(&self, path: &str) -> Option<String> {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(5)))
            .build()
            .new_agent();
        let mut answer = agent.get(format!("http://{}/{path}", self.listen)).call().ok()?;
        answer.body_mut().read_to_string().ok()
    }

    /// What it counted since it started last.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        Metrics::parse(&self.get("metrics").expect("the operator answers"))
    }

    /// Whether it leads; one that does not answer leads nothing.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.get("metrics")
            .is_some_and(|text| Metrics::parse(&text).leads())
    }

    /// Sends a signal to the process.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        let child = self.running.child.lock().unwrap_or_else(PoisonError::into_inner);
        kill(Pid::from_raw(child.id().cast_signed()), signal).expect("the process is there");
    }

    /// How it ended, if it has for good.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        *self.running.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often it was started.
    #[must_use]
    pub fn starts(&self) -> u32 {
        self.running.starts.load(Ordering::SeqCst)
    }

    /// All that it logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it logged last.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.running.stopping.store(true, Ordering::SeqCst);
        let signal = |signal| {
            let child = self.running.child.lock().unwrap_or_else(PoisonError::into_inner);
            // It may have ended by itself, as some tests want.
            let _ = kill(Pid::from_raw(child.id().cast_signed()), signal);
        };
        let Some(supervisor) = self.supervisor.take() else {
            return;
        };
        if !supervisor.is_finished() {
            // One that was stopped by SIGSTOP does not hear SIGTERM.
            signal(Signal::SIGCONT);
            signal(Signal::SIGTERM);
        }
        let started = Instant::now();
        while !supervisor.is_finished() {
            if started.elapsed() > START {
                signal(Signal::SIGKILL);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = supervisor.join();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has a free port");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// The operator of this build: tests lie in `deps` beside the binaries of their profile.
fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = test.ancestors().nth(2).expect("tests lie in the build folder");
    let binary = folder.join("toxicity-operator");
    assert!(
        binary.exists(),
        "{} is missing: run `cargo xtask test operator`, which builds it",
        binary.display()
    );
    binary
}

/// A kubeconfig with a token of the operator's own service account.
fn kubeconfig_of(server: Option<&str>) -> Value {
    let words = [
        "create",
        "token",
        "toxicity-operator",
        "--duration=2h",
        "--namespace",
    ];
    let token = kubectl(words.into_iter().chain([operator_namespace()]), None).expect();
    let admin = kubectl(["config", "view", "--raw", "--minify", "-o", "json"], None).json();
    let mut cluster = admin["clusters"][0]["cluster"].clone();
    if let Some(server) = server {
        cluster = json!({"server": server});
    }
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "operator",
        "clusters": [{"name": "operator", "cluster": cluster}],
        "contexts": [{
            "name": "operator",
            "context": {"cluster": "operator", "user": "operator", "namespace": operator_namespace()},
        }],
        "users": [{"name": "operator", "user": {"token": token.trim()}}],
    })
}
