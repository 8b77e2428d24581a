//! Digests, as the hexadecimal text that names and pins are written in.

use sha2::{Digest, Sha256};

/// The SHA-256 of `content`.
pub fn sha256_hex(content: impl AsRef<[u8]>) -> String {
    Sha256::digest(content)
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
