//! Rates and the ratios between them.

use super::{Measurement, Report, percent};
use crate::bench_server::bare::Work;
use crate::bench_server::plan::{Model, TextSet};
use crate::bench_server::round::{BareRates, Rate, Server};
use crate::bench_server::table::Table;

impl Report {
    /// How the server compares, for each scenario.
    pub(super) fn ratios(&self) -> String {
        let mut table = Table::new(&[
            "",
            "connections",
            "of bare",
            "of bare with tokens",
            "the same by CPU",
            "times Flask",
            "Flask's p99 / ours",
            "p99 / p50",
        ]);
        for measurement in &self.measurements {
            for (index, connections) in measurement.scenario.connections.iter().enumerate() {
                let of_baseline = measurement
                    .median(|round| round.fresh[index].per_second / round.baseline[index].per_second);
                let of_p99 = measurement.median(|round| round.baseline[index].p99 / round.fresh[index].p99);
                let by_cpu =
                    measurement.median(|round| round.bare.cpu_tokenizing / round.fresh[index].server_cpu);
                let spread = measurement.median(|round| round.fresh[index].p99 / round.fresh[index].p50);
                table.row([
                    measurement.scenario.title.to_owned(),
                    connections.to_string(),
                    format!("{:.2}", measurement.of_bare(index, Work::Passes)),
                    format!("{:.2}", measurement.of_bare(index, Work::TokensAndPasses)),
                    format!("{by_cpu:.2}"),
                    format!("{of_baseline:.1}"),
                    format!("{of_p99:.1}"),
                    format!("{spread:.1}"),
                ]);
            }
        }
        format!(
            "## Ratios\n\nOf rates, and of the time of the slowest of a hundred answers; medians of ratios within a \
             round. Bare are the sessions without HTTP and queue: one of them beside one connection, all of them beside \
             more; with tokens they also make the tokens of each text, \
             and by CPU it is their processor time for a text that is compared with the server's for a request.\n\n{}",
            table.markdown()
        )
    }

    /// What it does when texts come again.
    pub(super) fn repeated(&self) -> String {
        let measurement = self.of(Model::Bundled, TextSet::Comments);
        let mut table = Table::new(&[
            "texts that were sent before",
            "connections",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "CPU ms",
            "load generator's CPU",
            "found in the cache",
        ]);
        for (order, share) in measurement.scenario.repeated_percents.iter().enumerate() {
            for (index, connections) in measurement.scenario.connections.iter().enumerate() {
                let of = |value: fn(&Rate) -> f64| {
                    measurement.median(|round| value(&round.repeated[order][index]))
                };
                table.row([
                    format!("{share} %"),
                    connections.to_string(),
                    format!("{:.0}", of(|rate| rate.per_second)),
                    format!("{:.2}", of(|rate| rate.p50)),
                    format!("{:.2}", of(|rate| rate.p99)),
                    format!("{:.3}", of(|rate| rate.server_cpu)),
                    percent(of(|rate| rate.generator_share)),
                    percent(of(|rate| rate.known_share.unwrap_or(f64::NAN))),
                ]);
            }
        }
        format!(
            "## Repeated texts\n\n{}, from the model server with its cache as it comes (32 MiB).\n\n{}",
            measurement.scenario.title,
            table.markdown()
        )
    }
}

/// Rates and times of one scenario.
pub(super) fn of_scenario(measurement: &Measurement) -> String {
    let mut table = Table::new(&[
        "",
        "connections",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU ms",
        "load generator's CPU",
        "not served",
    ]);
    let mut bare = |name: &str, rate: fn(&BareRates) -> f64, cpu: Option<fn(&BareRates) -> f64>| {
        let of = |value: fn(&BareRates) -> f64| measurement.median(|round| value(&round.bare));
        let (rate, cpu) = (
            format!("{:.0}", of(rate)),
            cpu.map(|cpu| format!("{:.2}", of(cpu))),
        );
        let empty = String::new;
        let cells = [name.to_owned(), empty(), rate, empty(), empty()];
        let rest = [cpu.unwrap_or_default(), empty(), empty()];
        table.row(cells.into_iter().chain(rest));
    };
    bare("bare, one session", |bare| bare.one, None);
    bare("with tokens", |bare| bare.one_tokenizing, None);
    bare("bare, all sessions", |bare| bare.all, Some(|bare| bare.cpu));
    bare(
        "with tokens",
        |bare| bare.all_tokenizing,
        Some(|bare| bare.cpu_tokenizing),
    );
    for server in Server::ALL {
        for (index, connections) in measurement.scenario.connections.iter().enumerate() {
            let of = |value: fn(&Rate) -> f64| measurement.median(|round| value(&round.rates(server)[index]));
            let failures: u64 = measurement
                .rounds
                .iter()
                .map(|round| round.rates(server)[index].failures)
                .sum();
            table.row([
                server.name().to_owned(),
                connections.to_string(),
                format!("{:.0}", of(|rate| rate.per_second)),
                format!("{:.1}", of(|rate| rate.p50)),
                format!("{:.1}", of(|rate| rate.p99)),
                format!("{:.2}", of(|rate| rate.server_cpu)),
                percent(of(|rate| rate.generator_share)),
                failures.to_string(),
            ]);
        }
    }
    format!("## {}\n\n{}", measurement.scenario.title, table.markdown())
}
