//! A running server that is measured.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use super::load::Target;
use crate::error::Error;
use crate::service::{Service, free_port};

const READY_TIMEOUT: Duration = Duration::from_mins(2);

/// How to start a server, and how to talk to it.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What it is called.
    pub name: &'static str,
    /// Answers when it is ready.
    pub health_path: &'static str,
    /// Takes texts.
    pub path: &'static str,
}

/// A running server.
pub struct Subject {
    service: Service,
    kind: Kind,
    address: SocketAddr,
    ready_after: Duration,
}

impl Subject {
    /// Starts the server that `command` makes of its address, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start or does not become ready.
    pub fn start(kind: Kind, command: impl FnOnce(SocketAddr) -> Command) -> Result<Self, Error> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut service = Service::start(kind.name, &mut command(address))?;
        let url = format!("http://{address}{}", kind.health_path);
        let ready_after = service.wait_until_ready(&url, READY_TIMEOUT)?;
        Ok(Self {
            service,
            kind,
            address,
            ready_after,
        })
    }

    /// What load is sent to.
    pub fn target(&self) -> Target {
        Target {
            address: self.address,
            process: self.service.id(),
        }
    }

    /// The path that takes texts.
    pub fn path(&self) -> &'static str {
        self.kind.path
    }

    /// The address of one of its paths.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Time from its start until it was ready.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }
}
