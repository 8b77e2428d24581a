//! Serves HTTP until told to stop, and then lets what was begun end.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Serves each router on its listener until `stop` is done; then takes no new connections and gives running requests
/// `limit` to end. Gives what `stop` gave.
///
/// # Errors
/// When a listener fails.
pub async fn serve_until<T>(
    servers: Vec<(TcpListener, Router)>,
    stop: impl Future<Output = T>,
    limit: Duration,
) -> io::Result<T> {
    let (announce, announced) = watch::channel(false);
    let mut running = JoinSet::new();
    for (listener, router) in servers {
        running.spawn(serve(listener, router, announced.clone()));
    }
    let stopped = stop.await;
    // Nobody is left to tell when the servers have ended by themselves.
    let _ = announce.send(true);
    let drained = tokio::time::timeout(limit, async {
        while let Some(ended) = running.join_next().await {
            ended.map_err(io::Error::other)??;
        }
        io::Result::Ok(())
    });
    if let Ok(result) = drained.await {
        result?;
    } else {
        tracing::warn!(
            seconds = limit.as_secs(),
            "requests were still running at the end of the limit"
        );
    }
    Ok(stopped)
}

async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) -> io::Result<()> {
    // Answers are small; waiting to fill a packet would only delay them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "failed to set TCP_NODELAY");
        }
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            // An error means that the sender is gone, which is a stop too.
            let _ = stopped.wait_for(|&stopped| stopped).await;
        })
        .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use axum::routing::get;
    use tokio::sync::Notify;

    use super::*;

    /// Asks a server whose answer takes `answer`, tells it to stop while it works, and gives the answer's status and
    /// the time until the server was gone.
    async fn stop_while_working(answer: Duration, limit: Duration) -> (Option<u16>, Duration) {
        let begun = Arc::new(Notify::new());
        let handler = {
            let begun = Arc::clone(&begun);
            async move || {
                begun.notify_one();
                tokio::time::sleep(answer).await;
            }
        };
        let router = Router::new().route("/", get(handler));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = tokio::task::spawn_blocking(move || {
            ureq::get(url).call().ok().map(|answer| answer.status().as_u16())
        });
        let mut started = Instant::now();
        let stop = async {
            begun.notified().await;
            started = Instant::now();
            "told to"
        };
        assert_eq!(
            serve_until(vec![(listener, router)], stop, limit).await.unwrap(),
            "told to"
        );
        let elapsed = started.elapsed();
        let status = tokio::time::timeout(Duration::from_secs(1), asked).await;
        (status.ok().and_then(Result::unwrap), elapsed)
    }

    #[tokio::test]
    async fn what_was_begun_is_finished() {
        let (status, _) = stop_while_working(Duration::from_millis(300), Duration::from_secs(10)).await;
        assert_eq!(status, Some(200));
    }

    #[tokio::test]
    async fn what_does_not_end_is_left_behind() {
        let (_, elapsed) = stop_while_working(Duration::from_secs(5), Duration::from_millis(100)).await;
        assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    }
}
