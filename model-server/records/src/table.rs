//! The two tables as SQL: what is written to them, and what is read.

pub mod feedback;
pub mod records;

use uuid::Uuid;

use crate::database::{Dialect, Statement};
use crate::filter::TimeRange;

/// A condition that the ids of `alias` lie in a range of time and after a cursor, in the order of pages: newest first.
fn push_ids(statement: &mut Statement<'_>, alias: &'static str, time: TimeRange, before: Option<Uuid>) {
    let ids = time.ids();
    let end = before.map_or(ids.end, |before| before.min(ids.end));
    statement
        .push(&format!(" AND {alias}.id >= "))
        .bind(ids.start)
        .push(&format!(" AND {alias}.id < "))
        .bind(end);
}

/// Takes the oldest rows away, some at a time.
pub fn delete_oldest<'a>(dialect: Dialect, table: &'static str, before: Uuid, limit: usize) -> Statement<'a> {
    let mut statement = Statement::new(
        dialect,
        format!("DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE id < "),
    );
    statement
        .bind(before)
        .push(" ORDER BY id LIMIT ")
        .bind(limit)
        .push(")");
    statement
}
