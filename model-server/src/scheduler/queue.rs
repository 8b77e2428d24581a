//! A bounded queue in arrival order whose newest idle worker is woken first.
//!
//! Which worker is woken matters: the one that worked last still has the model's weights in its core's cache. Waking
//! any of them makes a lone client's passes take turns on all cores, each of them cold.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Why an item was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The queue holds as many items as it may.
    Full,
    /// The queue was closed.
    Closed,
}

/// The queue, shared by those who push and a fixed number of workers.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    wakes: Vec<Condvar>,
    capacity: usize,
}

struct State<T> {
    items: VecDeque<T>,
    /// Workers that wait, the newest last.
    idle: Vec<usize>,
    closed: bool,
}

impl<T> Queue<T> {
    /// A queue of at most `capacity` items for `workers` workers.
    pub(crate) fn new(workers: usize, capacity: usize) -> Self {
        let state = State {
            items: VecDeque::new(),
            idle: Vec::with_capacity(workers),
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            wakes: std::iter::repeat_with(Condvar::new).take(workers).collect(),
            capacity,
        }
    }

    /// Adds an item and wakes a worker if one waits.
    pub(crate) fn push(&self, item: T) -> Result<(), Refusal> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refusal::Closed);
        }
        if state.items.len() >= self.capacity {
            return Err(Refusal::Full);
        }
        state.items.push_back(item);
        let worker = state.idle.pop();
        drop(state);
        if let Some(worker) = worker {
            self.wakes[worker].notify_one();
        }
        Ok(())
    }

    /// Waits for an item. Nothing is left when the queue is closed and empty.
    pub(crate) fn pop(&self, worker: usize) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                return Some(item);
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
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        for wake in &self.wakes {
            wake.notify_one();
        }
    }

    /// Refuses further items and drops those that are there.
    pub(crate) fn abandon(&self) {
        self.close();
        self.lock().items.clear();
    }

    /// Items that wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().items.len()
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

    use super::*;

    #[test]
    fn keeps_the_order_and_the_bound() {
        let queue = Queue::new(1, 2);
        assert_eq!(
            (queue.push(1), queue.push(2), queue.push(3)),
            (Ok(()), Ok(()), Err(Refusal::Full))
        );
        assert_eq!((queue.pop(0), queue.len()), (Some(1), 1));
        queue.close();
        assert_eq!(queue.push(4), Err(Refusal::Closed));
        assert_eq!((queue.pop(0), queue.pop(0)), (Some(2), None));
    }

    #[test]
    fn a_lone_client_is_served_by_the_same_worker() {
        let queue = Arc::new(Queue::new(3, 8));
        let (report, reports) = mpsc::channel();
        let threads: Vec<_> = (0..3)
            .map(|worker| {
                let (queue, report) = (Arc::clone(&queue), report.clone());
                std::thread::spawn(move || {
                    while queue.pop(worker).is_some() {
                        report.send(worker).unwrap();
                    }
                })
            })
            .collect();
        let all_idle = || while queue.lock().idle.len() < 3 {};
        all_idle();
        queue.push(()).unwrap();
        let first = reports.recv().unwrap();
        for _ in 0..20 {
            all_idle();
            queue.push(()).unwrap();
            assert_eq!(reports.recv().unwrap(), first);
        }
        queue.close();
        for thread in threads {
            thread.join().unwrap();
        }
    }

    #[test]
    fn nothing_is_lost_between_many() {
        let queue = Arc::new(Queue::new(4, 100_000));
        let total: u64 = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|worker| {
                    let queue = Arc::clone(&queue);
                    scope.spawn(move || std::iter::from_fn(|| queue.pop(worker)).sum::<u64>())
                })
                .collect();
            let pushers: Vec<_> = (0..4)
                .map(|_| {
                    let queue = Arc::clone(&queue);
                    scope.spawn(move || (1..=1_000).for_each(|number| queue.push(number).unwrap()))
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
