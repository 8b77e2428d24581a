//! The fuzz targets of `tests/fuzz`, under libFuzzer.
//!
//! The instrumentation is a pass of LLVM that the stable compiler takes too. What needs another compiler are the
//! sanitizers, and they look for what safe Rust rules out.

use std::fs::File;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Mutex;

use crate::apt;
use crate::error::Error;
use crate::process::{announce, run, start_error};
use crate::test::{CPP_COMPILER, Tally};
use crate::workspace::Workspace;

/// Longest time for one input, in seconds.
const INPUT_SECONDS: u32 = 10;

/// Most memory of a target, in MiB.
const MEMORY: u32 = 1024;

/// Bytes of an input that are printed.
const PRINTED_INPUT: usize = 2_000;

/// Lines of a log that are printed.
const PRINTED_LINES: usize = 30;

/// A target, and where it finds and leaves things.
struct Target {
    name: String,
    binary: PathBuf,
    /// Inputs in the repository to begin with.
    seeds: PathBuf,
    /// Inputs that reached something new, in this run and earlier ones.
    corpus: PathBuf,
    /// Inputs that failed.
    failures: PathBuf,
    log: PathBuf,
}

/// Builds all targets and runs each for `minutes`, as many at a time as there are cores. The same `seed` tries much the
/// same inputs; 0 stands for another one each time.
pub fn test(workspace: &Workspace, minutes: u32, seed: u32) -> Result<Tally, Error> {
    build(workspace)?;
    let targets = targets(workspace)?;
    announce(&format!("fuzzing {} targets, {minutes} min each", targets.len()));
    let words = workspace.root().join("tests/fuzz/words.dict");
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let queue = Mutex::new(targets.iter());
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(target) = next(&queue) {
                    let passed = target.run(&words, minutes, seed).unwrap_or_else(|error| {
                        eprintln!("error: {}", crate::error::chain(&error));
                        false
                    });
                    let mut tally = tally.lock().expect("no worker panics");
                    tally.add(Tally {
                        passed: passed.into(),
                        failed: (!passed).into(),
                    });
                }
            });
        }
    });
    Ok(tally.into_inner().expect("no worker panics"))
}

fn next<'a>(queue: &Mutex<std::slice::Iter<'a, Target>>) -> Option<&'a Target> {
    queue.lock().expect("no worker panics").next()
}

/// Builds the targets. Only the crates of the workspace are instrumented, so that their dependencies are those of the
/// other builds.
fn build(workspace: &Workspace) -> Result<(), Error> {
    apt::ensure(&[CPP_COMPILER])?;
    announce("building the fuzz targets");
    let wrapper = workspace.root().join("tests/fuzz/instrument.sh");
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(workspace.root())
        .args(["build", "--workspace", "--bin=fuzz_*"])
        .env("RUSTC_WORKSPACE_WRAPPER", wrapper);
    run(&mut cargo, "The compiler's message above says why.")
}

/// A target for each file in `tests/fuzz/fuzz_targets`.
fn targets(workspace: &Workspace) -> Result<Vec<Target>, Error> {
    let sources = workspace.root().join("tests/fuzz/fuzz_targets");
    let folder = workspace.target().join("fuzz");
    let mut names: Vec<String> = entries(&sources)?
        .iter()
        .filter_map(|source| Some(source.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort_unstable();
    let targets = names.into_iter().map(|name| Target {
        binary: workspace.target().join(format!("debug/fuzz_{name}")),
        seeds: workspace.root().join("tests/fuzz/corpus").join(&name),
        corpus: folder.join("corpus").join(&name),
        failures: folder.join("failures").join(&name),
        log: folder.join("logs").join(format!("{name}.log")),
        name,
    });
    Ok(targets.collect())
}

impl Target {
    /// Runs the target and tells what came of it; false when an input failed.
    fn run(&self, words: &Path, minutes: u32, seed: u32) -> Result<bool, Error> {
        for folder in [
            Some(self.corpus.as_path()),
            Some(self.failures.as_path()),
            self.log.parent(),
        ] {
            let folder = folder.expect("a log lies in a folder");
            std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        }
        let status = self.fuzz(words, minutes, seed)?;
        let log = std::fs::read(&self.log).map_err(Error::file("read", &self.log))?;
        let log = String::from_utf8_lossy(&log);
        if status.success() {
            println!("{:<28} {}", self.name, last_state(&log));
            return Ok(true);
        }
        self.tell(&log, status)?;
        Ok(false)
    }

    fn fuzz(&self, words: &Path, minutes: u32, seed: u32) -> Result<ExitStatus, Error> {
        let log = File::create(&self.log).map_err(Error::file("create", &self.log))?;
        let errors = log.try_clone().map_err(Error::file("open", &self.log))?;
        let mut command = Command::new(&self.binary);
        command
            .arg(format!("-max_total_time={}", minutes.saturating_mul(60)))
            .arg(format!("-seed={seed}"))
            .arg(format!("-timeout={INPUT_SECONDS}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .arg(format!("-dict={}", words.display()))
            .arg(format!("-artifact_prefix={}/", self.failures.display()))
            .arg(&self.corpus)
            .args(Some(&self.seeds).filter(|seeds| seeds.is_dir()))
            .stdout(log)
            .stderr(errors);
        let remedy = "The fuzz targets are built before they run.";
        command
            .status()
            .map_err(|source| start_error(&command, remedy, source))
    }

    /// Prints the input that failed, why, and how to run it again.
    fn tell(&self, log: &str, status: ExitStatus) -> Result<(), Error> {
        let beginning = log.find("panicked at").or(log.find("ERROR:")).unwrap_or(0);
        let why: Vec<&str> = log[beginning..].lines().take(PRINTED_LINES).collect();
        println!(
            "{:<28} failed ({status}); the whole log is {}",
            self.name,
            self.log.display()
        );
        println!("    {}", why.join("\n    "));
        let Some(failed) = failed_input(log) else {
            return Ok(());
        };
        let input = std::fs::read(&failed).map_err(Error::file("read", &failed))?;
        let printed = input[..input.len().min(PRINTED_INPUT)].escape_ascii();
        println!("    the input, {} bytes: {printed}", input.len());
        println!("    run it again: {} {}", self.binary.display(), failed.display());
        println!("    once mended, keep it in {}\n", self.seeds.display());
        Ok(())
    }
}

/// The file that libFuzzer has written the input to that failed.
fn failed_input(log: &str) -> Option<PathBuf> {
    let mut paths = log
        .lines()
        .filter_map(|line| line.split_once("Test unit written to "));
    paths.next_back().map(|(_, path)| path.into())
}

/// The last line in which libFuzzer says where it is, such as
/// `#4985081 DONE cov: 1979 ft: 5314 corp: 1585/129Kb lim: 4096 exec/s: 121587 rss: 30Mb`.
fn last_state(log: &str) -> String {
    let state = log
        .lines()
        .rfind(|line| line.starts_with('#') && line.contains(" cov: "));
    let words = state.unwrap_or("no input was run").split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(folder).map_err(Error::file("read", folder))?;
    entries
        .map(|entry| Ok(entry.map_err(Error::file("read", folder))?.path()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_state_is_one_of_libfuzzer() {
        let log = "INFO: Seed: 1\n#2\tINITED cov: 3 ft: 3 corp: 1/1b exec/s: 0 rss: 27Mb\n\
                   #905\tDONE   cov: 11 ft: 12 corp: 5/21b lim: 4096 exec/s: 300 rss: 27Mb\n###### End ######\n";
        assert_eq!(
            last_state(log),
            "#905 DONE cov: 11 ft: 12 corp: 5/21b lim: 4096 exec/s: 300 rss: 27Mb"
        );
        assert_eq!(last_state("INFO: Seed: 1\n"), "no input was run");
        assert_eq!(failed_input(log), None);
    }

    #[test]
    fn the_failed_input_is_found_in_the_log() {
        let log = "==7== ERROR: libFuzzer: deadly signal\nartifact_prefix='target/fuzz/failures/openai/'; \
                   Test unit written to target/fuzz/failures/openai/crash-61677d\nBase64: QA==\n";
        assert_eq!(
            failed_input(log),
            Some(PathBuf::from("target/fuzz/failures/openai/crash-61677d"))
        );
    }
}
