//! What comes of sending requests: how many were answered how, and how long that took.

mod closed_loop;
mod open_loop;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hdrhistogram::Histogram;
use nix::sys::resource::UsageWho;

use super::process_usage::{self, Memory, rusage_seconds};

pub use closed_loop::closed_loop;
pub use open_loop::{OpenLoop, open_loop};

/// Longest time that is told from longer ones, in microseconds.
const LONGEST: u64 = 600_000_000;

/// Digits that times are kept with.
const DIGITS: u8 = 3;

/// The status of an answer to a request that was served.
const OK: u16 = 200;

/// A server that gets load.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process, with those below it.
    pub process: u32,
}

impl Target {
    /// Processor time that it has taken so far, in seconds.
    fn processor_seconds(self) -> io::Result<f64> {
        process_usage::processor_seconds(self.process)
    }

    /// Its memory.
    ///
    /// # Errors
    /// When it does not run.
    pub fn memory(self) -> io::Result<Memory> {
        process_usage::memory(self.process)
    }
}

/// Times from request to answer.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("the bounds are in order"))
    }
}

impl Latencies {
    fn record(&mut self, latency: Duration) {
        self.0
            .saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    /// Number of times.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Milliseconds that `percent` percent of them do not exceed.
    pub fn percentile(&self, percent: f64) -> f64 {
        milliseconds(self.0.value_at_percentile(percent))
    }

    /// Mean in milliseconds.
    pub fn mean(&self) -> f64 {
        self.0.mean() / 1e3
    }

    /// The longest in milliseconds.
    pub fn longest(&self) -> f64 {
        milliseconds(self.0.max())
    }

    /// Share of them that `limit` is enough for, from 0 to 1.
    pub fn share_within(&self, limit: Duration) -> f64 {
        self.0
            .percentile_below(u64::try_from(limit.as_micros()).unwrap_or(u64::MAX))
            / 100.0
    }
}

/// What came of a load.
#[derive(Debug)]
pub struct Load {
    /// Time in which it was measured.
    pub seconds: f64,
    /// Answers by their status.
    pub answers: BTreeMap<u16, Latencies>,
    /// Requests without an answer.
    pub lost: u64,
    /// Processor time of the server, in seconds.
    pub server_cpu: f64,
    /// Processor time of the load generator, in seconds.
    pub generator_cpu: f64,
}

impl Load {
    /// Times of the requests that were served.
    pub fn served(&self) -> Latencies {
        self.answers.get(&OK).cloned().unwrap_or_default()
    }

    /// Requests that were answered or lost.
    pub fn requests(&self) -> u64 {
        self.lost + self.answers.values().map(Latencies::count).sum::<u64>()
    }

    /// Requests that were not served.
    pub fn failures(&self) -> u64 {
        self.requests() - self.served().count()
    }

    /// Requests that were served per second.
    pub fn rate(&self) -> f64 {
        as_number(self.served().count()) / self.seconds
    }

    /// Processor time of the server for each answer, in milliseconds.
    pub fn server_cpu_per_request(&self) -> f64 {
        1e3 * self.server_cpu / as_number(self.requests())
    }
}

/// Processor time of the thread that sends the load, in seconds.
fn generator_seconds() -> io::Result<f64> {
    rusage_seconds(UsageWho::RUSAGE_THREAD)
}

/// Notes answers as they come.
#[derive(Default)]
struct Recorder {
    is_on: Cell<bool>,
    answers: RefCell<BTreeMap<u16, Latencies>>,
    lost: Cell<u64>,
}

impl Recorder {
    fn note(&self, answer: &io::Result<u16>, latency: Duration) {
        if !self.is_on.get() {
            return;
        }
        match answer {
            Ok(status) => self
                .answers
                .borrow_mut()
                .entry(*status)
                .or_default()
                .record(latency),
            Err(_) => self.lost.set(self.lost.get() + 1),
        }
    }
}

/// A count as a number to reckon with.
#[allow(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
pub fn as_number(count: u64) -> f64 {
    count as f64
}

fn milliseconds(microseconds: u64) -> f64 {
    as_number(microseconds) / 1e3
}

#[cfg(test)]
mod fixture {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::Target;

    /// A server in this process that answers a request by what `status` says of its number on its connection.
    pub fn target(status: fn(usize) -> u16) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || answer(stream.unwrap(), status));
            }
        });
        Target {
            address,
            process: std::process::id(),
        }
    }

    /// Each request comes in one piece, because the next one waits for the answer.
    fn answer(mut stream: TcpStream, status: fn(usize) -> u16) {
        let mut buffer = [0; 4096];
        for number in 0.. {
            if stream.read(&mut buffer).is_ok_and(|length| length == 0) {
                return;
            }
            let answer = format!(
                "HTTP/1.1 {} Something\r\ncontent-length: 2\r\n\r\nok",
                status(number)
            );
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}
