//! The browser that the end-to-end tests drive.

use crate::apt::{self, Program};
use crate::error::Error;

/// Installs Chromium and its `WebDriver` server where they are missing.
pub fn ensure() -> Result<(), Error> {
    apt::ensure(&[
        Program {
            name: "chromium",
            package: "chromium",
        },
        Program {
            name: "chromedriver",
            package: "chromium-driver",
        },
    ])
}
