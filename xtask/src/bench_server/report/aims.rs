//! What is aimed at, beside what was measured.

use super::{Report, percent, thousands};
use crate::bench_server::bare::Work;
use crate::bench_server::overload::{DEADLINE, REFUSAL_LIMIT};
use crate::bench_server::plan::{Model, TextSet};
use crate::bench_server::table::Table;

/// Share of the bare sessions' rate that is aimed at.
const AIMED_SHARE: f64 = 0.95;

/// Milliseconds that a request may take beside the work on its text.
const AIMED_LATENCY: f64 = 0.3;

/// How much longer the slowest of a hundred answers may take than the middle one.
const AIMED_SPREAD: f64 = 3.0;

/// Answers per second from the cache, on two cores.
const AIMED_CACHED_RATE: f64 = 40_000.0;

/// Milliseconds from start to ready.
const AIMED_START: f64 = 500.0;

/// Megabytes with the bundled model.
const AIMED_MEMORY: f64 = 150.0;

/// Share by which memory may grow in the second half of an overload and still count as flat.
const AIMED_GROWTH: f64 = 0.02;

/// Share of refusals that must come at once.
const AIMED_PROMPT_REFUSALS: f64 = 0.99;

impl Report {
    /// The aims as a table.
    pub(super) fn aims(&self) -> String {
        let comments = self.of(Model::Bundled, TextSet::Comments);
        let mixed = self.of(Model::Bundled, TextSet::MixedLengths);
        let at = comments.aimed();
        let mut table = Table::new(&["aim", "aimed at", "measured", "met"]);
        let mut aim = |what: &str, target: String, measured: String, is_met: bool| {
            let met = if is_met { "yes" } else { "no" };
            table.row([what.to_owned(), target, measured, met.to_owned()]);
        };

        let share = comments.of_bare(at, Work::Passes);
        aim(
            "share of the bare sessions' rate, 64 connections",
            format!("{AIMED_SHARE}"),
            format!("{share:.2}"),
            share >= AIMED_SHARE,
        );
        let added = comments.median(|round| round.fresh[0].mean - 1e3 / round.bare.one_tokenizing);
        aim(
            "time added to the work on a text, 1 connection",
            format!("under {AIMED_LATENCY} ms"),
            format!("{added:.2} ms"),
            added < AIMED_LATENCY,
        );
        let spread = mixed.median(|round| round.fresh[at].p99 / round.fresh[at].p50);
        aim(
            "p99 over p50, mixed lengths, 64 connections",
            format!("under {AIMED_SPREAD}"),
            format!("{spread:.1}"),
            spread < AIMED_SPREAD,
        );
        let cached = comments.median(|round| round.repeated.last().map_or(0.0, |rates| rates[at].per_second));
        aim(
            "answers per second from the cache, 64 connections",
            thousands(AIMED_CACHED_RATE),
            thousands(cached),
            cached >= AIMED_CACHED_RATE,
        );
        let ready = comments.median(|round| round.product_footprint.ready_after);
        aim(
            "start to ready",
            format!("{AIMED_START:.0} ms"),
            format!("{ready:.0} ms"),
            ready <= AIMED_START,
        );
        let when_ready = comments.median(|round| round.product_footprint.ready_memory);
        let loaded = comments.median(|round| round.product_footprint.loaded_memory);
        aim(
            "memory with the bundled model, when ready / after load",
            format!("{AIMED_MEMORY:.0} MB"),
            format!("{when_ready:.0} / {loaded:.0} MB"),
            when_ready.max(loaded) <= AIMED_MEMORY,
        );

        let overload = &self.overload;
        aim(
            &format!("overload: let in and answered within {} ms", DEADLINE.as_millis()),
            "all".to_owned(),
            percent(overload.share_in_time()),
            overload.share_in_time() >= 1.0 && overload.others() == 0,
        );
        let refused = overload.refused();
        let prompt = refused.share_within(REFUSAL_LIMIT);
        aim(
            &format!("overload: refused within {} ms", REFUSAL_LIMIT.as_millis()),
            percent(AIMED_PROMPT_REFUSALS),
            percent(prompt),
            prompt >= AIMED_PROMPT_REFUSALS,
        );
        aim(
            "overload: liveness probes that failed",
            "0".to_owned(),
            format!(
                "{} of {}",
                overload.failed_probes,
                overload.failed_probes + overload.probes.count()
            ),
            overload.failed_probes == 0,
        );
        let [_, middle, end] = overload.memory_at();
        aim(
            &format!(
                "overload: growth of memory in the second half of {}",
                humantime::format_duration(self.overload_duration)
            ),
            format!("under {}", percent(AIMED_GROWTH)),
            percent(end / middle - 1.0),
            end / middle - 1.0 < AIMED_GROWTH,
        );
        format!("## The aims\n\n{}", table.markdown())
    }
}
