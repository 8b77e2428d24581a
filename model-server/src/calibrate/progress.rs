//! How far the scoring is, for the person who waits.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

/// Between two lines, where there is no terminal for a bar.
const PAUSE: Duration = Duration::from_secs(10);

/// A bar on the standard error where that is a terminal, a line of the log now and then otherwise.
pub(super) struct Progress {
    rows: u64,
    bar: Option<ProgressBar>,
    started: Instant,
    told: Instant,
}

impl Progress {
    /// Begins to count to `rows`.
    pub(super) fn start(rows: usize) -> Self {
        let rows = rows as u64;
        let style = ProgressStyle::with_template(
            "{bar:32.cyan/blue} {human_pos} of {human_len}, {per_sec}, {eta} left",
        )
        .expect("the template is well-formed");
        let bar = std::io::stderr()
            .is_terminal()
            .then(|| ProgressBar::new(rows).with_style(style));
        let now = Instant::now();
        Self {
            rows,
            bar,
            started: now,
            told: now,
        }
    }

    /// Tells that so many rows are done.
    pub(super) fn advance(&mut self, done: usize) {
        let done = done as u64;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        } else if self.told.elapsed() >= PAUSE {
            self.told = Instant::now();
            tracing::info!("{}", describe(done, self.rows, self.started.elapsed()));
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Such as `scored 12,000 of 100,000 rows, 89 seconds left`.
fn describe(done: u64, rows: u64, elapsed: Duration) -> String {
    let left = rows.saturating_sub(done);
    let seconds = (u128::from(left) * elapsed.as_millis())
        .checked_div(u128::from(done) * 1000)
        .and_then(|seconds| u64::try_from(seconds).ok());
    let left = seconds.map_or_else(String::new, |seconds| {
        format!(", {} left", HumanDuration(Duration::from_secs(seconds)))
    });
    format!("scored {} of {} rows{left}", HumanCount(done), HumanCount(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_is_left() {
        let line = |done| describe(done, 100_000, Duration::from_secs(10));
        assert_eq!(line(20_000), "scored 20,000 of 100,000 rows, 40 seconds left");
        assert_eq!(line(0), "scored 0 of 100,000 rows");
        assert_eq!(line(100_000), "scored 100,000 of 100,000 rows, 0 seconds left");
    }
}
