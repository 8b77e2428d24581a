//! Command line and environment of the operator.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use toxicity_service::LogArguments;

/// Turns each `ToxicityMonitor` into a model server, a web UI, autoscaling, alerts and a dashboard, and keeps them so.
///
/// Every flag is also an environment variable; the command line wins.
#[derive(Debug, Parser)]
#[command(name = "toxicity-operator", version, propagate_version = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// How to log.
    #[command(flatten)]
    pub log: LogArguments,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look after the monitors of a cluster until SIGTERM or Ctrl-C.
    Run(Box<RunArguments>),
    /// Print the CustomResourceDefinition as YAML, for `kubectl apply --server-side -f -`.
    Crd,
    /// Print the version.
    Version,
}

/// How to look after monitors. The cluster is that of the pod, else that of `KUBECONFIG`.
#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    /// Namespace whose monitors are looked after. Default: all namespaces.
    #[arg(long, env = "TOXICITY_OPERATOR_WATCH_NAMESPACE", value_name = "NAMESPACE", value_parser = namespace)]
    pub watch_namespace: Option<String>,

    /// Image of the model server for monitors that name none.
    #[arg(
        long,
        env = "TOXICITY_OPERATOR_MODEL_SERVER_IMAGE",
        default_value = concat!("toxicity-model-server:", env!("CARGO_PKG_VERSION")),
        value_name = "IMAGE"
    )]
    pub model_server_image: String,

    /// Image of the web UI for monitors that name none.
    #[arg(
        long,
        env = "TOXICITY_OPERATOR_WEB_UI_IMAGE",
        default_value = concat!("toxicity-web-ui:", env!("CARGO_PKG_VERSION")),
        value_name = "IMAGE"
    )]
    pub web_ui_image: String,

    /// Address of /healthz, /readyz and /metrics.
    #[arg(
        long,
        env = "TOXICITY_OPERATOR_LISTEN",
        default_value = "127.0.0.1:8081",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: SocketAddr,

    /// Monitors that are looked after at the same time.
    #[arg(long, env = "TOXICITY_OPERATOR_CONCURRENCY", default_value_t = 16, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,

    /// Time after which a monitor is looked at again though nothing seems to have changed.
    #[arg(long, env = "TOXICITY_OPERATOR_RESYNC", default_value = "5m", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub resync: Duration,

    /// Time between two looks for APIs that may be installed later: prometheus-operator, KEDA, Gateway API.
    #[arg(long, env = "TOXICITY_OPERATOR_DISCOVERY_INTERVAL", default_value = "30s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub discovery_interval: Duration,

    /// Who leads, when several operators run.
    #[command(flatten)]
    pub lease: LeaseArguments,
}

/// Who leads, when several operators run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Leader election")]
pub struct LeaseArguments {
    /// Lead without asking. Two such operators undo each other's work.
    #[arg(long, env = "TOXICITY_OPERATOR_NO_LEADER_ELECTION")]
    pub no_leader_election: bool,

    /// Name of the Lease.
    #[arg(
        long,
        env = "TOXICITY_OPERATOR_LEASE_NAME",
        default_value = "toxicity-operator",
        value_name = "NAME"
    )]
    pub lease_name: String,

    /// Namespace of the Lease. Default: that of the pod or of the kubeconfig.
    #[arg(long, env = "TOXICITY_OPERATOR_LEASE_NAMESPACE", value_name = "NAMESPACE", value_parser = namespace)]
    pub lease_namespace: Option<String>,

    /// Name of this operator in the Lease. Default: the host name, which is that of the pod.
    #[arg(long, env = "TOXICITY_OPERATOR_IDENTITY", value_name = "NAME")]
    pub identity: Option<String>,

    /// Time after which another operator takes over from a leader that is not heard of.
    #[arg(long, env = "TOXICITY_OPERATOR_LEASE_DURATION", default_value = "15s", value_name = "TIME", value_parser = lease_duration)]
    pub lease_duration: Duration,
}

fn namespace(text: &str) -> Result<String, String> {
    let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edge = |c: Option<char>| c.is_some_and(|c| c != '-');
    if text.len() <= 63 && text.chars().all(valid) && edge(text.chars().next()) && edge(text.chars().last()) {
        Ok(text.to_owned())
    } else {
        Err(
            "a namespace has at most 63 lower-case letters, digits and dashes, no dash at either end"
                .to_owned(),
        )
    }
}

fn lease_duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if (Duration::from_secs(3)..=Duration::from_hours(1)).contains(&duration) {
        Ok(duration)
    } else {
        Err("a lease lasts between 3s and 1h".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_flag_of_run_is_also_an_environment_variable() {
        let command = Arguments::command();
        let run = command.find_subcommand("run").expect("run exists");
        for argument in run
            .get_arguments()
            .filter(|argument| argument.get_long().is_some())
        {
            let name = argument.get_id().as_str();
            if matches!(name, "help" | "version") {
                continue;
            }
            let variable = argument
                .get_env()
                .and_then(std::ffi::OsStr::to_str)
                .unwrap_or_default();
            assert!(
                variable.starts_with("TOXICITY_"),
                "{name} has the variable {variable:?}"
            );
        }
    }

    #[test]
    fn wrong_values_name_the_flag() {
        let parse = |arguments: &[&str]| {
            let all = ["toxicity-operator", "run"].iter().chain(arguments);
            Arguments::try_parse_from(all).unwrap_err().to_string()
        };
        assert!(parse(&["--watch-namespace", "Moderation"]).contains("--watch-namespace"));
        assert!(parse(&["--lease-duration", "1s"]).contains("between 3s and 1h"));
        assert!(parse(&["--concurrency", "0"]).contains("--concurrency"));
    }
}
