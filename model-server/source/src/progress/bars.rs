//! Progress bars on a terminal.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Progress;

/// How often a bar is drawn anew while nothing comes.
const TICK: Duration = Duration::from_millis(200);

/// A bar per file with rate and time left, on standard error.
#[derive(Debug, Default)]
pub struct Bars {
    all: MultiProgress,
    files: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    fn with<T>(&self, action: impl FnOnce(&mut HashMap<String, ProgressBar>) -> T) -> T {
        // Bars are drawn all the same after a panic elsewhere.
        action(&mut self.files.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Progress for Bars {
    fn started(&self, file: &str, size: Option<u64>, position: u64) {
        let template = match size {
            Some(_) => {
                "{msg:28!} {bar:30} {bytes:>11} of {total_bytes:<11} {bytes_per_sec:>13} {eta:>4} left"
            }
            None => "{msg:28!} {spinner} {bytes:>11} {bytes_per_sec:>13}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = size.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let bar = self.all.add(bar.with_style(style).with_message(file.to_owned()));
        // What is there already counts neither for the rate nor for the time left.
        bar.set_position(position);
        bar.reset_eta();
        bar.enable_steady_tick(TICK);
        self.with(|files| files.insert(file.to_owned(), bar));
    }

    fn advanced(&self, file: &str, position: u64) {
        if let Some(bar) = self.with(|files| files.get(file).cloned()) {
            bar.set_position(position);
        }
    }

    fn finished(&self, file: &str) {
        if let Some(bar) = self.with(|files| files.get(file).cloned()) {
            bar.finish();
        }
    }

    fn warning(&self, message: &str) {
        self.all.suspend(|| tracing::warn!("{message}"));
    }
}
