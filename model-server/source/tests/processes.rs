//! What only whole processes show: several with one cache, one that dies in the middle, and the variables that the
//! network is set up with. The program starts itself for each process.
#![allow(clippy::unwrap_used, clippy::panic, reason = "it is a test")]

#[path = "fetch/fixture.rs"]
mod fixture;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use fixture::{Fault, Server, assert_is_model, model};
use tempfile::TempDir;
use toxicity_model_source::{FetchOptions, ModelSource, Progress, fetch};

const ONNX: &str = "/toxic/onnx/model.onnx";

/// Says that this program is one of those it started: its arguments are the source and the cache.
const CHILD: &str = "--fetch";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, source, cache] = arguments.as_slice()
        && flag == CHILD
    {
        return run_child(source, cache).await;
    }
    several_processes_download_once().await;
    println!("test several_processes_download_once ... ok");
    what_a_killed_process_left_is_used().await;
    println!("test what_a_killed_process_left_is_used ... ok");
    a_certificate_of_ones_own_is_trusted_when_it_is_named().await;
    println!("test a_certificate_of_ones_own_is_trusted_when_it_is_named ... ok");
    a_proxy_is_used_when_it_is_named().await;
    println!("test a_proxy_is_used_when_it_is_named ... ok");
    println!("4 passed, 0 failed");
}

async fn several_processes_download_once() {
    let (server, cache) = start().await;
    let children: Vec<_> = (0..4).map(|_| Process::start(&server, &cache)).collect();
    let results: Vec<_> = children
        .into_iter()
        .map(|child| tokio::task::spawn_blocking(|| child.finish()))
        .collect();
    let mut fetched = 0;
    for result in results {
        let (folder, was_fetched) = result.await.unwrap();
        assert_is_model(&folder, 1);
        fetched += usize::from(was_fetched);
    }
    assert_eq!(fetched, 1);
    assert_eq!(server.ranges(ONNX), [None]);
}

async fn what_a_killed_process_left_is_used() {
    let (server, cache) = start().await;
    server.fault(ONNX, Fault::Stall(2_000_000));
    let mut first = Process::start(&server, &cache);
    let cache_folder = cache.path().to_owned();
    tokio::task::spawn_blocking(move || {
        first.wait_for_position(2_000_000);
        while part_length(&cache_folder) == 0 {
            std::thread::yield_now();
        }
        first.child.kill().unwrap();
        first.child.wait().unwrap();
    })
    .await
    .unwrap();
    let left = part_length(cache.path());
    server.asked();

    let second = Process::start(&server, &cache);
    let (folder, fetched) = tokio::task::spawn_blocking(|| second.finish()).await.unwrap();
    assert!(fetched);
    assert_is_model(&folder, 1);
    assert_eq!(server.ranges(ONNX), [Some(format!("bytes={left}-"))]);
}

async fn a_certificate_of_ones_own_is_trusted_when_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("certificate.pem");
    let server = Server::start_tls(&certificate).await;
    put_model(&server);
    let source = format!("https://{}/toxic/", server.address);
    let run = |variables: &[(&str, &str)]| {
        let process = Process::start_with(&source, folder.path(), variables);
        tokio::task::spawn_blocking(|| process.end())
    };
    let stranger = run(&[]).await.unwrap();
    assert!(stranger.is_none(), "a certificate of a stranger is refused");
    let (model, _) = run(&[("SSL_CERT_FILE", certificate.to_str().unwrap())])
        .await
        .unwrap()
        .unwrap();
    assert_is_model(&model, 1);
}

async fn a_proxy_is_used_when_it_is_named() {
    let (server, cache) = start().await;
    let proxy = [("HTTP_PROXY", server.url(""))];
    let process = Process::start_with("http://models.invalid/toxic/", cache.path(), &proxy);
    let (model, _) = tokio::task::spawn_blocking(|| process.finish()).await.unwrap();
    assert_is_model(&model, 1);
}

/// A server with a model, and an empty cache.
async fn start() -> (Server, TempDir) {
    let server = Server::start().await;
    put_model(&server);
    (server, tempfile::tempdir().unwrap())
}

fn put_model(server: &Server) {
    for (path, content) in model(1) {
        server.put(&format!("/toxic/{path}"), content);
    }
}

/// Bytes of the part of the ONNX file.
fn part_length(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.path() {
            path if path.is_dir() => part_length(&path),
            path if path.ends_with("model.onnx.part") => path.metadata().map_or(0, |facts| facts.len()),
            _ => 0,
        })
        .sum()
}

/// A process that fetches.
struct Process {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(server: &Server, cache: &TempDir) -> Self {
        Self::start_with(&server.url("/toxic/"), cache.path(), &[] as &[(&str, &str)])
    }

    fn start_with(source: &str, cache: &Path, variables: &[(&str, impl AsRef<str>)]) -> Self {
        let variables = variables.iter().map(|(name, value)| (*name, value.as_ref()));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([CHILD, source, cache.to_str().unwrap()])
            .env_clear()
            .envs(variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn wait_for_position(&mut self, position: u64) {
        let reached = |line: &str| {
            let reached = line.strip_prefix("onnx/model.onnx ")?;
            Some(reached.parse::<u64>().unwrap() >= position)
        };
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        assert!(
            lines.any(|line| reached(&line) == Some(true)),
            "the process ended early"
        );
    }

    /// The model folder, and whether this process downloaded it.
    fn finish(self) -> (PathBuf, bool) {
        self.end().expect("the process fetches a model")
    }

    /// The same, unless the process failed.
    fn end(mut self) -> Option<(PathBuf, bool)> {
        let last = self.lines.by_ref().map(Result::unwrap).last();
        if !self.child.wait().unwrap().success() {
            return None;
        }
        let last = last.unwrap();
        let (fetched, folder) = last.split_once(' ').unwrap();
        Some((folder.into(), fetched == "true"))
    }
}

async fn run_child(source: &str, cache: &str) {
    let source: ModelSource = source.parse().unwrap();
    let mut options = FetchOptions::new(cache);
    options.allow_http = true;
    options.retries.count = 0;
    let model = fetch(&source, &options, &Printed).await.unwrap();
    print(&format!("{} {}", model.fetched, model.folder.display()));
}

/// Prints how far each file is.
struct Printed;

impl Progress for Printed {
    fn started(&self, _file: &str, _size: Option<u64>, _position: u64) {}

    fn advanced(&self, file: &str, position: u64) {
        print(&format!("{file} {position}"));
    }

    fn finished(&self, _file: &str) {}

    fn warning(&self, _message: &str) {}
}

/// A parent that has gone, or listens no longer, is no error.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
