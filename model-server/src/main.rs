//! Command line of the model server: parses arguments and calls the library.

use std::process::ExitCode;

use clap::Parser;
use toxicity_model_server::config::Arguments;

fn main() -> ExitCode {
    match toxicity_model_server::run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", toxicity_model_server::error_chain(&error));
            ExitCode::FAILURE
        }
    }
}
