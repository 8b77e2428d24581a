//! What the kernel tells about processes, read so that a reused process id is never taken for the old process.

use std::path::Path;

/// Names the cluster in the environment of each of its processes. What a process was started with cannot be reused by
/// another one, so that the processes of a cluster are found even when no file names them.
pub const CLUSTER_MARK: &str = "TOXICITY_CLUSTER_FOLDER";

/// Names the component in the environment of each of its processes.
pub const COMPONENT_MARK: &str = "TOXICITY_CLUSTER_COMPONENT";

/// A process of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Process id.
    pub id: i32,
    /// The component that it is or that started it.
    pub component: String,
}

/// When a process started, in ticks since boot; nothing when it has ended.
pub fn start_time(id: i32) -> Option<u64> {
    parse_start_time(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

/// Seconds since a process started.
pub fn uptime(id: i32) -> Option<u64> {
    /// What the kernel counts process times in towards programs, on every architecture.
    const TICKS_PER_SECOND: u64 = 100;
    let since_boot = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: u64 = since_boot.split('.').next()?.parse().ok()?;
    Some(seconds.saturating_sub(start_time(id)? / TICKS_PER_SECOND))
}

/// Resident memory in bytes.
pub fn resident_bytes(id: i32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Names this boot of the machine.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// The command line of a process, word by word.
pub fn command_line(id: i32) -> Vec<String> {
    strings(&std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default())
}

/// All running processes that a cluster started and whose environment this user may read.
pub fn marked(cluster_folder: &Path) -> Vec<Marked> {
    let mark = format!("{CLUSTER_MARK}={}", cluster_folder.display());
    let component = format!("{COMPONENT_MARK}=");
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|id| {
            let environment = strings(&std::fs::read(format!("/proc/{id}/environ")).ok()?);
            let is_ours = environment.contains(&mark) && start_time(id).is_some();
            let name = environment
                .iter()
                .find_map(|entry| entry.strip_prefix(&component));
            is_ours.then(|| Marked {
                id,
                component: name.unwrap_or_default().to_owned(),
            })
        })
        .collect()
}

fn strings(content: &[u8]) -> Vec<String> {
    content
        .split(|&byte| byte == 0)
        .filter(|part| !part.is_empty())
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect()
}

/// Field 22 of `/proc/<id>/stat`. The second field, the name, may hold spaces and parentheses.
fn parse_start_time(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ');
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (a) (b) S 1 42 42 0 -1 4194560 100 0 0 0 5 6 0 0 20 0 9 0 12345 1000 200 0";

    #[test]
    fn reads_the_start_time_past_a_strange_name() {
        assert_eq!(parse_start_time(STAT), Some(12345));
    }

    #[test]
    fn a_zombie_has_ended() {
        assert_eq!(parse_start_time(&STAT.replace(") S", ") Z")), None);
    }
}
