//! Stands between operator and API server, and lets some of what passes go wrong.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use http::request::Parts;
use http::{Method, StatusCode, header};
use http_body_util::BodyExt;
use kube::client::Body as KubeBody;
use kube::{Client, Config};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::cluster::admin_config;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with this code and never reaches the API server.
    Refuse(u16),
    /// A watch is told that what it remembers is too old.
    Expire,
    /// It is passed on late.
    Delay(Duration),
    /// It is passed on, and the connection ends after this time: at once means that the answer is lost.
    Cut(Duration),
}

/// What passed.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// What went wrong with it.
    pub fault: Option<Fault>,
}

impl Passed {
    /// Whether it writes a child.
    #[must_use]
    pub fn writes_child(&self) -> bool {
        let aside = ["/status", "/leases", "/events"];
        self.method != Method::GET && !aside.iter().any(|part| self.path.contains(part))
    }
}

type Decide = dyn Fn(&Parts) -> Option<Fault> + Send + Sync;

struct Shared {
    client: Client,
    decide: Box<Decide>,
    healed: AtomicBool,
    passed: Mutex<Vec<Passed>>,
}

/// A proxy in front of the API server, which ends when dropped. It adds no rights: it passes on the token it is given.
pub struct Proxy {
    /// Its address, for a kubeconfig.
    pub address: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy that asks `decide` what shall go wrong with each request.
    ///
    /// # Panics
    /// When the loopback has no free port.
    pub async fn start(decide: impl Fn(&Parts) -> Option<Fault> + Send + Sync + 'static) -> Self {
        let admin = admin_config().await;
        let mut config = Config::new(admin.cluster_url);
        config.root_cert = admin.root_cert;
        config.default_retry = false;
        let shared = Arc::new(Shared {
            client: Client::try_from(config).expect("the configuration makes a client"),
            decide: Box::new(decide),
            healed: AtomicBool::new(false),
            passed: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("the loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("the proxy serves until it is dropped");
        });
        Self {
            address: format!("http://{address}"),
            shared,
            server,
        }
    }

    /// Lets nothing go wrong from now on.
    pub fn heal(&self) {
        self.shared.healed.store(true, Ordering::SeqCst);
    }

    /// All that passed so far.
    #[must_use]
    pub fn passed(&self) -> Vec<Passed> {
        self.shared
            .passed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let healed = shared.healed.load(Ordering::SeqCst);
    let fault = (shared.decide)(&parts).filter(|_| !healed);
    shared
        .passed
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Passed {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            fault,
        });
    match fault {
        Some(Fault::Refuse(code)) => return refusal(code),
        Some(Fault::Expire) => return expiry(),
        Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
        Some(Fault::Cut(_)) | None => {}
    }
    let body = body
        .collect()
        .await
        .expect("the operator sends what it began")
        .to_bytes();
    parts.headers.remove(header::HOST);
    parts.uri = parts
        .uri
        .path_and_query()
        .expect("a request has a path")
        .clone()
        .into();
    let answer = shared
        .client
        .send(Request::from_parts(parts, KubeBody::from(body)))
        .await;
    let Ok(answer) = answer else {
        return refusal(502);
    };
    let (mut head, body) = answer.into_parts();
    head.headers.remove(header::TRANSFER_ENCODING);
    let body = match fault {
        Some(Fault::Cut(time)) => {
            // The length told must not end the answer before it is cut.
            head.headers.remove(header::CONTENT_LENGTH);
            let lost =
                stream::once(async { Err(axum::Error::new(std::io::Error::other("the connection is cut"))) });
            let until = Box::pin(tokio::time::sleep(time));
            let kept = Body::new(body).into_data_stream().take_until(until);
            if time.is_zero() {
                Body::from_stream(lost)
            } else {
                Body::from_stream(kept.chain(lost))
            }
        }
        _ => Body::new(body),
    };
    Response::from_parts(head, body)
}

fn status(code: u16, reason: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": code, "reason": reason,
        "message": "a fault that a test has made",
    })
    .to_string()
}

fn answer(code: u16, body: String) -> Response {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = StatusCode::from_u16(code).expect("this is a status code");
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    answer
}

fn refusal(code: u16) -> Response {
    let reason = match code {
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    answer(code, status(code, reason))
}

fn expiry() -> Response {
    answer(
        200,
        format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", status(410, "Expired")),
    )
}
