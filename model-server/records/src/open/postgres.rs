//! Opening a database of PostgreSQL.

use std::io;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions, Postgres};
use sqlx::{ConnectOptions, Connection};

use super::{OpenError, READERS};
use crate::database::{Pools, migrations};
use crate::timeouts::Timeouts;

/// Connections for writes: one for the recorder, one for feedback.
const WRITERS: u32 = 2;

/// Reaches the server and brings the tables of the database up to date; `address` is shown in errors.
pub async fn open(
    server: PgConnectOptions,
    address: String,
    timeouts: Timeouts,
) -> Result<Pools<Postgres>, OpenError> {
    let server = server.disable_statement_logging();
    let mut connection = match connect(&server, timeouts.connect).await {
        Ok(connection) => connection,
        Err(source @ sqlx::Error::Database(_)) => return Err(OpenError::Refused { address, source }),
        Err(source) => return Err(OpenError::Connect { address, source }),
    };
    let migrated = migrations::run(&migrations::POSTGRES, &mut connection).await;
    // Also frees the lock that the migrations took, if they failed.
    let _ = connection.close().await;
    migrated.map_err(|source| OpenError::Migrate { address, source })?;
    Ok(Pools {
        write: PgPoolOptions::new()
            .max_connections(WRITERS)
            .acquire_timeout(timeouts.write)
            .connect_lazy_with(stopping_statements_after(&server, timeouts.write)),
        read: PgPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(timeouts.read)
            .connect_lazy_with(stopping_statements_after(&server, timeouts.read)),
    })
}

fn stopping_statements_after(server: &PgConnectOptions, limit: Duration) -> PgConnectOptions {
    let limit = format!("{}ms", limit.as_millis());
    server.clone().options([("statement_timeout", limit)])
}

/// Connects, and waits for a server that is not up yet.
async fn connect(server: &PgConnectOptions, limit: Duration) -> Result<PgConnection, sqlx::Error> {
    let attempt = || async {
        tokio::time::timeout(limit, server.connect())
            .await
            .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    };
    let not_up_yet = |error: &sqlx::Error| match error {
        sqlx::Error::Io(error) => error.kind() != io::ErrorKind::TimedOut,
        sqlx::Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    };
    let pauses = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(1))
        .without_max_times()
        .with_total_delay(Some(limit));
    attempt.retry(pauses).when(not_up_yet).await
}
