//! A number of connections, each with one request under way at all times.

use std::cell::{Cell, RefCell};
use std::io;
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use super::{Load, Recorder, Target, generator_seconds};
use crate::bench_server::connection::Connection;
use crate::bench_server::texts::Requests;

/// Least time before measuring begins.
const WARM_UP: Duration = Duration::from_millis(500);

/// Measuring begins when every connection has had an answer, but not later than this.
const LONGEST_WARM_UP: Duration = Duration::from_secs(30);

/// Pause after a request that was lost, so that a server that is gone is not asked all the time.
const PAUSE: Duration = Duration::from_millis(10);

/// Keeps `connections` requests under way and measures for `duration`.
///
/// # Errors
/// When the server's process cannot be looked at.
pub fn closed_loop(
    target: Target,
    requests: &mut Requests,
    connections: usize,
    duration: Duration,
) -> io::Result<Load> {
    warmed(target, requests, connections, duration, LONGEST_WARM_UP)
}

fn warmed(
    target: Target,
    requests: &mut Requests,
    connections: usize,
    duration: Duration,
    longest_warm_up: Duration,
) -> io::Result<Load> {
    let recorder = Recorder::default();
    let requests = RefCell::new(requests);
    let unanswered = Cell::new(connections);
    let clients: FuturesUnordered<_> = (0..connections)
        .map(|_| async {
            let mut connection = Connection::new(target.address);
            let mut request = Vec::new();
            let mut is_first = true;
            loop {
                requests.borrow_mut().write_next(&mut request);
                let sent = Instant::now();
                let answer = connection.ask(&request).await;
                recorder.note(&answer, sent.elapsed());
                if answer.is_err() {
                    tokio::time::sleep(PAUSE).await;
                } else if std::mem::take(&mut is_first) {
                    unanswered.set(unanswered.get() - 1);
                }
            }
        })
        .collect();
    let measure = async {
        let begun = Instant::now();
        tokio::time::sleep(WARM_UP).await;
        while unanswered.get() > 0 && begun.elapsed() < longest_warm_up {
            tokio::time::sleep(PAUSE).await;
        }
        let (server_before, generator_before) = (target.processor_seconds()?, generator_seconds()?);
        let started = Instant::now();
        recorder.is_on.set(true);
        tokio::time::sleep(duration).await;
        Ok(Load {
            seconds: started.elapsed().as_secs_f64(),
            answers: recorder.answers.take(),
            lost: recorder.lost.get(),
            server_cpu: target.processor_seconds()? - server_before,
            generator_cpu: generator_seconds()? - generator_before,
        })
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut clients = clients.take_until(measure.boxed_local());
        while clients.next().await.is_some() {}
        clients
            .take_result()
            .expect("the clients never end by themselves")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench_server::load::fixture;
    use crate::bench_server::texts::Texts;

    #[test]
    fn answers_are_counted_by_their_status() {
        let target = fixture::target(|number| if number % 3 == 2 { 429 } else { 200 });
        let mut requests = Requests::new("/", &Texts::comments("a text"));
        let load = closed_loop(target, &mut requests, 8, Duration::from_millis(200)).unwrap();
        assert!(load.served().count() > 100 && load.lost == 0, "{load:?}");
        assert_eq!(load.failures(), load.answers[&429].count());
        let share = load.rate() * load.seconds / super::super::as_number(load.requests());
        assert!((share - 2.0 / 3.0).abs() < 0.05, "{share}");
        assert!(load.server_cpu_per_request() > 0.0);
    }

    #[test]
    fn requests_that_nobody_answers_are_lost() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Target {
            address: listener.local_addr().unwrap(),
            process: std::process::id(),
        };
        std::thread::spawn(move || listener.incoming().for_each(drop));
        let mut requests = Requests::new("/", &Texts::comments("a text"));
        let how_long = Duration::from_millis(100);
        let load = warmed(target, &mut requests, 2, how_long, how_long).unwrap();
        assert!(load.lost > 0 && load.served().count() == 0, "{load:?}");
    }
}
