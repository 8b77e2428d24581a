//! The project's own tasks. `cargo xtask --help` lists them.

mod apt;
mod bench;
mod bench_operator;
mod bench_score;
mod bench_server;
mod browser;
mod build;
mod clients;
mod cluster;
mod component;
mod digest;
mod error;
mod eval;
mod fuzz;
mod generate;
mod image;
mod install;
mod licenses;
mod onnxruntime;
mod process;
mod pytest;
mod python;
mod schema;
mod service;
mod test;
mod toolchain;
mod train;
mod up;
mod up_cluster;
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
    /// Build everything and run it here until Ctrl-C: as two processes, or with --cluster in a real Kubernetes.
    Up(up::UpArguments),
    /// Run the tests: all of them, or the suites named.
    Test(test::TestArguments),
    /// Build the release binaries and the web app without starting them, and lay them out for an installation.
    Build(build::BuildArguments),
    /// Build the images of the product; without a registry unless one is asked for.
    Image(image::ImageArguments),
    /// Start, stop or show a real Kubernetes on this machine.
    Cluster(cluster::ClusterArguments),
    /// Write the manifests that are made from the code: CustomResourceDefinition and roles.
    Generate,
    /// Measure: the model server beside its bare sessions, or the operator with many monitors.
    Bench(bench::BenchArguments),
    /// Train the bundled model anew: from labelled comments, and from what people said of its verdicts.
    Train(train::TrainArguments),
    /// Judge a served model by labelled comments, and hold it against the figures that it was published with.
    Eval(eval::EvalArguments),
}

fn main() -> ExitCode {
    let workspace = Workspace::new();
    let result = match Arguments::parse().task {
        Task::Up(arguments) => up::run(&workspace, &arguments),
        Task::Test(arguments) => test::run(&workspace, &arguments),
        Task::Build(arguments) => build::build(&workspace, &arguments),
        Task::Image(arguments) => image::run(&workspace, &arguments),
        Task::Cluster(arguments) => cluster::run(&workspace, &arguments),
        Task::Generate => generate::run(&workspace),
        Task::Bench(arguments) => bench::run(&workspace, &arguments),
        Task::Train(arguments) => train::run(&workspace, &arguments),
        Task::Eval(arguments) => eval::run(&workspace, &arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {}", error::chain(&error));
            ExitCode::FAILURE
        }
    }
}
