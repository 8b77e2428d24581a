//! Databases are made, found again, and what is wrong with them is said.

use std::error::Error;
use std::os::unix::fs::PermissionsExt;

use toxicity_records::{OpenError, RecordFilter, Records};

use crate::fixture::{self, Fixture, verdict};
use crate::over_both_databases;

over_both_databases!(
    what_was_written_is_found_again,
    several_open_a_new_database_at_once,
    a_newer_version_does_not_lock_an_older_one_out,
);

async fn what_was_written_is_found_again(fixture: Fixture) {
    fixture.write([verdict("text")]).await;
    fixture.records.close().await;
    let records = Records::open(&fixture.url, fixture::timeouts()).await.unwrap();
    assert_eq!(
        records.summary(&RecordFilter::default()).await.unwrap().records,
        1
    );
}

async fn several_open_a_new_database_at_once(fixture: Fixture) {
    let url = fixture.new_url().await;
    let open = || {
        let url = url.clone();
        tokio::spawn(async move { Records::open(&url, fixture::timeouts()).await })
    };
    let opening: Vec<_> = (0..6).map(|_| open()).collect();
    for records in opening {
        let records = records.await.unwrap().unwrap();
        records.summary(&RecordFilter::default()).await.unwrap();
    }
}

async fn a_newer_version_does_not_lock_an_older_one_out(fixture: Fixture) {
    fixture
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 999999, 'from the future', success, checksum, execution_time FROM _sqlx_migrations",
        )
        .await;
    Records::open(&fixture.url, fixture::timeouts()).await.unwrap();
}

/// The error and its causes on one line.
async fn error(url: &str) -> (OpenError, String) {
    let error = Records::open(url, fixture::timeouts()).await.unwrap_err();
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    assert!(!format!("{message} {error:?}").contains("wr0ng"), "{message}");
    (error, message)
}

#[tokio::test]
async fn a_file_of_sqlite_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new folder/deeper/records.db");
    let url = format!("sqlite://{}", file.display());
    let records = Records::open(&url, fixture::timeouts()).await.unwrap();
    for file in [file.clone(), file.with_extension("db-wal")] {
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    records.close().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = format!("sqlite://{}/records.db", file.path().display());
    let (error, message) = error(&url).await;
    assert!(matches!(error, OpenError::CreateFile { .. }), "{message}");
    assert!(message.contains("records.db"), "{message}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "no database ".repeat(1_000)).unwrap();
    let (error, message) = error(&format!("sqlite://{}", file.path().display())).await;
    assert!(matches!(error, OpenError::OpenFile { .. }), "{message}");
    assert!(message.contains("not a database"), "{message}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_the_password() {
    let (error, message) = error("postgres://toxicity:wr0ng@127.0.0.1:1/records").await;
    assert!(matches!(error, OpenError::Connect { .. }), "{message}");
    assert!(message.contains("toxicity@127.0.0.1:1/records"), "{message}");
    assert!(message.contains("refused"), "{message}");
}

#[tokio::test]
async fn a_wrong_password_is_said_without_it() {
    let (error, message) = error(&fixture::server_url("wr0ng", "postgres")).await;
    assert!(matches!(error, OpenError::Refused { .. }), "{message}");
    assert!(message.contains("password authentication failed"), "{message}");
}

#[tokio::test]
async fn a_missing_database_is_named() {
    let (error, message) = error(&fixture::server_url(fixture::PASSWORD, "missing")).await;
    assert!(matches!(error, OpenError::Refused { .. }), "{message}");
    assert!(message.contains("\"missing\" does not exist"), "{message}");
}
