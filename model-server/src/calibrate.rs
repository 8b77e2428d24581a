//! `calibrate`: chooses the thresholds at which the model flags the same share of comments as another service's scores
//! did.
//!
//! [`columns`] finds the old scores in a row, [`old_scores`] reads all of them, [`new_scores`] has the texts scored, and
//! [`report`] compares the two label by label: [`threshold`] chooses, [`verdicts`] and [`rank`] say how far the two agree.

mod columns;
mod document;
mod error;
mod label;
mod new_scores;
mod old_scores;
mod old_threshold;
mod progress;
mod rank;
mod report;
mod table;
mod threshold;
mod verdicts;

use std::path::Path;
use std::sync::Arc;

use toxicity_input::{ReadOptions, Rows, Shape, Source};

use crate::config::CalibrateArguments;
use crate::engine::{Engine, EngineOptions, LoadEngineError};
use crate::metrics::Metrics;
use crate::model::Model;
use columns::Columns;
use document::Document;
use new_scores::{CALLS, NewScores};
use old_scores::OldScores;
use progress::Progress;
use report::{LabelReport, Report};

pub use columns::ScoreColumn;
pub use error::CalibrateError;
pub use old_threshold::OldThreshold;

/// Reads the old scores, has the texts scored, prints how far the two agree and writes the thresholds.
///
/// # Errors
/// When a file cannot be read or written, the model does not load, or no threshold can be chosen.
pub fn run(arguments: &CalibrateArguments) -> Result<(), CalibrateError> {
    check_folder(&arguments.out)?;
    let options = EngineOptions {
        folder: arguments.model.fetch().map_err(LoadEngineError::from)?.folder,
        ..arguments.model.engine_options(CALLS)
    };
    // All that can be wrong with the file is told before the first text is scored, which may take hours.
    let model = Engine::describe(&options)?;
    let old_thresholds = old_threshold::resolve(&model, &arguments.old_threshold)?;
    let old = read_old_scores(arguments, &model)?;
    check_old_scores(&model, &old, &old_thresholds, &arguments.from)?;

    let engine = Arc::new(Engine::load(&options, &Arc::new(Metrics::new()))?);
    let new = score(arguments, &engine, &old)?;
    let labels = model.labels.iter().enumerate().filter_map(|(label, name)| {
        let (old, new) = (old.of(label)?, new.of(label));
        Some(LabelReport::new(name, old, new, old_thresholds[label]))
    });
    let report = Report {
        labels: labels.collect(),
        rows: old.rows,
        left_out: new.left_out,
        model: model.identity,
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&Document::from(&report))?);
    } else {
        print!("{}", table::render(&report));
    }
    let thresholds = report.thresholds();
    if thresholds.is_empty() {
        return Err(CalibrateError::Choose(report.remarks()));
    }
    let json = serde_json::to_string_pretty(&thresholds)? + "\n";
    write(&arguments.out, &json).map_err(|source| CalibrateError::Write {
        path: arguments.out.clone(),
        source,
    })?;
    eprintln!(
        "\nwritten to \"{}\". It is in force as thresholds.json in the model's folder, or by\n  serve --thresholds {}",
        arguments.out.display(),
        comma_separated(thresholds.iter().map(|(label, value)| format!("{label}={value}")))
    );
    Ok(())
}

fn open(arguments: &CalibrateArguments) -> Result<Rows, CalibrateError> {
    let options = ReadOptions {
        format: arguments.input_format,
        column: arguments.column_text.clone(),
        ..ReadOptions::default()
    };
    Ok(Rows::open(vec![Source::File(arguments.from.clone())], options)?)
}

fn read_old_scores(arguments: &CalibrateArguments, model: &Model) -> Result<OldScores, CalibrateError> {
    let rows = open(arguments)?;
    let columns = match &rows.shape {
        Shape::Records(names) => Columns::of_table(model, names, &arguments.column_score, &arguments.from)?,
        Shape::Objects => Columns::of_objects(model, &arguments.column_score)?,
        Shape::Texts => return Err(CalibrateError::ReadPlainText(arguments.from.clone())),
    };
    OldScores::read(rows, &columns, model, &arguments.from)
}

/// Fails when a threshold is given for a label without old scores, or no label can get a threshold whatever the model
/// says.
fn check_old_scores(
    model: &Model,
    old: &OldScores,
    thresholds: &[old_threshold::Resolved],
    path: &Path,
) -> Result<(), CalibrateError> {
    let mut reasons = Vec::new();
    for (label, name) in model.labels.iter().enumerate() {
        let Some(scores) = old.of(label) else {
            if thresholds[label].is_its_own {
                return Err(CalibrateError::FindScoresOfLabel {
                    label: name.clone(),
                    path: path.to_owned(),
                });
            }
            continue;
        };
        match report::flagged_by_old(scores.iter().flatten().copied(), thresholds[label]) {
            Ok(_) => return Ok(()),
            Err(reason) => reasons.push(reason.of(name)),
        }
    }
    Err(CalibrateError::Choose(reasons))
}

fn score(
    arguments: &CalibrateArguments,
    engine: &Arc<Engine>,
    old: &OldScores,
) -> Result<NewScores, CalibrateError> {
    let labels: Vec<usize> = (0..engine.model.labels.len())
        .filter(|&label| old.of(label).is_some())
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(engine.feeding_threads())
        .enable_all()
        .build()
        .map_err(CalibrateError::StartRuntime)?;
    let mut progress = Progress::start(old.rows);
    let new = runtime.block_on(new_scores::score(
        engine,
        open(arguments)?,
        &labels,
        arguments.normalize,
        |done| progress.advance(done),
    ))?;
    progress.finish();
    if new.rows == old.rows {
        Ok(new)
    } else {
        Err(CalibrateError::ReadAgain(arguments.from.clone()))
    }
}

/// Fails early where nothing could be written at the end.
fn check_folder(path: &Path) -> Result<(), CalibrateError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => Err(CalibrateError::Write {
            path: path.to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
        }),
        _ => Ok(()),
    }
}

/// A server that starts meanwhile reads the old file or the new one, never half of it.
fn write(path: &Path, content: &str) -> std::io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, content)?;
    std::fs::rename(&partial, path)
}

fn comma_separated(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}
