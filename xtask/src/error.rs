//! Why a task failed, and what to do about it.

use std::path::PathBuf;

use crate::web_app;

/// Why a task failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A command is not installed or cannot be started.
    #[error("failed to start `{command}`. {remedy}")]
    StartCommand {
        /// The command line.
        command: String,
        /// What to do.
        remedy: String,
        /// Why.
        source: std::io::Error,
    },
    /// A command failed.
    #[error("`{command}` failed ({status}). {remedy}")]
    RunCommand {
        /// The command line.
        command: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// What to do.
        remedy: String,
    },
    /// A file cannot be read or written.
    #[error("failed to {action} \"{path}\"")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No pinned ONNX Runtime for this machine.
    #[error(
        "failed to choose an ONNX Runtime for {0}: only Linux (x86_64, aarch64) and macOS (aarch64) are pinned. Put a \
         library of your own in place and name it with TOXICITY_ONNXRUNTIME"
    )]
    ChooseOnnxRuntime(String),
    /// A download is not what was pinned.
    #[error("failed to verify \"{path}\": its SHA-256 is {found}, not {pinned}. Delete it and try again")]
    VerifyDownload {
        /// The file.
        path: PathBuf,
        /// Its hash.
        found: String,
        /// The pinned hash.
        pinned: &'static str,
    },
    /// A wheel cannot be unpacked.
    #[error("failed to unpack \"{path}\"")]
    Unpack {
        /// The wheel.
        path: PathBuf,
        /// Why.
        source: zip::result::ZipError,
    },
    /// The web app cannot be built.
    #[error("failed to build the web app")]
    BuildWebApp(#[from] web_app::Error),
    /// A program is missing and cannot be installed from here.
    #[error("failed to find {program}: install it, on Debian and Ubuntu by `{remedy}`, and try again")]
    FindProgram {
        /// The program.
        program: &'static str,
        /// The command that installs it.
        remedy: String,
    },
    /// A port is taken.
    #[error("port {port} is taken; choose another with {flag}")]
    TakePort {
        /// The port.
        port: u16,
        /// The flag that sets it.
        flag: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// Two servers cannot share a port.
    #[error("--port and --model-port are both {0}; choose different ones")]
    SharePort(u16),
    /// A server does not get ready.
    #[error("the {service} was not ready after {seconds} s; its log above says why")]
    AwaitService {
        /// The server.
        service: &'static str,
        /// How long was waited.
        seconds: u64,
    },
    /// A server ended by itself.
    #[error("the {service} stopped by itself ({status}); its log above says why")]
    LoseService {
        /// The server.
        service: &'static str,
        /// Its exit status.
        status: std::process::ExitStatus,
    },
    /// Ctrl-C cannot be caught.
    #[error("failed to catch Ctrl-C")]
    CatchSignal(#[from] ctrlc::Error),
    /// Tests failed.
    #[error("{0} of the steps above failed")]
    FailTests(usize),
    /// A measurement printed something else than expected.
    #[error("failed to understand what `{command}` printed: {message}")]
    ReadMeasurement {
        /// The command.
        command: String,
        /// What is wrong.
        message: String,
    },
}

/// The message of an error and of all its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    message
}
