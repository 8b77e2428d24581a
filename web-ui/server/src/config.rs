//! What can be set from outside: flags, each also an environment variable.

use std::{net::SocketAddr, path::PathBuf};

use clap::Parser;
use toxicity_service::LogArguments;

use crate::Upstream;

/// Serves the web app of Toxicity Monitor and passes its API calls to the model server.
#[derive(Debug, Clone, Parser)]
#[command(name = "toxicity-web-server", version)]
pub struct Config {
    /// Address and port to listen on.
    #[arg(
        long,
        env = "TOXICITY_WEB_LISTEN",
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,

    /// Base URL of the model server. `/api/…` of this server is `/…` of that one.
    #[arg(
        long,
        env = "TOXICITY_WEB_UPSTREAM",
        value_name = "URL",
        default_value = "http://127.0.0.1:8000"
    )]
    pub upstream: Upstream,

    /// Folder of the built web app; it holds `index.html`.
    #[arg(
        long,
        env = "TOXICITY_WEB_ASSETS",
        value_name = "DIR",
        default_value = "target/web-ui"
    )]
    pub assets: PathBuf,

    /// How long the model server may take to answer, and to fall silent within an answer.
    #[arg(
        long,
        env = "TOXICITY_WEB_UPSTREAM_TIMEOUT",
        value_name = "DURATION",
        default_value = "60s"
    )]
    pub upstream_timeout: humantime::Duration,

    /// Bytes of a request body that are passed on. A little more than the model server reads, so that it is the
    /// one to explain its limit.
    #[arg(long, env = "TOXICITY_WEB_BODY_LIMIT", value_name = "BYTES", default_value_t = 2 * 1024 * 1024)]
    pub body_limit: usize,

    /// Time after SIGTERM or Ctrl-C in which calls are still taken, while each answer ends its connection: what a load
    /// balancer needs to learn that this server goes.
    #[arg(
        long,
        env = "TOXICITY_WEB_DRAIN_DELAY",
        value_name = "DURATION",
        default_value = "0s"
    )]
    pub drain_delay: humantime::Duration,

    /// How long calls in flight may go on after that. Keep both together below the grace period of the pod.
    #[arg(
        long,
        env = "TOXICITY_WEB_DRAIN_TIMEOUT",
        value_name = "DURATION",
        default_value = "20s"
    )]
    pub drain_timeout: humantime::Duration,

    /// How to log.
    #[command(flatten)]
    pub log: LogArguments,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn flags_are_consistent() {
        Config::command().debug_assert();
    }

    #[test]
    fn every_flag_is_also_an_environment_variable_with_the_prefix() {
        for argument in Config::command()
            .get_arguments()
            .filter(|argument| argument.get_long().is_some())
        {
            let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
            assert!(
                variable
                    .as_deref()
                    .is_some_and(|name| name.starts_with("TOXICITY_")),
                "--{} has no variable",
                argument.get_id()
            );
        }
    }

    #[test]
    fn an_unusable_upstream_is_refused_with_a_remedy() {
        let error = Config::try_parse_from(["toxicity-web-server", "--upstream", "model-server:8000"])
            .expect_err("the scheme is missing");
        assert!(error.to_string().contains("http://model-server:8000"), "{error}");
    }
}
