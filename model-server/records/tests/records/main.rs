//! The record over a real file of SQLite and a real server of PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod crash;
mod feedback;
mod fixture;
mod forgetting;
mod listing;
mod opening;
mod recording;

/// Each behaviour, over both databases.
macro_rules! over_both_databases {
    ($($behaviour:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour($crate::fixture::Fixture::sqlite().await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour($crate::fixture::Fixture::postgres().await).await;
            })+
        }
    };
}
use over_both_databases;
