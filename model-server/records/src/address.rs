//! Which database a URL names.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

/// A database. It has no `Debug`, which would show the password.
pub enum Address {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
}

/// What is wrong with a URL. The URL itself is never shown, for it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum ParseAddressError {
    /// Neither database.
    #[error("the URL of the record must begin with \"sqlite://\", \"postgres://\" or \"postgresql://\"")]
    Scheme,
    /// SQLite without a file.
    #[error("the URL of the record must name a file, as in \"sqlite:///var/lib/toxicity/records.db\"")]
    File,
    /// SQLite with parameters.
    #[error("a \"sqlite://\" URL has no parameters; write a \"?\" in the name of the file as \"%3F\"")]
    Parameters,
    /// It does not parse.
    #[error(
        "failed to parse the URL of the record; in names and passwords write \"@\" as \"%40\", \"/\" as \"%2F\", \
         \"#\" as \"%23\", \"?\" as \"%3F\" and \"%\" as \"%25\""
    )]
    Syntax(#[source] sqlx::Error),
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        if let Some(file) = url.strip_prefix("sqlite://") {
            if file.contains('?') {
                return Err(ParseAddressError::Parameters);
            }
            if file.is_empty() || file.ends_with('/') || file == ":memory:" {
                return Err(ParseAddressError::File);
            }
            let options: SqliteConnectOptions = url.parse().map_err(ParseAddressError::Syntax)?;
            return Ok(Self::Sqlite(options.get_filename().to_owned()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = url.parse().map_err(ParseAddressError::Syntax)?;
            return Ok(Self::Postgres(Box::new(options)));
        }
        Err(ParseAddressError::Scheme)
    }
}

/// For people, without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "{}", file.display()),
            Self::Postgres(options) => {
                let user = options.get_username();
                match options.get_socket() {
                    Some(socket) => write!(f, "{user}@{}", socket.display())?,
                    None => write!(f, "{user}@{}:{}", options.get_host(), options.get_port())?,
                }
                // PostgreSQL's own default is the name of the user.
                write!(f, "/{}", options.get_database().unwrap_or(user))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        match url.parse::<Address>() {
            Ok(address) => address.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn files_are_absolute_or_relative() {
        assert_eq!(shown("sqlite:///var/lib/records.db"), "/var/lib/records.db");
        assert_eq!(shown("sqlite://Relative.db"), "Relative.db");
        assert_eq!(shown("sqlite://my%20records%3F.db"), "my records?.db");
    }

    #[test]
    fn servers_are_shown_without_the_password() {
        let address = "postgresql://toxicity:s%40cret@db.example:6432/records?sslmode=require";
        assert_eq!(shown(address), "toxicity@db.example:6432/records");
        assert_eq!(
            shown("postgres://toxicity:secret@%2Frun%2Fpostgresql/records"),
            "toxicity@/run/postgresql/records"
        );
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, problem) in [
            ("mysql://user:secret@host/db", "must begin with"),
            ("", "must begin with"),
            ("sqlite://", "must name a file"),
            ("sqlite://:memory:", "must name a file"),
            ("sqlite:///var/lib/", "must name a file"),
            ("sqlite://records.db?mode=ro", "no parameters"),
            ("postgres://user:secret#x@host/db", "failed to parse"),
            ("postgres://user:secret@host/db?sslmode=secret", "failed to parse"),
        ] {
            let message = shown(url);
            assert!(message.contains(problem), "{url}: {message}");
            assert!(!message.contains("secret"), "{url}: {message}");
        }
    }
}
