//! `cargo xtask bench score`: a large file through the command line, beside the bare sessions.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::bench_server::bare::{Bare, Work};
use crate::bench_server::process_usage::memory;
use crate::bench_server::product::Product;
use crate::bench_server::table::Table;
use crate::bench_server::texts::{Texts, distinct};
use crate::component::Component;
use crate::error::Error;
use crate::process::{announce, command_line, start_error};
use crate::workspace::Workspace;
use crate::{build, onnxruntime};

/// Time of a measurement of the bare sessions; there is one before and one after.
const BARE_SAMPLE: Duration = Duration::from_secs(10);

/// How often the memory of the program is looked at.
const MEMORY_PAUSE: Duration = Duration::from_millis(500);

/// What to measure of the command line.
#[derive(Debug, Args)]
pub struct BenchScoreArguments {
    /// Rows of the file.
    #[arg(long, default_value_t = 100_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(100..))]
    rows: u32,
}

/// How a file went through the program.
struct Passage {
    name: &'static str,
    rows: u32,
    time: Duration,
    /// Memory in megabytes, from the beginning to the end.
    memory: Vec<f64>,
}

/// Scores a file in the process, through a server, and once more with a kill half-way; prints the rates beside that of
/// the bare sessions and compares the results.
pub fn run(workspace: &Workspace, arguments: &BenchScoreArguments) -> Result<(), Error> {
    onnxruntime::ensure(workspace)?;
    build::stable_binaries(workspace, &[Component::ModelServer])?;
    let bench = Bench::prepare(workspace, arguments.rows)?;
    let before = bench.bare_rate()?;
    let [whole, resumed, remote_result] =
        ["whole.csv", "resumed.csv", "served.csv"].map(|name| bench.folder.join(name));

    announce("scoring in the process");
    let local = bench.passage("model in the process", &whole, &[], None)?;
    announce("the same, killed half-way and resumed");
    let killed = bench.passage("killed half-way", &resumed, &[], Some(local.time / 2))?;
    let rest = bench.passage("resumed", &resumed, &["--resume"], None)?;
    announce("through a server");
    let product = Product {
        program: workspace.release_binary(Component::ModelServer.binary()),
    };
    let server = product.start(&bench.model)?;
    let address = server.url("");
    let remote = bench.passage("through a server", &remote_result, &["--server", &address], None)?;
    let server_memory = memory(server.target().process).map_err(measure_error)?;
    drop(server);
    let bare = f64::midpoint(before, bench.bare_rate()?);

    let mut table = Table::new(&[
        "",
        "rows",
        "s",
        "rows/s",
        "of the bare sessions",
        "memory at 10 %, MB",
        "at the end",
        "most",
    ]);
    for passage in [&local, &killed, &rest, &remote] {
        table.row(passage.cells(bare));
    }
    let mut page = table.markdown();
    writeln!(
        page,
        "\nBare sessions with tokenization: {bare:.0} texts/s. Memory of the server at the end: {:.0} MB.",
        server_memory.now
    )
    .expect("a string takes everything");
    let truth = rows(&whole)?;
    for (name, path) in [
        ("The resumed result", &resumed),
        ("The server's result", &remote_result),
    ] {
        let verdict = compare(&truth, &rows(path)?);
        writeln!(page, "{name}: {verdict}.").expect("a string takes everything");
    }
    println!("\n{page}");
    Ok(())
}

/// What each passage needs.
struct Bench {
    program: PathBuf,
    server: PathBuf,
    model: PathBuf,
    comments: PathBuf,
    input: PathBuf,
    folder: PathBuf,
    rows: u32,
}

impl Bench {
    fn prepare(workspace: &Workspace, rows: u32) -> Result<Self, Error> {
        let comments = workspace.root().join("tests/data/comments.txt");
        let content =
            std::fs::read_to_string(&comments).map_err(Error::file("read the texts in", &comments))?;
        let folder = workspace.target().join("bench/score");
        // What an earlier run has left must not be resumed.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let texts = Texts::comments(&content);
        let texts = texts.as_slice();
        let mut input = "id,comment_text\n".to_owned();
        for row in 0..rows {
            let text = &texts[row as usize % texts.len()];
            let text = distinct(text, u64::from(row)).replace('"', "\"\"");
            writeln!(input, "{row},\"{text}\"").expect("a string takes everything");
        }
        let path = folder.join("input.csv");
        std::fs::write(&path, input).map_err(Error::file("write", &path))?;
        Ok(Self {
            program: workspace.release_binary("toxicity"),
            server: workspace.release_binary(Component::ModelServer.binary()),
            model: workspace.bundled_model(),
            comments,
            input: path,
            folder,
            rows,
        })
    }

    /// Texts per second of the bare sessions, with their tokens made.
    fn bare_rate(&self) -> Result<f64, Error> {
        announce("measuring the bare sessions");
        let bare = Bare {
            program: &self.server,
            model: &self.model,
            texts: self.comments.clone(),
            duration: BARE_SAMPLE,
        };
        Ok(bare.rate(None, Work::TokensAndPasses)?.texts_per_second)
    }

    /// Scores the file to `out`, until it is done or `killed_after` is over.
    fn passage(
        &self,
        name: &'static str,
        out: &Path,
        more: &[&str],
        killed_after: Option<Duration>,
    ) -> Result<Passage, Error> {
        let mut command = Command::new(&self.program);
        command
            .args(["score", "--quiet", "--exit-zero", "--model"])
            .arg(&self.model);
        command
            .arg("--file")
            .arg(&self.input)
            .arg("--out")
            .arg(out)
            .args(more);
        command.stdin(Stdio::null());
        let done_before = rows_done(out)?;
        let started = Instant::now();
        let mut child = command
            .spawn()
            .map_err(|source| start_error(&command, "Build it by `cargo xtask build`.", source))?;
        let mut samples = Vec::new();
        let status = loop {
            if let Some(status) = child.try_wait().map_err(measure_error)? {
                break status;
            }
            if killed_after.is_some_and(|limit| started.elapsed() > limit) {
                kill_now(&child)?;
            }
            // A process that has just ended holds nothing.
            samples.extend(memory(child.id()).map(|memory| memory.now));
            std::thread::sleep(MEMORY_PAUSE);
        };
        let time = started.elapsed();
        if !status.success() && killed_after.is_none() {
            return Err(Error::RunCommand {
                command: command_line(&command),
                status,
                remedy: "Its message above says why.".to_owned(),
            });
        }
        let rows = match killed_after {
            None => self.rows - done_before,
            Some(_) => rows_done(out)?,
        };
        Ok(Passage {
            name,
            rows,
            time,
            memory: samples,
        })
    }
}

impl Passage {
    #[allow(clippy::cast_precision_loss, reason = "some hundred samples")]
    fn cells(&self, bare: f64) -> Vec<String> {
        let rate = f64::from(self.rows) / self.time.as_secs_f64();
        let memory = |share: usize| {
            let last = self.memory.len().saturating_sub(2);
            self.memory.get(last * share / 100).copied().unwrap_or_default()
        };
        let most = self.memory.iter().copied().fold(0.0, f64::max);
        vec![
            self.name.to_owned(),
            self.rows.to_string(),
            format!("{:.1}", self.time.as_secs_f64()),
            format!("{rate:.0}"),
            format!("{:.2}", rate / bare),
            format!("{:.0}", memory(10)),
            format!("{:.0}", memory(100)),
            format!("{most:.0}"),
        ]
    }
}

/// Rows that an interrupted run has left for good, by the state beside its result.
fn rows_done(out: &Path) -> Result<u32, Error> {
    let mut path = out.as_os_str().to_owned();
    path.push(".resume");
    let path = PathBuf::from(path);
    if !path.exists() {
        return Ok(0);
    }
    let content = std::fs::read(&path).map_err(Error::file("read", &path))?;
    let state: Option<serde_json::Value> = serde_json::from_slice(&content).ok();
    let rows = state.and_then(|state| u32::try_from(state.pointer("/tally/rows")?.as_u64()?).ok());
    rows.ok_or_else(|| Error::ReadMeasurement {
        command: path.display().to_string(),
        message: "it does not tell how many rows are done".to_owned(),
    })
}

fn kill_now(child: &Child) -> Result<(), Error> {
    let id = Pid::from_raw(child.id().cast_signed());
    kill(id, Signal::SIGKILL).map_err(|error| measure_error(error.into()))
}

/// The lines of a result.
fn rows(path: &Path) -> Result<Vec<String>, Error> {
    let content = std::fs::read_to_string(path).map_err(Error::file("read", path))?;
    Ok(content.lines().map(str::to_owned).collect())
}

/// What two results differ in.
fn compare(truth: &[String], other: &[String]) -> String {
    if truth == other {
        return format!("the same {} lines, byte for byte", truth.len());
    }
    let (truth_set, other_set): (HashSet<_>, HashSet<_>) = (truth.iter().collect(), other.iter().collect());
    format!(
        "{} lines in place of {}; {} are missing or different, {} are there twice",
        other.len(),
        truth.len(),
        truth_set.difference(&other_set).count(),
        other.len() - other_set.len()
    )
}

fn measure_error(source: std::io::Error) -> Error {
    Error::Measure {
        what: "the command line",
        source,
    }
}
