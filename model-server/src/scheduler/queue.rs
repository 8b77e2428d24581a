//! A bounded queue whose newest idle worker is woken first.
//!
//! Which worker is woken matters: the one that worked last still has the model's weights in its core's cache. Waking
//! any of them makes a lone client's passes take turns on all cores, each of them cold.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::policy::{Batching, Policy, Requirements, Taken};

/// Why an item was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The queue holds as many items as it may.
    Full,
    /// The queue was closed.
    Closed,
}

/// What a worker got.
pub(super) struct Popped<T> {
    /// The items.
    pub(super) taken: Taken<T>,
    /// Whether nothing else waits and no other worker has anything to do.
    pub(super) is_alone: bool,
}

/// The queue, shared by those who push and a fixed number of workers.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    wakes: Vec<Condvar>,
}

struct State<T> {
    policy: Policy<T>,
    /// Workers that wait, the newest last.
    idle: Vec<usize>,
    closed: bool,
}

impl<T> Queue<T> {
    /// A queue of at most `capacity` items for `workers` workers.
    pub(super) fn new(workers: usize, capacity: usize, batching: Batching) -> Self {
        let state = State {
            policy: Policy::new(capacity, batching),
            idle: Vec::with_capacity(workers),
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            wakes: std::iter::repeat_with(Condvar::new).take(workers).collect(),
        }
    }

    /// Adds an item and wakes a worker if one waits.
    pub(super) fn push(&self, requirements: Requirements, item: T) -> Result<(), Refusal> {
        let now = Instant::now();
        let mut state = self.lock();
        if state.closed {
            return Err(Refusal::Closed);
        }
        state
            .policy
            .push(now, requirements, item)
            .map_err(|_| Refusal::Full)?;
        let worker = state.idle.pop();
        drop(state);
        if let Some(worker) = worker {
            self.wakes[worker].notify_one();
        }
        Ok(())
    }

    /// Waits for items. Nothing is left when the queue is closed and empty.
    pub(super) fn pop(&self, worker: usize, is_cancelled: impl Fn(&T) -> bool) -> Option<Popped<T>> {
        let mut state = self.lock();
        loop {
            if !state.policy.is_empty() {
                let taken = state.policy.take(Instant::now(), is_cancelled);
                let is_alone = state.policy.is_empty() && state.idle.len() + 1 == self.wakes.len();
                return Some(Popped { taken, is_alone });
            }
            if state.closed {
                return None;
            }
            state.idle.push(worker);
            state = self.wakes[worker]
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            // Still there when nobody asked for this worker: a spurious wake, or the end.
            state.idle.retain(|&idle| idle != worker);
        }
    }

    /// Refuses further items; workers finish those that are there.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        for wake in &self.wakes {
            wake.notify_one();
        }
    }

    /// Refuses further items and drops those that are there.
    pub(super) fn abandon(&self) {
        self.close();
        self.lock().policy.clear();
    }

    /// Workers that wait.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.lock().idle.len()
    }

    /// Items that wait.
    pub(super) fn len(&self) -> usize {
        self.lock().policy.len()
    }

    /// Tokens of the items that wait.
    pub(super) fn tokens(&self) -> usize {
        self.lock().policy.tokens()
    }

    /// No code under the lock can panic half-way, so a poisoned state is as good as any.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;

    use std::time::Duration;

    use super::*;

    fn queue<T>(workers: usize, capacity: usize) -> Queue<T> {
        Queue::new(workers, capacity, Batching::Single)
    }

    fn push<T>(queue: &Queue<T>, item: T) -> Result<(), Refusal> {
        let patience = Duration::from_mins(1);
        let requirements = Requirements {
            tokens: 1,
            patience,
            deadline: Instant::now() + patience,
        };
        queue.push(requirements, item)
    }

    fn pop<T>(queue: &Queue<T>, worker: usize) -> Option<T> {
        queue
            .pop(worker, |_| false)
            .and_then(|mut popped| popped.taken.batch.pop())
    }

    #[test]
    fn keeps_the_order_and_the_bound() {
        let queue = queue(1, 2);
        assert_eq!(
            (push(&queue, 1), push(&queue, 2), push(&queue, 3)),
            (Ok(()), Ok(()), Err(Refusal::Full))
        );
        assert_eq!((pop(&queue, 0), queue.len(), queue.tokens()), (Some(1), 1, 1));
        queue.close();
        assert_eq!(push(&queue, 4), Err(Refusal::Closed));
        assert_eq!((pop(&queue, 0), pop(&queue, 0)), (Some(2), None));
    }

    #[test]
    fn a_lone_client_is_served_by_the_same_worker() {
        let queue = Arc::new(queue(3, 8));
        let (report, reports) = mpsc::channel();
        let threads: Vec<_> = (0..3)
            .map(|worker| {
                let (queue, report) = (Arc::clone(&queue), report.clone());
                std::thread::spawn(move || {
                    while pop(&queue, worker).is_some() {
                        report.send(worker).unwrap();
                    }
                })
            })
            .collect();
        let all_idle = || while queue.lock().idle.len() < 3 {};
        all_idle();
        push(&queue, ()).unwrap();
        let first = reports.recv().unwrap();
        for _ in 0..20 {
            all_idle();
            push(&queue, ()).unwrap();
            assert_eq!(reports.recv().unwrap(), first);
        }
        queue.close();
        for thread in threads {
            thread.join().unwrap();
        }
    }

    #[test]
    fn nothing_is_lost_between_many() {
        let queue = Arc::new(queue(4, 100_000));
        let total: u64 = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|worker| {
                    let queue = Arc::clone(&queue);
                    scope.spawn(move || std::iter::from_fn(|| pop(&queue, worker)).sum::<u64>())
                })
                .collect();
            let pushers: Vec<_> = (0..4)
                .map(|_| {
                    let queue = Arc::clone(&queue);
                    scope.spawn(move || (1..=1_000).for_each(|number| push(&queue, number).unwrap()))
                })
                .collect();
            for pusher in pushers {
                pusher.join().unwrap();
            }
            queue.close();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!(total, 4 * 500_500);
    }
}
