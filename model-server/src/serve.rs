//! Binds, loads, serves and stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::ServeArguments;
use crate::engine::{Engine, LoadEngineError};
use crate::http::{AppState, metrics_router, router};
use crate::metrics::Metrics;
use crate::shutdown;

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
    /// The listener fails.
    #[error("failed to serve")]
    Serve(#[source] std::io::Error),
}

/// Serves until SIGTERM or Ctrl-C.
///
/// # Errors
/// When an address is taken, the model does not load or the listener fails.
pub fn run(arguments: &ServeArguments) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ServeError::StartRuntime)?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: &ServeArguments) -> Result<(), ServeError> {
    let started = Instant::now();
    let listener = listen(arguments.listen, "--listen").await?;
    let metrics = Arc::new(Metrics::new());
    let state = AppState::new(
        arguments.limits(),
        arguments.request_timeout,
        Arc::clone(&metrics),
    );

    let (stop, stopped) = watch::channel(false);
    let mut servers = vec![tokio::spawn(serve_router(
        listener,
        router(state.clone()),
        stopped.clone(),
    ))];
    if let Some(address) = arguments.metrics_listen {
        let listener = listen(address, "--metrics-listen").await?;
        servers.push(tokio::spawn(serve_router(
            listener,
            metrics_router(state.clone()),
            stopped,
        )));
    }

    // Probes answer from here on; the model loads beside them.
    let options = arguments
        .model
        .engine_options(usize::from(arguments.max_concurrent_requests));
    let load = tokio::task::spawn_blocking({
        let metrics = Arc::clone(&metrics);
        move || Engine::load(&options, &metrics)
    });
    tokio::select! {
        loaded = load => {
            let engine = loaded.expect("loading does not panic")?;
            announce(&engine, arguments, started.elapsed());
            metrics.startup_duration.set(started.elapsed().as_secs_f64());
            metrics.ready.set(1);
            state.set_engine(engine);
            shutdown::requested().await;
        }
        () = shutdown::requested() => {}
    }

    tracing::info!("stopping: finishing running requests");
    state.begin_stopping();
    metrics.ready.set(0);
    // Nobody is left to tell when the servers are gone already.
    let _ = stop.send(true);
    let drained = tokio::time::timeout(arguments.shutdown_timeout, async {
        for server in servers {
            server
                .await
                .expect("serving does not panic")
                .map_err(ServeError::Serve)?;
        }
        Ok::<(), ServeError>(())
    });
    if let Ok(result) = drained.await {
        result?;
    } else {
        tracing::warn!(
            seconds = arguments.shutdown_timeout.as_secs(),
            "requests were still running at the end of the shutdown timeout"
        );
    }
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

async fn serve_router(
    listener: TcpListener,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) -> std::io::Result<()> {
    // Answers are small; waiting to fill a packet would only delay them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "failed to set TCP_NODELAY");
        }
    });
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            // An error means that the sender is gone, which is a stop too.
            let _ = stopped.wait_for(|&stopped| stopped).await;
        })
        .await
}
