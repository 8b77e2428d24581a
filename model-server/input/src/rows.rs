//! The rows of several inputs as one sequence.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Contents, InputError, ReadOptions, Shape, Source, open};
use crate::row::{Content, Row};

/// The rows of all inputs of a run, which have one shape.
pub struct Rows {
    /// What every row is made of.
    pub shape: Shape,
    sources: Vec<Source>,
    options: ReadOptions,
    contents: Contents,
    input: usize,
    number: u64,
    position: Arc<AtomicU64>,
}

impl Rows {
    /// Rows of the texts of a command line.
    #[must_use]
    pub fn of_texts(texts: Vec<String>) -> Self {
        Self {
            shape: Shape::Texts,
            sources: vec![Source::CommandLine],
            options: ReadOptions::default(),
            contents: Box::new(texts.into_iter().map(|text| Ok(Content::text(text)))),
            input: 0,
            number: 0,
            position: Arc::default(),
        }
    }

    /// Rows of files, or of the standard input. Every file is opened to see that it can be read and that all have
    /// one shape.
    ///
    /// # Errors
    /// When one cannot be read as asked.
    pub fn open(sources: Vec<Source>, options: ReadOptions) -> Result<Self, InputError> {
        let position = Arc::<AtomicU64>::default();
        let first = sources.first().unwrap_or(&Source::StandardInput);
        let opened = open(first, &options, &position)?;
        for second in sources.iter().skip(1) {
            if open(second, &options, &Arc::default())?.shape != opened.shape {
                return Err(InputError::CombineInputs {
                    first: first.clone(),
                    second: second.clone(),
                });
            }
        }
        Ok(Self {
            shape: opened.shape,
            sources,
            options,
            contents: opened.contents,
            input: 0,
            number: 0,
            position,
        })
    }

    fn source(&self) -> Source {
        self.sources
            .get(self.input)
            .cloned()
            .unwrap_or(Source::StandardInput)
    }
}

impl Iterator for Rows {
    type Item = Result<Row, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.contents.next() {
                Some(Ok(content)) => {
                    self.number += 1;
                    return Some(Ok(Row {
                        input: self.input,
                        number: self.number,
                        position: self.position.load(Ordering::Relaxed),
                        content,
                    }));
                }
                Some(Err(source)) => {
                    self.contents = Box::new(std::iter::empty());
                    let (input, row) = (self.source(), self.number);
                    self.sources.truncate(self.input + 1);
                    return Some(Err(InputError::ReadRow { input, row, source }));
                }
                None => {
                    let next = self.sources.get(self.input + 1)?;
                    match open(next, &self.options, &self.position) {
                        Ok(opened) => self.contents = opened.contents,
                        Err(error) => {
                            self.sources.clear();
                            return Some(Err(error));
                        }
                    }
                    self.input += 1;
                    self.number = 0;
                }
            }
        }
    }
}
