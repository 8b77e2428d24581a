//! `cargo xtask bench`: what the product does on this machine, beside a baseline measured in the same run.

use clap::{Args, Subcommand};

use crate::bench_operator::{self, BenchOperatorArguments};
use crate::bench_score::{self, BenchScoreArguments};
use crate::bench_server::{self, BenchServerArguments};
use crate::error::Error;
use crate::workspace::Workspace;

/// What to measure: the model server, unless another part is named.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArguments {
    #[command(subcommand)]
    subject: Option<Subject>,

    #[command(flatten)]
    server: BenchServerArguments,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// The model server beside its bare sessions and beside a server in Python.
    Server(BenchServerArguments),
    /// A large file through the command line, beside the bare sessions.
    Score(BenchScoreArguments),
    /// Many monitors at once, against a control plane of its own.
    Operator(BenchOperatorArguments),
}

/// Measures what was named.
pub fn run(workspace: &Workspace, arguments: &BenchArguments) -> Result<(), Error> {
    match &arguments.subject {
        Some(Subject::Operator(arguments)) => bench_operator::run(workspace, arguments),
        Some(Subject::Score(arguments)) => bench_score::run(workspace, arguments),
        Some(Subject::Server(arguments)) => bench_server::run(workspace, arguments),
        None => bench_server::run(workspace, &arguments.server),
    }
}
