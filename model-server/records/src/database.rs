//! One way to speak to either database.

mod backend;
mod columns;
mod error;
pub mod migrations;
mod statement;

use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::{Database as Driver, Executor, Pool, Postgres, Sqlite};

use backend::Backend;
pub use columns::{Columns, FromColumns};
pub use error::QueryError;
pub use statement::{Dialect, Statement, Value};

use crate::timeouts::Timeouts;

/// Steps of SQLite's virtual machine between two looks at the clock: well under a millisecond.
const STEPS_BETWEEN_CLOCK_CHECKS: i32 = 10_000;

/// A database and how long its answers may take.
#[derive(Debug)]
pub struct Database {
    pools: AnyPools,
    timeouts: Timeouts,
}

/// The connections to either database.
#[derive(Debug)]
pub enum AnyPools {
    /// To SQLite.
    Sqlite(Pools<Sqlite>),
    /// To PostgreSQL.
    Postgres(Pools<Postgres>),
}

/// Connections of their own for reads and for writes, so that slow reads never keep feedback waiting. SQLite has one
/// writer at a time: with a single connection they take turns in order, instead of by chance.
#[derive(Debug)]
pub struct Pools<DB: Driver> {
    /// For reads.
    pub read: Pool<DB>,
    /// For writes.
    pub write: Pool<DB>,
}

impl<DB: Driver> Pools<DB> {
    async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

impl Database {
    /// A database that is open.
    pub fn new(pools: AnyPools, timeouts: Timeouts) -> Self {
        Self { pools, timeouts }
    }

    /// Which of the two it is.
    pub fn dialect(&self) -> Dialect {
        match self.pools {
            AnyPools::Sqlite(_) => Dialect::Sqlite,
            AnyPools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The rows of a query, up to and with the first one of which `more` says that no more are wanted.
    pub async fn rows<T: FromColumns>(
        &self,
        statement: Statement<'_>,
        more: impl FnMut(&T) -> bool,
    ) -> Result<Vec<T>, QueryError> {
        let answer = async {
            match &self.pools {
                AnyPools::Sqlite(pools) => {
                    let mut connection = pools.read.acquire().await?;
                    let deadline = Instant::now() + self.timeouts.read;
                    connection
                        .lock_handle()
                        .await?
                        .set_progress_handler(STEPS_BETWEEN_CLOCK_CHECKS, move || Instant::now() < deadline);
                    rows(connection, statement, more).await
                }
                AnyPools::Postgres(pools) => rows(pools.read.acquire().await?, statement, more).await,
            }
        };
        within(self.timeouts.read, answer).await
    }

    /// All rows of a query that is known to have few.
    pub async fn all_rows<T: FromColumns>(&self, statement: Statement<'_>) -> Result<Vec<T>, QueryError> {
        self.rows(statement, |_| true).await
    }

    /// The first row of a query.
    pub async fn first_row<T: FromColumns>(&self, statement: Statement<'_>) -> Result<Option<T>, QueryError> {
        let rows = self.rows(statement, |_| false).await?;
        Ok(rows.into_iter().next())
    }

    /// Runs all statements in one transaction; when this returns, it is durable. Returns how many rows the last one
    /// changed.
    pub async fn execute(&self, statements: Vec<Statement<'_>>) -> Result<u64, QueryError> {
        let answer = async {
            match &self.pools {
                AnyPools::Sqlite(pools) => execute(&pools.write, statements).await,
                AnyPools::Postgres(pools) => execute(&pools.write, statements).await,
            }
        };
        within(self.timeouts.write, answer).await
    }

    /// Gives pages that deletions freed back to the file system, some at a time. PostgreSQL sees to that itself.
    pub async fn reclaim(&self) -> Result<(), QueryError> {
        /// Pages of 4 KiB.
        const PAGES: &str = "PRAGMA incremental_vacuum(2000)";
        match &self.pools {
            AnyPools::Sqlite(pools) => {
                let vacuum = async { Ok(pools.write.execute(PAGES).await?) };
                within(self.timeouts.write, vacuum).await?;
                Ok(())
            }
            AnyPools::Postgres(_) => Ok(()),
        }
    }

    /// Closes the connections.
    pub async fn close(&self) {
        match &self.pools {
            AnyPools::Sqlite(pools) => pools.close().await,
            AnyPools::Postgres(pools) => pools.close().await,
        }
    }
}

/// The answer, if it comes in time. It waits in a box: the futures of two drivers would make those of all callers
/// large.
async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, QueryError>>,
) -> Result<T, QueryError> {
    tokio::time::timeout(limit, Box::pin(answer))
        .await
        .unwrap_or(Err(QueryError::TooSlow))
}

async fn rows<DB, T>(
    mut connection: PoolConnection<DB>,
    statement: Statement<'_>,
    mut more: impl FnMut(&T) -> bool,
) -> Result<Vec<T>, QueryError>
where
    DB: Backend,
    T: FromColumns,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let mut answer = backend::query::<DB>(statement)?.fetch(&mut *connection);
    let mut items = Vec::new();
    while let Some(row) = answer.try_next().await? {
        items.push(T::from_columns(&row)?);
        if !items.last().is_some_and(&mut more) {
            break;
        }
    }
    Ok(items)
}

async fn execute<DB>(pool: &Pool<DB>, statements: Vec<Statement<'_>>) -> Result<u64, QueryError>
where
    DB: Backend,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let mut transaction = pool.begin().await?;
    let mut changed = 0;
    for statement in statements {
        let result = backend::query::<DB>(statement)?
            .execute(&mut *transaction)
            .await?;
        changed = DB::changed(&result);
    }
    transaction.commit().await?;
    Ok(changed)
}
