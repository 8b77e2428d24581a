//! Opening a file of SQLite.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sqlx::sqlite::{
    Sqlite, SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use super::{OpenError, READERS};
use crate::database::{Pools, migrations};
use crate::timeouts::Timeouts;

/// SQLite cuts its write-ahead log back to this many bytes.
const LARGEST_IDLE_LOG: &str = "16777216";

/// Makes the file where it is missing, opens it and brings its tables up to date.
pub async fn open(file: &Path, timeouts: Timeouts) -> Result<Pools<Sqlite>, OpenError> {
    create(file).map_err(|source| OpenError::CreateFile {
        file: file.to_owned(),
        source,
    })?;
    let connect = SqliteConnectOptions::new()
        .filename(file)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        // Each commit is synced, not only each checkpoint: what was acknowledged survives a loss of power.
        .synchronous(SqliteSynchronous::Full)
        // Other processes may hold the lock; half the limit leaves time to say so.
        .busy_timeout(timeouts.write / 2)
        .pragma("journal_size_limit", LARGEST_IDLE_LOG)
        // What is forgotten is overwritten, not just marked as free.
        .pragma("secure_delete", "on")
        .disable_statement_logging();
    let pools = Pools {
        write: SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(timeouts.write)
            .connect_lazy_with(connect.clone()),
        read: SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(timeouts.read)
            .connect_lazy_with(connect),
    };
    migrate(file, &pools).await?;
    Ok(pools)
}

/// Makes an empty file that only its owner may read; SQLite's log files follow it.
fn create(file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file);
    match created {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// In one transaction that locks the file, so that other processes do not do the same at the same time.
async fn migrate(file: &Path, pools: &Pools<Sqlite>) -> Result<(), OpenError> {
    let open = |source| OpenError::OpenFile {
        file: file.to_owned(),
        source,
    };
    let mut connection = pools.write.acquire().await.map_err(open)?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(open)?;
    let migrated = migrations::run(&migrations::SQLITE, &mut *transaction).await;
    migrated.map_err(|source| OpenError::Migrate {
        address: file.display().to_string(),
        source,
    })?;
    transaction.commit().await.map_err(open)
}
