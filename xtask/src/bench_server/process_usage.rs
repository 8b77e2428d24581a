//! What a process and those that it has started take of the machine, as Linux tells it in `/proc`.

use std::io;
use std::path::Path;

use nix::unistd::{SysconfVar, sysconf};

/// Processor time that the processes have taken so far, in seconds.
///
/// # Errors
/// When there is no such process.
pub fn processor_seconds(process: u32) -> io::Result<f64> {
    let ticks_per_second = sysconf(SysconfVar::CLK_TCK)?.unwrap_or(100);
    let ticks = sum_over_tree(process, "stat", parse_ticks)?;
    Ok(ticks / i32::try_from(ticks_per_second).map_or(100.0, f64::from))
}

/// Memory that the processes hold, in megabytes; what they share counts for each.
///
/// # Errors
/// When there is no such process.
pub fn resident_megabytes(process: u32) -> io::Result<f64> {
    let kilobytes = sum_over_tree(process, "status", parse_resident_kilobytes)?;
    Ok(kilobytes * 1024.0 / 1e6)
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

fn parse_resident_kilobytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
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
        assert!(resident_megabytes(process).unwrap() > 1.0);
        assert!(processor_seconds(process).unwrap() >= 0.0);
        assert!(processor_seconds(u32::MAX).is_err());
    }
}
