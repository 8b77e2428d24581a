//! Hands forward passes to the sessions: a bounded queue ordered by urgency, a thread per session.

mod policy;
mod queue;
mod throughput;
mod timings;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};

use crate::backend::{Backend, BackendError, Logits};
use crate::metrics::{Metrics, Stage};
use queue::{Popped, Queue, Refusal};
use throughput::Throughput;

pub use policy::{Batching, Policy, Requirements, Taken};
pub use timings::{StageTime, WorkTimings};

/// Passes that one request may have queued or running per session. Two keep a session busy while the next pass
/// is on its way; more would only let a large request push small ones back.
const LANE_PASSES_PER_SESSION: usize = 2;

/// Why a pass gave no logits.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The model failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The queue holds as many passes as it may.
    #[error("the queue of forward passes is full")]
    QueueFull,
    /// The time of its request was over before a session came to it.
    #[error("the time limit passed before a session was free")]
    Expired,
    /// The sessions are gone: the server stops.
    #[error("the sessions have stopped")]
    Stopped,
}

struct Pass {
    ids: Vec<u32>,
    queued_at: Instant,
    reply: oneshot::Sender<Result<PassOutcome, PassError>>,
}

struct PassOutcome {
    logits: Logits,
    queue: Duration,
    inference: Duration,
}

/// What runs the passes.
pub struct Backends {
    /// One for each session.
    pub sessions: Vec<Box<dyn Backend>>,
    /// Runs a pass on several cores together, in less time and with more work. It is for passes that are alone.
    pub joint: Option<JointBackend>,
}

/// A backend of several threads.
pub struct JointBackend {
    /// What runs the passes.
    pub backend: Box<dyn Backend>,
    /// How many threads it runs them on.
    pub threads: usize,
}

impl From<Vec<Box<dyn Backend>>> for Backends {
    fn from(sessions: Vec<Box<dyn Backend>>) -> Self {
        Self {
            sessions,
            joint: None,
        }
    }
}

/// The queue and the threads behind it. Dropping it lets the threads finish what is queued and waits for them.
pub struct Scheduler {
    queue: Arc<Queue<Pass>>,
    threads: Vec<JoinHandle<()>>,
    health: Arc<Health>,
    marks_tokens: bool,
}

#[derive(Default)]
struct Health {
    running_sessions: AtomicUsize,
    last_pass_failed: AtomicBool,
    throughput: Throughput,
}

impl Scheduler {
    /// Starts one thread per session. `max_requests` is how many lanes may be open at once; the queue has room for
    /// all of them.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        backends: impl Into<Backends>,
        max_requests: usize,
        batching: Batching,
        metrics: &Arc<Metrics>,
    ) -> std::io::Result<Self> {
        let Backends { sessions, joint } = backends.into();
        let marks_tokens = sessions.iter().all(|session| session.marks_tokens());
        let capacity = max_requests * sessions.len() * LANE_PASSES_PER_SESSION;
        let queue = Arc::new(Queue::new(sessions.len(), capacity, batching));
        let health = Arc::new(Health::default());
        let joint = joint.map(|joint| Arc::new(Mutex::new(joint)));
        let threads = sessions
            .into_iter()
            .enumerate()
            .map(|(index, backend)| {
                let session = Session {
                    index,
                    backend,
                    joint: joint.clone(),
                };
                let (queue, metrics) = (Arc::clone(&queue), Arc::clone(metrics));
                let running = RunningSession::enter(&health, &queue);
                std::thread::Builder::new()
                    .name(format!("session-{index}"))
                    .spawn(move || session.run(&queue, &metrics, &running))
            })
            .collect::<std::io::Result<Vec<_>>>()?;
        Ok(Self {
            queue,
            threads,
            health,
            marks_tokens,
        })
    }

    /// A place from which one request, which has `patience` from now on, sends its passes.
    #[must_use]
    pub fn lane(&self, patience: Duration) -> Lane<'_> {
        let width = self.sessions() * LANE_PASSES_PER_SESSION;
        let now = Instant::now();
        Lane {
            scheduler: self,
            places: Semaphore::new(width),
            width,
            patience,
            deadline: now.checked_add(patience).unwrap_or(now),
            timings: Mutex::default(),
        }
    }

    /// How many sessions were started.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.threads.len()
    }

    /// Whether passes say of each token too how toxic it is.
    #[must_use]
    pub fn marks_tokens(&self) -> bool {
        self.marks_tokens
    }

    /// Passes that wait.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        self.queue.len()
    }

    /// Tokens of the passes that wait.
    #[must_use]
    pub fn queued_tokens(&self) -> usize {
        self.queue.tokens()
    }

    /// Tokens that all sessions together have run per second lately; nothing before the first pass.
    #[must_use]
    pub fn tokens_per_second(&self) -> Option<f64> {
        let one = self.health.throughput.tokens_per_second()?;
        Some(one * throughput::float(self.threads.len()))
    }

    /// Whether every session's thread is alive.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.health.running_sessions.load(Ordering::Relaxed) == self.threads.len()
    }

    /// Whether the newest pass failed in the model.
    #[must_use]
    pub fn last_pass_failed(&self) -> bool {
        self.health.last_pass_failed.load(Ordering::Relaxed)
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // A session that panicked has already failed its requests and the liveness probe.
            let _ = thread.join();
        }
    }
}

/// Passes of one request, few at a time, so that requests of any size take turns.
pub struct Lane<'a> {
    scheduler: &'a Scheduler,
    places: Semaphore,
    width: usize,
    patience: Duration,
    deadline: Instant,
    timings: Mutex<WorkTimings>,
}

impl Lane<'_> {
    /// Where the time went so far.
    #[must_use]
    pub fn timings(&self) -> WorkTimings {
        *self.timings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the time that it took to make tokens of a text, from `begun` on.
    pub fn note_tokenization(&self, begun: Instant, time: Duration) {
        let mut timings = self.timings.lock().unwrap_or_else(PoisonError::into_inner);
        timings.add_tokenization(begun, time);
    }

    /// Passes that may be queued or running at once.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Logits of one sequence. Dropping the future takes the pass back if it has not begun.
    ///
    /// # Errors
    /// When the model fails, the queue is full, the time is over or the sessions have stopped.
    pub async fn logits(&self, ids: Vec<u32>) -> Result<Logits, PassError> {
        let _place = self.places.acquire().await.map_err(|_| PassError::Stopped)?;
        let (reply, answer) = oneshot::channel();
        let requirements = Requirements {
            tokens: ids.len(),
            patience: self.patience,
            deadline: self.deadline,
        };
        let queued_at = Instant::now();
        let pass = Pass {
            ids,
            queued_at,
            reply,
        };
        self.scheduler
            .queue
            .push(requirements, pass)
            .map_err(|refusal| match refusal {
                Refusal::Full => PassError::QueueFull,
                Refusal::Closed => PassError::Stopped,
            })?;
        let outcome = answer.await.map_err(|_| PassError::Stopped)??;
        let mut timings = self.timings.lock().unwrap_or_else(PoisonError::into_inner);
        timings.add_pass(queued_at, outcome.queue, outcome.inference);
        Ok(outcome.logits)
    }
}

/// Counts a session as running until its thread ends, be it by a panic. With the last one the queue ends, so that
/// nobody waits for an answer that cannot come.
struct RunningSession {
    health: Arc<Health>,
    queue: Arc<Queue<Pass>>,
}

impl RunningSession {
    fn enter(health: &Arc<Health>, queue: &Arc<Queue<Pass>>) -> Self {
        health.running_sessions.fetch_add(1, Ordering::Relaxed);
        Self {
            health: Arc::clone(health),
            queue: Arc::clone(queue),
        }
    }
}

impl Drop for RunningSession {
    fn drop(&mut self) {
        if self.health.running_sessions.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.queue.abandon();
        }
    }
}

/// What a session's thread works with.
struct Session {
    index: usize,
    backend: Box<dyn Backend>,
    /// For passes that are alone, of which there may be two for a moment.
    joint: Option<Arc<Mutex<JointBackend>>>,
}

impl Session {
    /// Runs passes until the queue ends.
    fn run(mut self, passes: &Queue<Pass>, metrics: &Metrics, running: &RunningSession) {
        crate::priority::stand_back();
        while let Some(Popped { taken, is_alone }) = passes.pop(self.index, |pass| pass.reply.is_closed()) {
            metrics.cancelled_passes.inc_by(taken.cancelled as u64);
            metrics.expired_passes.inc_by(taken.expired.len() as u64);
            for pass in taken.expired {
                // The asker may have left in the meantime; then the answer is for nobody, here and below.
                let _ = pass.reply.send(Err(PassError::Expired));
            }
            if taken.batch.is_empty() {
                continue;
            }
            let sequences: Vec<&[u32]> = taken.batch.iter().map(|pass| pass.ids.as_slice()).collect();
            let started = Instant::now();
            for pass in &taken.batch {
                metrics.observe_stage(Stage::Queue, started - pass.queued_at);
            }
            let (result, threads) = self.logits(&sequences, is_alone);
            let time = started.elapsed();
            let tokens: usize = sequences.iter().map(|ids| ids.len()).sum();
            let longest = sequences.iter().map(|ids| ids.len()).max().unwrap_or_default();
            metrics.observe_stage(Stage::Inference, time);
            metrics.observe_batch(sequences.len(), tokens, longest * sequences.len() - tokens);
            let health = &running.health;
            health.throughput.observe(tokens, time, threads);
            health.last_pass_failed.store(result.is_err(), Ordering::Relaxed);
            match result {
                Ok(logits) => {
                    for (pass, logits) in taken.batch.into_iter().zip(logits) {
                        let outcome = PassOutcome {
                            logits,
                            queue: started - pass.queued_at,
                            inference: time,
                        };
                        let _ = pass.reply.send(Ok(outcome));
                    }
                }
                Err(error) => {
                    metrics.exceptions.inc();
                    tracing::error!(%error, "forward pass failed");
                    for pass in taken.batch {
                        let _ = pass.reply.send(Err(PassError::Backend(error.clone())));
                    }
                }
            }
        }
    }

    /// Logits of a batch, and how many sessions could have run on its threads.
    fn logits(&mut self, batch: &[&[u32]], is_alone: bool) -> (Result<Vec<Logits>, BackendError>, usize) {
        // Taken when a pass that was alone a moment ago still runs: then this one is not.
        let joint = self.joint.as_ref().filter(|_| is_alone);
        match joint.and_then(|joint| joint.try_lock().ok()) {
            Some(mut joint) => (joint.backend.logits(batch), joint.threads),
            None => (self.backend.logits(batch), 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);

    /// Answers the number of ids, after being let through the gate.
    struct Gated(mpsc::Receiver<()>);

    impl Backend for Gated {
        fn logits(&mut self, batch: &[&[u32]]) -> Result<Vec<Logits>, BackendError> {
            self.0.recv().expect("the test holds the gate");
            let logits = batch.iter().map(|ids| match ids {
                [] => Err(BackendError::Run("no ids".to_owned())),
                ids => Ok(vec![f32::from(u16::try_from(ids.len()).unwrap())].into()),
            });
            logits.collect()
        }
    }

    fn scheduler(max_requests: usize) -> (Scheduler, mpsc::Sender<()>) {
        let (gate, through) = mpsc::channel();
        let metrics = Arc::new(Metrics::new());
        let backends: Vec<Box<dyn Backend>> = vec![Box::new(Gated(through))];
        let scheduler = Scheduler::start(backends, max_requests, Batching::Single, &metrics).unwrap();
        (scheduler, gate)
    }

    /// Answers who it is, after being let through the gate.
    struct Named(f32, Arc<Mutex<mpsc::Receiver<()>>>);

    impl Backend for Named {
        fn logits(&mut self, batch: &[&[u32]]) -> Result<Vec<Logits>, BackendError> {
            self.1.lock().unwrap().recv().expect("the test holds the gate");
            Ok(vec![vec![self.0].into(); batch.len()])
        }
    }

    #[tokio::test]
    async fn a_pass_alone_runs_on_all_cores() {
        let (gate, through) = mpsc::channel();
        let through = Arc::new(Mutex::new(through));
        let named = |name| Box::new(Named(name, Arc::clone(&through))) as Box<dyn Backend>;
        let backends = Backends {
            sessions: vec![named(1.0), named(1.0)],
            joint: Some(JointBackend {
                backend: named(2.0),
                threads: 2,
            }),
        };
        let metrics = Arc::new(Metrics::new());
        let scheduler = Scheduler::start(backends, 4, Batching::Single, &metrics).unwrap();
        let all_idle = async || {
            while scheduler.queue.idle() < 2 {
                tokio::task::yield_now().await;
            }
        };
        let lane = scheduler.lane(PATIENCE);
        for _ in 0..2 {
            all_idle().await;
            gate.send(()).unwrap();
            assert_eq!(lane.logits(vec![7]).await.unwrap().labels, [2.0]);
        }
        all_idle().await;
        let first = lane.logits(vec![7]);
        let second = lane.logits(vec![7]);
        tokio::pin!(first, second);
        assert!(futures_util::poll!(&mut first).is_pending());
        // The first one has begun alone; the second one finds company.
        while scheduler.queue_depth() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(futures_util::poll!(&mut second).is_pending());
        for _ in 0..2 {
            gate.send(()).unwrap();
        }
        let (first, second) = tokio::join!(first, second);
        assert_eq!(
            (first.unwrap().labels, second.unwrap().labels),
            (vec![2.0], vec![1.0])
        );
    }

    #[tokio::test]
    async fn a_pass_alone_is_the_work_of_the_threads_it_ran_on() {
        let (gate, through) = mpsc::channel();
        let through = Arc::new(Mutex::new(through));
        let named = |name| Box::new(Named(name, Arc::clone(&through))) as Box<dyn Backend>;
        let backends = Backends {
            sessions: std::iter::repeat_with(|| named(1.0)).take(8).collect(),
            joint: Some(JointBackend {
                backend: named(2.0),
                threads: 4,
            }),
        };
        let metrics = Arc::new(Metrics::new());
        let scheduler = Scheduler::start(backends, 1, Batching::Single, &metrics).unwrap();
        while scheduler.queue.idle() < 8 {
            tokio::task::yield_now().await;
        }
        gate.send(()).unwrap();
        let lane = scheduler.lane(PATIENCE);
        assert_eq!(lane.logits(vec![7; 100]).await.unwrap().labels, [2.0]);
        // Four of eight threads ran it, so that all could run two of its kind in the same time.
        let expected = 2.0 * 100.0 / lane.timings().inference.as_secs_f64();
        let rate = scheduler.tokens_per_second().unwrap();
        assert!((rate / expected - 1.0).abs() < 1e-6, "{rate} of {expected}");
    }

    #[tokio::test]
    async fn answers_each_pass_with_its_own_logits() {
        let (scheduler, gate) = scheduler(1);
        let lane = scheduler.lane(PATIENCE);
        for _ in 0..3 {
            gate.send(()).unwrap();
        }
        let (one, two, three) = tokio::join!(
            lane.logits(vec![7]),
            lane.logits(vec![7; 2]),
            lane.logits(vec![7; 3])
        );
        assert_eq!(
            (one.unwrap().labels, two.unwrap().labels, three.unwrap().labels),
            (vec![1.0], vec![2.0], vec![3.0])
        );
    }

    #[tokio::test]
    async fn a_failed_pass_shows_until_one_succeeds() {
        let (scheduler, gate) = scheduler(1);
        let lane = scheduler.lane(PATIENCE);
        gate.send(()).unwrap();
        assert!(lane.logits(Vec::new()).await.is_err());
        assert!(scheduler.last_pass_failed() && scheduler.is_alive());
        gate.send(()).unwrap();
        assert!(lane.logits(vec![1]).await.is_ok());
        assert!(!scheduler.last_pass_failed());
    }

    #[tokio::test]
    async fn cancelled_passes_cost_nothing() {
        let (scheduler, gate) = scheduler(4);
        {
            let lane = scheduler.lane(PATIENCE);
            let running = lane.logits(vec![1]);
            let waiting = lane.logits(vec![1; 2]);
            tokio::pin!(running, waiting);
            // Both are queued by their first poll, then both are dropped.
            assert!(futures_util::poll!(&mut running).is_pending());
            assert!(futures_util::poll!(&mut waiting).is_pending());
            while scheduler.queue_depth() > 1 {
                tokio::task::yield_now().await;
            }
        }
        // One gate opening lets the pass that had begun finish; the other one needs none.
        gate.send(()).unwrap();
        gate.send(()).unwrap();
        let logits = scheduler.lane(PATIENCE).logits(vec![1; 5]).await;
        assert_eq!(logits.unwrap().labels, [5.0]);
        assert_eq!(scheduler.queue_depth(), 0);
    }

    #[tokio::test]
    async fn what_is_too_late_is_not_run() {
        let (scheduler, gate) = scheduler(4);
        let (patient, hurried) = (scheduler.lane(PATIENCE), scheduler.lane(Duration::ZERO));
        let running = patient.logits(vec![1]);
        tokio::pin!(running);
        assert!(futures_util::poll!(&mut running).is_pending());
        while scheduler.queue_depth() > 0 {
            tokio::task::yield_now().await;
        }
        let late = hurried.logits(vec![1; 2]);
        tokio::pin!(late);
        assert!(futures_util::poll!(&mut late).is_pending());
        gate.send(()).unwrap();
        assert_eq!(running.await.unwrap().labels, [1.0]);
        assert!(matches!(late.await, Err(PassError::Expired)));
    }

    #[tokio::test]
    async fn a_lane_never_holds_more_than_its_places() {
        let (scheduler, gate) = scheduler(8);
        let lane = scheduler.lane(PATIENCE);
        let passes = futures_util::future::join_all((0..20).map(|_| lane.logits(vec![1])));
        tokio::pin!(passes);
        assert!(futures_util::poll!(&mut passes).is_pending());
        assert!(scheduler.queue_depth() <= LANE_PASSES_PER_SESSION);
        for _ in 0..20 {
            gate.send(()).unwrap();
        }
        assert!(passes.await.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn a_dead_session_is_noticed() {
        let (scheduler, gate) = scheduler(1);
        assert!(scheduler.is_alive());
        drop(gate); // the backend's `expect` panics on the next pass
        assert!(matches!(
            scheduler.lane(PATIENCE).logits(vec![1]).await,
            Err(PassError::Stopped)
        ));
        while scheduler.is_alive() {
            tokio::task::yield_now().await;
        }
        assert!(matches!(
            scheduler.lane(PATIENCE).logits(vec![1]).await,
            Err(PassError::Stopped)
        ));
    }
}
