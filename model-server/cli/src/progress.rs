//! How far a run is, for the person who waits: a bar while it goes, a line at its end.

use std::fmt;
use std::time::{Duration, Instant};

use humantime::format_duration;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::row::Tally;

/// A bar on the standard error, where that is a terminal.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    /// Rows that an earlier run scored.
    before: u64,
    moved: bool,
}

impl Progress {
    /// Begins to count. `bytes` is the size of the whole input, where it is known; `before` are the rows that an earlier
    /// run scored.
    #[must_use]
    pub fn start(shown: bool, bytes: Option<u64>, before: u64) -> Self {
        let bar = match bytes {
            _ if !shown => ProgressBar::hidden(),
            Some(bytes) => ProgressBar::new(bytes).with_style(style(
                "{bar:32.cyan/blue} {percent:>3}%  {msg}  {eta_precise} left",
            )),
            None => ProgressBar::new_spinner().with_style(style("{spinner:.cyan} {msg}  {elapsed_precise}")),
        };
        if shown {
            // Time goes on also while no row comes.
            bar.enable_steady_tick(Duration::from_millis(500));
        }
        Self {
            bar,
            started: Instant::now(),
            before,
            moved: false,
        }
    }

    /// Shows that `tally` is reached, at `position` in the input's bytes.
    pub fn advance(&mut self, tally: &Tally, position: u64) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_message(format!(
            "{} rows, {}/s",
            HumanCount(tally.rows),
            rate(tally.rows - self.before, self.started.elapsed())
        ));
        self.bar.set_position(position);
        if !std::mem::replace(&mut self.moved, true) && self.before > 0 {
            // The way that an earlier run went says nothing of the speed of this one.
            self.bar.reset_eta();
        }
    }

    /// Does something that writes to the terminal without the bar in its way.
    pub fn aside<T>(&self, action: impl FnOnce() -> T) -> T {
        self.bar.suspend(action)
    }

    /// Takes the bar away and sums up.
    #[must_use]
    pub fn finish(self, tally: Tally) -> Summary {
        self.bar.finish_and_clear();
        Summary {
            tally,
            before: self.before,
            elapsed: self.started.elapsed(),
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is well-formed")
}

/// What a run did, in one line.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    tally: Tally,
    before: u64,
    elapsed: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scored = self.tally.rows - self.before;
        write!(formatter, "{} rows", HumanCount(self.tally.rows))?;
        if self.before > 0 {
            write!(formatter, " ({} of them before)", HumanCount(self.before))?;
        }
        write!(
            formatter,
            ": {} flagged, {} failed; {} rows/s",
            HumanCount(self.tally.flagged),
            HumanCount(self.tally.failed),
            rate(scored, self.elapsed)
        )?;
        if self.elapsed >= Duration::from_secs(1) {
            let seconds = Duration::from_secs(self.elapsed.as_secs());
            write!(formatter, ", {}", format_duration(seconds))?;
        }
        Ok(())
    }
}

/// Rows per second, for people.
fn rate(rows: u64, elapsed: Duration) -> HumanCount {
    let nanoseconds = elapsed.as_nanos().max(1);
    let rate = u128::from(rows) * 1_000_000_000 / nanoseconds;
    HumanCount(u64::try_from(rate).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_only_this_run_s_speed() {
        let mut summary = Summary {
            tally: Tally {
                rows: 100_000,
                flagged: 1_234,
                failed: 3,
                written: 100_000,
            },
            before: 0,
            elapsed: Duration::from_secs(100),
        };
        assert_eq!(
            summary.to_string(),
            "100,000 rows: 1,234 flagged, 3 failed; 1,000 rows/s, 1m 40s"
        );
        summary.before = 90_000;
        assert!(summary.to_string().contains("(90,000 of them before)"));
        assert!(summary.to_string().contains("100 rows/s"));
    }
}
