//! A process that ends with the test.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A port that was free a moment ago.
///
/// # Panics
/// When the loopback has none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has a free port");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// A child process, killed when dropped.
pub struct Process {
    name: String,
    child: Child,
    /// Reads the standard error: a process that nobody listens to stops when the pipe is full.
    standard_error: Option<JoinHandle<String>>,
}

impl Process {
    /// Starts `command` with its standard error kept for [`Self::standard_error`].
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {name}: {error}"));
        let mut pipe = child.stderr.take().expect("standard error is piped");
        let standard_error = std::thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).expect("standard error is UTF-8");
            text
        });
        Self {
            name,
            child,
            standard_error: Some(standard_error),
        }
    }

    /// Waits until `url` answers with success.
    ///
    /// # Panics
    /// When that takes more than 30 s, or the process ends before.
    pub fn wait_until_ready(&mut self, url: &str) {
        let started = Instant::now();
        while ureq::get(url).call().is_err() {
            if let Some(status) = self.child.try_wait().unwrap() {
                let message = self.standard_error();
                panic!("{} ended with {status}: {message}", self.name);
            }
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "{} does not answer at {url}",
                self.name
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks the process to stop, as Kubernetes does.
    ///
    /// # Panics
    /// When it is gone already.
    pub fn terminate(&self) {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM).expect("the process is there");
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When that takes longer than `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                started.elapsed() < limit,
                "{} does not end within {limit:?}",
                self.name
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What the process wrote to its standard error, which must have ended.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn standard_error(&mut self) -> String {
        let reader = self.standard_error.take();
        let text = reader.map(|reader| reader.join().expect("reading does not panic"));
        text.unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, as some tests want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
