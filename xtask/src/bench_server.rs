//! `cargo xtask bench server`: the model server beside its bare sessions and beside a server in Python as most people
//! would write it, on the same texts in one run.

pub mod bare;
mod baseline;
mod chart;
mod connection;
mod interference;
pub mod load;
mod machine;
mod overload;
mod plan;
pub mod process_usage;
pub mod product;
mod report;
mod round;
pub mod subject;
pub mod table;
pub mod texts;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;

use self::bare::Bare;
use self::baseline::Baseline;
use self::interference::ProcessorTime;
use self::overload::Overload;
use self::plan::{Model, Scenario, TextSet};
use self::product::Product;
use self::report::{Measurement, Report};
use self::round::{Measurer, Round};
use self::texts::Texts;
use crate::component::Component;
use crate::error::Error;
use crate::process::announce;
use crate::workspace::Workspace;
use crate::{build, onnxruntime};

/// Name of the page and of the chart beside it, but for their endings.
const PAGE: &str = "benchmarks";

/// What to measure of the model server.
#[derive(Debug, Args)]
pub struct BenchServerArguments {
    /// Measure in some two minutes what takes half an hour, as good as that can be; the page goes to `target/bench`
    /// instead of `docs`.
    #[arg(long)]
    quick: bool,

    /// Rounds over all measurements; the tables show medians. Default: 5, or 1 with --quick.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..))]
    rounds: Option<u8>,

    /// Time of each measurement. Default: 4s, or 1s with --quick.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    sample: Option<Duration>,

    /// Time of the overload. Default: 2m, or 10s with --quick.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    overload: Option<Duration>,

    /// Only measure the overload, and write no page.
    #[arg(long)]
    only_overload: bool,

    /// Model server to measure; it is built from this tree unless one is named.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

impl BenchServerArguments {
    /// What was asked for, else the default of a full run or of a quick one.
    fn or_default<T>(&self, asked: Option<T>, full: T, quick: T) -> T {
        asked.unwrap_or(if self.quick { quick } else { full })
    }

    fn rounds(&self) -> u8 {
        self.or_default(self.rounds, 5, 1)
    }

    fn sample(&self) -> Duration {
        self.or_default(self.sample, Duration::from_secs(4), Duration::from_secs(1))
    }

    fn overload(&self) -> Duration {
        self.or_default(self.overload, Duration::from_mins(2), Duration::from_secs(10))
    }

    /// Folder of the page, from the top of the repository.
    fn folder(&self) -> &'static str {
        if self.quick { "target/bench" } else { "docs" }
    }
}

/// Measures, prints the page and writes it with its chart.
pub fn run(workspace: &Workspace, arguments: &BenchServerArguments) -> Result<(), Error> {
    let onnxruntime = onnxruntime::ensure(workspace)?;
    let program = if let Some(program) = &arguments.program {
        program.clone()
    } else {
        build::stable_binaries(workspace, &[Component::ModelServer])?;
        workspace.release_binary(Component::ModelServer.binary())
    };
    let bench = Bench::prepare(workspace, arguments, Product { program })?;
    if arguments.only_overload {
        let duration = arguments.overload();
        let overload = bench.overload(duration)?;
        println!("\n{}", report::overload::section(&overload, duration));
        return Ok(());
    }
    let processor_time = || {
        ProcessorTime::now().map_err(|source| Error::Measure {
            what: "the machine",
            source,
        })
    };
    let begun = processor_time()?;
    let mut measurements: Vec<Measurement> = Scenario::ALL
        .into_iter()
        .map(|scenario| Measurement {
            scenario,
            rounds: Vec::new(),
        })
        .collect();
    let rounds = arguments.rounds();
    for round in 1..=rounds {
        for Measurement {
            scenario,
            rounds: done,
        } in &mut measurements
        {
            announce(&format!("round {round} of {rounds}: {}", scenario.title));
            done.push(bench.round(scenario)?);
        }
    }
    announce(&format!(
        "overload for {}",
        humantime::format_duration(arguments.overload())
    ));
    let overload = bench.overload(arguments.overload())?;
    let interference = processor_time()?.interference_since(begun);

    let version = onnxruntime
        .parent()
        .and_then(Path::file_name)
        .unwrap_or_default()
        .display()
        .to_string();
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let words = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let report = Report {
        facts: machine::facts(
            workspace.root(),
            &bench.product.program,
            &version,
            &bench.baseline,
        )?,
        date: now.split('T').next().unwrap_or_default().to_owned(),
        command: format!("cargo xtask {words}"),
        sample: arguments.sample(),
        overload_duration: arguments.overload(),
        interference,
        measurements,
        overload,
    };
    let page = report.markdown(&format!("{PAGE}.svg"));
    println!("\n{page}");
    let folder = workspace.root().join(arguments.folder());
    write(&folder.join(format!("{PAGE}.md")), &page)?;
    write(&folder.join(format!("{PAGE}.svg")), &report.chart())?;
    announce(&format!("written to {}/{PAGE}.md", arguments.folder()));
    Ok(())
}

/// All that rounds need.
struct Bench {
    product: Product,
    baseline: Baseline,
    /// Holds the models and the texts that are made.
    folder: PathBuf,
    bundled: PathBuf,
    comments: Texts,
    mixed_lengths: Texts,
    sample: Duration,
}

impl Bench {
    /// Makes what is missing of environment, models and texts.
    fn prepare(
        workspace: &Workspace,
        arguments: &BenchServerArguments,
        product: Product,
    ) -> Result<Self, Error> {
        let baseline = Baseline::prepare(workspace)?;
        let path = workspace.root().join("tests/data/comments.txt");
        let content = std::fs::read_to_string(&path).map_err(|source| Error::File {
            action: "read the texts in",
            path,
            source,
        })?;
        let bench = Self {
            product,
            baseline,
            folder: workspace.target().join("bench"),
            bundled: workspace.bundled_model(),
            comments: Texts::comments(&content),
            mixed_lengths: Texts::of_mixed_lengths(&content),
            sample: arguments.sample(),
        };
        for (model, script) in [(Model::Float, "dequantize.py"), (Model::BertBase, "bert_base.py")] {
            bench
                .baseline
                .make_model(script, &bench.bundled, &bench.model(model))?;
        }
        for set in [TextSet::Comments, TextSet::MixedLengths] {
            write(&bench.text_file(set), &bench.texts(set).lines())?;
        }
        Ok(bench)
    }

    fn round(&self, scenario: &Scenario) -> Result<Round, Error> {
        let measurer = Measurer {
            product: &self.product,
            baseline: &self.baseline,
            bare: Bare {
                program: &self.product.program,
                model: &self.model(scenario.model),
                texts: self.text_file(scenario.texts),
                duration: self.sample,
            },
            texts: self.texts(scenario.texts),
        };
        measurer.round(scenario)
    }

    fn overload(&self, duration: Duration) -> Result<Overload, Error> {
        Overload::measure(
            &self.product,
            &self.bundled,
            &self.comments,
            self.sample,
            duration,
        )
    }

    fn model(&self, model: Model) -> PathBuf {
        match model {
            Model::Bundled => self.bundled.clone(),
            Model::Float => self.folder.join("toxic-minilm-fp32"),
            Model::BertBase => self.folder.join("bert-base"),
        }
    }

    fn texts(&self, set: TextSet) -> &Texts {
        match set {
            TextSet::Comments => &self.comments,
            TextSet::MixedLengths => &self.mixed_lengths,
        }
    }

    fn text_file(&self, set: TextSet) -> PathBuf {
        self.folder.join(match set {
            TextSet::Comments => "comments.txt",
            TextSet::MixedLengths => "mixed-lengths.txt",
        })
    }
}

fn write(path: &Path, content: &str) -> Result<(), Error> {
    let folder = path.parent().expect("a file lies in a folder");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, content))
        .map_err(|source| Error::File {
            action: "write",
            path: path.to_owned(),
            source,
        })
}
