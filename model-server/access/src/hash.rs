//! What is stored of a key.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Shortest secret that is hashed, in bytes: 32 hexadecimal digits still hold 128 bits.
pub const SHORTEST_SECRET: usize = 32;

const PREFIX: &str = "sha256:";

/// SHA-256 of a key, written `sha256:` and 64 hexadecimal digits.
///
/// A fast hash without salt is right for keys: they are random and long, so nobody can try them all, and two are
/// never the same. Slow hashes exist for passwords, which people choose; a request could not wait for one. Therefore
/// nothing short is hashed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

/// The secret is too short to be a random key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key is shorter than {SHORTEST_SECRET} characters, so it could be guessed; generate one")]
pub struct ShortSecretError;

/// The text is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hash is not \"sha256:\" and 64 hexadecimal digits")]
pub struct ParseKeyHashError;

impl KeyHash {
    /// The hash of a secret.
    ///
    /// # Errors
    /// When the secret is too short to be a random key.
    pub fn of_secret(secret: &str) -> Result<Self, ShortSecretError> {
        if secret.len() < SHORTEST_SECRET {
            return Err(ShortSecretError);
        }
        Ok(Self(Sha256::digest(secret).into()))
    }
}

impl ConstantTimeEq for KeyHash {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl FromStr for KeyHash {
    type Err = ParseKeyHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix(PREFIX).ok_or(ParseKeyHashError)?.as_bytes();
        let mut hash = [0; 32];
        let (pairs, []) = digits.as_chunks::<2>() else {
            return Err(ParseKeyHashError);
        };
        if pairs.len() != hash.len() {
            return Err(ParseKeyHashError);
        }
        for (byte, &[high, low]) in hash.iter_mut().zip(pairs) {
            *byte = digit(high)? << 4 | digit(low)?;
        }
        Ok(Self(hash))
    }
}

fn digit(character: u8) -> Result<u8, ParseKeyHashError> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        b'A'..=b'F' => Ok(character - b'A' + 10),
        _ => Err(ParseKeyHashError),
    }
}

/// The form in the file. Not for logs: who reads the hash of a known key learns where else it is used.
impl fmt::Display for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_sha256_that_other_tools_print() {
        // printf %s abcdefghijklmnopqrstuvwxyzabcdef | sha256sum
        let printed = "sha256:2070df23e0d957590bc67a03d7a244173059dd2a2ad4a8d5a01a3e6eed013fec";
        let hash = KeyHash::of_secret("abcdefghijklmnopqrstuvwxyzabcdef").unwrap();
        assert_eq!(hash.to_string(), printed);
        assert_eq!(printed.to_uppercase().replace("SHA", "sha").parse(), Ok(hash));
    }

    #[test]
    fn a_secret_that_could_be_guessed_is_refused() {
        assert_eq!(KeyHash::of_secret("hunter2"), Err(ShortSecretError));
        assert_eq!(KeyHash::of_secret(&"x".repeat(31)), Err(ShortSecretError));
    }

    #[test]
    fn anything_but_64_digits_is_refused() {
        let hash = |digits: &str| format!("sha256:{digits}").parse::<KeyHash>();
        assert!(hash(&"0f".repeat(32)).is_ok());
        for digits in [
            "",
            "0",
            &"0".repeat(63),
            &"0".repeat(65),
            &"+f".repeat(32),
            &"é".repeat(32),
            &"g0".repeat(32),
        ] {
            assert_eq!(hash(digits), Err(ParseKeyHashError), "{digits}");
        }
        assert!("0f".repeat(32).parse::<KeyHash>().is_err());
    }

    #[test]
    fn does_not_show_in_debug_output() {
        let hash = KeyHash::of_secret(&"x".repeat(40)).unwrap();
        assert_eq!(format!("{hash:?}"), "KeyHash(..)");
    }
}
