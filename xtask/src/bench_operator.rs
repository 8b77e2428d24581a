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

const REMEDY: &str = "Its message above says why.";

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
        let samples = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
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
    let result =
        cluster::up(workspace, &name, &choice).and_then(|cluster| measure(workspace, &cluster, arguments));
    cluster::down(workspace, &name)?;
    result
}

fn measure(
    workspace: &Workspace,
    cluster: &Cluster,
    arguments: &BenchOperatorArguments,
) -> Result<(), Error> {
    let mut define = cluster.kubectl();
    define.args(["apply", "--server-side", "--kustomize"]);
    define
        .arg(workspace.root().join("manifests/crd"))
        .stdout(Stdio::null());
    run_command(&mut define, REMEDY)?;
    let mut namespace = cluster.kubectl();
    namespace
        .args(["create", "namespace", NAMESPACE])
        .stdout(Stdio::null());
    run_command(&mut namespace, REMEDY)?;

    let many = usize::from(arguments.monitors);
    let operator = Operator::start(workspace, cluster)?;
    let mut table = Table::default();
    let alone = measure_alone(cluster, &operator, &mut table)?;
    measure_many(cluster, &operator, many, &alone, &mut table)?;
    measure_stillness(&operator, arguments.still_seconds, &mut table)?;
    drop(operator);
    measure_restart(workspace, cluster, ALONE + many, &mut table)?;
    table.print();
    Ok(())
}

/// What one monitor costs by itself.
struct Alone {
    seconds: f64,
    requests: f64,
}

fn measure_alone(cluster: &Cluster, operator: &Operator, table: &mut Table) -> Result<Alone, Error> {
    announce(&format!("{ALONE} monitors, one after the other"));
    let before = operator.counts()?;
    let mut elapsed = Duration::ZERO;
    for number in 0..ALONE {
        let started = Instant::now();
        create(cluster, &[format!("alone-{number}")])?;
        wait_until_seen(cluster, number + 1)?;
        elapsed += started.elapsed();
    }
    operator.wait_until_quiet()?;
    let alone = Alone {
        seconds: elapsed.as_secs_f64() / as_number(ALONE),
        requests: (operator.counts()?.requests() - before.requests()) / as_number(ALONE),
    };
    table.seconds("one monitor alone, created to reported", alone.seconds);
    table.number("  requests to the API server", alone.requests, 1);
    Ok(alone)
}

fn measure_many(
    cluster: &Cluster,
    operator: &Operator,
    many: usize,
    alone: &Alone,
    table: &mut Table,
) -> Result<(), Error> {
    announce(&format!("{many} monitors at once"));
    let before = operator.counts()?;
    let started = Instant::now();
    let names: Vec<String> = (0..many).map(|number| format!("monitor-{number}")).collect();
    create(cluster, &names)?;
    table.seconds(
        &format!("{many} monitors at once, until all exist"),
        started.elapsed().as_secs_f64(),
    );
    wait_until_seen(cluster, ALONE + many)?;
    let seen = started.elapsed().as_secs_f64();
    operator.wait_until_quiet()?;
    let after = operator.counts()?;
    let each = |count: fn(&Counts) -> f64| (count(&after) - count(&before)) / as_number(many);
    table.seconds("  until all are reported", seen);
    table.seconds("  for each", seen / as_number(many));
    table.number(
        "    as a ratio to one alone",
        seen / as_number(many) / alone.seconds,
        2,
    );
    table.number("  requests to the API server for each", each(Counts::requests), 1);
    table.number(
        "    as a ratio to one alone",
        each(Counts::requests) / alone.requests,
        2,
    );
    table.number("  writes to children for each", each(Counts::child_writes), 1);
    table.number(
        "  writes of status and events for each",
        each(Counts::status_writes),
        1,
    );
    table.number("  looks for each", each(Counts::looks), 1);
    table.seconds("  CPU time of the operator for each", each(Counts::cpu_seconds));
    table.number(
        "  resident memory of the operator, MB",
        after.memory_megabytes(),
        0,
    );
    Ok(())
}

fn measure_stillness(operator: &Operator, still_seconds: u64, table: &mut Table) -> Result<(), Error> {
    announce(&format!("standing still for {still_seconds} s"));
    let before = operator.counts()?;
    std::thread::sleep(Duration::from_secs(still_seconds));
    let after = operator.counts()?;
    let writes = |counts: &Counts| counts.child_writes() + counts.status_writes();
    table.number(
        &format!("writes in {still_seconds} s of standing still"),
        writes(&after) - writes(&before),
        0,
    );
    table.number("  requests", after.requests() - before.requests(), 0);
    Ok(())
}

fn measure_restart(
    workspace: &Workspace,
    cluster: &Cluster,
    monitors: usize,
    table: &mut Table,
) -> Result<(), Error> {
    announce("starting the operator anew");
    let started = Instant::now();
    let operator = Operator::start(workspace, cluster)?;
    while operator.counts()?.looks() < as_number(monitors) {
        if started.elapsed() > CONVERGE_TIMEOUT {
            return Err(wrong("it does not look at all monitors after its start"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    table.seconds(
        "started anew, until all are looked at",
        started.elapsed().as_secs_f64(),
    );
    operator.wait_until_quiet()?;
    let counts = operator.counts()?;
    table.number("  writes to children", counts.child_writes(), 0);
    table.number(
        "  resident memory of the operator, MB",
        counts.memory_megabytes(),
        0,
    );
    Ok(())
}

/// What was measured, line by line.
#[derive(Default)]
struct Table(Vec<(String, String)>);

impl Table {
    fn seconds(&mut self, name: &str, value: f64) {
        let text = if value < 1.0 {
            format!("{:.0} ms", value * 1000.0)
        } else {
            format!("{value:.1} s")
        };
        self.0.push((name.to_owned(), text));
    }

    fn number(&mut self, name: &str, value: f64, digits: usize) {
        self.0.push((name.to_owned(), format!("{value:.digits$}")));
    }

    fn print(&self) {
        println!();
        for (name, value) in &self.0 {
            println!("{name:<58} {value:>10}");
        }
    }
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
        text.map(|text| Counts::parse(&text))
            .map_err(|error| wrong(&error.to_string()))
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
        let mut child = command
            .spawn()
            .map_err(|source| start_error(&command, REMEDY, source))?;
        let mut stdin = child.stdin.take().expect("standard input is piped");
        stdin
            .write_all(list.as_bytes())
            .map_err(|source| start_error(&command, REMEDY, source))?;
        creators.push((command, child));
    }
    for (command, mut child) in creators {
        let status = child
            .wait()
            .map_err(|source| start_error(&command, REMEDY, source))?;
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
        let text = output(&mut get, REMEDY)?;
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

#[allow(clippy::cast_precision_loss, reason = "counts of monitors are small")]
fn as_number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_the_series_of_one_metric() {
        let text =
            "# HELP a_total x\na_total{kind=\"b\"} 2\na_total{kind=\"c\"} 3\na_total_more 7\nd 1.5e6\n";
        let counts = Counts::parse(text);
        assert!((counts.sum("a_total") - 5.0).abs() < 1e-9);
        assert!((counts.sum("d") - 1.5e6).abs() < 1e-9);
    }
}
