//! The web server of Toxicity Monitor: static files of the web app, and its API calls passed to the model server
//! on the same origin, so that neither CORS nor a configured URL is needed in the browser.

mod assets;
mod config;
mod error;
mod metrics;
mod proxy;
mod router;
mod security_headers;

use toxicity_service::{Leaving, Server, listen, serve_until, start_logging, stop_requested};

pub use config::Config;
pub use error::Error;
pub use proxy::Upstream;
pub use router::router;

/// Serves until SIGTERM or Ctrl-C, then lets the calls in flight end within the drain limit.
///
/// # Errors
///
/// When the assets are not there, the metrics cannot be registered or the address cannot be taken.
pub async fn run(config: Config) -> Result<(), Error> {
    start_logging(&config.log)?;
    let application = router(&config)?;
    let listener = listen(config.listen).map_err(|source| Error::Listen {
        address: config.listen,
        source,
    })?;
    let address = listener.local_addr().map_err(Error::ReadAddress)?;
    tracing::info!(
        %address,
        upstream = %config.upstream,
        assets = %config.assets.display(),
        "listening on http://{address}"
    );

    let leaving = Leaving::default();
    let stop = async {
        stop_requested().await;
        tracing::info!("stopping: finishing running requests");
        leaving.linger(config.drain_delay.into()).await;
    };
    let limit = config.drain_timeout.into();
    serve_until(vec![Server::plain(listener, application)], &leaving, stop, limit).await;
    Ok(())
}
