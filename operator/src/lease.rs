//! Who leads, when several operators run: a Lease of the API server, as client-go's leader election writes it.
//!
//! Every write carries the resourceVersion that was read, so of two operators only one can take the lease. A leader
//! that cannot renew it in time stops at once: another may have taken over.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};

use crate::api_error::ApiError;

/// A part of the lease's duration: how often it is asked for or renewed.
const PARTS: u32 = 6;

/// A request that hangs must not outlast the lease.
const REQUEST_PART: u32 = 3;

/// How to lead.
#[derive(Debug, Clone)]
pub struct LeaseOptions {
    /// Name of the Lease.
    pub name: String,
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of this operator.
    pub identity: String,
    /// Time after which another takes over.
    pub duration: Duration,
}

/// Why an operator does not lead, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The Lease cannot be read or written at all.
    #[error(
        "failed to use lease \"{name}\" in namespace \"{namespace}\": this operator may not read or write it; apply its role"
    )]
    Forbid {
        /// The lease.
        name: String,
        /// Its namespace.
        namespace: String,
        /// What the API server says.
        source: ApiError,
    },
    /// Another leads, or nobody knows.
    #[error("failed to renew lease \"{0}\" in time: another operator may lead by now")]
    Lose(String),
}

/// What to do about a lease that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// Nobody leads: take it.
    Acquire,
    /// This operator leads: renew it.
    Renew,
    /// Another leads.
    Wait,
}

/// Watches a lease by its own clock: a lease is over when it was not changed for as long as it lasts. Comparing its time
/// with ours would trust the clock of another machine.
#[derive(Debug)]
struct Observer {
    seen: Option<(String, Option<MicroTime>)>,
    since: Instant,
}

impl Observer {
    fn new(now: Instant) -> Self {
        Self {
            seen: None,
            since: now,
        }
    }

    fn decide(&mut self, spec: &LeaseSpec, identity: &str, duration: Duration, now: Instant) -> Decision {
        let holder = spec.holder_identity.clone().unwrap_or_default();
        if holder.is_empty() {
            return Decision::Acquire;
        }
        if holder == identity {
            return Decision::Renew;
        }
        let seen = (holder, spec.renew_time.clone());
        if self.seen.as_ref() != Some(&seen) {
            self.seen = Some(seen);
            self.since = now;
        }
        let lasts = spec
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(duration, Duration::from_secs);
        if now.duration_since(self.since) >= lasts {
            Decision::Acquire
        } else {
            Decision::Wait
        }
    }
}

/// A lease that this operator holds.
#[derive(Debug)]
pub struct Leadership {
    api: Api<Lease>,
    options: LeaseOptions,
    renewed: Instant,
}

impl Leadership {
    /// Waits until this operator leads.
    ///
    /// # Errors
    /// When it may not read or write leases.
    pub async fn acquire(client: Client, options: LeaseOptions) -> Result<Self, LeaseError> {
        let api: Api<Lease> = Api::namespaced(client, &options.namespace);
        let mut observer = Observer::new(Instant::now());
        let mut waiting = false;
        loop {
            let asked = Instant::now();
            match step(&api, &options, &mut observer).await {
                Ok(true) => {
                    tracing::info!(lease = %options.name, identity = %options.identity, "this operator leads");
                    return Ok(Self {
                        api,
                        options,
                        renewed: asked,
                    });
                }
                Ok(false) => {
                    if !waiting {
                        let holder = observer
                            .seen
                            .as_ref()
                            .map_or("another", |(holder, _)| holder.as_str());
                        tracing::info!(lease = %options.name, %holder, "another operator leads; standing by");
                    }
                    waiting = true;
                }
                Err(source) if is_forbidden(&source) => {
                    return Err(LeaseError::Forbid {
                        name: options.name,
                        namespace: options.namespace,
                        source: source.into(),
                    });
                }
                Err(error) => {
                    tracing::warn!(error = %ApiError::from(error), "failed to ask for the lease");
                }
            }
            tokio::time::sleep(options.duration / PARTS).await;
        }
    }

    /// Renews the lease for as long as that goes well.
    pub async fn hold(&mut self) -> LeaseError {
        let mut observer = Observer::new(Instant::now());
        loop {
            tokio::time::sleep(self.options.duration / PARTS).await;
            let asked = Instant::now();
            match step(&self.api, &self.options, &mut observer).await {
                Ok(true) => self.renewed = asked,
                Ok(false) => return LeaseError::Lose(self.options.name.clone()),
                Err(error) => {
                    tracing::warn!(error = %ApiError::from(error), "failed to renew the lease");
                }
            }
            // Stop while the lease still lasts, so that two never lead at a time.
            let margin = self.options.duration / PARTS;
            if self.renewed.elapsed() + margin * 2 >= self.options.duration {
                return LeaseError::Lose(self.options.name.clone());
            }
        }
    }

    /// Gives the lease back, so that another operator need not wait for its end.
    pub async fn release(self) {
        let release = async {
            let mut lease = self.api.get(&self.options.name).await?;
            if let Some(spec) = lease.spec.as_mut()
                && spec.holder_identity.as_deref() == Some(self.options.identity.as_str())
            {
                spec.holder_identity = None;
                spec.renew_time = Some(now());
                self.api
                    .replace(&self.options.name, &PostParams::default(), &lease)
                    .await?;
            }
            Ok::<_, kube::Error>(())
        };
        match tokio::time::timeout(self.options.duration / REQUEST_PART, release).await {
            Ok(Ok(())) => tracing::info!("gave the lease back"),
            Ok(Err(error)) => {
                tracing::warn!(error = %ApiError::from(error), "failed to give the lease back");
            }
            Err(_) => tracing::warn!("failed to give the lease back in time"),
        }
    }
}

/// Reads the lease and takes or renews it when that is right. Gives whether this operator holds it now.
async fn step(
    api: &Api<Lease>,
    options: &LeaseOptions,
    observer: &mut Observer,
) -> Result<bool, kube::Error> {
    let step = async {
        let Some(mut lease) = api.get_opt(&options.name).await? else {
            return created(api.create(&PostParams::default(), &new_lease(options)).await);
        };
        let mut spec = lease.spec.take().unwrap_or_default();
        match observer.decide(&spec, &options.identity, options.duration, Instant::now()) {
            Decision::Wait => return Ok(false),
            Decision::Renew => {}
            Decision::Acquire => {
                spec.lease_transitions = Some(spec.lease_transitions.unwrap_or_default().saturating_add(1));
                spec.acquire_time = Some(now());
                spec.holder_identity = Some(options.identity.clone());
            }
        }
        spec.lease_duration_seconds = Some(seconds(options.duration));
        spec.renew_time = Some(now());
        lease.spec = Some(spec);
        created(api.replace(&options.name, &PostParams::default(), &lease).await)
    };
    match tokio::time::timeout(options.duration / REQUEST_PART, step).await {
        Ok(result) => result,
        Err(_) => Err(kube::Error::Service(
            "the API server did not answer in time".into(),
        )),
    }
}

/// A conflict means that another was faster.
fn created(result: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match result {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404))
}

fn new_lease(options: &LeaseOptions) -> Lease {
    Lease {
        metadata: ObjectMeta {
            name: Some(options.name.clone()),
            namespace: Some(options.namespace.clone()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            acquire_time: Some(now()),
            holder_identity: Some(options.identity.clone()),
            lease_duration_seconds: Some(seconds(options.duration)),
            lease_transitions: Some(0),
            renew_time: Some(now()),
            ..LeaseSpec::default()
        }),
    }
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

fn now() -> MicroTime {
    MicroTime(Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: Duration = Duration::from_secs(15);

    fn held_by(holder: &str, second: i64) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: Some(15),
            renew_time: Some(MicroTime(Timestamp::from_second(second).unwrap())),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn a_free_lease_is_taken_and_ones_own_renewed() {
        let now = Instant::now();
        let mut observer = Observer::new(now);
        let mut decide = |spec: &LeaseSpec| observer.decide(spec, "a", LASTS, now);
        assert_eq!(decide(&LeaseSpec::default()), Decision::Acquire);
        assert_eq!(decide(&held_by("", 1)), Decision::Acquire);
        assert_eq!(decide(&held_by("a", 1)), Decision::Renew);
    }

    #[test]
    fn anothers_lease_is_taken_only_after_it_was_not_renewed_for_as_long_as_it_lasts() {
        let start = Instant::now();
        let mut observer = Observer::new(start);
        let mut decide = |renewed: i64, after: u64| {
            observer.decide(
                &held_by("b", renewed),
                "a",
                LASTS,
                start + Duration::from_secs(after),
            )
        };
        assert_eq!(decide(100, 0), Decision::Wait);
        assert_eq!(decide(100, 14), Decision::Wait);
        assert_eq!(decide(101, 14), Decision::Wait);
        assert_eq!(decide(101, 28), Decision::Wait);
        assert_eq!(decide(101, 29), Decision::Acquire);
    }

    #[test]
    fn the_clock_of_the_leader_does_not_matter() {
        let start = Instant::now();
        let mut observer = Observer::new(start);
        // Renewed long ago by its clock, but seen for the first time now.
        assert_eq!(
            observer.decide(&held_by("b", 1), "a", LASTS, start),
            Decision::Wait
        );
    }
}
