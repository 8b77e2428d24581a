//! `cargo xtask bench`: rates of the server over HTTP beside those of the bare sessions, in one run.
//!
//! Bare is what the hardware gives: tokenized texts straight into ONNX Runtime, a thread per session; the second
//! baseline tokenizes each text too. The load generator runs on the same cores as the server, so what it costs is part
//! of the difference.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::{Args, Subcommand};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::Deserialize;

use crate::apt::{self, Program};
use crate::bench_operator::{self, BenchOperatorArguments};
use crate::build::{self, Product};
use crate::error::Error;
use crate::process::{announce, output};
use crate::service::{Service, free_port};
use crate::workspace::Workspace;

/// Open connections, each with one request under way.
const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// Starts that the start-up time is the median of.
const STARTS: usize = 7;

/// What wrk does: round and round through the prepared bodies, and a line of JSON at the end.
const WRK_SCRIPT: &str = r#"
local requests = {}
local headers = { ["content-type"] = "application/json" }
local position = 0

function init(arguments)
    for body in io.lines(arguments[1]) do
        requests[#requests + 1] = wrk.format("POST", "/v1/analyze", headers, body)
    end
end

function request()
    position = position % #requests + 1
    return requests[position]
end

function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"microseconds":%d,"failures":%d,"p50":%d,"p99":%d}\n',
        summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.timeout + errors.status,
        latency:percentile(50), latency:percentile(99)))
end
"#;

/// What to measure: the model server, unless the operator is named.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArguments {
    #[command(subcommand)]
    subject: Option<Subject>,

    #[command(flatten)]
    server: ServerBenchArguments,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Many monitors at once, against a control plane of its own.
    Operator(BenchOperatorArguments),
}

/// What to measure of the model server.
#[derive(Debug, Args)]
struct ServerBenchArguments {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,

    /// Rounds over all measurements; the table shows medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,

    /// File with one text per line.
    #[arg(long, default_value = "tests/data/comments.txt")]
    texts: PathBuf,

    /// Model to measure: `bundled` or a model folder.
    #[arg(long, default_value = "bundled", value_name = "SOURCE")]
    model: String,
}

#[derive(Debug, Deserialize)]
struct BareRate {
    sessions: usize,
    texts_per_second: f64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct HttpRate {
    requests: u64,
    microseconds: u64,
    failures: u64,
    p50: u64,
    p99: u64,
}

impl HttpRate {
    #[allow(
        clippy::cast_precision_loss,
        reason = "counts of some seconds fit a float exactly"
    )]
    fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds()
    }

    fn seconds(&self) -> f64 {
        milliseconds(self.microseconds) / 1e3
    }
}

/// Measures what was named.
pub fn run(workspace: &Workspace, arguments: &BenchArguments) -> Result<(), Error> {
    match &arguments.subject {
        Some(Subject::Operator(arguments)) => bench_operator::run(workspace, arguments),
        None => server(workspace, &arguments.server),
    }
}

/// Measures the model server and prints a table.
fn server(workspace: &Workspace, arguments: &ServerBenchArguments) -> Result<(), Error> {
    apt::ensure(&[Program {
        name: "wrk",
        package: "wrk",
    }])?;
    let product = build::release(workspace)?;
    let bench = Bench::prepare(workspace, arguments, product)?;

    announce(&format!("starting the server {STARTS} times"));
    let starts = (0..STARTS)
        .map(|_| bench.start().map(|(_, _, elapsed)| elapsed))
        .collect::<Result<Vec<_>, _>>()?;
    let (server, port, _) = bench.start()?;
    let idle_memory = resident_megabytes(server.id())?;

    let rounds = arguments.rounds.max(1);
    let rounds = (1..=rounds)
        .map(|round| {
            announce(&format!("round {round} of {rounds}"));
            bench.round(port)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let loaded_memory = resident_megabytes(server.id())?;
    print_table(&rounds, arguments.seconds);
    println!();
    let starts = starts.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    println!(
        "start to ready      {:>6.0} ms (median of {STARTS})",
        median(starts)
    );
    println!("resident memory     {idle_memory:>6.0} MB after start, {loaded_memory:.0} MB after the load");
    Ok(())
}

/// What one round measured. The machine's own speed drifts, so rates are compared within a round.
struct Round {
    sessions: usize,
    one_bare: f64,
    all_bare: f64,
    one_tokenizing: f64,
    all_tokenizing: f64,
    http: Vec<(HttpRate, f64)>,
}

fn print_table(rounds: &[Round], seconds: u64) {
    let of = |value: &dyn Fn(&Round) -> f64| median(rounds.iter().map(value).collect());
    let sessions = rounds.first().map_or(0, |round| round.sessions);
    println!(
        "\ntexts/s and ratios, medians of {} rounds of {seconds} s each\n",
        rounds.len()
    );
    println!("  {:<22} {:>8.1}", "bare, 1 session", of(&|round| round.one_bare));
    println!(
        "  {:<22} {:>8.1}",
        format!("bare, {sessions} sessions"),
        of(&|round| round.all_bare)
    );
    println!(
        "  {:<22} {:>8.1}",
        "with tokenizing",
        of(&|round| round.all_tokenizing)
    );
    println!();
    for (index, connections) in CONNECTIONS.into_iter().enumerate() {
        let rate = |round: &Round| round.http[index].0.per_second();
        // Fewer connections than sessions cannot keep all of them busy.
        let is_lone = connections < sessions;
        let bare = |round: &Round| rate(round) / if is_lone { round.one_bare } else { round.all_bare };
        let tokenizing = |round: &Round| {
            rate(round)
                / if is_lone {
                    round.one_tokenizing
                } else {
                    round.all_tokenizing
                }
        };
        let failures: u64 = rounds.iter().map(|round| round.http[index].0.failures).sum();
        println!(
            "  {:<22} {:>8.1}   {:.2} of bare, {:.2} with tokenizing; wrk {:.0} % of the cores; p50 {:.1} ms, \
             p99 {:.1} ms; {failures} failures",
            format!(
                "HTTP, {connections} connection{}",
                if connections == 1 { "" } else { "s" }
            ),
            of(&rate),
            of(&bare),
            of(&tokenizing),
            of(&|round| 100.0 * round.http[index].1),
            of(&|round| milliseconds(round.http[index].0.p50)),
            of(&|round| milliseconds(round.http[index].0.p99)),
        );
    }
}

struct Bench<'a> {
    workspace: &'a Workspace,
    arguments: &'a ServerBenchArguments,
    product: Product,
    texts: PathBuf,
    bodies: PathBuf,
    script: PathBuf,
}

impl<'a> Bench<'a> {
    /// Writes the bodies and the script for wrk.
    fn prepare(
        workspace: &'a Workspace,
        arguments: &'a ServerBenchArguments,
        product: Product,
    ) -> Result<Self, Error> {
        let texts = workspace.root().join(&arguments.texts);
        let content = std::fs::read_to_string(&texts).map_err(|source| Error::File {
            action: "read the texts in",
            path: texts.clone(),
            source,
        })?;
        let bodies: Vec<String> = content
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|text| serde_json::json!({ "text": text }).to_string())
            .collect();
        let folder = workspace.target().join("bench");
        let bench = Self {
            workspace,
            arguments,
            product,
            texts,
            bodies: folder.join("bodies.jsonl"),
            script: folder.join("requests.lua"),
        };
        write(&folder, &bench.bodies, &(bodies.join("\n") + "\n"))?;
        write(&folder, &bench.script, WRK_SCRIPT)?;
        Ok(bench)
    }

    fn start(&self) -> Result<(Service, u16, Duration), Error> {
        let port = free_port()?;
        let mut command = Command::new(&self.product.model_server);
        command.current_dir(self.workspace.root());
        command.args(["serve", "--log", "warn", "--model", &self.arguments.model]);
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        let mut server = Service::start("model server", &mut command)?;
        let url = format!("http://127.0.0.1:{port}/readyz");
        let elapsed = server.wait_until_ready(&url, Duration::from_mins(1))?;
        Ok((server, port, elapsed))
    }

    fn round(&self, port: u16) -> Result<Round, Error> {
        let mut http = Vec::with_capacity(CONNECTIONS.len());
        let one_bare = self.bare(Some(1), false)?.texts_per_second;
        http.push(self.http(port, CONNECTIONS[0])?);
        let one_tokenizing = self.bare(Some(1), true)?.texts_per_second;
        let all = self.bare(None, false)?;
        http.push(self.http(port, CONNECTIONS[1])?);
        let all_tokenizing = self.bare(None, true)?.texts_per_second;
        http.push(self.http(port, CONNECTIONS[2])?);
        let (sessions, all_bare) = (all.sessions, all.texts_per_second);
        Ok(Round {
            sessions,
            one_bare,
            all_bare,
            one_tokenizing,
            all_tokenizing,
            http,
        })
    }

    fn bare(&self, sessions: Option<usize>, tokenize: bool) -> Result<BareRate, Error> {
        let mut command = Command::new(&self.product.model_server);
        command.current_dir(self.workspace.root());
        command
            .args(["bench", "--model", &self.arguments.model, "--texts"])
            .arg(&self.texts);
        command.args(["--duration", &format!("{}s", self.arguments.seconds)]);
        if tokenize {
            command.arg("--tokenize");
        }
        if let Some(sessions) = sessions {
            command.args(["--sessions", &sessions.to_string()]);
        }
        measured(
            "toxicity-model-server bench",
            &output(&mut command, "Its message above says why.")?,
        )
    }

    /// Rate over HTTP, and the share of all cores that the load generator took for itself.
    fn http(&self, port: u16, connections: usize) -> Result<(HttpRate, f64), Error> {
        let before = children_seconds()?;
        let mut command = Command::new("wrk");
        command.args([
            "--threads",
            "1",
            "--connections",
            &connections.to_string(),
            "--timeout",
            "30s",
        ]);
        command
            .args(["--duration", &format!("{}s", self.arguments.seconds), "--script"])
            .arg(&self.script);
        command
            .arg(format!("http://127.0.0.1:{port}"))
            .arg("--")
            .arg(&self.bodies);
        let rate: HttpRate = measured("wrk", &output(&mut command, "Its message above says why.")?)?;
        let share = (children_seconds()? - before) / (rate.seconds() * available_cores());
        Ok((rate, share))
    }
}

/// Processor time of the commands that have ended; the server, which runs on, is not among them.
fn children_seconds() -> Result<f64, Error> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| Error::ReadMeasurement {
        command: "getrusage".to_owned(),
        message: error.to_string(),
    })?;
    let times = [usage.user_time(), usage.system_time()];
    Ok(times
        .iter()
        .map(|time| milliseconds(time.num_microseconds().unsigned_abs()) / 1e3)
        .sum())
}

fn available_cores() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    f64::from(u32::try_from(cores).unwrap_or(u32::MAX))
}

/// The last line of `text` that is a JSON object.
fn measured<T: for<'de> Deserialize<'de>>(command: &str, text: &str) -> Result<T, Error> {
    let failed = |message: String| Error::ReadMeasurement {
        command: command.to_owned(),
        message,
    };
    let line = text.lines().rev().find(|line| line.starts_with('{'));
    let line = line.ok_or_else(|| failed("there is no line of JSON".to_owned()))?;
    serde_json::from_str(line).map_err(|error| failed(error.to_string()))
}

fn write(folder: &Path, path: &Path, content: &str) -> Result<(), Error> {
    let failed = |source| Error::File {
        action: "write",
        path: path.to_owned(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    std::fs::write(path, content).map_err(failed)
}

/// Resident memory of a process on Linux.
fn resident_megabytes(process: u32) -> Result<f64, Error> {
    let path = PathBuf::from(format!("/proc/{process}/status"));
    let status = std::fs::read_to_string(&path).map_err(|source| Error::File {
        action: "read",
        path: path.clone(),
        source,
    })?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse::<f64>().ok());
    kilobytes
        .map(|kilobytes| kilobytes * 1024.0 / 1e6)
        .ok_or_else(|| Error::ReadMeasurement {
            command: path.display().to_string(),
            message: "there is no VmRSS".to_owned(),
        })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[allow(
    clippy::cast_precision_loss,
    reason = "microseconds of a request fit a float exactly"
)]
fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1e3
}
