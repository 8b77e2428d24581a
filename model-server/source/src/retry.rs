//! Trying again what failed for a reason that passes.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use toxicity_service::error_chain;

use crate::error::FetchError;
use crate::options::Retries;
use crate::progress::Progress;

/// Longest pause that is chosen here.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Longest pause that a server may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);

/// The pauses between tries: each about twice as long as the one before, and no two clients in step.
pub(crate) struct Pauses {
    schedule: ExponentialBuilder,
    left: ExponentialBackoff,
}

impl Pauses {
    /// All tries are left.
    pub(crate) fn new(retries: Retries) -> Self {
        let schedule = ExponentialBuilder::default()
            .with_min_delay(retries.first_pause)
            .with_max_delay(LONGEST_PAUSE.max(retries.first_pause))
            .with_max_times(retries.count)
            .with_jitter();
        Self {
            left: schedule.build(),
            schedule,
        }
    }

    /// Counts anew, since the last try brought something.
    pub(crate) fn begin_anew(&mut self) {
        self.left = self.schedule.build();
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// The failure, when it does not pass or no try is left.
    pub(crate) async fn wait(
        &mut self,
        failure: FetchError,
        progress: &dyn Progress,
    ) -> Result<(), FetchError> {
        if !failure.is_passing() {
            return Err(failure);
        }
        let Some(pause) = self.left.next() else {
            return Err(failure);
        };
        let pause = match failure.retry_after() {
            Some(asked) if asked > LONGEST_RETRY_AFTER => return Err(failure),
            Some(asked) => asked.max(pause),
            None => pause,
        };
        let cause = error_chain(&failure);
        progress.warning(&format!("{cause}; trying again in {:.1} s", pause.as_secs_f32()));
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Does `attempt` until it succeeds, or fails for good.
pub(crate) async fn retry<T, F>(
    retries: Retries,
    progress: &dyn Progress,
    attempt: impl Fn() -> F,
) -> Result<T, FetchError>
where
    F: Future<Output = Result<T, FetchError>>,
{
    let mut pauses = Pauses::new(retries);
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(failure) => pauses.wait(failure, progress).await?,
        }
    }
}
