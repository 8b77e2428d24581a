//! Loads the model anew while the server serves, and puts it in the place of the old one without losing a request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use toxicity_api::ModelIdentity;
use toxicity_model_source::{FetchOptions, ModelSource, fetch, progress};

use crate::engine::{Engine, EngineOptions, LoadEngineError};
use crate::http::AppState;
use crate::metrics::Metrics;

/// Pause between two looks at whether anybody still uses the old model.
const DRAIN_PAUSE: Duration = Duration::from_millis(50);

/// What came of loading the model anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reloaded {
    /// Another model is in place.
    Swapped {
        /// The one before, if there was one.
        from: Option<ModelIdentity>,
        /// The one in place now.
        to: ModelIdentity,
    },
    /// It is the same; nothing was changed.
    Unchanged(ModelIdentity),
}

/// Loads the model that the server was told to serve.
pub struct ModelLoader {
    source: ModelSource,
    fetching: FetchOptions,
    options: EngineOptions,
    metrics: Arc<Metrics>,
    /// One at a time: each takes the memory of a model.
    loading: Mutex<()>,
}

impl ModelLoader {
    /// A loader of what `source` names.
    #[must_use]
    pub fn new(
        source: ModelSource,
        fetching: FetchOptions,
        options: EngineOptions,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            source,
            fetching,
            options,
            metrics,
            loading: Mutex::new(()),
        }
    }

    /// Loads the model, warms it up and puts it in place; the one before answers until then, and goes when the last
    /// request that uses it is answered. When loading fails the one before stays.
    ///
    /// # Errors
    /// When the model cannot be had or does not answer.
    pub async fn reload(&self, state: &AppState) -> Result<Reloaded, LoadEngineError> {
        let _turn = self.loading.lock().await;
        let started = Instant::now();
        let result = self.load_and_swap(state).await;
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &result {
            Ok(Reloaded::Swapped { to, .. }) => {
                self.metrics.reloads("swapped").inc();
                tracing::info!(
                    model = to.name,
                    revision = to.revision,
                    milliseconds,
                    "loaded a model"
                );
            }
            Ok(Reloaded::Unchanged(model)) => {
                self.metrics.reloads("unchanged").inc();
                tracing::info!(
                    model = model.name,
                    revision = model.revision,
                    "the model is the same as before"
                );
            }
            Err(error) => {
                self.metrics.reloads("failed").inc();
                let error = toxicity_service::error_chain(error);
                tracing::error!(%error, "failed to load a model; the one before goes on, if there is one");
            }
        }
        result
    }

    async fn load_and_swap(&self, state: &AppState) -> Result<Reloaded, LoadEngineError> {
        let progress = progress::on_standard_error();
        let fetched = fetch(&self.source, &self.fetching, &*progress).await?;
        if let Some(revision) = &fetched.revision {
            tracing::info!(source = %self.source, revision, downloaded = fetched.fetched, "the model is here");
        }
        let before = state.loaded();
        let present = before.as_ref().map(|engine| engine.model.clone());
        let options = EngineOptions {
            folder: fetched.folder,
            ..self.options.clone()
        };
        let metrics = Arc::clone(&self.metrics);
        let load = tokio::task::spawn_blocking(move || {
            let model = Engine::describe(&options)?;
            if present.as_ref() == Some(&model) {
                return Ok(None);
            }
            Engine::load(&options, &metrics).map(Some)
        });
        let Some(engine) = load.await.expect("loading does not panic")? else {
            let before = before.expect("only what is there can be the same");
            return Ok(Reloaded::Unchanged(before.model.identity.clone()));
        };
        let to = engine.model.identity.clone();
        let from = before.as_ref().map(|engine| engine.model.identity.clone());
        drop(before);
        if let Some(old) = state.set_engine(engine) {
            tokio::spawn(retire(old));
        }
        Ok(Reloaded::Swapped { from, to })
    }
}

/// Waits until nobody uses an engine and drops it where waiting for its sessions holds nobody up.
async fn retire(mut engine: Arc<Engine>) {
    loop {
        match Arc::try_unwrap(engine) {
            Ok(engine) => {
                let _ = tokio::task::spawn_blocking(move || drop(engine)).await;
                tracing::debug!("the model before is gone");
                return;
            }
            Err(still_used) => engine = still_used,
        }
        tokio::time::sleep(DRAIN_PAUSE).await;
    }
}
