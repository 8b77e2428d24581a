//! Runs the operator: waits for its resource and for the lead, looks after monitors, and stops in good order.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use kube::api::ListParams;
use kube::client::ClientBuilder;
use kube::runtime::controller::Error as ControllerError;
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{Config as ControllerConfig, Controller, watcher};
use kube::{Api, Client, Config};
use tokio::sync::{mpsc, oneshot, watch};
use tower::util::MapRequestLayer;
use toxicity_crd::v1alpha1::ToxicityMonitor;
use toxicity_service::{Leaving, Server, error_chain, listen, serve_until, stop_requested};

use crate::api_error::ApiError;
use crate::arguments::RunArguments;
use crate::cache::{Cache, MonitorKey, Watched};
use crate::component::FIELD_MANAGER;
use crate::controller::validate::Defaults;
use crate::controller::{Context, GuardedMonitor, Memories, error_policy, reconcile};
use crate::discovery::{discover, keep_discovering, report};
use crate::health::{Health, Phase, router};
use crate::lease::{Leadership, LeaseError, LeaseOptions};
use crate::metrics::Metrics;
use crate::model_revision::ModelRevisions;
use crate::watching::{Trigger, Watching};

/// Time that looks under way get to end, and answers of the health routes.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Time between two tries to reach the API server or find the resource.
const WAIT: Duration = Duration::from_secs(3);

/// Changes within this time become one look: creating a monitor makes a dozen.
const DEBOUNCE: Duration = Duration::from_millis(300);

/// Why the operator stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no cluster.
    #[error("failed to find a cluster: run within one, or set KUBECONFIG")]
    FindCluster(#[source] Box<kube::config::InferConfigError>),
    /// The client cannot be made.
    #[error("failed to make a client for the cluster")]
    BuildClient(#[source] ApiError),
    /// The address is taken.
    #[error("failed to listen on {address}; choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Another leads.
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

/// A client that counts its requests.
///
/// # Errors
/// When the configuration is wrong.
pub fn client(config: Config, metrics: &Metrics) -> Result<Client, RunError> {
    let metrics = metrics.clone();
    let count = MapRequestLayer::new(move |request: http::Request<kube::client::Body>| {
        metrics.requested(request.method());
        request
    });
    let builder = ClientBuilder::try_from(config).map_err(|source| RunError::BuildClient(source.into()))?;
    Ok(builder.with_layer(&count).build())
}

/// Looks after the monitors of a cluster until SIGTERM or Ctrl-C.
///
/// # Errors
/// When there is no cluster, the address is taken or the lead is lost.
pub async fn run(arguments: RunArguments) -> Result<(), RunError> {
    let config = Config::infer()
        .await
        .map_err(|source| RunError::FindCluster(source.into()))?;
    let metrics = Metrics::new();
    let client = client(config, &metrics)?;
    let listener = listen(arguments.listen).map_err(|source| RunError::Listen {
        address: arguments.listen,
        source,
    })?;
    tracing::info!(
        address = %arguments.listen,
        version = env!("CARGO_PKG_VERSION"),
        namespace = arguments.watch_namespace.as_deref().unwrap_or("all"),
        "starting"
    );

    let (phase, watched_phase) = watch::channel(Phase::Waiting("the API server".to_owned()));
    let looking: Arc<Mutex<Option<Arc<Context>>>> = Arc::default();
    let observed = Arc::clone(&looking);
    let health = Health::new(watched_phase, metrics.clone(), move || {
        let context = observed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(context) = &*context {
            context.observe_monitors();
        }
    });
    let (end, ended) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        // Probes and scrapes need nobody to go elsewhere.
        serve_until(
            vec![Server::plain(listener, router(health))],
            &Leaving::default(),
            ended,
            STOP_LIMIT,
        )
        .await
    });

    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        stop_requested().await;
        tracing::info!("stopping: finishing what is under way");
        // Nobody is left to tell when the operator has ended by itself.
        let _ = stop.send(true);
    });

    let operator = Operator {
        arguments,
        client,
        metrics,
        phase,
        stopped,
        looking,
    };
    let result = operator.lead().await;
    // The server may have ended by itself.
    let _ = end.send(());
    let _ = server.await;
    result
}

struct Operator {
    arguments: RunArguments,
    client: Client,
    metrics: Metrics,
    phase: watch::Sender<Phase>,
    stopped: watch::Receiver<bool>,
    looking: Arc<Mutex<Option<Arc<Context>>>>,
}

impl Operator {
    async fn lead(self) -> Result<(), RunError> {
        let stopping = stop_told(self.stopped.clone());
        tokio::select! {
            () = self.wait_for_resource() => {}
            () = stopping => return Ok(()),
        }
        if self.arguments.lease.no_leader_election {
            self.metrics.leader.set(1);
            self.look_after(stop_told(self.stopped.clone())).await;
            return Ok(());
        }
        let mut leadership = tokio::select! {
            leadership = self.wait_for_lead() => leadership,
            () = stop_told(self.stopped.clone()) => return Ok(()),
        };
        self.metrics.leader.set(1);
        tokio::select! {
            () = self.look_after(stop_told(self.stopped.clone())) => {}
            error = leadership.hold() => {
                self.metrics.leader.set(0);
                return Err(error.into());
            }
        }
        leadership.release().await;
        Ok(())
    }

    fn lease_options(&self) -> LeaseOptions {
        let lease = &self.arguments.lease;
        let namespace = lease.lease_namespace.clone();
        LeaseOptions {
            name: lease.lease_name.clone(),
            namespace: namespace.unwrap_or_else(|| self.client.default_namespace().to_owned()),
            identity: lease.identity.clone().unwrap_or_else(default_identity),
            duration: lease.lease_duration,
        }
    }

    /// A role may be bound a moment after the operator starts.
    async fn wait_for_lead(&self) -> Leadership {
        loop {
            self.phase.send_replace(Phase::StandingBy);
            match Leadership::acquire(self.client.clone(), self.lease_options()).await {
                Ok(leadership) => return leadership,
                Err(error) => {
                    let what = error_chain(&error);
                    tracing::warn!("waiting for the right to lead: {what}");
                    self.phase.send_replace(Phase::Waiting(what));
                }
            }
            tokio::time::sleep(WAIT).await;
        }
    }

    /// Waits until the API server answers and knows the resource.
    async fn wait_for_resource(&self) {
        let api = self.monitors::<ToxicityMonitor>();
        loop {
            let what = match api.list_metadata(&ListParams::default().limit(1)).await {
                Ok(_) => return,
                Err(kube::Error::Api(status)) if status.code == 404 => {
                    "the CustomResourceDefinition of ToxicityMonitor; apply what `toxicity-operator crd` prints".to_owned()
                }
                Err(error) => format!("the API server: {}", ApiError::from(error)),
            };
            let change = Phase::Waiting(what.clone());
            if self
                .phase
                .send_if_modified(|phase| std::mem::replace(phase, change.clone()) != change)
            {
                tracing::warn!("waiting for {what}");
            }
            tokio::time::sleep(WAIT).await;
        }
    }

    fn monitors<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        match &self.arguments.watch_namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    async fn look_after(&self, stopping: impl Future<Output = ()> + Send + Sync + 'static) {
        self.phase.send_replace(Phase::Waiting(
            "the first list of everything that is watched".to_owned(),
        ));
        let cache = Arc::new(Cache::new());
        let (found, optional) = watch::channel(self.discover().await);
        let (triggers, triggered) = mpsc::unbounded_channel();
        let watching = Watching {
            client: self.client.clone(),
            namespace: self.arguments.watch_namespace.clone(),
            cache: Arc::clone(&cache),
            metrics: self.metrics.clone(),
            triggers,
        };
        // Dropping the set ends what it holds.
        let mut tasks = tokio::task::JoinSet::new();
        for watched in Watched::all() {
            tasks.spawn(watching.clone().watch(watched, optional.clone()));
        }
        tasks.spawn(keep_discovering(
            self.client.clone(),
            self.arguments.discovery_interval,
            self.metrics.clone(),
            found,
        ));
        let context = self.context(Arc::clone(&cache), optional.clone());
        *self.looking.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&context));

        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = self.wait_for_cache(&cache, &optional) => {}
            _ = stopped.wait_for(|&stopped| stopped) => return,
        }
        self.phase.send_replace(Phase::Leading);
        tracing::info!("looking after monitors");
        self.control(context, triggered, optional, stopping).await;
    }

    /// Looking with a cache that is not complete would apply everything anew.
    async fn wait_for_cache(
        &self,
        cache: &Cache,
        optional: &watch::Receiver<crate::discovery::OptionalKinds>,
    ) {
        for watched in Watched::all() {
            let kind = cache.kind(watched);
            loop {
                let absent = matches!(watched, Watched::Child(child) if child.is_optional() && !optional.borrow().contains(&child));
                if absent || tokio::time::timeout(WAIT, kind.completed()).await.is_ok() {
                    break;
                }
                let what = format!(
                    "the first list of {}; may this operator list and watch them?",
                    watched.as_str()
                );
                tracing::warn!("waiting for {what}");
                self.phase.send_replace(Phase::Waiting(what));
            }
        }
    }

    async fn discover(&self) -> crate::discovery::OptionalKinds {
        loop {
            match discover(&self.client).await {
                Ok(kinds) => {
                    report(&self.metrics, &kinds);
                    return kinds;
                }
                Err(error) => {
                    tracing::warn!(error = %ApiError::from(error), "failed to ask for optional APIs");
                }
            }
            tokio::time::sleep(WAIT).await;
        }
    }

    fn context(
        &self,
        cache: Arc<Cache>,
        optional: watch::Receiver<crate::discovery::OptionalKinds>,
    ) -> Arc<Context> {
        let in_cluster = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        let reporter = Reporter {
            controller: FIELD_MANAGER.to_owned(),
            instance: Some(self.lease_options().identity),
        };
        Arc::new(Context {
            client: self.client.clone(),
            cache,
            optional,
            defaults: Defaults {
                model_server_image: self.arguments.model_server_image.clone(),
                web_ui_image: self.arguments.web_ui_image.clone(),
                operator_namespace: in_cluster.then(|| self.client.default_namespace().to_owned()),
            },
            metrics: self.metrics.clone(),
            recorder: Recorder::new(self.client.clone(), reporter),
            resync: self.arguments.resync,
            revisions: ModelRevisions::new(in_cluster),
            memories: Memories::default(),
        })
    }

    async fn control(
        &self,
        context: Arc<Context>,
        mut triggered: mpsc::UnboundedReceiver<Trigger>,
        optional: watch::Receiver<crate::discovery::OptionalKinds>,
        stopping: impl Future<Output = ()> + Send + Sync + 'static,
    ) {
        let controller = Controller::new(self.monitors::<GuardedMonitor>(), watcher::Config::default())
            .with_config(
                ControllerConfig::default()
                    .concurrency(self.arguments.concurrency)
                    .debounce(DEBOUNCE),
            );
        let store = controller.store();
        let triggers = poll_fn(move |context| triggered.poll_recv(context)).flat_map(move |trigger| {
            let monitors = match trigger {
                Trigger::Monitor(key) => vec![reference(&key)],
                Trigger::All => store
                    .state()
                    .iter()
                    .map(|monitor| ObjectRef::from_obj(&**monitor))
                    .collect(),
            };
            futures_util::stream::iter(monitors)
        });
        let mut looks = std::pin::pin!(
            controller
                .reconcile_on(triggers)
                .reconcile_all_on(changes(optional))
                .graceful_shutdown_on(stopping)
                .run(
                    reconcile,
                    |monitor, error, context| error_policy(&monitor, error, &context),
                    Arc::clone(&context),
                )
        );
        while let Some(result) = looks.next().await {
            match result {
                // Told by the error policy already.
                Ok(_) | Err(ControllerError::ReconcilerFailed(..)) => {}
                Err(ControllerError::ObjectNotFound(reference)) => {
                    context.forget(&MonitorKey {
                        namespace: reference.namespace.unwrap_or_default(),
                        name: reference.name,
                    });
                }
                Err(error) => {
                    self.metrics.lost_watch("ToxicityMonitor");
                    tracing::warn!(error = %error_chain(&error), "the watch of monitors broke; it is begun again");
                }
            }
        }
    }
}

fn reference(key: &MonitorKey) -> ObjectRef<GuardedMonitor> {
    ObjectRef::new(&key.name).within(&key.namespace)
}

/// An item for each change.
fn changes<T: Clone + Send + Sync + 'static>(
    receiver: watch::Receiver<T>,
) -> impl futures_util::Stream<Item = ()> + Send + 'static {
    futures_util::stream::unfold(receiver, async |mut receiver| {
        receiver.changed().await.ok()?;
        Some(((), receiver))
    })
}

/// Completes when the operator is told to stop.
async fn stop_told(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is no order to stop.
    if stopped.wait_for(|&stopped| stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The host name, which within a cluster is the name of the pod, and the process, so that two on one host differ.
fn default_identity() -> String {
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    format!(
        "{}_{}",
        host.unwrap_or_else(|| "operator".to_owned()),
        std::process::id()
    )
}
