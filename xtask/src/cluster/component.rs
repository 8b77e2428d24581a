//! The long-running programs of a cluster: start, find again, stop.
//!
//! `target/cluster/<name>/pid/<component>` holds three lines: the process id; the boot and the tick of that boot at
//! which the process started, so that a reused id is not taken for it; and a digest of its command line, so that `up`
//! restarts what should now run differently. Tests read the first line. `log/<component>.log` holds what it printed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cluster::procfs::{self, CLUSTER_MARK, COMPONENT_MARK};
use crate::cluster::state::State;
use crate::digest::sha256_hex;
use crate::error::Error;
use crate::process::start_error;

/// Lines of a log that an error shows.
const LOG_LINES: usize = 12;

/// How long a program gets to end by itself.
const GRACE: Duration = Duration::from_secs(4);

/// A program that belongs to a cluster.
pub struct Component<'a> {
    state: &'a State,
    name: String,
    /// The command line that runs in the end.
    command: Vec<String>,
    network_namespace: Option<PathBuf>,
}

/// What a pid file says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PidFile {
    id: i32,
    boot: String,
    start: u64,
    digest: String,
}

impl PidFile {
    fn parse(content: &str) -> Option<Self> {
        let mut lines = content.lines();
        let id = lines.next()?.parse().ok()?;
        let (boot, start) = lines.next()?.split_once(' ')?;
        Some(Self {
            id,
            boot: boot.to_owned(),
            start: start.parse().ok()?,
            digest: lines.next()?.to_owned(),
        })
    }

    fn render(&self) -> String {
        format!("{}\n{} {}\n{}\n", self.id, self.boot, self.start, self.digest)
    }

    /// Whether the process of this id is still the one that was recorded.
    fn is_running(&self) -> bool {
        self.boot == procfs::boot_id() && procfs::start_time(self.id) == Some(self.start)
    }
}

impl<'a> Component<'a> {
    /// A component that is not started yet.
    pub fn new(state: &'a State, name: impl Into<String>, program: &Path, arguments: Vec<String>) -> Self {
        let mut command = vec![program.display().to_string()];
        command.extend(arguments);
        Self {
            state,
            name: name.into(),
            command,
            network_namespace: None,
        }
    }

    /// Runs it in a network namespace; everything else stays the machine's, above all the view of the cgroups.
    pub fn in_network_namespace(mut self, namespace: PathBuf) -> Self {
        self.network_namespace = Some(namespace);
        self
    }

    /// Starts the program, unless it runs already just so. One that runs with other arguments is stopped before.
    pub fn start(&self) -> Result<(), Error> {
        let digest = sha256_hex(self.command.join("\0"));
        if let Some(recorded) = read_pid_file(self.state, &self.name).filter(PidFile::is_running) {
            if recorded.digest == digest {
                return Ok(());
            }
            stop(&[recorded.id], GRACE);
        } else if let Some(id) = self.unrecorded() {
            // An `up` that was cut off between starting it and writing that down.
            return self.record(id, digest);
        }
        let log = self.log()?;
        let mut words: Vec<&str> = vec!["setsid"];
        let enter = self
            .network_namespace
            .as_ref()
            .map(|namespace| format!("--net={}", namespace.display()));
        if let Some(enter) = &enter {
            words.extend(["nsenter", enter]);
        }
        words.extend(self.command.iter().map(String::as_str));
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .current_dir(&self.state.folder)
            .env(CLUSTER_MARK, &self.state.folder)
            .env(COMPONENT_MARK, &self.name)
            // What a person has set for clusters of their own is not for this one.
            .env_remove("KUBECONFIG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(|source| self.log_error(source))?)
            .stderr(log);
        let child = command.spawn().map_err(|source| {
            start_error(
                &command,
                "Install util-linux, which holds setsid and nsenter.",
                source,
            )
        })?;
        self.record(child.id().cast_signed(), digest)
    }

    /// Waits until `is_ready` says so, and fails with the end of the log when the program ends or takes too long.
    pub fn wait(&self, limit: Duration, mut is_ready: impl FnMut() -> bool) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            if is_ready() {
                return Ok(());
            }
            self.check()?;
            if started.elapsed() > limit {
                return Err(self.failure(format!("was not ready after {} s", limit.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Fails with the end of the log when the program has ended.
    pub fn check(&self) -> Result<(), Error> {
        if running(self.state, &self.name).is_some() {
            Ok(())
        } else {
            Err(self.failure("ended".to_owned()))
        }
    }

    fn failure(&self, what: String) -> Error {
        let path = self.log_path();
        let log = std::fs::read(&path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        Error::RunComponent {
            component: self.name.clone(),
            what,
            log: path,
            end: lines[lines.len().saturating_sub(LOG_LINES)..].join("\n"),
        }
    }

    fn unrecorded(&self) -> Option<i32> {
        procfs::marked(&self.state.folder)
            .into_iter()
            .filter(|process| process.component == self.name)
            .map(|process| process.id)
            .find(|&id| procfs::command_line(id) == self.command)
    }

    fn record(&self, id: i32, digest: String) -> Result<(), Error> {
        // One that has ended already gets a time that fits no process.
        let start = procfs::start_time(id).unwrap_or_default();
        let boot = procfs::boot_id();
        let file = PidFile {
            id,
            boot,
            start,
            digest,
        };
        super::write(&pid_path(self.state, &self.name), file.render())
    }

    fn log_path(&self) -> PathBuf {
        self.state.path(&format!("log/{}.log", self.name))
    }

    fn log(&self) -> Result<std::fs::File, Error> {
        let path = self.log_path();
        std::fs::create_dir_all(path.parent().expect("logs lie in a folder"))
            .and_then(|()| std::fs::File::options().create(true).append(true).open(&path))
            .map_err(|source| self.log_error(source))
    }

    fn log_error(&self, source: std::io::Error) -> Error {
        Error::File {
            action: "open",
            path: self.log_path(),
            source,
        }
    }
}

/// The id of a component's process; nothing when it does not run.
pub fn running(state: &State, name: &str) -> Option<i32> {
    read_pid_file(state, name)
        .filter(PidFile::is_running)
        .map(|file| file.id)
}

fn pid_path(state: &State, name: &str) -> PathBuf {
    state.path(&format!("pid/{name}"))
}

fn read_pid_file(state: &State, name: &str) -> Option<PidFile> {
    PidFile::parse(&std::fs::read_to_string(pid_path(state, name)).ok()?)
}

/// Ends processes, those that do not end within `grace` by force, and waits until they are gone.
pub fn stop(ids: &[i32], grace: Duration) {
    // An id is sent a signal only as long as the process that was found behind it is still there.
    let mut left: Vec<(i32, u64)> = ids
        .iter()
        .filter_map(|&id| Some((id, procfs::start_time(id)?)))
        .collect();
    for (signal, limit) in [(Signal::SIGTERM, grace), (Signal::SIGKILL, GRACE)] {
        left.retain(|&(id, start)| procfs::start_time(id) == Some(start));
        for &(id, _) in &left {
            // It may have ended in between, which is what is wanted.
            let _ = kill(Pid::from_raw(id), signal);
        }
        let started = Instant::now();
        while !left.is_empty() && started.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(20));
            left.retain(|&(id, start)| procfs::start_time(id) == Some(start));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn this_process() -> PidFile {
        let id = std::process::id().cast_signed();
        PidFile {
            id,
            boot: procfs::boot_id(),
            start: procfs::start_time(id).unwrap(),
            digest: "digest".to_owned(),
        }
    }

    #[test]
    fn a_pid_file_survives_the_round_trip_and_leads_with_the_id() {
        let file = this_process();
        let content = file.render();
        assert_eq!(content.lines().next(), Some(&*file.id.to_string()));
        assert_eq!(PidFile::parse(&content), Some(file));
    }

    #[test]
    fn a_reused_id_is_not_the_recorded_process() {
        let file = this_process();
        assert!(file.is_running());
        assert!(
            !PidFile {
                start: file.start + 1,
                ..file.clone()
            }
            .is_running()
        );
        assert!(
            !PidFile {
                boot: "another boot".to_owned(),
                ..file
            }
            .is_running()
        );
    }

    #[test]
    fn half_a_pid_file_says_nothing() {
        for content in ["", "12\n", "12\nboot\n", "x\nboot 1\nd\n", "12\nboot 1\n"] {
            assert_eq!(PidFile::parse(content), None, "{content:?}");
        }
    }
}
