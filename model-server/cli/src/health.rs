//! `toxicity health`.

use serde::de::IgnoredAny;
use toxicity_api::{Info, ModelIdentity};

use crate::error::Error;
use crate::local::Local;
use crate::scorer::Scorer;
use crate::server::Connection;

/// Asks a server whether it would score now, and whether it knows the key.
///
/// # Errors
/// What is wrong.
pub async fn of_server(connection: &Connection) -> Result<ModelIdentity, Error> {
    let asking = || Error::asking(connection.shown_address());
    connection.get::<IgnoredAny>("readyz").await.map_err(asking())?;
    let info: Info = connection.get("info").await.map_err(asking())?;
    Ok(info.model.identity)
}

/// Scores a text with the model in this process.
///
/// # Errors
/// What is wrong.
pub async fn of_model(local: &Local) -> Result<ModelIdentity, Error> {
    let outcomes = local.score(&["ready"]).await;
    outcomes.map_err(|error| Error::Score(Box::new(error)))?;
    Ok(local.model().clone())
}
