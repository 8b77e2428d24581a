//! `toxicity score`.

mod input;
mod settings;
mod writer;

use std::io::{self, IsTerminal, Write};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use console::Term;
use futures_util::StreamExt;
use tokio::time::MissedTickBehavior;

use crate::arguments::ScoreArguments;
use crate::error::Error;
use crate::local;
use crate::output::{Document, Look, OutputFormat};
use crate::pipeline::scored_rows;
use crate::progress::Progress;
use crate::read_ahead::ReadAhead;
use crate::resume::Run;
use crate::row::Tally;
use crate::scorer::{Question, Scorer};
use crate::status::{INTERRUPTED, Status};
use settings::settings;
use writer::{Opened, Writer};

pub use input::Input;

/// Between two checkpoints: what a crash may cost.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// What to find out about every text.
#[must_use]
pub fn question(arguments: &ScoreArguments) -> Question {
    Question {
        labels: arguments.labels.clone(),
        thresholds: local::thresholds(&arguments.scorer.model),
        spans: arguments.spans,
        normalize: arguments.normalize,
    }
}

/// How the rows came to an end.
enum Ending {
    Complete,
    Interrupted,
    Failed(Error),
}

/// Scores the rows of `input` and writes them.
///
/// # Errors
/// When it cannot go on; what was scored so far is written.
pub async fn run<S: Scorer>(
    arguments: &ScoreArguments,
    input: Input,
    scorer: Arc<S>,
) -> Result<Status, Error> {
    let format = output_format(arguments);
    let document = Document {
        shape: input.rows.shape.clone(),
        inputs: input.names(),
        labels: scorer.labels().to_vec(),
        added: arguments.into.clone(),
        spans: arguments.spans,
    };
    let layout = format.layout(document, look(arguments));
    let run = input.identities()?.map(|inputs| Run {
        inputs,
        settings: settings(arguments, format, scorer.model()),
    });
    let opened = Writer::open(
        layout,
        arguments.out.as_deref(),
        run,
        arguments.resume,
        arguments.flagged_only,
    )?;
    let mut writer = match opened {
        Opened::Writer(writer) => writer,
        Opened::Complete(tally) => {
            remark(
                arguments,
                "the interrupted run had scored all rows; its output is in place now",
            );
            return Ok(status(arguments, &tally));
        }
    };

    let shown = !arguments.quiet && !input.is_command_line();
    let bar = shown && io::stderr().is_terminal();
    let mut progress = Progress::start(bar, input.bytes(), writer.tally().rows);
    let read_ahead = ReadAhead::start(input.rows, writer.tally().rows).map_err(Error::StartThread)?;
    tokio::spawn(leave_at_second_request());
    let ending = score(read_ahead, &scorer, &mut writer, &mut progress).await;
    let tally = *writer.tally();
    let summary = progress.finish(tally);

    let result = match ending {
        Ending::Complete => writer.complete().map(|()| status(arguments, &tally)),
        Ending::Interrupted => {
            remark(arguments, &writer.stop()?);
            Ok(Status::Interrupted)
        }
        Ending::Failed(error) if error.is_reader_gone() => Err(error),
        Ending::Failed(error) => {
            remark(arguments, &writer.stop()?);
            Err(error)
        }
    };
    // Whoever reads the output, such as `head`, has seen enough: nothing is wrong, and nobody asks for a summary.
    if result.as_ref().is_err_and(Error::is_reader_gone) {
        return Ok(status(arguments, &tally));
    }
    if shown {
        say(&summary.to_string());
    }
    if let Some(text) = scorer.remark() {
        remark(arguments, &text);
    }
    result
}

/// Ends the process at the second Ctrl-C. The first one is not seen while the standard output takes nothing.
async fn leave_at_second_request() {
    toxicity_service::stop_requested().await;
    toxicity_service::stop_requested().await;
    std::process::exit(INTERRUPTED.into());
}

async fn score<S: Scorer>(
    read_ahead: ReadAhead,
    scorer: &Arc<S>,
    writer: &mut Writer,
    progress: &mut Progress,
) -> Ending {
    let room = read_ahead.room();
    let mut rows = pin!(scored_rows(read_ahead, scorer));
    let mut stop = pin!(toxicity_service::stop_requested());
    let mut checkpoints = tokio::time::interval(CHECKPOINT_INTERVAL);
    checkpoints.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let written = tokio::select! {
            () = &mut stop => return Ending::Interrupted,
            _ = checkpoints.tick() => writer.checkpoint(),
            next = rows.next() => match next {
                None => return Ending::Complete,
                Some(Err(error)) => return Ending::Failed(error.into()),
                Some(Ok(batch)) => {
                    let position = batch.last().map_or(0, |last| last.row.position);
                    for scored in &batch {
                        room.release(&scored.row);
                    }
                    let written = if writer.is_on_terminal() {
                        progress.aside(|| writer.write(batch))
                    } else {
                        writer.write(batch)
                    };
                    progress.advance(writer.tally(), position);
                    written
                }
            }
        };
        if let Err(error) = written {
            return Ending::Failed(error);
        }
    }
}

fn output_format(arguments: &ScoreArguments) -> OutputFormat {
    arguments.output.unwrap_or_else(|| match &arguments.out {
        Some(path) => OutputFormat::of_name(path).unwrap_or(OutputFormat::Jsonl),
        None if io::stdout().is_terminal() => OutputFormat::Table,
        None => OutputFormat::Jsonl,
    })
}

fn look(arguments: &ScoreArguments) -> Look {
    if arguments.out.is_some() {
        return Look::default();
    }
    Look {
        colours: console::colors_enabled(),
        width: Term::stdout()
            .size_checked()
            .map(|(_, columns)| usize::from(columns)),
    }
}

fn status(arguments: &ScoreArguments, tally: &Tally) -> Status {
    if tally.failed > 0 {
        Status::Failed
    } else if tally.flagged > 0 && !arguments.exit_zero {
        Status::Found
    } else {
        Status::Clean
    }
}

fn remark(arguments: &ScoreArguments, text: &str) {
    if !arguments.quiet {
        say(&format!("note: {text}"));
    }
}

/// A line for the person at the terminal, who may have closed it.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
