//! What became of the requests of the overload.

use std::time::Duration;

use super::percent;
use crate::bench_server::load::{Latencies, as_number};
use crate::bench_server::overload::{DEADLINE, Overload};
use crate::bench_server::plan::AIMED_CONNECTIONS;
use crate::bench_server::table::Table;

/// The requests of an overload that took `duration` by their answers, and the memory of the server.
pub fn section(overload: &Overload, duration: Duration) -> String {
    let (served, refused) = (overload.served(), overload.refused());
    let requests = overload.load.requests();
    let mut table = Table::new(&[
        "",
        "requests",
        "share",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "longest ms",
    ]);
    let mut row = |name: &str, latencies: &Latencies, share: String| {
        table.row([
            name.to_owned(),
            latencies.count().to_string(),
            share,
            format!("{:.2}", latencies.percentile(50.0)),
            format!("{:.2}", latencies.percentile(99.0)),
            format!("{:.2}", latencies.percentile(99.9)),
            format!("{:.2}", latencies.longest()),
        ]);
    };
    let share = |latencies: &Latencies| percent(as_number(latencies.count()) / as_number(requests));
    row("scored (200)", &served, share(&served));
    row("refused (429)", &refused, share(&refused));
    row("liveness probe", &overload.probes, String::new());
    let [start, middle, end] = overload.memory_at();
    let highest = overload.memory.iter().copied().fold(0.0, f64::max);
    format!(
        "## Overload\n\n\
             Without overload {AIMED_CONNECTIONS} connections got {:.0} answers/s. Then {:.0} requests/s, {:.1} times as \
             many, came for {}, whether or not those before were answered, each with a deadline of {} ms: {:.0} were \
             scored per second, {:.2} of what it was without. {} of those let in were in time, {} were given up (503), {} \
             requests got another answer or none. Afterwards {AIMED_CONNECTIONS} connections got {:.2} of the rate \
             before. The load generator took {} of a core.\n\n{}\n\
             Memory: {start:.0} MB in the first tenth, {middle:.0} MB in the middle, {end:.0} MB in the last tenth, \
             {highest:.0} MB at most. The cache, which takes 32 MiB, fills in that time.\n",
        overload.capacity,
        as_number(requests) / overload.load.seconds,
        as_number(requests) / overload.load.seconds / overload.capacity,
        humantime::format_duration(duration),
        DEADLINE.as_millis(),
        overload.load.rate(),
        overload.load.rate() / overload.capacity,
        percent(overload.share_in_time()),
        overload.given_up(),
        overload.others(),
        overload.afterwards / overload.capacity,
        percent(overload.load.generator_cpu / overload.load.seconds),
        table.markdown(),
    )
}
