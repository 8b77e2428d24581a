//! What the protocol is told of the model.

use super::Error;
use crate::scored::Labels;
use crate::text::shortened;

/// Number under which the served version also goes: clients of Triton, where versions are numbers from 1, often name it.
const FIRST_VERSION: &str = "1";

/// The one model that is served.
#[derive(Debug, Clone, Copy)]
pub struct ModelView<'a> {
    /// Name in the paths.
    pub name: &'a str,
    /// Revision, the version on the wire.
    pub version: &'a str,
    /// Labels and thresholds.
    pub labels: Labels<'a>,
    /// Most tokens in a row of `input_ids`, special tokens included.
    pub window_tokens: usize,
    /// Ids of tokens are below it.
    pub vocabulary_size: usize,
}

impl ModelView<'_> {
    /// Checks that a request means this model. An absent or empty version means the served one, and so does "1".
    ///
    /// # Errors
    /// When it names another model or version.
    pub fn check(&self, name: &str, version: Option<&str>) -> Result<(), Error> {
        if name != self.name {
            return Err(Error::UnknownModel {
                name: shortened(name).into_owned(),
                served: self.name.to_owned(),
            });
        }
        match version {
            None | Some("" | FIRST_VERSION) => Ok(()),
            Some(version) if version == self.version => Ok(()),
            Some(version) => Err(Error::UnknownVersion {
                name: self.name.to_owned(),
                version: shortened(version).into_owned(),
                served: self.version.to_owned(),
            }),
        }
    }
}
