//! Binds, loads, serves and stops.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use toxicity_access::{LoadKeyRingError, WatchedKeyRing};
use toxicity_model_source::{FetchOptions, ModelSource};
use toxicity_service::{
    Leaving, LoadTlsError, Server, StartTracesError, Tls, TracedServer, Traces, serve_until, stop_requested,
};

use crate::config::ServeArguments;
use crate::engine::{EngineOptions, LoadEngineError};
use crate::http::{AppState, Services, Settings, metrics_router, router};
use crate::metrics::Metrics;
use crate::recording::{OpenError, Recording};
use crate::reload::ModelLoader;
use crate::shadow::{self, Shadow};

/// Sessions that one thread for HTTP and tokenizing keeps busy: it takes some 0.1 ms per text and a session more than
/// 1 ms. Each further thread would take turns with the sessions on the same cores (measured: a tenth of the rate).
const SESSIONS_PER_HTTP_THREAD: usize = 4;

/// How often the file of API keys is looked at.
const KEYS_PAUSE: Duration = Duration::from_secs(5);

/// Longest time for writing the records that wait, after the last request is answered.
const RECORD_CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest time for sending the traces that wait, after the last request is answered.
const TRACES_STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Why serving failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No runtime.
    #[error("failed to start the asynchronous runtime")]
    StartRuntime(#[source] std::io::Error),
    /// The address cannot be had.
    #[error("failed to listen on {address}; choose another with {flag}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The file with the address of the database cannot be read.
    #[error("failed to read the address of the database from \"{path}\"")]
    ReadRecordsUrl {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The API keys are of no use.
    #[error(transparent)]
    LoadKeys(#[from] LoadKeyRingError),
    /// The certificate is of no use.
    #[error(transparent)]
    LoadTls(#[from] LoadTlsError),
    /// The collector of traces is of no use.
    #[error(transparent)]
    StartTraces(#[from] StartTracesError),
    /// The database of records does not open.
    #[error("failed to open the database of records")]
    OpenRecords(#[from] OpenError),
    /// The model does not load.
    #[error(transparent)]
    LoadEngine(#[from] LoadEngineError),
}

/// Serves until SIGTERM or Ctrl-C.
///
/// # Errors
/// When an address is taken or the model does not load.
pub fn run(arguments: &ServeArguments) -> Result<(), ServeError> {
    let sessions = arguments.model.sessions();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(sessions.div_ceil(SESSIONS_PER_HTTP_THREAD))
        .enable_all()
        .build()
        .map_err(ServeError::StartRuntime)?;
    runtime.block_on(serve_traced(arguments))
}

/// Serves, and sends the last traces whatever comes of it.
async fn serve_traced(arguments: &ServeArguments) -> Result<(), ServeError> {
    let server = TracedServer {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        encrypted: arguments.tls.tls_certificate.is_some(),
    };
    let traces = Traces::start(&arguments.traces, server)?;
    // The future is large, and there is one.
    let outcome = Box::pin(serve(arguments, traces.clone())).await;
    if let Some(traces) = traces {
        traces.stop(TRACES_STOP_TIMEOUT).await;
    }
    outcome.inspect(|()| tracing::info!("stopped"))
}

async fn serve(arguments: &ServeArguments, traces: Option<Traces>) -> Result<(), ServeError> {
    let started = Instant::now();
    let metrics = Arc::new(Metrics::new());
    let settings = Settings {
        limits: arguments.limits(),
        request_timeout: arguments.request_timeout,
        normalize: arguments.normalize,
        cors_origins: arguments.cors_origins.clone(),
    };
    let services = Services {
        traces,
        ..services(arguments, &metrics).await?
    };
    let state = AppState::new(settings, services, metrics);
    let tls = Tls::load(&arguments.tls)?;
    let mut servers = vec![Server {
        listener: listen(arguments.listen, "--listen")?,
        router: router(state.clone()),
        tls: tls.clone(),
    }];
    if let Some(address) = arguments.metrics_listen {
        let listener = listen(address, "--metrics-listen")?;
        servers.push(Server::plain(listener, metrics_router(state.clone())));
    }

    let leaving = Leaving::default();
    let stop = async {
        // Probes answer from here on; the model loads beside them.
        tokio::select! {
            result = load(&state) => result?,
            () = stop_requested() => return Ok(()),
        }
        let elapsed = started.elapsed();
        state.metrics().startup_duration.set(elapsed.as_secs_f64());
        announce(&state, arguments, elapsed);
        if let Some(source) = &arguments.shadow_model {
            tokio::spawn(load_shadow(
                state.clone(),
                source.clone(),
                arguments.model.fetch_options(),
                arguments.model.engine_options(1),
                arguments.shadow_percent,
            ));
        }
        tokio::select! {
            () = reload_on_request(&state) => {}
            () = stop_requested() => {}
        }
        Ok::<(), LoadEngineError>(())
    };
    let stop = async {
        stop.await?;
        tracing::info!("stopping: finishing running requests");
        state.begin_stopping();
        leaving.linger(arguments.shutdown_delay).await;
        Ok::<(), LoadEngineError>(())
    };
    tokio::select! {
        stopped = serve_until(servers, &leaving, stop, arguments.shutdown_timeout) => stopped?,
        never = look_after(&state, arguments.records_retention, tls.as_ref()) => match never {},
    }
    if let Some(recording) = state.recording() {
        recording.close(RECORD_CLOSE_TIMEOUT).await;
    }
    Ok(())
}

/// What the server has besides its model.
async fn services(arguments: &ServeArguments, metrics: &Arc<Metrics>) -> Result<Services, ServeError> {
    let model = &arguments.model;
    let loader = ModelLoader::new(
        model.model.clone(),
        model.fetch_options(),
        model.engine_options(usize::from(arguments.max_concurrent_requests)),
        Arc::clone(metrics),
    );
    let recording = match arguments.records_url()? {
        Some(url) => Some(Recording::open(&url, metrics).await?),
        None => None,
    };
    let keys = arguments.api_keys_file.as_ref().map(WatchedKeyRing::open);
    Ok(Services {
        loader: Some(loader),
        recording,
        keys: keys.transpose()?.map(Arc::new),
        traces: None,
    })
}

/// Keeps what changes while the server runs as it should be: records, certificate, keys.
async fn look_after(state: &AppState, retention: Option<Duration>, tls: Option<&Tls>) -> Infallible {
    let records = async {
        match state.recording() {
            Some(recording) => recording.look_after(retention).await,
            None => std::future::pending().await,
        }
    };
    let certificate = async {
        match tls {
            Some(tls) => tls.keep_fresh().await,
            None => std::future::pending().await,
        }
    };
    if let Some(keys) = state.keys() {
        tokio::spawn(Arc::clone(keys).watch(KEYS_PAUSE));
    }
    tokio::select! {
        never = records => never,
        never = certificate => never,
    }
}

impl ServeArguments {
    /// URL of the database of records, if there is one.
    fn records_url(&self) -> Result<Option<String>, ServeError> {
        match (&self.records_url, &self.records_url_file) {
            (Some(url), _) => Ok(Some(url.clone())),
            (None, Some(path)) => {
                let url = std::fs::read_to_string(path).map_err(|source| ServeError::ReadRecordsUrl {
                    path: path.clone(),
                    source,
                })?;
                Ok(Some(url.trim().to_owned()))
            }
            (None, None) => Ok(None),
        }
    }
}

async fn load(state: &AppState) -> Result<(), LoadEngineError> {
    let loader = state.loader().expect("this server loads its model");
    loader.reload(state).await.map(|_| ())
}

/// Loads the second model beside a server that answers; without it the first goes on alone.
async fn load_shadow(
    state: AppState,
    source: ModelSource,
    fetching: FetchOptions,
    options: EngineOptions,
    percent: u8,
) {
    match shadow::load(&source, &fetching, options, state.metrics()).await {
        Ok(engine) => {
            let identity = engine.model.identity.clone();
            state.set_shadow(Shadow::start(engine, percent, state.metrics()));
            tracing::info!(
                model = identity.name,
                revision = identity.revision,
                percent,
                "comparing with a second model"
            );
        }
        Err(error) => {
            let error = toxicity_service::error_chain(&error);
            tracing::error!(%source, %error, "failed to load the second model; nothing is compared");
        }
    }
}

/// Loads the model anew at each SIGHUP. Ends never.
async fn reload_on_request(state: &AppState) {
    #[cfg(unix)]
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
        Ok(mut hangup) => {
            while hangup.recv().await.is_some() {
                // What came of it is logged and counted where it is done.
                let _ = load(state).await;
            }
        }
        Err(error) => {
            tracing::warn!(%error, "failed to listen for SIGHUP; POST /v1/admin/reload loads a model anew");
        }
    }
    std::future::pending::<()>().await;
}

fn announce(state: &AppState, arguments: &ServeArguments, elapsed: Duration) {
    let Some(engine) = state.loaded() else { return };
    let scheme = match arguments.tls.tls_certificate {
        Some(_) => "https",
        None => "http",
    };
    tracing::info!(
        address = %format!("{scheme}://{}", arguments.listen),
        model = engine.model.identity.name,
        revision = engine.model.identity.revision,
        sessions = engine.scheduler().sessions(),
        window_tokens = engine.model.window_tokens,
        spans = engine.span_method().name(),
        milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        "ready"
    );
}

fn listen(address: SocketAddr, flag: &'static str) -> Result<TcpListener, ServeError> {
    toxicity_service::listen(address).map_err(|source| ServeError::Listen {
        address,
        flag,
        source,
    })
}
