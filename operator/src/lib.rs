//! The operator: turns each `ToxicityMonitor` into a model server, a web UI, autoscaling, alerts and a dashboard, and
//! keeps them so.
//!
//! [`watching`] keeps [`cache`] up to date and says which monitor should look; [`controller`] looks, in five steps.

pub mod api_error;
pub mod arguments;
pub mod cache;
pub mod child;
pub mod component;
pub mod controller;
pub mod diagnosis;
pub mod discovery;
pub mod drift;
pub mod health;
pub mod lease;
pub mod metrics;
pub mod model_revision;
pub mod rbac;
mod run;
pub mod watching;

use crate::arguments::{Arguments, Command};
pub use crate::run::{RunError, client, run};

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Logging does not start.
    #[error(transparent)]
    Log(#[from] toxicity_service::ParseLogFilterError),
    /// The operator stopped.
    #[error(transparent)]
    Run(#[from] RunError),
    /// No threads.
    #[error("failed to start the runtime")]
    StartRuntime(#[source] std::io::Error),
}

/// Does what the arguments ask for.
///
/// # Errors
/// When it cannot be done.
pub fn execute(arguments: Arguments) -> Result<(), Error> {
    match arguments.command {
        Command::Crd => print!("{}", custom_resource_definition()),
        Command::Version => println!("toxicity-operator {}", env!("CARGO_PKG_VERSION")),
        Command::Run(options) => {
            toxicity_service::start_logging(&arguments.log)?;
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .map_err(Error::StartRuntime)?;
            runtime.block_on(run(*options))?;
        }
    }
    Ok(())
}

/// The `CustomResourceDefinition`, as YAML.
#[must_use]
pub fn custom_resource_definition() -> String {
    serde_yaml::to_string(&toxicity_crd::custom_resource_definition())
        .expect("a CustomResourceDefinition is YAML")
}
