//! Where the texts of a run come from.

use std::io::{self, IsTerminal};

use toxicity_input::{InputError, ReadOptions, Rows, Source, SourceIdentity};

use super::output_format;
use crate::arguments::ScoreArguments;
use crate::error::Error;
use crate::output::OutputFormat;

/// The rows of a run and where they come from.
pub struct Input {
    /// The rows.
    pub rows: Rows,
    sources: Vec<Source>,
}

impl Input {
    /// Opens what `arguments` name.
    ///
    /// # Errors
    /// When there is nothing to score, or it cannot be read as asked.
    pub fn open(arguments: &ScoreArguments) -> Result<Self, Error> {
        let sources: Vec<Source> = match (arguments.texts.as_slice(), arguments.file.as_slice()) {
            ([], []) if io::stdin().is_terminal() => return Err(Error::FindInput),
            ([], []) => vec![Source::StandardInput],
            ([only], []) if only == "-" => vec![Source::StandardInput],
            ([], files) => files.iter().cloned().map(Source::named).collect(),
            (texts, _) => return Self::of_texts(texts, arguments),
        };
        if sources.contains(&Source::StandardInput) {
            if sources.len() > 1 {
                return Err(Error::CombineStream);
            }
            if arguments.resume {
                return Err(Error::ResumeStream);
            }
        }
        // A table shows nothing of a row but its text.
        let adds = output_format(arguments) != OutputFormat::Table;
        let options = ReadOptions {
            format: arguments.input_format,
            column: arguments.column.clone(),
            no_header: arguments.no_header,
            added: adds.then(|| arguments.into.clone()),
        };
        let rows = Rows::open(sources.clone(), options)?;
        Ok(Self { rows, sources })
    }

    fn of_texts(texts: &[String], arguments: &ScoreArguments) -> Result<Self, Error> {
        let for_files = [
            ("--column", arguments.column.is_some()),
            ("--input-format", arguments.input_format.is_some()),
            ("--no-header", arguments.no_header),
        ];
        if let Some((option, _)) = for_files.into_iter().find(|(_, given)| *given) {
            return Err(Error::DescribeTexts(option));
        }
        Ok(Self {
            rows: Rows::of_texts(texts.to_vec()),
            sources: vec![Source::CommandLine],
        })
    }

    /// Whether the texts stand on the command line.
    #[must_use]
    pub fn is_command_line(&self) -> bool {
        self.sources == [Source::CommandLine]
    }

    /// Names of the inputs, where there are several.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        if self.sources.len() < 2 {
            return Vec::new();
        }
        let name = |source: &Source| match source {
            Source::File(path) => path.display().to_string(),
            Source::CommandLine | Source::StandardInput => source.to_string(),
        };
        self.sources.iter().map(name).collect()
    }

    /// Bytes of all inputs, where they are known.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        self.sources.iter().map(Source::bytes).sum()
    }

    /// By what the inputs are known again; nothing when one of them can be read only once.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn identities(&self) -> Result<Option<Vec<SourceIdentity>>, InputError> {
        self.sources
            .iter()
            .map(|source| {
                source.identity().map_err(|error| InputError::Open {
                    input: source.clone(),
                    source: error,
                })
            })
            .collect()
    }
}
