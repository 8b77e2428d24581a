//! Reads rows on a thread of its own, ahead of what is scored and within a bound of memory.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};
use toxicity_input::{InputError, MAX_ROW_BYTES, Row, Rows};

/// Rows read ahead.
const ROWS: usize = 512;
/// Bytes of all rows that are read and not yet written. One row must fit in any case.
const BYTES: usize = 2 * MAX_ROW_BYTES;

/// The reading end.
pub struct ReadAhead {
    rows: mpsc::Receiver<Row>,
    end: oneshot::Receiver<Result<(), InputError>>,
    room: Room,
}

/// Room for rows in memory.
#[derive(Debug, Clone)]
pub struct Room(Arc<Semaphore>);

impl Room {
    /// Gives back the room of a row that was written.
    pub fn release(&self, row: &Row) {
        self.0.add_permits(room_of(row));
    }
}

fn room_of(row: &Row) -> usize {
    row.memory().min(BYTES)
}

impl ReadAhead {
    /// Starts to read, and leaves out the first `skip` rows. Must be called within the asynchronous runtime.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(rows: Rows, skip: u64) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(ROWS);
        let (end_sender, end) = oneshot::channel();
        let room = Arc::new(Semaphore::new(BYTES));
        let reader = Reader {
            rows: sender,
            room: Arc::clone(&room),
            runtime: Handle::current(),
        };
        // Not a thread of the runtime, which would wait for a read that may never end.
        std::thread::Builder::new()
            .name("read".to_owned())
            .spawn(move || {
                // Nobody listens any more when the run was interrupted.
                let _ = end_sender.send(reader.read(rows, skip));
            })?;
        Ok(Self {
            rows: receiver,
            end,
            room: Room(room),
        })
    }

    /// Room to give back.
    #[must_use]
    pub fn room(&self) -> Room {
        self.room.clone()
    }

    /// Waits for a row and takes all that are there, up to `most`. False when there are no more.
    pub async fn receive(&mut self, waiting: &mut VecDeque<Row>, most: usize) -> bool {
        let mut rows = Vec::with_capacity(most);
        let received = self.rows.recv_many(&mut rows, most).await;
        waiting.extend(rows);
        received > 0
    }

    /// How reading ended.
    ///
    /// # Errors
    /// Why it ended before the end.
    pub async fn end(self) -> Result<(), InputError> {
        self.end.await.expect("reading does not panic")
    }
}

struct Reader {
    rows: mpsc::Sender<Row>,
    room: Arc<Semaphore>,
    runtime: Handle,
}

impl Reader {
    fn read(&self, rows: Rows, skip: u64) -> Result<(), InputError> {
        for (index, row) in (0_u64..).zip(rows) {
            let row = row?;
            if index < skip {
                continue;
            }
            let room = u32::try_from(room_of(&row)).unwrap_or(u32::MAX);
            let Ok(room) = self.runtime.block_on(self.room.acquire_many(room)) else {
                break;
            };
            room.forget();
            if self.rows.blocking_send(row).is_err() {
                break;
            }
        }
        Ok(())
    }
}
