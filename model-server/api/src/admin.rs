//! `POST /v1/admin/reload`: loads the model anew.

use serde::{Deserialize, Serialize};

use crate::ModelIdentity;

/// Answer of `POST /v1/admin/reload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReloadResponse {
    /// Whether another model is in place now.
    pub swapped: bool,

    /// The model in place.
    pub model: ModelIdentity,

    /// The model that was in place before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ModelIdentity>,
}
