//! What a failed statement means to the one who sent it.

use sqlx::error::Error;

/// Why the database gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It took longer than it may.
    #[error("the database did not finish in time; a shorter time range may help")]
    TooSlow,
    /// It cannot be reached, is busy, or cannot write now. The same statement may succeed later.
    #[error("the database is not available")]
    Unavailable(#[source] Error),
    /// It takes these values at no time.
    #[error("the database refused the values")]
    Refused(#[source] Error),
    /// It holds something that this version does not understand.
    #[error("failed to read a row of the database")]
    Unreadable(#[source] Error),
}

/// Primary result codes of SQLite (<https://www.sqlite.org/rescode.html>); an extended code holds its own in the low
/// byte.
mod sqlite {
    pub const INTERRUPT: i32 = 9;
    pub const TOOBIG: i32 = 18;
    pub const CONSTRAINT: i32 = 19;
    pub const MISMATCH: i32 = 20;
}

/// SQLSTATE of a statement that its time limit ended
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
const QUERY_CANCELED: &str = "57014";

/// Classes of SQLSTATE that blame the values: data exceptions, integrity constraints, program limits.
const REFUSALS: [&str; 3] = ["22", "23", "54"];

impl From<Error> for QueryError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Encode(_) | Error::InvalidArgument(_) => Self::Refused(error),
            Error::ColumnDecode { .. }
            | Error::ColumnNotFound(_)
            | Error::ColumnIndexOutOfBounds { .. }
            | Error::Decode(_)
            | Error::RowNotFound
            | Error::TypeNotFound { .. } => Self::Unreadable(error),
            Error::Database(cause) => match Outcome::of(cause.code().as_deref().unwrap_or_default()) {
                Outcome::TooSlow => Self::TooSlow,
                Outcome::Refused => Self::Refused(error),
                Outcome::Unavailable => Self::Unavailable(error),
            },
            _ => Self::Unavailable(error),
        }
    }
}

/// What the database's own code says.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    TooSlow,
    Refused,
    Unavailable,
}

impl Outcome {
    /// PostgreSQL's codes have five characters; SQLite's are numbers of at most four digits.
    fn of(code: &str) -> Self {
        if code.len() == 5 {
            return match code.get(..2) {
                _ if code == QUERY_CANCELED => Self::TooSlow,
                Some(class) if REFUSALS.contains(&class) => Self::Refused,
                _ => Self::Unavailable,
            };
        }
        match code.parse::<i32>().map(|code| code & 0xff) {
            Ok(sqlite::INTERRUPT) => Self::TooSlow,
            Ok(sqlite::TOOBIG | sqlite::CONSTRAINT | sqlite::MISMATCH) => Self::Refused,
            _ => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_databases_are_told_apart() {
        // PostgreSQL: query_canceled, unique_violation, untranslatable_character, disk_full, read_only_sql_transaction.
        assert_eq!(Outcome::of("57014"), Outcome::TooSlow);
        assert_eq!(Outcome::of("23505"), Outcome::Refused);
        assert_eq!(Outcome::of("22P05"), Outcome::Refused);
        assert_eq!(Outcome::of("53100"), Outcome::Unavailable);
        assert_eq!(Outcome::of("25006"), Outcome::Unavailable);
        // SQLite: INTERRUPT, CONSTRAINT_PRIMARYKEY, BUSY, FULL, IOERR_WRITE.
        assert_eq!(Outcome::of("9"), Outcome::TooSlow);
        assert_eq!(Outcome::of("1555"), Outcome::Refused);
        assert_eq!(Outcome::of("5"), Outcome::Unavailable);
        assert_eq!(Outcome::of("13"), Outcome::Unavailable);
        assert_eq!(Outcome::of("778"), Outcome::Unavailable);
        assert_eq!(Outcome::of(""), Outcome::Unavailable);
    }

    #[test]
    fn a_pool_that_times_out_is_unavailable() {
        assert!(matches!(
            QueryError::from(Error::PoolTimedOut),
            QueryError::Unavailable(_)
        ));
    }
}
