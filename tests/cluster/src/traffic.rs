//! Steady load on a model server, of which every request counts.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Errors that are kept word by word.
const KEPT_ERRORS: usize = 8;

/// What became of the load.
#[derive(Debug, Clone, Default)]
pub struct TrafficReport {
    /// Requests sent.
    pub sent: u64,
    /// Requests without a right answer.
    pub lost: u64,
    /// The first of the errors, with their time since the beginning.
    pub errors: Vec<String>,
    /// The longest time that an answer took.
    pub slowest: Duration,
}

impl fmt::Display for TrafficReport {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(
            formatter,
            "{} of {} requests lost, the slowest took {:?}; {:?}",
            self.lost, self.sent, self.slowest, self.errors
        )
    }
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    sent: AtomicU64,
    report: Mutex<TrafficReport>,
}

/// Several clients that keep their connections, until it is ended or dropped.
pub struct Traffic {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

/// An agent that keeps a connection of its own and waits so long for an answer.
fn agent(limit: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(limit))
        .build()
        .new_agent()
}

/// Scores a text, and gives whether it is flagged.
///
/// # Errors
/// When there is no right answer.
fn score(agent: &ureq::Agent, address: &str, text: &str) -> Result<bool, String> {
    let mut answer = agent
        .post(address)
        .send_json(json!({"text": text}))
        .map_err(|error| error.to_string())?;
    let answer: Value = answer.body_mut().read_json().map_err(|error| error.to_string())?;
    let flagged = &answer["results"][0]["flagged"];
    flagged.as_bool().ok_or_else(|| format!("the answer is {answer}"))
}

impl Traffic {
    /// Starts `clients` that ask `address` (that of the route that scores), each again `pause` after its last answer.
    ///
    /// # Panics
    /// When no thread can be started.
    #[must_use]
    pub fn start(address: &str, clients: usize, pause: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let started = Instant::now();
        let clients = (0..clients)
            .map(|_| {
                let shared = Arc::clone(&shared);
                let address = address.to_owned();
                std::thread::spawn(move || {
                    let agent = agent(Duration::from_secs(15));
                    while !shared.stop.load(Ordering::SeqCst) {
                        let asked = Instant::now();
                        let result = score(&agent, &address, "You are a stupid idiot.");
                        let result = result.and_then(|flagged| {
                            if flagged {
                                Ok(())
                            } else {
                                Err("an insult is not flagged".to_owned())
                            }
                        });
                        shared.sent.fetch_add(1, Ordering::SeqCst);
                        let mut report = shared.report.lock().unwrap_or_else(PoisonError::into_inner);
                        report.slowest = report.slowest.max(asked.elapsed());
                        if let Err(error) = result {
                            report.lost += 1;
                            if report.errors.len() < KEPT_ERRORS {
                                report.errors.push(format!("{:.1?}: {error}", started.elapsed()));
                            }
                        }
                        drop(report);
                        std::thread::sleep(pause);
                    }
                })
            })
            .collect();
        Self { shared, clients }
    }

    /// What became of it so far.
    #[must_use]
    pub fn so_far(&self) -> TrafficReport {
        let report = self.shared.report.lock().unwrap_or_else(PoisonError::into_inner);
        TrafficReport {
            sent: self.shared.sent.load(Ordering::SeqCst),
            ..report.clone()
        }
    }

    /// Ends it.
    #[must_use]
    pub fn end(mut self) -> TrafficReport {
        self.join();
        self.so_far()
    }

    fn join(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for client in self.clients.drain(..) {
            // A client panics only when memory is short.
            let _ = client.join();
        }
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.join();
    }
}
