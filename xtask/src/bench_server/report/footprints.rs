//! What the servers take.

use super::Report;
use crate::bench_server::round::{Footprint, Server};
use crate::bench_server::table::Table;

impl Report {
    /// Start and memory of both servers, for each scenario.
    pub(super) fn footprints(&self) -> String {
        let mut table = Table::new(&[
            "",
            "",
            "start to ready, ms",
            "memory when ready, MB",
            "after load, MB",
            "at most, MB",
        ]);
        for measurement in &self.measurements {
            for server in Server::ALL {
                let of =
                    |value: fn(Footprint) -> f64| measurement.median(|round| value(round.footprint(server)));
                table.row([
                    measurement.scenario.title.to_owned(),
                    server.name().to_owned(),
                    format!("{:.0}", of(|footprint| footprint.ready_after)),
                    format!("{:.0}", of(|footprint| footprint.ready_memory)),
                    format!("{:.0}", of(|footprint| footprint.loaded_memory)),
                    format!("{:.0}", of(|footprint| footprint.peak_memory)),
                ]);
            }
        }
        format!("## Start and memory\n\n{}", table.markdown())
    }
}
