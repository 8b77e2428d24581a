//! TLS: the server as a process with its flags, and a certificate that is renewed while it runs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it cannot go on"
)]

mod fixture;

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use reqwest::{Certificate, Client, StatusCode, Version};
use toxicity_service::{Leaving, Tls, TlsArguments, serve_until};

/// How often the server looks at its files.
const LOOK_PAUSE: Duration = Duration::from_secs(5);

/// Longest time for what takes a moment.
const PATIENCE: Duration = Duration::from_secs(30);

/// Files of a certificate and its key, and the folder they lie in.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    _folder: tempfile::TempDir,
}

/// A certificate for this machine that trusts itself, as PEM, and its key.
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        Self {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        }
    }

    /// A client that trusts this certificate alone.
    fn client(&self) -> Client {
        self.client_of(|builder| builder)
    }

    fn client_of(&self, options: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> Client {
        // An error means that another test has done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificate = Certificate::from_pem(self.certificate.as_bytes()).unwrap();
        let builder = Client::builder()
            .tls_certs_only([certificate])
            .pool_max_idle_per_host(0);
        options(builder).build().unwrap()
    }
}

impl Files {
    fn of(pair: &Pair) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Self {
            certificate: folder.path().join("tls.crt"),
            key: folder.path().join("tls.key"),
            _folder: folder,
        };
        std::fs::write(&files.certificate, &pair.certificate).unwrap();
        std::fs::write(&files.key, &pair.key).unwrap();
        files
    }

    /// Replaces what they hold, such that a look at their times tells.
    fn replace(&self, certificate: &str, key: &str) {
        for (path, content) in [(&self.certificate, certificate), (&self.key, key)] {
            let before = std::fs::metadata(path).unwrap().modified().unwrap();
            std::fs::write(path, content).unwrap();
            let changed = SystemTime::now().max(before) + Duration::from_secs(1);
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(changed)
                .unwrap();
        }
    }

    fn arguments(&self) -> TlsArguments {
        TlsArguments {
            tls_certificate: Some(self.certificate.clone()),
            tls_key: Some(self.key.clone()),
        }
    }
}

/// The server as a process; it ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(address: SocketAddr, certificate: &Path, key: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_toxicity-model-server"));
    command
        .arg("serve")
        .args(["--listen", &address.to_string()])
        .arg("--tls-certificate")
        .arg(certificate)
        .arg("--tls-key")
        .arg(key)
        .arg("--model")
        .arg(fixture::bundled_model());
    command
}

/// An address that nobody listens on.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Status and version of the answer to a client that gets one.
async fn ask(client: &Client, address: SocketAddr) -> Option<(StatusCode, Version)> {
    let answer = client.get(format!("https://{address}/livez")).send().await.ok()?;
    Some((answer.status(), answer.version()))
}

/// Asks until there is an answer.
async fn answer_within(limit: Duration, client: &Client, address: SocketAddr) -> (StatusCode, Version) {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask(client, address).await {
            return answer;
        }
        assert!(
            started.elapsed() < limit,
            "no answer that the client trusts within {limit:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_server_speaks_tls_and_takes_a_new_certificate_without_a_restart() {
    let (old, new) = (Pair::new(), Pair::new());
    let files = Files::of(&old);
    let address = free_address();
    let _process = Process(
        command(address, &files.certificate, &files.key)
            .arg("--onnxruntime")
            .arg(fixture::onnxruntime())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    // Both are offered, and clients that can do both take the newer one.
    assert_eq!(
        answer_within(PATIENCE, &old.client(), address).await,
        (StatusCode::OK, Version::HTTP_2)
    );
    let http1 = old.client_of(reqwest::ClientBuilder::http1_only);
    assert_eq!(
        ask(&http1, address).await,
        Some((StatusCode::OK, Version::HTTP_11))
    );
    assert!(
        reqwest::get(format!("http://{address}/livez")).await.is_err(),
        "nothing is answered without encryption"
    );
    assert_eq!(
        ask(&new.client(), address).await,
        None,
        "the certificate is not this one yet"
    );

    files.replace(&new.certificate, &new.key);
    answer_within(LOOK_PAUSE + PATIENCE, &new.client(), address).await;
    assert_eq!(ask(&old.client(), address).await, None);
}

/// Lets the time pass until the server has looked at its files.
async fn let_the_server_look() {
    tokio::task::yield_now().await;
    tokio::time::pause();
    tokio::time::advance(LOOK_PAUSE + Duration::from_secs(1)).await;
    tokio::time::resume();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_broken_replacement_keeps_the_certificate_before() {
    let (old, new) = (Pair::new(), Pair::new());
    let files = Files::of(&old);
    let tls = Tls::load(&files.arguments()).unwrap().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = toxicity_service::Server {
        listener,
        router: fixture::Server::ready().router,
        tls: Some(tls.clone()),
    };
    tokio::spawn(async move {
        let leaving = Leaving::default();
        serve_until(vec![server], &leaving, std::future::pending::<()>(), PATIENCE).await;
    });
    tokio::spawn(async move { tls.keep_fresh().await });
    assert!(ask(&old.client(), address).await.is_some());

    for (certificate, key, problem) in [
        (&new.certificate, &old.key, "only one of them is replaced"),
        (&String::new(), &new.key, "nothing is in the certificate's file"),
        (&"nonsense".to_owned(), &"nonsense".to_owned(), "neither is PEM"),
    ] {
        files.replace(certificate, key);
        let_the_server_look().await;
        assert!(ask(&old.client(), address).await.is_some(), "{problem}");
    }
    files.replace(&new.certificate, &new.key);
    let_the_server_look().await;
    assert!(ask(&new.client(), address).await.is_some());
    assert!(ask(&old.client(), address).await.is_none());
}

fn refusal(certificate: &Path, key: &Path) -> String {
    let Output { status, stderr, .. } = command(free_address(), certificate, key).output().unwrap();
    assert_eq!(status.code(), Some(1));
    String::from_utf8(stderr).unwrap()
}

#[test]
fn a_pair_of_no_use_is_said_at_the_start() {
    let (pair, other) = (Pair::new(), Pair::new());
    let files = Files::of(&pair);
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    let nonsense = folder.path().join("nonsense.pem");
    std::fs::write(&nonsense, "nonsense").unwrap();
    for (certificate, key, named) in [
        (&missing, &files.key, &missing),
        (&files.certificate, &missing, &missing),
        (&nonsense, &files.key, &nonsense),
        (&files.certificate, &nonsense, &nonsense),
    ] {
        let message = refusal(certificate, key);
        let expected = format!(
            "error: failed to read \"{}\"; it must be a PEM file",
            named.display()
        );
        assert!(message.starts_with(&expected), "{message}");
    }
    let message = refusal(&files.certificate, &Files::of(&other).key);
    let expected = "error: failed to use the certificate of --tls-certificate with the key of --tls-key: ";
    assert!(message.starts_with(expected), "{message}");
}
