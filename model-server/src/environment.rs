//! What native libraries in this process read from the environment before any code of ours runs.
//!
//! ONNX Runtime reports home since 1.31: it writes an identifier of the machine and uploads usage events to its maker, on
//! Linux too, and begins with that before the call that switches events off can be made. Only its environment variable keeps
//! it from beginning.
//!
//! The allocator, mimalloc, keeps what loading a model took. Told to give memory back at once, and to take no more than
//! it needs, it holds a third less, at the same speed.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// A variable, its value, and whether another value that is there already may stay.
const VARIABLES: [(&str, &str, bool); 3] = [
    ("ORT_DISABLE_TELEMETRY", "1", false),
    ("MIMALLOC_PURGE_DELAY", "0", true),
    ("MIMALLOC_ARENA_EAGER_COMMIT", "0", true),
];

/// The process cannot be started anew.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to start anew with ORT_DISABLE_TELEMETRY=1, without which ONNX Runtime would report home; set it yourself"
)]
pub struct PrepareEnvironmentError(#[source] std::io::Error);

/// Starts this process anew, under the same id and with the same arguments, unless the environment is as it should be
/// already. A process cannot safely change its own environment.
///
/// # Errors
/// When the process cannot be started anew.
pub fn prepare_environment() -> Result<(), PrepareEnvironmentError> {
    let missing = VARIABLES.into_iter().filter(|&(name, value, may_differ)| {
        let present = std::env::var_os(name);
        !present.is_some_and(|present| may_differ || present == OsStr::new(value))
    });
    let missing: Vec<_> = missing.map(|(name, value, _)| (name, value)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let executable = std::env::current_exe().map_err(PrepareEnvironmentError)?;
    let mut arguments = std::env::args_os();
    let name = arguments
        .next()
        .unwrap_or_else(|| executable.clone().into_os_string());
    // Returns only when it fails.
    let error = Command::new(executable)
        .arg0(name)
        .args(arguments)
        .envs(missing)
        .exec();
    Err(PrepareEnvironmentError(error))
}
