//! Where and of what the figures are.

use std::path::Path;
use std::process::Command;

use super::baseline::Baseline;
use crate::error::Error;
use crate::process::output;

/// Names and values, one line each.
pub type Facts = Vec<(&'static str, String)>;

/// The machine and the versions.
///
/// # Errors
/// When a program does not tell its version.
pub fn facts(root: &Path, program: &Path, onnxruntime: &str, baseline: &Baseline) -> Result<Facts, Error> {
    let said = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.current_dir(root).args(arguments);
        output(&mut command, "Its message above says why.").map(|text| text.trim().to_owned())
    };
    let git = Path::new("git");
    let edited = said(git, &["status", "--porcelain", "--untracked-files=no"])?;
    let revision = said(git, &["rev-parse", "--short", "HEAD"])?;
    let changed = if edited.is_empty() { "" } else { " with changes" };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(vec![
        (
            "machine",
            format!(
                "{cores} cores ({}), {} of memory, Linux {}",
                line_of("/proc/cpuinfo", "model name"),
                gigabytes(&line_of("/proc/meminfo", "MemTotal")),
                read("/proc/sys/kernel/osrelease").trim()
            ),
        ),
        (
            "model server",
            format!(
                "{} (revision {revision}{changed}), ONNX Runtime {onnxruntime}",
                said(program, &["--version"])?
            ),
        ),
        ("compiler", said(Path::new("rustc"), &["--version"])?),
        ("baseline", baseline.versions()?),
    ])
}

/// The value of the first line of that name, in the form of `/proc`.
fn line_of(file: &str, name: &str) -> String {
    let content = read(file);
    let mut lines = content.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(key, _)| key.trim() == name);
    found.map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
}

fn gigabytes(kilobytes: &str) -> String {
    let number = kilobytes
        .split(' ')
        .next()
        .and_then(|number| number.parse::<f64>().ok());
    number.map_or_else(
        || "unknown".to_owned(),
        |number| format!("{:.0} GB", number * 1024.0 / 1e9),
    )
}

/// What cannot be read is not known; that is no reason to fail.
fn read(file: &str) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}
