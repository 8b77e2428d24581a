//! Binds, loads, serves and stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use toxicity_service::{Leaving, serve_until, stop_requested};

use crate::config::ServeArguments;
use crate::engine::{Engine, LoadEngineError};
use crate::http::{AppState, metrics_router, router};
use crate::metrics::Metrics;

/// Sessions that one thread for HTTP and tokenizing keeps busy: it takes some 0.1 ms per text and a session more than
/// 1 ms. Each further thread would take turns with the sessions on the same cores (measured: a tenth of the rate).
const SESSIONS_PER_HTTP_THREAD: usize = 4;

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
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: &ServeArguments) -> Result<(), ServeError> {
    let started = Instant::now();
    let metrics = Arc::new(Metrics::new());
    let state = AppState::new(
        arguments.limits(),
        arguments.request_timeout,
        Arc::clone(&metrics),
    );
    let mut servers = vec![(listen(arguments.listen, "--listen").await?, router(state.clone()))];
    if let Some(address) = arguments.metrics_listen {
        servers.push((
            listen(address, "--metrics-listen").await?,
            metrics_router(state.clone()),
        ));
    }

    // Probes answer from here on; the model loads beside them.
    let options = arguments
        .model
        .engine_options(usize::from(arguments.max_concurrent_requests));
    let load = tokio::task::spawn_blocking(move || Engine::load(&options, &metrics));
    let leaving = Leaving::default();
    let stop = async {
        tokio::select! {
            loaded = load => {
                let engine = loaded.expect("loading does not panic")?;
                announce(&engine, arguments, started.elapsed());
                state.set_engine(engine, started.elapsed());
                stop_requested().await;
            }
            () = stop_requested() => {}
        }
        tracing::info!("stopping: finishing running requests");
        state.begin_stopping();
        leaving.linger(arguments.shutdown_delay).await;
        Ok::<(), LoadEngineError>(())
    };
    serve_until(servers, &leaving, stop, arguments.shutdown_timeout).await?;
    tracing::info!("stopped");
    Ok(())
}

fn announce(engine: &Engine, arguments: &ServeArguments, elapsed: Duration) {
    tracing::info!(
        address = %format!("http://{}", arguments.listen),
        model = engine.model.identity.name,
        revision = engine.model.identity.revision,
        sessions = engine.scheduler().sessions(),
        window_tokens = engine.model.window_tokens,
        milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        "ready"
    );
}

async fn listen(address: SocketAddr, flag: &'static str) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen {
            address,
            flag,
            source,
        })
}
