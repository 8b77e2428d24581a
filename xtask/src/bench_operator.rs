//! `cargo xtask bench operator`: many monitors at once, against a control plane of its own without nodes.
//!
//! The baseline is one monitor alone in the same run: what a monitor costs among many is told as a ratio to it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::cluster::{self, Cluster, ClusterChoice, ClusterName};
use crate::error::Error;
use crate::process::{announce, output, run as run_command, start_error};
use crate::service::{Service, free_port};
use crate::workspace::Workspace;

const NAMESPACE: &str = "bench";

/// Monitors before, whose cost is the baseline.
const ALONE: usize = 5;

/// Clients that create monitors at the same time.
const CREATORS: usize = 4;

const READY_TIMEOUT: Duration = Duration::from_mins(1);
const CONVERGE_TIMEOUT: Duration = Duration::from_mins(15);

/// Time without a request about monitors after which all is said.
const QUIET: Duration = Duration::from_secs(5);

/// What to measure.
#[derive(Debug, Args)]
pub struct BenchOperatorArguments {
    /// Monitors created at once.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=5000))]
    monitors: u16,

    /// Seconds of standing still in which writes are counted.
    #[arg(long, default_value_t = 60)]
    still_seconds: u64,
}

/// What the operator counted until a moment.
#[derive(Debug, Clone, Default)]
struct Counts(BTreeMap<String, f64>);

impl Counts {
    /// Reads the text format of Prometheus; labels stay part of the name.
    fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(samples.collect())
    }

    /// Sum over all series of a metric.
    fn sum(&self, metric: &str) -> f64 {
        let series = self.0.iter().filter(|(name, _)| {
            let rest = name.strip_prefix(metric);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        });
        series.map(|(_, value)| value).sum()
    }

    fn requests(&self) -> f64 {
        self.sum("toxicity_operator_api_requests_total")
    }

    fn child_writes(&self) -> f64 {
        self.sum("toxicity_operator_child_writes_total")
    }

    fn status_writes(&self) -> f64 {
        self.sum("toxicity_operator_status_writes_total")
    }

    fn looks(&self) -> f64 {
        self.sum("toxicity_operator_reconciles_total")
    }

    fn memory_megabytes(&self) -> f64 {
        self.sum("process_resident_memory_bytes") / 1e6
    }

    fn cpu_seconds(&self) -> f64 {
        self.sum("process_cpu_seconds_total")
    }
}

/// Measures and prints a table.
pub fn run(workspace: &Workspace, arguments: &BenchOperatorArguments) -> Result<(), Error> {
    announce("building the operator");
    let mut build = Command::new("cargo");
    build
        .current_dir(workspace.root())
        .args(["build", "--release", "--package=toxicity-operator"]);
    run_command(&mut build, "The compiler's message above says why.")?;
    let name: ClusterName = "bench".parse().expect("the name is valid");
    let choice = ClusterChoice {
        nodes: Some(0),
        ..ClusterChoice::default()
    };
    let result = cluster::up(workspace, &name, &choice).and_then(|cluster| measure(workspace, &cluster, arguments));
    cluster::down(workspace, &name)?;
    result
}

fn measure(workspace: &Workspace, cluster: &Cluster, arguments: &BenchOperatorArguments) -> Result<(), Error> {
    let remedy = "Its message above says why.";
    let mut define = cluster.kubectl();
    define.args(["apply", "--server-side", "--kustomize"]);
    run_command(define.arg(workspace.root().join("manifests/crd")).stdout(Stdio::null()), remedy)?;
    let mut namespace = cluster.kubectl();
    run_command(namespace.args(["create", "namespace", NAMESPACE]).stdout(Stdio::null()), remedy)?;

    let operator = Operator::start(workspace, cluster)?;
    announce(&format!("{ALONE} monitors, one after the other"));
    let before = operator.counts()?;
    let mut alone = Duration::ZERO;
    for number in 0..ALONE {
        let started = Instant::now();
        create(cluster, &[format!("alone-{number}")])?;
        wait_until_seen(cluster, number + 1)?;
        alone += started.elapsed();
    }
    let alone = alone.as_secs_f64() / as_number(ALONE);
    operator.wait_until_quiet()?;
    let after = operator.counts()?;
    let alone_requests = (after.requests() - before.requests()) / as_number(ALONE);

    let many = usize::from(arguments.monitors);
    announce(&format!("{many} monitors at once"));
    let before = after;
    let started = Instant::now();
    let names: Vec<String> = (0..many).map(|number| format!("monitor-{number}")).collect();
    create(cluster, &names)?;
    let created = started.elapsed();
    wait_until_seen(cluster, ALONE + many)?;
    let seen = started.elapsed();
    operator.wait_until_quiet()?;
    let after = operator.counts()?;
    let each = |count: fn(&Counts) -> f64| (count(&after) - count(&before)) / as_number(many);

    announce(&format!("standing still for {} s", arguments.still_seconds));
    let still = operator.counts()?;
    std::thread::sleep(Duration::from_secs(arguments.still_seconds));
    let later = operator.counts()?;
    drop(operator);

    announce("starting the operator anew");
    let started = Instant::now();
    let operator = Operator::start(workspace, cluster)?;
    while operator.counts()?.looks() < as_number(ALONE + many) {
        if started.elapsed() > CONVERGE_TIMEOUT {
            return Err(wrong("it does not look at all monitors after its start"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let looked = started.elapsed();
    operator.wait_until_quiet()?;
    let anew = operator.counts()?;

    println!();
    println!("{:<58} {:>10}", "one monitor alone, created to reported", seconds(alone));
    println!("{:<58} {alone_requests:>10.1}", "  requests to the API server");
    println!("{:<58} {:>10}", format!("{many} monitors at once, until all exist"), seconds(created.as_secs_f64()));
    println!("{:<58} {:>10}", "  until all are reported", seconds(seen.as_secs_f64()));
    println!("{:<58} {:>10}", "  for each", seconds(seen.as_secs_f64() / as_number(many)));
    println!("{:<58} {:>10.2}", "  for each, as a ratio to one alone", seen.as_secs_f64() / as_number(many) / alone);
    println!("{:<58} {:>10.1}", "  requests to the API server for each", each(Counts::requests));
    println!("{:<58} {:>10.2}", "    as a ratio to one alone", each(Counts::requests) / alone_requests);
    println!("{:<58} {:>10.1}", "  writes to children for each", each(Counts::child_writes));
    println!("{:<58} {:>10.1}", "  writes of status and events for each", each(Counts::status_writes));
    println!("{:<58} {:>10.1}", "  looks for each", each(Counts::looks));
    println!("{:<58} {:>10.3}", "  seconds of CPU of the operator for each", each(Counts::cpu_seconds));
    println!("{:<58} {:>10.0}", "resident memory of the operator, MB", later.memory_megabytes());
    println!(
        "{:<58} {:>10.0}",
        format!("writes in {} s of standing still", arguments.still_seconds),
        later.child_writes() + later.status_writes() - still.child_writes() - still.status_writes()
    );
    println!("{:<58} {:>10.0}", "  requests", later.requests() - still.requests());
    println!("{:<58} {:>10}", "started anew, until all are looked at", seconds(looked.as_secs_f64()));
    println!("{:<58} {:>10.0}", "  writes to children", anew.child_writes());
    println!("{:<58} {:>10.0}", "  resident memory, MB", anew.memory_megabytes());
    Ok(())
}

/// A running operator.
struct Operator {
    metrics: String,
    _service: Service,
}

impl Operator {
    fn start(workspace: &Workspace, cluster: &Cluster) -> Result<Self, Error> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let log = cluster.folder.join("operator.log");
        let file = std::fs::File::create(&log).map_err(|source| Error::File {
            action: "write",
            path: log,
            source,
        })?;
        let mut command = Command::new(workspace.target().join("release/toxicity-operator"));
        command
            .args(["run", "--no-leader-election", "--listen", &address])
            .env("KUBECONFIG", &cluster.kubeconfig)
            .stderr(file);
        let mut service = Service::start("operator", &mut command)?;
        service.wait_until_ready(&format!("http://{address}/readyz"), READY_TIMEOUT)?;
        Ok(Self {
            metrics: format!("http://{address}/metrics"),
            _service: service,
        })
    }

    fn counts(&self) -> Result<Counts, Error> {
        let answer = ureq::get(&self.metrics).call();
        let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
        text.map(|text| Counts::parse(&text)).map_err(|error| wrong(&error.to_string()))
    }

    fn wait_until_quiet(&self) -> Result<(), Error> {
        let started = Instant::now();
        let mut last = self.counts()?.looks();
        let mut since = Instant::now();
        while since.elapsed() < QUIET {
            if started.elapsed() > CONVERGE_TIMEOUT {
                return Err(wrong("it does not come to rest"));
            }
            std::thread::sleep(Duration::from_millis(250));
            let looks = self.counts()?.looks();
            if looks > last {
                (last, since) = (looks, Instant::now());
            }
        }
        Ok(())
    }
}

/// Creates monitors, by several clients when there are many.
fn create(cluster: &Cluster, names: &[String]) -> Result<(), Error> {
    let remedy = "Its message above says why.";
    let mut creators: Vec<(Command, Child)> = Vec::new();
    for part in names.chunks(names.len().div_ceil(CREATORS)) {
        let items: Vec<_> = part
            .iter()
            .map(|name| {
                json!({
                    "apiVersion": "toxicity.dev/v1alpha1",
                    "kind": "ToxicityMonitor",
                    "metadata": {"name": name, "namespace": NAMESPACE},
                    "spec": {},
                })
            })
            .collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
        let mut command = cluster.kubectl();
        command
            .args(["create", "--filename", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut child = command.spawn().map_err(|source| start_error(&command, remedy, source))?;
        let mut stdin = child.stdin.take().expect("standard input is piped");
        stdin
            .write_all(list.as_bytes())
            .map_err(|source| start_error(&command, remedy, source))?;
        creators.push((command, child));
    }
    for (command, mut child) in creators {
        let status = child.wait().map_err(|source| start_error(&command, remedy, source))?;
        if !status.success() {
            return Err(wrong(&format!("kubectl create ended with {status}")));
        }
    }
    Ok(())
}

/// Waits until so many monitors have a status, which is written when their children are.
fn wait_until_seen(cluster: &Cluster, monitors: usize) -> Result<(), Error> {
    let started = Instant::now();
    loop {
        let mut get = cluster.kubectl();
        get.args(["get", "toxicitymonitors", "--namespace", NAMESPACE]);
        get.arg("--output=jsonpath={range .items[*]}{.status.observedGeneration}{\"\\n\"}{end}");
        let text = output(&mut get, "Its message above says why.")?;
        if text.lines().filter(|line| !line.is_empty()).count() >= monitors {
            return Ok(());
        }
        if started.elapsed() > CONVERGE_TIMEOUT {
            return Err(wrong("not all monitors are reported"));
        }
        std::thread::sleep(Duration::from_millis(if monitors > ALONE { 1000 } else { 20 }));
    }
}

fn wrong(message: &str) -> Error {
    Error::ReadMeasurement {
        command: "toxicity-operator run".to_owned(),
        message: message.to_owned(),
    }
}

fn seconds(value: f64) -> String {
    if value < 1.0 {
        format!("{:.0} ms", value * 1000.0)
    } else {
        format!("{value:.1} s")
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of monitors are small")]
fn as_number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_the_series_of_one_metric() {
        let text = "# HELP a_total x\na_total{kind=\"b\"} 2\na_total{kind=\"c\"} 3\na_total_more 7\nd 1.5e6\n";
        let counts = Counts::parse(text);
        assert!((counts.sum("a_total") - 5.0).abs() < 1e-9);
        assert!((counts.sum("d") - 1.5e6).abs() < 1e-9);
    }
}
