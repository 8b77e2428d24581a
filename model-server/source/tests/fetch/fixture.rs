//! A web server on this machine that can be told to misbehave, and a model to put on it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use axum::serve::Listener;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use toxicity_model_source::{
    Environment, FetchError, FetchOptions, FetchedModel, ModelSource, Progress, Retries, Timeouts, fetch,
};

/// Bytes of the ONNX file: several chunks, no round number.
pub const ONNX_BYTES: usize = 3_000_017;

/// What a server has under one path.
#[derive(Clone, Default)]
pub struct Page {
    pub body: Bytes,
    pub etag: Option<String>,
    pub content_type: Option<&'static str>,
    /// What the header `Authorization` must be.
    pub authorization: Option<String>,
    /// The header `WWW-Authenticate` where it is not.
    pub challenge: Option<String>,
    /// Another address to go to.
    pub redirect: Option<String>,
    /// Give the whole file whatever part is asked for.
    pub ignores_ranges: bool,
    /// Do not tell the size of the file.
    pub hides_size: bool,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Page {
    pub fn new(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let etag = format!("\"{}\"", &sha256(&body)[..16]);
        Self {
            body,
            etag: Some(etag),
            ..Self::default()
        }
    }

    pub fn json(value: &serde_json::Value) -> Self {
        Self {
            content_type: Some("application/json"),
            ..Self::new(value.to_string())
        }
    }
}

/// What goes wrong with the next GET of a path.
#[derive(Clone, Copy)]
pub enum Fault {
    /// The connection breaks after so many bytes of the body.
    Break(usize),
    /// Nothing comes after so many bytes of the body.
    Stall(usize),
    /// Another status, with a `Retry-After` in seconds.
    Answer(u16, Option<u64>),
}

/// What a server was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
    pub authorization: Option<String>,
}

#[derive(Default)]
struct Site {
    pages: Mutex<BTreeMap<String, Page>>,
    faults: Mutex<HashMap<String, VecDeque<Fault>>>,
    asked: Mutex<Vec<Asked>>,
}

/// A web server on this machine.
pub struct Server {
    site: Arc<Site>,
    pub address: String,
}

impl Server {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve(listener)
    }

    /// Speaks TLS with a certificate of its own, which is written to a file.
    pub async fn start_tls(certificate: &Path) -> Self {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(certificate, own.cert.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], own.signing_key.into())
            .unwrap();
        Self::serve(TlsListener {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    fn serve<L: Listener<Addr = SocketAddr>>(listener: L) -> Self {
        let address = listener.local_addr().unwrap().to_string();
        let site = Arc::new(Site::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&site));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { site, address }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn put(&self, path: &str, page: impl Into<Page>) {
        self.site
            .pages
            .lock()
            .unwrap()
            .insert(path.to_owned(), page.into());
    }

    pub fn change(&self, path: &str, change: impl FnOnce(&mut Page)) {
        change(self.site.pages.lock().unwrap().get_mut(path).unwrap());
    }

    pub fn change_all(&self, change: impl Fn(&mut Page)) {
        self.site.pages.lock().unwrap().values_mut().for_each(change);
    }

    pub fn fault(&self, path: &str, fault: Fault) {
        let mut faults = self.site.faults.lock().unwrap();
        faults.entry(path.to_owned()).or_default().push_back(fault);
    }

    /// What was asked since the last time this was called.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.site.asked.lock().unwrap())
    }

    /// The parts of a file that were asked for since the last time anything was looked at.
    pub fn ranges(&self, path: &str) -> Vec<Option<String>> {
        self.asked()
            .into_iter()
            .filter(|asked| asked.method == Method::GET && asked.path == path)
            .map(|asked| asked.range)
            .collect()
    }
}

impl<T: Into<Bytes>> From<T> for Page {
    fn from(body: T) -> Self {
        Self::new(body)
    }
}

/// Accepts connections and gives those whose handshake succeeds.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
    let text = |name: header::HeaderName| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let path = request.uri().path().to_owned();
    let asked = Asked {
        method: request.method().clone(),
        path: path.clone(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        range: text(header::RANGE),
        if_range: text(header::IF_RANGE),
        authorization: text(header::AUTHORIZATION),
    };
    site.asked.lock().unwrap().push(asked.clone());

    let page = {
        let pages = site.pages.lock().unwrap();
        // Google's clients escape even the separators in the names of objects.
        let plain = percent_encoding::percent_decode_str(&path).decode_utf8().unwrap();
        pages.get(&path).or_else(|| pages.get(plain.as_ref())).cloned()
    };
    let Some(page) = page else {
        return status(StatusCode::NOT_FOUND, &[]);
    };
    if page.authorization.is_some() && page.authorization != asked.authorization {
        let challenge = page
            .challenge
            .as_deref()
            .map(|challenge| ("www-authenticate", challenge));
        return status(StatusCode::UNAUTHORIZED, challenge.as_slice());
    }
    if let Some(target) = &page.redirect {
        return status(StatusCode::FOUND, &[("location", target)]);
    }
    let fault = match asked.method {
        Method::GET => site
            .faults
            .lock()
            .unwrap()
            .get_mut(&path)
            .and_then(VecDeque::pop_front),
        _ => None,
    };
    if let Some(Fault::Answer(code, retry_after)) = fault {
        let pause = retry_after.map(|seconds| seconds.to_string());
        let pause = pause.as_deref().map(|seconds| ("retry-after", seconds));
        return status(StatusCode::from_u16(code).unwrap(), pause.as_slice());
    }
    serve(&page, request.headers(), &asked, fault)
}

fn serve(page: &Page, headers: &HeaderMap, asked: &Asked, fault: Option<Fault>) -> Response {
    let size = page.body.len();
    let same = asked.if_range.is_none() || asked.if_range == page.etag;
    let start = asked
        .range
        .as_deref()
        .filter(|_| same && !page.ignores_ranges)
        .and_then(|range| {
            range
                .strip_prefix("bytes=")?
                .split('-')
                .next()?
                .parse::<usize>()
                .ok()
        });
    let if_match = headers.get(header::IF_MATCH).map(|value| value.to_str().unwrap());
    if if_match.is_some() && if_match != page.etag.as_deref() {
        return status(StatusCode::PRECONDITION_FAILED, &[]);
    }
    if start.is_some_and(|start| start >= size) {
        return status(StatusCode::RANGE_NOT_SATISFIABLE, &[]);
    }
    let body = page.body.slice(start.unwrap_or(0)..);
    let mut response = Response::builder();
    if !page.hides_size {
        response = response.header(header::CONTENT_LENGTH, body.len());
    }
    if let Some(start) = start {
        response = response.status(StatusCode::PARTIAL_CONTENT).header(
            header::CONTENT_RANGE,
            format!("bytes {start}-{}/{size}", size - 1),
        );
    }
    let own = [
        ("etag", page.etag.clone()),
        ("content-type", page.content_type.map(str::to_owned)),
    ];
    let own = own.into_iter().filter_map(|(name, value)| Some((name, value?)));
    for (name, value) in own.chain(page.headers.iter().cloned()) {
        response = response.header(name, value);
    }
    let body = match (&asked.method, fault) {
        (&Method::HEAD, _) => Body::empty(),
        (_, Some(Fault::Break(after))) => ending(body.slice(..after.min(body.len())), true),
        (_, Some(Fault::Stall(after))) => ending(body.slice(..after.min(body.len())), false),
        _ if page.hides_size => Body::from_stream(futures_util::stream::iter([Ok::<_, Infallible>(body)])),
        _ => Body::from(body),
    };
    response.body(body).unwrap()
}

/// A body that breaks, or stops without ending, after `bytes`.
fn ending(bytes: Bytes, breaks: bool) -> Body {
    Body::from_stream(futures_util::stream::unfold(
        Some(bytes),
        move |bytes| async move {
            let Some(bytes) = bytes else {
                if breaks {
                    // Gives the connection the time to send what it has.
                    tokio::task::yield_now().await;
                    return Some((Err(std::io::Error::other("broken as told")), None));
                }
                return std::future::pending().await;
            };
            Some((Ok(bytes), None))
        },
    ))
}

fn status(status: StatusCode, headers: &[(&'static str, &str)]) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::empty()).unwrap()
}

/// A cache of its own, and what is needed to fetch into it.
pub struct Fetcher {
    pub cache: TempDir,
    pub options: FetchOptions,
    pub heard: Arc<Heard>,
}

impl Fetcher {
    pub fn new() -> Self {
        let cache = tempfile::tempdir().unwrap();
        let mut options = FetchOptions::new(cache.path());
        options.environment = Environment::default();
        options.retries = Retries {
            count: 3,
            first_pause: Duration::from_millis(1),
        };
        options.timeouts = Timeouts {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(10),
        };
        Self {
            cache,
            options,
            heard: Arc::default(),
        }
    }

    pub fn set(&mut self, variables: &[(&str, &str)]) {
        let variables = variables
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()));
        self.options.environment = variables.collect();
    }

    pub async fn fetch(&self, source: &str) -> Result<FetchedModel, FetchError> {
        let source: ModelSource = source.parse().unwrap();
        fetch(&source, &self.options, self.heard.as_ref()).await
    }

    /// Begins to fetch and gives up when `bytes` of `file` are there.
    pub async fn fetch_until(&self, source: &str, file: &str, bytes: u64) {
        let mut position = self.heard.watch(file);
        tokio::select! {
            result = self.fetch(source) => panic!("the fetch ended: {result:?}"),
            reached = position.wait_for(|&position| position >= bytes) => drop(reached.unwrap()),
        }
    }
}

/// Hears how a fetch goes on.
#[derive(Default)]
pub struct Heard {
    warnings: Mutex<Vec<String>>,
    finished: Mutex<Vec<String>>,
    positions: Mutex<HashMap<String, watch::Sender<u64>>>,
}

impl Heard {
    pub fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().unwrap())
    }

    /// Files that were downloaded, in alphabetical order.
    pub fn finished(&self) -> Vec<String> {
        let mut finished = std::mem::take(&mut *self.finished.lock().unwrap());
        finished.sort();
        finished
    }

    pub fn watch(&self, file: &str) -> watch::Receiver<u64> {
        let mut positions = self.positions.lock().unwrap();
        positions.entry(file.to_owned()).or_default().subscribe()
    }

    fn reach(&self, file: &str, position: u64) {
        let mut positions = self.positions.lock().unwrap();
        positions
            .entry(file.to_owned())
            .or_default()
            .send_replace(position);
    }
}

impl Progress for Heard {
    fn started(&self, file: &str, _size: Option<u64>, position: u64) {
        self.reach(file, position);
    }

    fn advanced(&self, file: &str, position: u64) {
        self.reach(file, position);
    }

    fn finished(&self, file: &str) {
        self.finished.lock().unwrap().push(file.to_owned());
    }

    fn warning(&self, message: &str) {
        self.warnings.lock().unwrap().push(message.to_owned());
    }
}

/// A model whose files differ with `seed`, as paths and contents.
pub fn model(seed: u8) -> Vec<(&'static str, Bytes)> {
    let onnx: Vec<u8> = (0..ONNX_BYTES)
        .map(|index| {
            let mixed = index.wrapping_mul(2_654_435_761) >> 7;
            mixed.to_le_bytes()[0] ^ seed
        })
        .collect();
    vec![
        ("config.json", Bytes::from(format!("{{\"seed\": {seed}}}"))),
        ("tokenizer.json", Bytes::from(format!("{{\"tokens\": {seed}}}"))),
        ("thresholds.json", Bytes::from("{}")),
        ("onnx/model.onnx", onnx.into()),
    ]
}

/// The ONNX file of a model.
pub fn onnx(seed: u8) -> Bytes {
    model(seed).pop().unwrap().1
}

/// Whether `folder` holds this model and nothing else but the note.
pub fn assert_is_model(folder: &Path, seed: u8) {
    for (path, content) in model(seed) {
        let found = std::fs::read(folder.join(path)).unwrap();
        assert!(found == content, "{path} differs");
    }
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "config.json",
            "onnx",
            "thresholds.json",
            "tokenizer.json",
            "toxicity-source.json"
        ]
    );
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

/// A tar of these files.
pub fn tar<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut head = tar::Header::new_gnu();
        head.set_size(content.len() as u64);
        head.set_mode(0o644);
        builder.append_data(&mut head, path, content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A tar of the model below `root`, which ends in a `/` or is empty.
pub fn tar_of_model(seed: u8, root: &str) -> Vec<u8> {
    let files: Vec<_> = model(seed)
        .into_iter()
        .map(|(path, content)| (format!("{root}{path}"), content))
        .collect();
    tar(files
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_ref())))
}

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn zstandard(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}

pub fn zip<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, content) in files {
        writer
            .start_file(path, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The message of an error with all its causes.
pub fn message(error: &FetchError) -> String {
    toxicity_service::error_chain(error)
}
