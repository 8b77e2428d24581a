//! SHA-256 sums, as the text that people compare.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// The SHA-256 of a file: 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Checksum(String);

/// The text is no SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to read \"{0}\" as a SHA-256: it takes 64 hexadecimal digits")]
pub struct ParseChecksumError(String);

impl Checksum {
    /// The sum of what was hashed so far.
    #[must_use]
    pub(crate) fn of(hasher: Sha256) -> Self {
        let digits = hasher
            .finalize()
            .iter()
            .fold(String::with_capacity(64), |digits, byte| {
                digits + &format!("{byte:02x}")
            });
        Self(digits)
    }

    /// The sum of these bytes.
    #[must_use]
    pub(crate) fn of_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::of(Sha256::new_with_prefix(bytes))
    }

    /// The sum of the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        let mut file = std::fs::File::open(path)?;
        let mut hasher = Sha256::new();
        hash_into(&mut hasher, &mut file)?;
        Ok(Self::of(hasher))
    }

    /// The 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Feeds all that `reader` gives to `hasher`, and says how many bytes that were.
pub(crate) fn hash_into(hasher: &mut Sha256, reader: &mut impl Read) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut total = 0;
    loop {
        let read = reader.read(&mut chunk)?;
        if read == 0 {
            return Ok(total);
        }
        hasher.update(&chunk[..read]);
        total += read as u64;
    }
}

impl FromStr for Checksum {
    type Err = ParseChecksumError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(ParseChecksumError(text.chars().take(100).collect()))
        }
    }
}

impl TryFrom<String> for Checksum {
    type Error = ParseChecksumError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Checksum> for String {
    fn from(checksum: Checksum) -> Self {
        checksum.0
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_64_digits_in_any_case() {
        let sum = Checksum::of_bytes("");
        assert_eq!(
            sum.as_str(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(sum.as_str().to_uppercase().parse(), Ok(sum));
        for wrong in ["", "e3b0", &"g".repeat(64), &"a".repeat(65)] {
            assert!(wrong.parse::<Checksum>().is_err(), "{wrong}");
        }
    }
}
