//! What a driver must be able to do.

use sqlx::database::HasStatementCache;
use sqlx::encode::Encode;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgQueryResult;
use sqlx::query::Query;
use sqlx::sqlite::SqliteQueryResult;
use sqlx::{Arguments, AssertSqlSafe, Database, IntoArguments, Postgres, Sqlite, Type};
use uuid::Uuid;

use super::columns::Columns;
use super::error::QueryError;
use super::statement::{Statement, Value};

/// A database whose rows and values are like those of the other one.
pub trait Backend: Database<Row: Columns, Arguments: IntoArguments<Self>> + HasStatementCache {
    /// The values as the driver takes them.
    fn arguments(values: &[Value<'_>]) -> Result<Self::Arguments, BoxDynError>;

    /// How many rows a statement changed.
    fn changed(result: &Self::QueryResult) -> u64;
}

impl Backend for Sqlite {
    fn arguments(values: &[Value<'_>]) -> Result<Self::Arguments, BoxDynError> {
        encode::<Self>(values)
    }

    fn changed(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }
}

impl Backend for Postgres {
    fn arguments(values: &[Value<'_>]) -> Result<Self::Arguments, BoxDynError> {
        encode::<Self>(values)
    }

    fn changed(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }
}

/// The statement as the driver takes it. Its SQL is safe: it is put together from constants, and all that comes from
/// outside is bound.
pub fn query<DB: Backend>(statement: Statement<'_>) -> Result<Query<'static, DB, DB::Arguments>, QueryError> {
    let persistent = statement.persistent;
    let (sql, values) = statement.into_parts();
    let arguments = DB::arguments(&values).map_err(sqlx::Error::Encode)?;
    Ok(sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(persistent))
}

fn encode<DB: Database>(values: &[Value<'_>]) -> Result<DB::Arguments, BoxDynError>
where
    Option<Uuid>: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
    f64: for<'q> Encode<'q, DB> + Type<DB>,
    bool: for<'q> Encode<'q, DB> + Type<DB>,
    for<'q> Option<&'q str>: Encode<'q, DB> + Type<DB>,
{
    let mut arguments = DB::Arguments::default();
    for value in values {
        match value {
            Value::Id(value) => arguments.add(*value),
            Value::Integer(value) => arguments.add(*value),
            Value::Real(value) => arguments.add(*value),
            Value::Boolean(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.as_deref()),
            Value::Json(value) => arguments.add(value.as_deref()),
        }?;
    }
    Ok(arguments)
}
