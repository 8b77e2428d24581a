//! Rows of either database, read alike.

use serde::de::DeserializeOwned;
use sqlx::decode::Decode;
use sqlx::error::Error;
use sqlx::{ColumnIndex, Row, Type};
use uuid::Uuid;

use crate::text;

/// The columns of a row.
pub trait Columns {
    /// A UUID.
    fn id(&self, column: &str) -> Result<Uuid, Error>;
    /// A UUID or nothing.
    fn optional_id(&self, column: &str) -> Result<Option<Uuid>, Error>;
    /// An integer.
    fn integer(&self, column: &str) -> Result<i64, Error>;
    /// A text.
    fn text(&self, column: &str) -> Result<String, Error>;
    /// A text or nothing.
    fn optional_text(&self, column: &str) -> Result<Option<String>, Error>;

    /// A number of things.
    fn count(&self, column: &str) -> Result<u64, Error> {
        let count = self.integer(column)?;
        u64::try_from(count).map_err(|error| unreadable(column, error))
    }

    /// JSON.
    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, Error> {
        serde_json::from_str(&self.text(column)?).map_err(|error| unreadable(column, error))
    }

    /// JSON or nothing.
    fn optional_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>, Error> {
        let json = self.optional_text(column)?;
        json.map(|json| serde_json::from_str(&json))
            .transpose()
            .map_err(|error| unreadable(column, error))
    }

    /// One of a closed set of values.
    fn named<T: DeserializeOwned>(&self, column: &str) -> Result<T, Error> {
        text::named(self.text(column)?).map_err(|error| unreadable(column, error))
    }

    /// One of a closed set of values or nothing.
    fn optional_named<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>, Error> {
        let name = self.optional_text(column)?;
        name.map(text::named)
            .transpose()
            .map_err(|error| unreadable(column, error))
    }
}

fn unreadable(column: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::ColumnDecode {
        index: column.to_owned(),
        source: error.into(),
    }
}

impl<R: Row> Columns for R
where
    for<'name> &'name str: ColumnIndex<R>,
    for<'r> Uuid: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn id(&self, column: &str) -> Result<Uuid, Error> {
        self.try_get(column)
    }

    fn optional_id(&self, column: &str) -> Result<Option<Uuid>, Error> {
        self.try_get(column)
    }

    fn integer(&self, column: &str) -> Result<i64, Error> {
        self.try_get(column)
    }

    fn text(&self, column: &str) -> Result<String, Error> {
        self.try_get(column)
    }

    fn optional_text(&self, column: &str) -> Result<Option<String>, Error> {
        self.try_get(column)
    }
}

/// What is made of a row.
pub trait FromColumns: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// When a column is missing or holds something else.
    fn from_columns(columns: &impl Columns) -> Result<Self, Error>;
}
