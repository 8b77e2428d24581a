//! Requests that come at a rate of their own, whether or not those before were answered, as they do from the world.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;

use super::{Latencies, Load, OK, Recorder, Target, generator_seconds};
use crate::bench_server::connection::Connection;
use crate::bench_server::texts::Requests;

/// The clock of the runtime goes in these steps, so requests become due in bursts that far apart.
const STEP: Duration = Duration::from_millis(1);

/// Time between looks at the server from the side.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);
const MEMORY_INTERVAL: Duration = Duration::from_secs(1);

/// Longest wait for answers after the last request.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// How requests come.
#[derive(Debug, Clone, Copy)]
pub struct OpenLoop {
    /// Requests per second.
    pub rate: f64,
    /// For how long.
    pub duration: Duration,
    /// Most requests under way. One that is due when all are taken waits, and its time counts from when it was due.
    pub connections: usize,
    /// Path that is asked by the side, ten times a second.
    pub probe_path: &'static str,
}

/// What came of it.
#[derive(Debug)]
pub struct OpenLoad {
    /// The requests.
    pub load: Load,
    /// Answers to the probe that said yes.
    pub probes: Latencies,
    /// Probes without one.
    pub failed_probes: u64,
    /// Memory of the server in megabytes, once a second.
    pub memory: Vec<f64>,
}

/// Requests that wait for a connection, by the moment they became due.
struct Due {
    moments: RefCell<VecDeque<Instant>>,
    count: Semaphore,
    under_way: Cell<usize>,
}

impl Due {
    fn left(&self) -> usize {
        self.under_way.get() + self.moments.borrow().len()
    }
}

/// Sends requests at a rate until the time is over, and waits for the last answers.
///
/// # Errors
/// When the server's process cannot be looked at.
pub fn open_loop(target: Target, requests: &mut Requests, how: OpenLoop) -> io::Result<OpenLoad> {
    let recorder = Recorder::default();
    recorder.is_on.set(true);
    let requests = RefCell::new(requests);
    let due = Due {
        moments: RefCell::default(),
        count: Semaphore::new(0),
        under_way: Cell::new(0),
    };
    let (probes, failed_probes) = (RefCell::default(), Cell::new(0));
    let memory = RefCell::default();

    let others: FuturesUnordered<_> = (0..how.connections)
        .map(|_| send_what_is_due(target, &due, &requests, &recorder).boxed_local())
        .collect();
    others.push(probe(target, how.probe_path, &probes, &failed_probes).boxed_local());
    others.push(watch_memory(target, &memory).boxed_local());
    let measure = async {
        let (server_before, generator_before) = (target.processor_seconds()?, generator_seconds()?);
        let started = Instant::now();
        make_due(&due, how).await;
        let seconds = started.elapsed().as_secs_f64();
        let server_cpu = target.processor_seconds()? - server_before;
        let generator_cpu = generator_seconds()? - generator_before;
        let last = Instant::now();
        while due.left() > 0 && last.elapsed() < LAST_ANSWERS {
            tokio::time::sleep(STEP).await;
        }
        Ok::<_, io::Error>(Load {
            seconds,
            answers: recorder.answers.take(),
            // What has no answer by now gets none.
            lost: recorder.lost.get() + due.left() as u64,
            server_cpu,
            generator_cpu,
        })
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let load = runtime.block_on(async {
        let mut others = others.take_until(measure.boxed_local());
        while others.next().await.is_some() {}
        others.take_result().expect("the others never end by themselves")
    })?;
    Ok(OpenLoad {
        load,
        probes: probes.into_inner(),
        failed_probes: failed_probes.get(),
        memory: memory.into_inner(),
    })
}

/// Makes requests due until the time is over.
async fn make_due(due: &Due, how: OpenLoop) {
    let started = Instant::now();
    let mut steps = tokio::time::interval(STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut made = 0;
    while started.elapsed() < how.duration {
        steps.tick().await;
        let now = Instant::now();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of requests is positive and far below 2^52"
        )]
        let until_now = (started.elapsed().as_secs_f64() * how.rate) as usize;
        due.moments
            .borrow_mut()
            .extend(std::iter::repeat_n(now, until_now - made));
        due.count.add_permits(until_now - made);
        made = until_now;
    }
}

/// Sends one request after another on a connection as they become due. Ends never.
async fn send_what_is_due(target: Target, due: &Due, requests: &RefCell<&mut Requests>, recorder: &Recorder) {
    let mut connection = Connection::new(target.address);
    let mut request = Vec::new();
    while let Ok(permit) = due.count.acquire().await {
        permit.forget();
        let moment = due
            .moments
            .borrow_mut()
            .pop_front()
            .expect("each permit has its moment");
        requests.borrow_mut().write_next(&mut request);
        due.under_way.update(|count| count + 1);
        let answer = connection.ask(&request).await;
        due.under_way.update(|count| count - 1);
        recorder.note(&answer, moment.elapsed());
    }
}

/// Asks a path by the side. Ends never.
async fn probe(target: Target, path: &str, answers: &RefCell<Latencies>, failed: &Cell<u64>) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut connection = Connection::new(target.address);
    let mut times = tokio::time::interval(PROBE_INTERVAL);
    loop {
        times.tick().await;
        let sent = Instant::now();
        match connection.ask(request.as_bytes()).await {
            Ok(OK) => answers.borrow_mut().record(sent.elapsed()),
            Ok(_) | Err(_) => failed.update(|count| count + 1),
        }
    }
}

/// Notes the memory of the server. Ends never.
async fn watch_memory(target: Target, memory: &RefCell<Vec<f64>>) {
    let mut times = tokio::time::interval(MEMORY_INTERVAL);
    loop {
        times.tick().await;
        // A server that has ended shows in the requests.
        memory
            .borrow_mut()
            .extend(target.memory().map(|memory| memory.now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench_server::load::{as_number, fixture};
    use crate::bench_server::texts::Texts;

    const HOW: OpenLoop = OpenLoop {
        rate: 500.0,
        duration: Duration::from_millis(400),
        connections: 4,
        probe_path: "/livez",
    };

    fn load(status: fn(usize) -> u16) -> OpenLoad {
        let mut requests = Requests::new("/", &Texts::comments("a text"));
        open_loop(fixture::target(status), &mut requests, HOW).unwrap()
    }

    #[test]
    fn requests_come_at_their_rate_and_all_are_answered() {
        let OpenLoad {
            load,
            probes,
            failed_probes,
            memory,
        } = load(|_| 429);
        let due = HOW.rate * load.seconds;
        assert!(
            (as_number(load.requests()) / due - 1.0).abs() < 0.1,
            "{due} {load:?}"
        );
        assert_eq!(load.answers[&429].count(), load.requests());
        assert!(probes.count() == 0 && failed_probes > 0 && memory[0] > 0.0);
    }

    #[test]
    fn requests_that_wait_for_a_connection_wait_for_the_server() {
        let OpenLoad { load, probes, .. } = load(|_| {
            std::thread::sleep(Duration::from_millis(20));
            200
        });
        // Four connections with 20 ms for each request serve 200 of the 500 requests a second.
        assert!(load.served().percentile(50.0) > 100.0, "{load:?}");
        assert!(probes.count() > 0);
    }
}
