//! When to stop.

use tokio::signal::ctrl_c;

/// Completes at the first SIGTERM or Ctrl-C.
pub async fn stop_requested() {
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "failed to listen for SIGTERM; only Ctrl-C stops this server");
                std::future::pending::<()>().await;
            }
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = ctrl_c() => {}
        () = terminated => {}
    }
}
