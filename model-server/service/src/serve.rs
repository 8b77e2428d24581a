//! Serves HTTP until told to stop, and then lets what was begun end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::{HeaderValue, Version, header};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::{Leaving, Tls};

/// Longest time for the head of a request, and longest rest of a connection between two. Longer than clients and
/// proxies keep connections they mean to use again.
const HEADER_LIMIT: Duration = Duration::from_mins(1);

/// Longest time to agree on TLS.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Pause after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that may wait to be accepted. A burst of more would have its clients try again after a second; the
/// system may allow fewer.
const BACKLOG: u32 = 4096;

/// Listens on an address. Must be called within a runtime.
///
/// # Errors
/// When the address is taken or is none of this machine.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A server that starts anew need not wait until the connections of the one before are forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Where a router is served.
pub struct Server {
    /// Takes its connections.
    pub listener: TcpListener,
    /// Answers.
    pub router: Router,
    /// Encrypts, if it is asked to.
    pub tls: Option<Tls>,
}

impl Server {
    /// Without encryption.
    #[must_use]
    pub fn plain(listener: TcpListener, router: Router) -> Self {
        Self {
            listener,
            router,
            tls: None,
        }
    }
}

/// Serves each server by HTTP/1 and HTTP/2 until `stop` is done; then takes no new connections and gives running requests
/// `limit` to end. From the moment that `leaving` has begun, answers end their connections. Gives what `stop` gave.
/// Handlers find the peer in `ConnectInfo<SocketAddr>`.
pub async fn serve_until<T>(
    servers: Vec<Server>,
    leaving: &Leaving,
    stop: impl Future<Output = T>,
    limit: Duration,
) -> T {
    let (announce, announced) = watch::channel(false);
    let mut running = JoinSet::new();
    for server in servers {
        running.spawn(serve(server, leaving.clone(), HEADER_LIMIT, announced.clone()));
    }
    let stopped = stop.await;
    // Nobody is left to tell when the servers have ended by themselves.
    let _ = announce.send(true);
    if tokio::time::timeout(limit, running.join_all()).await.is_err() {
        tracing::warn!(
            seconds = limit.as_secs(),
            "requests were still running at the end of the limit"
        );
    }
    stopped
}

async fn serve(server: Server, leaving: Leaving, header_limit: Duration, mut stopped: watch::Receiver<bool>) {
    let Server {
        listener,
        router,
        tls,
    } = server;
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    protocol
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_limit);
    protocol
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(header_limit);
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // An error means that the sender is gone, which is a stop too.
            _ = stopped.wait_for(|&stopped| stopped) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let stream = without_delay(stream);
                let service = service(&router, &leaving, peer);
                let watcher = connections.watcher();
                let protocol = protocol.clone();
                match tls.as_ref().map(Tls::acceptor) {
                    None => {
                        let connection = protocol.serve_connection(TokioIo::new(stream), service);
                        tokio::spawn(run(watcher.watch(connection.into_owned())));
                    }
                    Some(acceptor) => {
                        tokio::spawn(async move {
                            match tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await {
                                Ok(Ok(stream)) => {
                                    let connection = protocol.serve_connection(TokioIo::new(stream), service);
                                    run(watcher.watch(connection.into_owned())).await;
                                }
                                Ok(Err(error)) => tracing::debug!(%error, "a client did not agree on TLS"),
                                Err(_) => tracing::debug!("a client took too long to agree on TLS"),
                            }
                        });
                    }
                }
            }
            Err(error) => {
                // A client that left in the queue is nothing; no file descriptors left is over when others leave.
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn run<E: std::fmt::Display>(connection: impl Future<Output = Result<(), E>>) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection ended early");
    }
}

/// Answers are small; waiting to fill a packet would only delay them.
fn without_delay(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "failed to set TCP_NODELAY");
    }
    stream
}

fn service(
    router: &Router,
    leaving: &Leaving,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    http::Request<Incoming>,
    Response = Response,
    Error = Infallible,
    Future: Send + 'static,
> + Send
+ 'static {
    let router = router.clone();
    let leaving = leaving.clone();
    hyper::service::service_fn(move |request: http::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let version = request.version();
        let answer = router.clone().oneshot(request);
        let leaving = leaving.clone();
        async move {
            let mut answer = answer.await?;
            // HTTP/2 has another way to end a connection, which comes when the server stops.
            if leaving.has_begun() && version <= Version::HTTP_11 {
                answer
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(answer)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
            serve_until(
                vec![Server::plain(listener, router)],
                &Leaving::default(),
                stop,
                limit
            )
            .await,
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

    #[tokio::test]
    async fn a_client_that_never_ends_its_head_is_sent_away() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_stop, stopped) = watch::channel(false);
        tokio::spawn(serve(
            Server::plain(listener, Router::new()),
            Leaving::default(),
            Duration::from_millis(100),
            stopped,
        ));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(5), read)
            .await
            .expect("the server closes")
            .unwrap();
    }

    #[tokio::test]
    async fn a_server_that_is_leaving_answers_and_ends_each_connection() {
        let router = Router::new().route("/", get(async || "here"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let leaving = Leaving::default();
        let stop = async {
            let mut early = TcpStream::connect(address).await.unwrap();
            let before = ask(&mut early).await;
            assert!(!before.contains("connection: close"), "{before}");
            let linger = leaving.linger(Duration::from_millis(300));
            let meanwhile = async {
                // One that was there already, and one that still comes.
                let mut late = TcpStream::connect(address).await.unwrap();
                for stream in [&mut early, &mut late] {
                    let answer = ask(stream).await;
                    assert!(
                        answer.contains("connection: close") && answer.ends_with("here"),
                        "{answer}"
                    );
                }
            };
            tokio::join!(linger, meanwhile);
        };
        let limit = Duration::from_secs(5);
        serve_until(vec![Server::plain(listener, router)], &leaving, stop, limit).await;
    }

    async fn ask(stream: &mut TcpStream) -> String {
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"here") {
            let mut part = [0; 1024];
            let read = stream.read(&mut part).await.unwrap();
            assert!(
                read > 0,
                "the answer is cut: {}",
                String::from_utf8_lossy(&answer)
            );
            answer.extend_from_slice(&part[..read]);
        }
        String::from_utf8(answer).unwrap()
    }
}
