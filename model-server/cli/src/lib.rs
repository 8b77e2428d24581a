//! The command line for people: scores texts, files and streams for toxicity, with the model in this process or at a
//! model server.
//!
//! The way of a row: [`toxicity_input`] reads it, [`read_ahead`] keeps a bounded number of rows ready, [`batch`] decides what
//! goes into one call, [`pipeline`] has it scored by a [`scorer`] and brings it back into order, [`output`] writes it,
//! and [`resume`] knows how far a run came when it is cut off.

pub mod arguments;
pub mod batch;
pub mod error;
pub mod health;
pub mod labels;
pub mod local;
pub mod models;
pub mod output;
pub mod pipeline;
pub mod progress;
pub mod read_ahead;
pub mod resume;
pub mod row;
pub mod score;
pub mod scorer;
pub mod server;
pub mod status;

use std::io::{self, Write};
use std::sync::Arc;

use clap::CommandFactory;
use tokio::runtime::Runtime;
use toxicity_api::Info;

use crate::arguments::{
    Arguments, Command, HealthArguments, ModelsArguments, ScoreArguments, ScorerArguments,
};
use crate::error::Error;
use crate::local::Local;
use crate::scorer::{Named, Question};
use crate::server::{Connection, Server};
use crate::status::Status;

/// Does what the command line says.
///
/// # Errors
/// When it cannot; the message says what to do.
pub fn run(arguments: Arguments) -> Result<Status, Error> {
    match arguments.command {
        Command::Score(arguments) => score(&arguments),
        Command::Models(arguments) => models(&arguments),
        Command::Health(arguments) => health(&arguments),
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "toxicity", &mut script);
            print(&script)
        }
    }
}

fn score(arguments: &ScoreArguments) -> Result<Status, Error> {
    let question = score::question(arguments);
    if let Some(connection) = connection(&arguments.scorer)? {
        let input = score::Input::open(arguments)?;
        return runtime(1)?.block_on(async {
            let info = info(&connection).await?;
            let server = Server::new(connection, info, &question, &arguments.scorer.server)?;
            score::run(arguments, input, Arc::new(server)).await
        });
    }
    local::prepare_process()?;
    let input = score::Input::open(arguments)?;
    let local = Local::load(&arguments.scorer.model, &question)?;
    runtime(local.threads())?.block_on(score::run(arguments, input, Arc::new(local)))
}

fn models(arguments: &ModelsArguments) -> Result<Status, Error> {
    let model = match connection(&arguments.scorer)? {
        Some(connection) => runtime(1)?.block_on(info(&connection))?.model,
        None => local::describe(&arguments.scorer.model)?,
    };
    print(models::render(&model, arguments.output).as_bytes())
}

fn health(arguments: &HealthArguments) -> Result<Status, Error> {
    let (place, health) = if let Some(connection) = connection(&arguments.scorer)? {
        let health = runtime(1)?.block_on(health::of_server(&connection));
        (format!("at {}", connection.shown_address()), health)
    } else {
        local::prepare_process()?;
        let local = Local::load(&arguments.scorer.model, &Question::default());
        let health = local
            .map_err(Error::from)
            .and_then(|local| runtime(1)?.block_on(health::of_model(&local)));
        ("in this process".to_owned(), health)
    };
    match health {
        Ok(model) => print(format!("ready: {} {place}\n", Named(&model)).as_bytes()),
        Err(error) => {
            let reason = toxicity_service::error_chain(&error);
            print(format!("not ready: the model {place}: {reason}\n").as_bytes())?;
            Ok(Status::Found)
        }
    }
}

/// The server to ask, if one is named.
fn connection(arguments: &ScorerArguments) -> Result<Option<Connection>, Error> {
    let prepare = |address| Connection::prepare(address, &arguments.server);
    Ok(arguments.server.server.as_ref().map(prepare).transpose()?)
}

/// What a server serves; one that is still loading is waited for.
async fn info(connection: &Connection) -> Result<Info, Error> {
    let info = connection.get_patiently("info").await;
    info.map_err(Error::asking(connection.shown_address()))
}

fn runtime(threads: usize) -> Result<Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(Error::StartRuntime)
}

/// To the standard output; a reader that left has all it wanted.
fn print(bytes: &[u8]) -> Result<Status, Error> {
    let mut output = io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Write { output: None, source })
        }
        _ => Ok(Status::Clean),
    }
}
