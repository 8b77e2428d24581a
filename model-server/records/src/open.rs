//! Opening a database: it is made where it is missing, reached, and brought up to date.

mod postgres;
mod sqlite;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use sqlx::migrate::MigrateError;

use crate::address::{Address, ParseAddressError};
use crate::database::{AnyPools, Database};
use crate::records::Records;
use crate::timeouts::Timeouts;

/// Connections for reads.
const READERS: u32 = 3;

/// Why a database does not open. No message holds the password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no database.
    #[error(transparent)]
    ParseAddress(#[from] ParseAddressError),
    /// The file of SQLite cannot be made.
    #[error("failed to create \"{}\"; its folder must be writable", file.display())]
    CreateFile {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file of SQLite is none, or cannot be written.
    #[error("failed to open \"{}\"; it must be a database of SQLite that this process may write", file.display())]
    OpenFile {
        /// The file.
        file: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// PostgreSQL cannot be reached.
    #[error("failed to reach the database \"{address}\"; check the host, the port and the network")]
    Connect {
        /// User, host, port and database.
        address: String,
        /// Why.
        source: sqlx::Error,
    },
    /// PostgreSQL can be reached but lets us not in.
    #[error(
        "the server refused the connection to \"{address}\"; check the user, the password and the database"
    )]
    Refused {
        /// User, host, port and database.
        address: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The tables cannot be made.
    #[error("failed to bring the tables in \"{address}\" up to date")]
    Migrate {
        /// Which database.
        address: String,
        /// Why.
        source: MigrateError,
    },
}

impl Records {
    /// Opens the database that `url` names, such as `sqlite:///var/lib/toxicity/records.db`, `sqlite://records.db` or
    /// `postgres://user:password@host/database`, and brings its tables up to date. Several replicas may do so at once.
    ///
    /// The file and the folder of SQLite are made where they are missing, the file readable by its owner alone. The
    /// user of PostgreSQL must be allowed to make tables in its schema; five connections at most are made.
    ///
    /// # Errors
    /// When the URL names no database, or the database cannot be made, reached or brought up to date.
    pub async fn open(url: &str, timeouts: Timeouts) -> Result<Self, OpenError> {
        let address: Address = url.parse()?;
        let shown = address.to_string();
        let pools = match address {
            Address::Sqlite(file) => AnyPools::Sqlite(sqlite::open(&file, timeouts).await?),
            Address::Postgres(server) => AnyPools::Postgres(postgres::open(*server, shown, timeouts).await?),
        };
        Ok(Self {
            database: Arc::new(Database::new(pools, timeouts)),
        })
    }
}
