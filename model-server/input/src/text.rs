//! Bytes to the text of a row.

use super::MAX_ROW_BYTES;
use crate::row::{Content, Original, RowFailure};

/// A row whose text is `bytes`.
pub(super) fn decoded(bytes: Vec<u8>, original: Original) -> Content {
    match String::from_utf8(bytes) {
        Ok(text) => Content {
            text,
            original,
            failure: None,
        },
        Err(error) => Content {
            failure: Some(RowFailure(format!(
                "byte {} of the text is not UTF-8; convert the file, for example with iconv -f windows-1252 -t utf-8",
                error.utf8_error().valid_up_to() + 1
            ))),
            text: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            original,
        },
    }
}

/// A row that was not kept.
pub(super) fn too_long() -> Content {
    let failure = format!("the row is longer than {} MiB", MAX_ROW_BYTES / (1024 * 1024));
    Content::failed(Original::Unreadable, RowFailure(failure))
}
