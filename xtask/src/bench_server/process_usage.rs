//! What processes take of the machine, as Linux tells it.

use std::io;
use std::path::Path;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// What the kernel counts processor time in towards programs, on every architecture.
pub const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time that a process and those that it has started have taken so far, in seconds.
///
/// # Errors
/// When there is no such process.
pub fn processor_seconds(process: u32) -> io::Result<f64> {
    Ok(sum_over_tree(process, "stat", parse_ticks)? / TICKS_PER_SECOND)
}

/// Memory of a process and those that it has started, in megabytes; what they share counts for each.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// That they hold now.
    pub now: f64,
    /// That they have held at most, each at its own time.
    pub peak: f64,
}

/// Memory of a process and those that it has started.
///
/// # Errors
/// When there is no such process.
pub fn memory(process: u32) -> io::Result<Memory> {
    let now = sum_over_tree(process, "status", |status| kilobytes(status, "VmRSS:"))?;
    let peak = sum_over_tree(process, "status", |status| kilobytes(status, "VmHWM:"))?;
    Ok(Memory {
        now: now * 1024.0 / 1e6,
        peak: peak * 1024.0 / 1e6,
    })
}

/// Processor time of this thread, of this process, or of those that it has started and that have ended, in seconds.
///
/// # Errors
/// When the system does not know.
pub fn rusage_seconds(who: UsageWho) -> io::Result<f64> {
    let usage = getrusage(who)?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(microseconds as f64 / 1e6)
}

/// Sum of what a file says of a process and of all below it.
fn sum_over_tree(process: u32, file: &str, parse: fn(&str) -> Option<f64>) -> io::Result<f64> {
    let folder = Path::new("/proc").join(process.to_string());
    let content = std::fs::read_to_string(folder.join(file))?;
    let mut sum = parse(&content)
        .ok_or_else(|| io::Error::other(format!("{} is not understood", folder.join(file).display())))?;
    let children = std::fs::read_to_string(folder.join(format!("task/{process}/children")))?;
    for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
        // One that has just ended takes nothing.
        sum += sum_over_tree(child, file, parse).unwrap_or_default();
    }
    Ok(sum)
}

/// Ticks in user mode and in the kernel, by `man 5 proc_pid_stat`.
fn parse_ticks(stat: &str) -> Option<f64> {
    // The name of the program comes before, in parentheses, and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// A value of the form of `man 5 proc_pid_status`.
fn kilobytes(status: &str, name: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_after_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 105 0 0 0 250 50 9 9 20 0 4 0 100 1 2 3";
        assert_eq!(parse_ticks(stat), Some(300.0));
        assert_eq!(parse_ticks("7 a"), None);
    }

    #[test]
    fn this_process_takes_time_and_memory() {
        let process = std::process::id();
        let Memory { now, peak } = memory(process).unwrap();
        assert!(now > 1.0 && peak >= now, "{now} {peak}");
        assert!(processor_seconds(process).unwrap() >= 0.0);
        assert!(processor_seconds(u32::MAX).is_err());
    }
}
