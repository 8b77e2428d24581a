//! `cargo xtask eval`: how good a served model is on labelled comments, over HTTP, as those who call it see it.

mod bootstrap;
mod card;
mod figures;
mod labelled;
mod marked;
mod marking_time;
mod report;
mod scored;

use std::path::{Path, PathBuf};

use clap::Args;

use self::bootstrap::{LabelFigures, measure};
use self::card::{Card, Comparison};
use self::labelled::Labelled;
use self::marked::Marked;
use self::report::Report;
use self::scored::Scorer;
use crate::bench_server::product::Product;
use crate::bench_server::subject::Subject;
use crate::component::Component;
use crate::digest::sha256_hex;
use crate::error::Error;
use crate::process::announce;
use crate::workspace::Workspace;
use crate::{build, onnxruntime};

/// Figures of a model, beside it.
const CARD: &str = "evaluation.json";

/// By what to judge which model.
#[derive(Debug, Args)]
pub struct EvalArguments {
    /// Labelled comments: CSV, TSV or JSONL, compressed or not, with a column `text` or `comment_text` and a column for
    /// each label, such as toxic, `severe_toxic`, obscene, threat, insult and `identity_hate`. A label holds from 0.5 on;
    /// an empty cell is unknown, and the row does not count for that label.
    #[arg(long, value_name = "FILE", required_unless_present = "spans")]
    data: Option<PathBuf>,

    /// Comments in which people marked the toxic characters: CSV, TSV or JSONL, compressed or not, with the columns `text`
    /// and `spans`, a list of offsets. Gives the character F1 of the words that the model marks, and, of a server that is
    /// started here, the time that marking adds to a request.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    spans: Option<PathBuf>,

    /// Model server to ask, such as <http://127.0.0.1:8000>. Without it one is built and started.
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// API key of that server.
    #[arg(long, env = "TOXICITY_API_KEY", hide_env_values = true, value_name = "KEY")]
    key: Option<String>,

    /// Model for the server that is started: a model folder, such as one just trained. Default: the bundled model.
    #[arg(long, value_name = "FOLDER", conflicts_with = "url")]
    model: Option<PathBuf>,

    /// Figures that the model was published with. Where they are of this very file, each area under the curve must be
    /// within 0.1 points. Default: `evaluation.json` in the folder of the model, with --url in that of the bundled model.
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
}

/// Has the comments scored and prints how well the verdicts fit what people said.
pub fn run(workspace: &Workspace, arguments: &EvalArguments) -> Result<(), Error> {
    let model = arguments
        .model
        .clone()
        .unwrap_or_else(|| workspace.bundled_model());
    build::stable_binaries(workspace, &[Component::ModelServer])?;
    match (&arguments.data, &arguments.spans) {
        (Some(path), _) => judge_scores(workspace, arguments, &model, path),
        (None, Some(path)) => judge_spans(workspace, arguments, &model, path),
        (None, None) => unreachable!("one of the two is required"),
    }
}

/// Starts the server that is to be judged, unless one is named.
fn served(
    workspace: &Workspace,
    arguments: &EvalArguments,
    model: &Path,
    flags: &[&str],
) -> Result<(Option<Subject>, Scorer), Error> {
    let server = if arguments.url.is_some() {
        None
    } else {
        onnxruntime::ensure(workspace)?;
        announce("starting the model server");
        let program = workspace.release_binary(Component::ModelServer.binary());
        Some(Product { program }.start_with(model, flags)?)
    };
    let url = server.as_ref().map(|server| server.url(""));
    let scorer = Scorer {
        program: workspace.release_binary("toxicity"),
        url: url.or_else(|| arguments.url.clone()).unwrap_or_default(),
        key: arguments.key.clone(),
    };
    Ok((server, scorer))
}

/// How well the words that are marked fit what people marked, and what marking costs.
fn judge_spans(
    workspace: &Workspace,
    arguments: &EvalArguments,
    model: &Path,
    path: &Path,
) -> Result<(), Error> {
    let (server, scorer) = served(workspace, arguments, model, &["--cache-bytes", "0"])?;
    let model = scorer.model()?;
    announce(&format!("scoring the comments at {}", scorer.url));
    let mut marked = Marked::new(path);
    scorer.score(path, true, |row| marked.take(row))?;
    let f1 = marked.mean_f1()?;
    println!(
        "\n{} ({}), {} comments: character F1 {:.1} %",
        model.name,
        model.revision,
        marked.texts.len(),
        100.0 * f1.of_all
    );
    if let Some(of_flagged) = f1.of_flagged {
        println!(
            "{} of them are flagged, and only in these words are marked: {:.1} %",
            marked.flagged,
            100.0 * of_flagged
        );
    }
    if let Some(server) = &server {
        announce("timing requests with and without marked words, one after the other");
        let time = marking_time::measure(&server.url(server.path()), &marked.texts)?;
        println!(
            "\na request takes {:.2} ms without and {:.2} ms with marked words (medians)",
            1000.0 * time.without.as_secs_f64(),
            1000.0 * time.with.as_secs_f64()
        );
    }
    Ok(())
}

/// How well the scores fit what people said, beside the card.
fn judge_scores(
    workspace: &Workspace,
    arguments: &EvalArguments,
    model: &Path,
    path: &Path,
) -> Result<(), Error> {
    let sha256 = sha256_hex(std::fs::read(path).map_err(Error::file("read", path))?);
    let card = read_card(arguments.card.as_deref(), &model.join(CARD))?;
    // Stopped when all is scored.
    let (server, scorer) = served(workspace, arguments, model, &[])?;
    let model = scorer.model()?;
    announce(&format!("scoring the comments at {}", scorer.url));
    let mut labelled = Labelled::new(path, &model.labels);
    scorer.score(path, false, |row| labelled.take(row))?;
    drop(server);
    let (rows, labels) = labelled.finish()?;

    announce("measuring");
    let labels: Vec<LabelFigures> = labels.into_iter().map(measure).collect();
    let report = Report {
        model: &model,
        rows,
        labels: &labels,
    };
    println!("\n{}", report.markdown());
    let Some((card_path, card)) = card else {
        announce("there is no card to compare with");
        return Ok(());
    };
    match card.compare(&sha256, &labels) {
        Comparison::UnknownFile => {
            announce(&format!(
                "\"{}\" has no figures of this file (SHA-256 {sha256})",
                card_path.display()
            ));
            Ok(())
        }
        Comparison::Same => {
            announce(&format!("as good as \"{}\" says", card_path.display()));
            Ok(())
        }
        Comparison::Different(mut differences) => {
            if card.model_revision != model.revision {
                differences.push(format!(
                    "the card is of revision {}, served is {}",
                    card.model_revision, model.revision
                ));
            }
            Err(Error::DifferFromCard {
                card: card_path,
                differences,
            })
        }
    }
}

/// The card that was named, or the one beside the model where there is one.
fn read_card(named: Option<&Path>, beside: &Path) -> Result<Option<(PathBuf, Card)>, Error> {
    let path = named.unwrap_or(beside);
    if named.is_none() && !path.is_file() {
        return Ok(None);
    }
    let content = std::fs::read(path).map_err(Error::file("read", path))?;
    let card = serde_json::from_slice(&content).map_err(|source| Error::ReadCard {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some((path.to_owned(), card)))
}
