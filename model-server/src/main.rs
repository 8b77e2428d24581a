//! Command line of the model server: parses arguments and calls the library.

use std::process::ExitCode;

use clap::Parser;
use toxicity_model_server::config::Arguments;
use toxicity_model_server::environment::prepare_environment;

/// Stands in for the C library's allocator too, and so under ONNX Runtime: that one keeps what loading a model took
/// and costs a tenth of the rate when texts are tokenized on one thread and scored on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Err(error) = prepare_environment() {
        eprintln!("error: {}", toxicity_service::error_chain(&error));
        return ExitCode::FAILURE;
    }
    match toxicity_model_server::run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", toxicity_service::error_chain(&error));
            ExitCode::FAILURE
        }
    }
}
