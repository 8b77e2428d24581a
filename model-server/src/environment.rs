//! Keeps ONNX Runtime from reporting home.
//!
//! Since 1.31 the library writes an identifier of the machine and uploads usage events to its maker, on Linux too, and begins
//! with that before the call that switches events off can be made. Only its environment variable keeps it from beginning.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What the library asks for before it begins.
const VARIABLE: &str = "ORT_DISABLE_TELEMETRY";

/// The process cannot be started anew.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to start anew with {VARIABLE}=1, without which ONNX Runtime would report home; set it yourself"
)]
pub struct ForbidTelemetryError(#[source] std::io::Error);

/// Starts this process anew, under the same id and with the same arguments, unless the environment forbids telemetry
/// already. A process cannot safely change its own environment.
///
/// # Errors
/// When the process cannot be started anew.
pub fn forbid_telemetry() -> Result<(), ForbidTelemetryError> {
    if std::env::var_os(VARIABLE).as_deref() == Some(OsStr::new("1")) {
        return Ok(());
    }
    let executable = std::env::current_exe().map_err(ForbidTelemetryError)?;
    let mut arguments = std::env::args_os();
    let name = arguments
        .next()
        .unwrap_or_else(|| executable.clone().into_os_string());
    // Returns only when it fails.
    let error = Command::new(executable)
        .arg0(name)
        .args(arguments)
        .env(VARIABLE, "1")
        .exec();
    Err(ForbidTelemetryError(error))
}
