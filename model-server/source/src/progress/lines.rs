//! Progress as log lines, for where nobody watches a terminal.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration};

use super::Progress;

/// A log line at the start and the end of each file, and every some seconds between.
#[derive(Debug)]
pub struct Lines {
    pause: Duration,
    files: Mutex<HashMap<String, Transfer>>,
}

#[derive(Debug, Clone, Copy)]
struct Transfer {
    size: Option<u64>,
    began: Instant,
    /// Bytes that were there at the beginning.
    from: u64,
    position: u64,
    reported: Instant,
}

impl Default for Lines {
    fn default() -> Self {
        Self::every(Duration::from_secs(5))
    }
}

impl Lines {
    /// Reports on a file at most once in `pause`.
    #[must_use]
    pub fn every(pause: Duration) -> Self {
        Self {
            pause,
            files: Mutex::default(),
        }
    }

    fn with<T>(&self, action: impl FnOnce(&mut HashMap<String, Transfer>) -> T) -> T {
        // Lines are written all the same after a panic elsewhere.
        action(&mut self.files.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Transfer {
    /// Such as `60.00 MiB of 120.00 MiB (50 %), 12.00 MiB/s, 5 seconds left`.
    fn describe(&self, now: Instant) -> String {
        let rate = self.rate(now);
        let position = HumanBytes(self.position);
        let rate_shown = HumanBytes(rate);
        let Some(size) = self.size else {
            return format!("{position}, {rate_shown}/s");
        };
        let percent = (self.position * 100).checked_div(size).unwrap_or(100);
        let left = size
            .saturating_sub(self.position)
            .checked_div(rate)
            .map_or_else(String::new, |seconds| {
                format!(", {} left", HumanDuration(Duration::from_secs(seconds)))
            });
        format!(
            "{position} of {} ({percent} %), {rate_shown}/s{left}",
            HumanBytes(size)
        )
    }

    /// Bytes per second.
    fn rate(&self, now: Instant) -> u64 {
        let milliseconds = now.duration_since(self.began).as_millis().max(1);
        let bytes = u128::from(self.position.saturating_sub(self.from));
        u64::try_from(bytes * 1000 / milliseconds).unwrap_or(u64::MAX)
    }
}

impl Progress for Lines {
    fn started(&self, file: &str, size: Option<u64>, position: u64) {
        let now = Instant::now();
        let transfer = Transfer {
            size,
            began: now,
            from: position,
            position,
            reported: now,
        };
        self.with(|files| files.insert(file.to_owned(), transfer));
        let size = size.map_or_else(String::new, |size| format!(" of {}", HumanBytes(size)));
        tracing::info!("downloading {file}: {}{size} there", HumanBytes(position));
    }

    fn advanced(&self, file: &str, position: u64) {
        let now = Instant::now();
        let due = self.with(|files| {
            let transfer = files.get_mut(file)?;
            transfer.position = position;
            // A download that begins anew has no bytes from before.
            transfer.from = transfer.from.min(position);
            let due = now.duration_since(transfer.reported) >= self.pause;
            due.then(|| {
                transfer.reported = now;
                *transfer
            })
        });
        if let Some(transfer) = due {
            tracing::info!("downloading {file}: {}", transfer.describe(now));
        }
    }

    fn finished(&self, file: &str) {
        if let Some(transfer) = self.with(|files| files.remove(file)) {
            tracing::info!(
                "downloaded {file}: {} in {}",
                HumanBytes(transfer.position),
                HumanDuration(transfer.began.elapsed())
            );
        }
    }

    fn warning(&self, message: &str) {
        tracing::warn!("{message}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEBIBYTE: u64 = 1024 * 1024;

    #[test]
    fn a_line_tells_share_rate_and_time_left() {
        let began = Instant::now();
        let mut transfer = Transfer {
            size: Some(120 * MEBIBYTE),
            began,
            from: 0,
            position: 60 * MEBIBYTE,
            reported: began,
        };
        let now = began + Duration::from_secs(5);
        assert_eq!(
            transfer.describe(now),
            "60.00 MiB of 120.00 MiB (50 %), 12.00 MiB/s, 5 seconds left"
        );
        transfer.from = 60 * MEBIBYTE;
        assert_eq!(transfer.describe(now), "60.00 MiB of 120.00 MiB (50 %), 0 B/s");
        transfer.size = None;
        assert_eq!(transfer.describe(now), "60.00 MiB, 0 B/s");
        transfer.size = Some(0);
        transfer.position = 0;
        assert_eq!(transfer.describe(began), "0 B of 0 B (100 %), 0 B/s");
    }
}
