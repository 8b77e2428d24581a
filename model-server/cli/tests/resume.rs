//! Runs that are cut off, and the same command that goes on.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod fixture;

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use fixture::{Finished, Reaction, Server, finish, start};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

const ROWS: usize = 20_000;

/// A file to score, and where the result goes.
struct Job {
    folder: TempDir,
    input: PathBuf,
    output: PathBuf,
}

impl Job {
    fn new(name: &str) -> Self {
        let folder = tempdir().unwrap();
        let input = folder.path().join("comments.csv");
        fixture::write_comments(&input, ROWS);
        Self {
            output: folder.path().join(name),
            input,
            folder,
        }
    }

    fn command(&self, server: &Server) -> Command {
        let files = [
            "--file",
            self.input.to_str().unwrap(),
            "--out",
            self.output.to_str().unwrap(),
        ];
        let mut command = server.score(&files);
        command.args(["--column", "body"]);
        command
    }

    fn state(&self) -> PathBuf {
        self.folder
            .path()
            .join(format!("{}.resume", self.output.file_name().unwrap().display()))
    }

    /// What an uninterrupted run writes.
    fn expected(&self) -> Vec<u8> {
        let other = self
            .output
            .with_file_name("uninterrupted")
            .with_extension(self.output.extension().unwrap());
        let files = [
            "--file",
            self.input.to_str().unwrap(),
            "--out",
            other.to_str().unwrap(),
        ];
        let run = finish(Server::start().score(&files).args(["--column", "body"]));
        assert_eq!(run.status, Some(1), "{run:?}");
        std::fs::read(other).unwrap()
    }
}

/// A server that answers so many texts, then says so and answers no more until it is dropped.
fn server_that_stalls_after(texts: usize) -> (Server, Receiver<()>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let (sender, stalled) = channel();
    let server = Server::with(move |call| {
        if seen.fetch_add(call.texts.len(), Ordering::SeqCst) >= texts {
            // Nobody asks about the second call that stalls.
            let _ = sender.send(());
            loop {
                std::thread::park();
            }
        }
        Reaction::Answer
    });
    (server, stalled)
}

fn recorded_rows(state: &Path) -> u64 {
    let Ok(bytes) = std::fs::read(state) else { return 0 };
    let state: Value = serde_json::from_slice(&bytes).unwrap();
    state["tally"]["rows"].as_u64().unwrap()
}

fn texts_seen(server: &Server) -> usize {
    server.calls().iter().map(|call| call.texts.len()).sum()
}

fn stop(child: Child, signal: Signal) -> Finished {
    kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
    Finished::of(child.wait_with_output().unwrap())
}

#[test]
fn a_killed_run_goes_on_without_a_row_lost_or_twice() {
    for name in ["scored.csv", "scored.jsonl", "scored.json"] {
        let job = Job::new(name);
        let (server, stalled) = server_that_stalls_after(ROWS / 2);
        let child = start(&mut job.command(&server));
        stalled.recv().unwrap();
        // Everything that was answered is written; the next checkpoint records it.
        while recorded_rows(&job.state()) < (ROWS / 3) as u64 {
            std::thread::sleep(Duration::from_millis(20));
        }
        let killed = stop(child, Signal::SIGKILL);
        assert_eq!(killed.status, None);
        assert!(!job.output.exists(), "half an output is not in place");

        let server = Server::start();
        let run = finish(job.command(&server).arg("--resume"));
        assert_eq!(run.status, Some(1), "{run:?}");
        assert!(run.stderr.starts_with("20,000 rows ("), "{run:?}");
        assert!(
            texts_seen(&server) <= ROWS - ROWS / 3,
            "what was scored is not scored again"
        );
        assert!(
            std::fs::read(&job.output).unwrap() == job.expected(),
            "{name} is as if nothing had happened"
        );
        assert!(!job.state().exists());
    }
}

#[test]
fn an_interrupted_run_says_how_to_go_on() {
    let job = Job::new("scored.csv");
    let (server, stalled) = server_that_stalls_after(ROWS / 2);
    let child = start(&mut job.command(&server));
    stalled.recv().unwrap();
    let run = stop(child, Signal::SIGINT);
    assert_eq!(run.status, Some(130), "{run:?}");
    assert!(
        run.stderr
            .contains("the same command with --resume goes on from there"),
        "{run:?}"
    );

    let refused = finish(&mut job.command(&server));
    assert_eq!(
        refused.status,
        Some(2),
        "what is there is not thrown away: {refused:?}"
    );
    assert!(refused.stderr.contains("--resume"), "{refused:?}");

    let server = Server::start();
    let run = finish(job.command(&server).arg("--resume"));
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(std::fs::read(&job.output).unwrap() == job.expected());
}

#[test]
fn a_run_does_not_go_on_with_what_another_left() {
    let job = Job::new("scored.csv");
    let (server, stalled) = server_that_stalls_after(ROWS / 2);
    let child = start(&mut job.command(&server));
    stalled.recv().unwrap();
    stop(child, Signal::SIGTERM);

    let server = Server::start();
    let refusal = |command: &mut Command| {
        let run = finish(command.arg("--resume"));
        assert_eq!(run.status, Some(2), "{run:?}");
        run.stderr
    };
    let other_setting = refusal(job.command(&server).arg("--flagged-only"));
    assert!(
        other_setting.contains("--flagged-only was not set, and is \"yes\" now"),
        "{other_setting}"
    );
    fixture::write_comments(&job.input, ROWS + 1);
    let other_input = refusal(&mut job.command(&server));
    assert!(
        other_input.contains("comments.csv\" has changed since"),
        "{other_input}"
    );
    assert_eq!(texts_seen(&server), 0);
}

#[test]
fn two_runs_do_not_write_the_same_file() {
    let job = Job::new("scored.csv");
    let (server, stalled) = server_that_stalls_after(0);
    let child = start(&mut job.command(&server));
    stalled.recv().unwrap();
    let second = finish(&mut job.command(&Server::start()));
    assert_eq!(second.status, Some(3));
    assert!(second.stderr.contains("another run is writing"), "{second:?}");
    stop(child, Signal::SIGTERM);
}

#[test]
fn resume_begins_when_there_is_nothing_to_go_on_with() {
    let job = Job::new("scored.jsonl");
    let run = finish(job.command(&Server::start()).arg("--resume"));
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(run.stderr.starts_with("20,000 rows: "), "{run:?}");
}
