//! New keys.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::entry::{KeyEntry, ParseKeyEntryError};
use crate::hash::{KeyHash, ShortSecretError};

/// What every key begins with, so that a key that leaked is known for what it is, by people and by secret scanners.
const PREFIX: &str = "tox_";

/// Random bytes of a key.
const RANDOM_BYTES: usize = 32;

/// A new key. The secret is shown to who asked for it and kept nowhere; what is kept is the line for the file.
#[derive(Clone)]
pub struct GeneratedKey {
    secret: String,
    /// The key without its secret; its `Display` is the line for the file.
    pub entry: KeyEntry,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateKeyError {
    /// The name or an attribute is wrong.
    #[error("failed to describe the key")]
    Describe(#[from] ParseKeyEntryError),
    /// The operating system gives no random numbers.
    #[error("failed to get random numbers from the operating system")]
    Random(#[from] getrandom::Error),
    /// The secret came out too short.
    #[error("failed to hash the key")]
    Hash(#[from] ShortSecretError),
}

impl GeneratedKey {
    /// A key of 256 random bits: `tox_` and 43 letters, digits, dashes and underscores. Its attributes are written as in
    /// the file, `rate=50` for example.
    ///
    /// # Errors
    /// When the name or an attribute is wrong, or the operating system gives no random numbers.
    pub fn new<'a>(
        name: &str,
        attributes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, GenerateKeyError> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        let secret = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(random));
        let entry = KeyEntry::new(name, KeyHash::of_secret(&secret)?)?.with_attributes(attributes)?;
        Ok(Self { secret, entry })
    }

    /// The key as clients present it.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for GeneratedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GeneratedKey")
            .field("entry", &self.entry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_long_random_and_safe_in_a_url() {
        let (first, second) = (
            GeneratedKey::new("forum", []).unwrap(),
            GeneratedKey::new("forum", []).unwrap(),
        );
        assert_ne!(first.secret(), second.secret());
        let random = first.secret().strip_prefix("tox_").unwrap();
        assert_eq!(random.len(), 43);
        assert!(
            random
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        );
        assert_eq!(KeyHash::of_secret(first.secret()), Ok(first.entry.hash));
    }

    #[test]
    fn the_secret_is_not_in_debug_output_nor_in_the_line() {
        let key = GeneratedKey::new("forum", []).unwrap();
        assert!(!format!("{key:?} {}", key.entry).contains(key.secret()));
    }

    #[test]
    fn attributes_are_those_of_the_file() {
        let key = GeneratedKey::new("forum", ["rate=5", "admin"]).unwrap();
        assert_eq!(
            key.entry.to_string(),
            format!("forum {} rate=5 burst=5 admin", key.entry.hash)
        );
        assert_eq!(key.entry.to_string().parse(), Ok(key.entry));
    }

    #[test]
    fn what_the_file_could_not_hold_is_refused() {
        for name in ["", "two words", "# forum", &"n".repeat(65)] {
            assert!(
                matches!(GeneratedKey::new(name, []), Err(GenerateKeyError::Describe(_))),
                "{name}"
            );
        }
        for attribute in ["", "# since May", "tenant=two words", "rate=5 admin"] {
            assert!(
                matches!(
                    GeneratedKey::new("forum", [attribute]),
                    Err(GenerateKeyError::Describe(_))
                ),
                "{attribute}"
            );
        }
    }
}
