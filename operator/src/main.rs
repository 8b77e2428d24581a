//! Command line of the operator: parses arguments and calls the library.

use std::process::ExitCode;

use clap::Parser;
use toxicity_operator::arguments::Arguments;

/// Keeps less of what long lists of objects took for a moment.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match toxicity_operator::execute(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", toxicity_service::error_chain(&error));
            ExitCode::FAILURE
        }
    }
}
