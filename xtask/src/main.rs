//! The project's own tasks. `cargo xtask --help` lists them.

mod apt;
mod bench;
mod browser;
mod build;
mod error;
mod licenses;
mod onnxruntime;
mod process;
mod service;
mod test;
mod toolchain;
mod up;
mod web_app;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// The project's own tasks. Each fetches what it needs, says what it does, and fails with the remedy.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build everything and run the model server and the web UI here until Ctrl-C.
    Up(up::UpArguments),
    /// Run the tests: all of them, or the suites named.
    Test(test::TestArguments),
    /// Build the release binaries and the web app without starting them.
    Build,
    /// Measure the server beside the bare sessions in one run.
    Bench(bench::BenchArguments),
}

fn main() -> ExitCode {
    let workspace = Workspace::new();
    let result = match Arguments::parse().task {
        Task::Up(arguments) => up::run(&workspace, &arguments),
        Task::Test(arguments) => test::run(&workspace, &arguments),
        Task::Build => build::release(&workspace).map(|_| ()),
        Task::Bench(arguments) => bench::run(&workspace, &arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {}", error::chain(&error));
            ExitCode::FAILURE
        }
    }
}
