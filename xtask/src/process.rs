//! Runs commands, says which, and turns their failure into an error with a remedy.

use std::process::{Command, Stdio};

use crate::error::Error;

/// Says what happens next.
pub fn announce(step: &str) {
    eprintln!("\x1b[1m==>\x1b[0m {step}");
}

/// The command line of `command`, as a person would type it.
pub fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs `command` to its end.
pub fn run(command: &mut Command, remedy: &str) -> Result<(), Error> {
    let status = command
        .status()
        .map_err(|source| start_error(command, remedy, source))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::RunCommand {
            command: command_line(command),
            status,
            remedy: remedy.to_owned(),
        })
    }
}

/// Runs `command` to its end and gives what it prints.
pub fn output(command: &mut Command, remedy: &str) -> Result<String, Error> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| start_error(command, remedy, source))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let (command, status) = (command_line(command), output.status);
        Err(Error::RunCommand {
            command,
            status,
            remedy: remedy.to_owned(),
        })
    }
}

/// Whether `program` is found on the path.
pub fn is_installed(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

pub fn start_error(command: &Command, remedy: &str, source: std::io::Error) -> Error {
    Error::StartCommand {
        command: command_line(command),
        remedy: remedy.to_owned(),
        source,
    }
}
