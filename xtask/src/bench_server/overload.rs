//! Many times more requests than can be served: those that are let in must be in time, the others be told at once.

use std::path::Path;
use std::time::Duration;

use super::load::{Latencies, Load, OpenLoop, as_number, closed_loop, open_loop};
use super::plan::AIMED_CONNECTIONS;
use super::product::Product;
use super::texts::{Requests, Texts};
use crate::error::Error;

/// Times the capacity that is asked for.
const TIMES: f64 = 10.0;

/// Most requests under way: twice as many as the server has places for.
const CONNECTIONS: usize = 512;

/// Time in which a client wants its answer.
pub const DEADLINE: Duration = Duration::from_millis(800);

/// Time in which one that is refused should know.
pub const REFUSAL_LIMIT: Duration = Duration::from_millis(5);

/// Statuses of what is let in and comes too late, and of what is refused.
const LATE: u16 = 503;
const REFUSED: u16 = 429;

/// What an overload came to. Rates are per second, memory is in megabytes.
#[derive(Debug)]
pub struct Overload {
    /// Requests served before, without overload.
    pub capacity: f64,
    /// Requests served afterwards, without overload.
    pub afterwards: f64,
    /// The requests of the overload.
    pub load: Load,
    /// Answers to the liveness probe.
    pub probes: Latencies,
    /// Liveness probes that failed.
    pub failed_probes: u64,
    /// Memory of the server, once a second.
    pub memory: Vec<f64>,
}

impl Overload {
    /// Measures the capacity, sends ten times as much for `duration`, and measures the capacity again.
    ///
    /// # Errors
    /// When the server does not run.
    pub fn measure(
        product: &Product,
        model: &Path,
        texts: &Texts,
        sample: Duration,
        duration: Duration,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Measure {
            what: "an overload",
            source,
        };
        let subject = product.start(model)?;
        let mut requests = Requests::new(subject.path(), texts);
        let before =
            closed_loop(subject.target(), &mut requests, AIMED_CONNECTIONS, sample).map_err(failed)?;
        requests.set_headers(&format!("x-request-timeout: {}ms\r\n", DEADLINE.as_millis()));
        let how = OpenLoop {
            rate: TIMES * before.rate(),
            duration,
            connections: CONNECTIONS,
            probe_path: "/livez",
        };
        let overload = open_loop(subject.target(), &mut requests, how).map_err(failed)?;
        let after =
            closed_loop(subject.target(), &mut requests, AIMED_CONNECTIONS, sample).map_err(failed)?;
        Ok(Self {
            capacity: before.rate(),
            afterwards: after.rate(),
            load: overload.load,
            probes: overload.probes,
            failed_probes: overload.failed_probes,
            memory: overload.memory,
        })
    }

    /// Times of the requests that were served.
    pub fn served(&self) -> Latencies {
        self.load.served()
    }

    /// Times of the requests that were refused.
    pub fn refused(&self) -> Latencies {
        self.load.answers.get(&REFUSED).cloned().unwrap_or_default()
    }

    /// Requests that were let in.
    pub fn let_in(&self) -> u64 {
        self.served().count() + self.count(LATE)
    }

    /// Requests that were let in and given up when their time was over.
    pub fn given_up(&self) -> u64 {
        self.count(LATE)
    }

    /// Share of the requests that were let in whose score came in time, from 0 to 1.
    pub fn share_in_time(&self) -> f64 {
        let served = self.served();
        served.share_within(DEADLINE) * as_number(served.count()) / as_number(self.let_in())
    }

    /// Requests that got any other answer, or none.
    pub fn others(&self) -> u64 {
        self.load.requests() - self.let_in() - self.count(REFUSED)
    }

    fn count(&self, status: u16) -> u64 {
        self.load.answers.get(&status).map_or(0, Latencies::count)
    }

    /// Memory at the beginning, in the middle and at the end; the mean of some seconds each.
    pub fn memory_at(&self) -> [f64; 3] {
        let mean = |part: &[f64]| part.iter().sum::<f64>() / as_number(part.len() as u64);
        let count = self.memory.len();
        let width = (count / 10).max(1).min(count);
        [0, (count - width) / 2, count - width].map(|start| mean(&self.memory[start..start + width]))
    }
}
