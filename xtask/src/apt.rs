//! Installs Debian packages where that is possible, and says how where it is not.

use std::process::Command;

use crate::error::Error;
use crate::process::{announce, is_installed, run};

/// A program and the Debian package it comes in.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Name on the path.
    pub name: &'static str,
    /// Debian package.
    pub package: &'static str,
}

/// Installs those of `programs` that are missing.
pub fn ensure(programs: &[Program]) -> Result<(), Error> {
    let missing: Vec<Program> = programs
        .iter()
        .copied()
        .filter(|program| !is_installed(program.name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    let remedy = format!("sudo apt-get install {}", packages.join(" "));
    if !is_installed("apt-get") || !(nix::unistd::geteuid().is_root() || is_installed("sudo")) {
        return Err(Error::FindProgram {
            program: missing[0].name,
            remedy,
        });
    }
    announce(&format!("installing {} from Debian", packages.join(", ")));
    let advice = format!("Run `{remedy}` yourself and try again.");
    run(&mut apt_get(&["update", "-qq"]), &advice)?;
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    run(&mut apt_get(&[&install[..], &packages[..]].concat()), &advice)
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = if nix::unistd::geteuid().is_root() {
        Command::new("apt-get")
    } else {
        let mut command = Command::new("sudo");
        command.arg("apt-get");
        command
    };
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(std::process::Stdio::null());
    command
}
