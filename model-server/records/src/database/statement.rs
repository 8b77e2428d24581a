//! SQL and the values that go with it, for either database.

use std::borrow::Cow;

use serde::Serialize;
use uuid::Uuid;

use crate::text;

/// Where the two databases differ in what they understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// The function that says where in its first argument its second one begins, or 0.
    pub fn position(self) -> &'static str {
        match self {
            Self::Sqlite => "instr",
            Self::Postgres => "strpos",
        }
    }

    /// A table of the elements of a JSON array of texts, in its column `value`.
    pub fn elements(self, array: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({array}) AS element"),
            Self::Postgres => format!("json_array_elements_text({array}) AS element(value)"),
        }
    }
}

/// One statement. Its placeholders are numbered (`$1`), which both databases understand.
#[derive(Debug)]
pub struct Statement<'a> {
    dialect: Dialect,
    sql: String,
    values: Vec<Value<'a>>,
    /// Whether a connection keeps it prepared for the next time.
    pub persistent: bool,
}

impl<'a> Statement<'a> {
    /// Begins with `sql`.
    pub fn new(dialect: Dialect, sql: impl Into<String>) -> Self {
        Self {
            dialect,
            sql: sql.into(),
            values: Vec::new(),
            persistent: true,
        }
    }

    /// Which database it is for.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Adds SQL.
    pub fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds a placeholder and its value.
    pub fn bind(&mut self, value: impl Into<Value<'a>>) -> &mut Self {
        let value = value.into();
        let json = matches!(value, Value::Json(_));
        self.values.push(value);
        self.sql.push('$');
        self.sql.push_str(&self.values.len().to_string());
        if json && self.dialect == Dialect::Postgres {
            self.sql.push_str("::json");
        }
        self
    }

    /// Adds the number that a JSON object holds under a key, whatever characters that has.
    pub fn bind_member(&mut self, object: &str, key: &'a str) -> &mut Self {
        match self.dialect {
            Dialect::Sqlite => self
                .push(&format!("(SELECT value FROM json_each({object}) WHERE key = "))
                .bind(key)
                .push(")"),
            Dialect::Postgres => self
                .push(&format!("CAST({object} ->> "))
                .bind(key)
                .push(" AS double precision)"),
        }
    }

    /// Adds a row of values in brackets.
    pub fn bind_row<const N: usize>(&mut self, values: [Value<'a>; N]) -> &mut Self {
        for (index, value) in values.into_iter().enumerate() {
            self.push(if index == 0 { "(" } else { ", " }).bind(value);
        }
        self.push(")")
    }

    /// The SQL and its values.
    pub fn into_parts(self) -> (String, Vec<Value<'a>>) {
        (self.sql, self.values)
    }
}

/// A value in a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A UUID or nothing.
    Id(Option<Uuid>),
    /// An integer.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Yes or no.
    Boolean(bool),
    /// A text or nothing.
    Text(Option<Cow<'a, str>>),
    /// JSON or nothing.
    Json(Option<String>),
}

impl Value<'_> {
    /// The name of one of a closed set of values.
    pub fn name(value: &impl Serialize) -> Self {
        Self::optional_name(Some(value))
    }

    /// The name of one of a closed set of values, or nothing.
    pub fn optional_name(value: Option<&impl Serialize>) -> Self {
        Self::Text(value.map(|value| text::name(value).into()))
    }
}

impl From<Uuid> for Value<'_> {
    fn from(value: Uuid) -> Self {
        Self::Id(Some(value))
    }
}

impl From<Option<Uuid>> for Value<'_> {
    fn from(value: Option<Uuid>) -> Self {
        Self::Id(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

/// What does not fit becomes the largest integer: a count or a time that large says no more than that.
impl From<u64> for Value<'_> {
    fn from(value: u64) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value<'_> {
    fn from(value: usize) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::from(Some(value))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value.map(text::storable))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::from(value.as_str())
    }
}

impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(value: &'a Option<String>) -> Self {
        Self::from(value.as_deref())
    }
}
