//! Starts the web server; everything else lives in the library.

use std::process::ExitCode;

use clap::Parser;
use toxicity_service::error_chain;
use toxicity_web_server::Config;

#[tokio::main]
async fn main() -> ExitCode {
    match toxicity_web_server::run(Config::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error_chain(&error));
            ExitCode::FAILURE
        }
    }
}
