//! The tables, brought up to date when a database is opened.
//!
//! A migration that was released is never changed. Migrations only add, so that a replica of the version before goes on
//! working beside a newer one.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

/// Versions, names and SQL for SQLite.
pub const SQLITE: [(i64, &str, &str); 1] = [(
    1,
    "records and feedback",
    include_str!("../../migrations/sqlite/0001_records_and_feedback.sql"),
)];

/// Versions, names and SQL for PostgreSQL.
pub const POSTGRES: [(i64, &str, &str); 1] = [(
    1,
    "records and feedback",
    include_str!("../../migrations/postgres/0001_records_and_feedback.sql"),
)];

/// Applies what was not applied yet. On PostgreSQL it takes a lock, so that replicas that start at once take turns.
///
/// # Errors
/// When a migration fails or is not the one that was applied.
pub async fn run(
    migrations: &[(i64, &'static str, &'static str)],
    connection: &mut impl Migrate,
) -> Result<(), MigrateError> {
    let migrations = migrations.iter().map(|&(version, name, sql)| {
        let (sql, no_transaction) = (sql.into_sql_str(), false);
        Migration::new(version, name.into(), MigrationType::Simple, sql, no_transaction)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // An older replica opens what a newer one has brought further.
    migrator.set_ignore_missing(true);
    let (up_to, skip) = (None, false);
    // What `Migrator::run` does, without the `Acquire` that would keep this future on one thread.
    migrator.run_direct(up_to, connection, skip).await
}
