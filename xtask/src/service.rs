//! Servers that a task starts, waits for and stops.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::Error;
use crate::process::start_error;

/// Longest wait for a server that was told to stop: its own limit and some.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// A running server, stopped when dropped.
pub struct Service {
    name: &'static str,
    child: Child,
}

impl Service {
    /// Starts `command`.
    pub fn start(name: &'static str, command: &mut Command) -> Result<Self, Error> {
        let child = command
            .spawn()
            .map_err(|source| start_error(command, "Build it again with `cargo xtask build`.", source))?;
        Ok(Self { name, child })
    }

    /// Waits until `url` answers with success and gives the time that took.
    pub fn wait_until_ready(&mut self, url: &str, limit: Duration) -> Result<Duration, Error> {
        let started = Instant::now();
        while started.elapsed() < limit {
            if ureq::get(url).call().is_ok() {
                return Ok(started.elapsed());
            }
            self.check()?;
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(Error::AwaitService {
            service: self.name,
            seconds: limit.as_secs(),
        })
    }

    /// Fails when the server has ended.
    pub fn check(&mut self) -> Result<(), Error> {
        match self.exit_status() {
            Some(status) => Err(Error::LoseService {
                service: self.name,
                status,
            }),
            None => Ok(()),
        }
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells the server to stop and waits for it.
    pub fn stop(&mut self) {
        if self.exit_status().is_some() {
            return;
        }
        let id = Pid::from_raw(self.child.id().cast_signed());
        // It may have ended in between, which is what is wanted.
        let _ = kill(id, Signal::SIGTERM);
        let started = Instant::now();
        while started.elapsed() < STOP_TIMEOUT {
            if self.exit_status().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Fails when `port` is taken.
pub fn check_port(port: u16, flag: &'static str) -> Result<(), Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map(drop)
        .map_err(|source| Error::TakePort { port, flag, source })
}

/// Ports that are free at this moment and stay so for longer: the kernel takes none of them for outgoing connections,
/// which a server that starts again later would find in its place.
pub fn free_ports<const COUNT: usize>() -> Result<[u16; COUNT], Error> {
    // Below the ranges of Linux and of macOS, and beginning elsewhere for every process.
    const FIRST: u32 = 20_000;
    const RANGE: u32 = 10_000;
    let mut ports = [0; COUNT];
    let mut found = 0;
    for step in 0..RANGE {
        let offset = (std::process::id().wrapping_mul(37) + step) % RANGE;
        let port = u16::try_from(FIRST + offset).expect("the range ends below 65,536");
        if found < COUNT && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            ports[found] = port;
            found += 1;
        }
        if found == COUNT {
            return Ok(ports);
        }
    }
    Err(Error::TakePort {
        port: 0,
        flag: "another network",
        source: std::io::ErrorKind::AddrInUse.into(),
    })
}

/// A port that is free at this moment.
pub fn free_port() -> Result<u16, Error> {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(|source| Error::TakePort {
            port: 0,
            flag: "another network",
            source,
        })
}
