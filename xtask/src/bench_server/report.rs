//! What is told of the figures: the aims first, then ratios, then what they are made of.

mod aims;
mod footprints;
mod method;
pub mod overload;
mod rates;

use std::time::Duration;

use super::bare::Work;
use super::chart::{self, Series};
use super::interference::Interference;
use super::machine::Facts;
use super::overload::Overload;
use super::plan::{AIMED_CONNECTIONS, Model, Scenario, TextSet};
use super::round::Round;

/// Rounds over a scenario.
pub struct Measurement {
    /// What was measured.
    pub scenario: Scenario,
    /// In the order they were measured; there is at least one.
    pub rounds: Vec<Round>,
}

impl Measurement {
    /// The middle one of what the rounds give.
    fn median(&self, value: impl Fn(&Round) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    fn of_bare(&self, index: usize, work: Work) -> f64 {
        let connections = self.scenario.connections[index];
        self.median(|round| round.fresh[index].per_second / round.bare.at(connections, work))
    }

    /// Position of the number of connections that the aims are about.
    fn aimed(&self) -> usize {
        let position = self
            .scenario
            .connections
            .iter()
            .position(|&count| count == AIMED_CONNECTIONS);
        position.expect("each scenario has this number of connections")
    }
}

/// All that was measured.
pub struct Report {
    /// Machine and versions.
    pub facts: Facts,
    /// Day of the measurement.
    pub date: String,
    /// The command.
    pub command: String,
    /// Time of one measurement.
    pub sample: Duration,
    /// Time of the overload.
    pub overload_duration: Duration,
    /// What else went on.
    pub interference: Interference,
    /// One for each scenario.
    pub measurements: Vec<Measurement>,
    /// The overload.
    pub overload: Overload,
}

impl Report {
    /// The whole as a page in Markdown, beside which the chart lies under the given name.
    pub fn markdown(&self, chart: &str) -> String {
        [
            format!(
                "# How fast the model server is\n\n\
                 Written by `{}` on {}. Do not edit it: run that again.\n\n\
                 ![Requests per second by connections]({chart})\n",
                self.command, self.date
            ),
            self.aims(),
            self.ratios(),
            self.measurements
                .iter()
                .map(rates::of_scenario)
                .collect::<Vec<_>>()
                .join("\n"),
            self.repeated(),
            self.footprints(),
            overload::section(&self.overload, self.overload_duration),
            self.method(),
        ]
        .join("\n")
    }

    /// The rates on ordinary comments as a drawing.
    pub fn chart(&self) -> String {
        let measurement = self.of(Model::Bundled, TextSet::Comments);
        let connections = measurement.scenario.connections;
        let values = |value: &dyn Fn(&Round, usize) -> f64| {
            let indices = 0..connections.len();
            indices
                .map(|index| measurement.median(|round| value(round, index)))
                .collect()
        };
        let series = [
            Series {
                name: "bare sessions",
                values: values(&|round, index| round.bare.at(connections[index], Work::Passes)),
            },
            Series {
                name: "model server",
                values: values(&|round, index| round.fresh[index].per_second),
            },
            Series {
                name: "Flask and ONNX Runtime",
                values: values(&|round, index| round.baseline[index].per_second),
            },
        ];
        let groups: Vec<String> = connections.iter().map(|&count| connections_text(count)).collect();
        chart::draw(
            "Requests per second: ordinary comments, bundled model (int8)",
            &groups,
            &series,
        )
    }

    fn of(&self, model: Model, texts: TextSet) -> &Measurement {
        let fits = |measurement: &&Measurement| {
            (measurement.scenario.model, measurement.scenario.texts) == (model, texts)
        };
        self.measurements.iter().find(fits).expect("the plan holds it")
    }
}

fn connections_text(count: usize) -> String {
    format!("{count} connection{}", if count == 1 { "" } else { "s" })
}

fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    // What is not all must not look so.
    if percent > 99.0 && percent < 100.0 {
        format!("{percent:.3} %")
    } else {
        format!("{percent:.1} %")
    }
}

fn thousands(number: f64) -> String {
    let (thousands, rest) = ((number / 1000.0).floor(), (number % 1000.0).floor());
    if thousands > 0.0 {
        format!("{thousands:.0},{rest:03.0}")
    } else {
        format!("{rest:.0}")
    }
}
