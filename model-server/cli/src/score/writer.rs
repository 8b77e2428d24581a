//! Writes scored rows and keeps count of them.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::output::{Destination, Layout, OpenedFile, OutputFile};
use crate::resume::Run;
use crate::row::{ScoredRow, Tally};

/// A layout, where its bytes go, and what was written.
pub(super) struct Writer {
    layout: Box<dyn Layout>,
    destination: Destination,
    /// The name of the destination, for messages.
    path: Option<PathBuf>,
    flagged_only: bool,
    /// Whether what comes before the first row is written.
    begun: bool,
    tally: Tally,
    /// The tally of the last checkpoint.
    recorded: Tally,
}

/// What there was of an output.
pub(super) enum Opened {
    /// Something is left to write.
    Writer(Box<Writer>),
    /// An earlier run wrote everything.
    Complete(Tally),
}

impl Writer {
    /// Opens `path`, or the standard output.
    pub(super) fn open(
        layout: Box<dyn Layout>,
        path: Option<&Path>,
        run: Option<Run>,
        resume: bool,
        flagged_only: bool,
    ) -> Result<Opened, Error> {
        let mut tally = Tally::default();
        let destination = match path {
            None => Destination::Stream(Box::new(io::stdout())),
            // A device or a pipe has no place to be put in.
            Some(path) if path.exists() && !path.is_file() => {
                let file = File::options().write(true).open(path);
                Destination::Stream(Box::new(file.map_err(cannot_write(Some(path)))?))
            }
            Some(path) => match OutputFile::open(path, run, resume)? {
                OpenedFile::New(file) => Destination::File(file),
                OpenedFile::Resumed(file, resumed) => {
                    tally = resumed;
                    Destination::File(file)
                }
                OpenedFile::Complete(tally) => return Ok(Opened::Complete(tally)),
            },
        };
        Ok(Opened::Writer(Box::new(Self {
            layout,
            destination,
            path: path.map(Path::to_owned),
            flagged_only,
            begun: tally.rows > 0,
            tally,
            recorded: tally,
        })))
    }

    /// What was written so far.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether rows appear on the terminal.
    pub(super) fn is_on_terminal(&self) -> bool {
        self.path.is_none() && io::stdout().is_terminal()
    }

    /// Counts the rows and writes those that are asked for.
    pub(super) fn write(&mut self, mut rows: Vec<ScoredRow>) -> Result<(), Error> {
        let first = self.tally.written == 0;
        let wanted = |row: &ScoredRow| !self.flagged_only || row.is_flagged() || row.outcome.is_err();
        let mut tally = self.tally;
        for row in &rows {
            tally.count(row, wanted(row));
        }
        rows.retain(wanted);
        let mut bytes = self.beginning();
        self.layout.rows(&rows, first, &mut bytes);
        self.put(&bytes)?;
        self.tally = tally;
        Ok(())
    }

    /// Makes durable what was written since the last time.
    pub(super) fn checkpoint(&mut self) -> Result<(), Error> {
        if self.tally != self.recorded {
            self.destination.checkpoint(&self.tally)?;
            self.recorded = self.tally;
        }
        Ok(())
    }

    /// Ends the output and puts it in its place.
    pub(super) fn complete(mut self) -> Result<(), Error> {
        self.end()?;
        Ok(self.destination.finish(&self.tally)?)
    }

    /// Leaves the output as far as it came, and says what can be done with it.
    pub(super) fn stop(mut self) -> Result<String, Error> {
        let stopped = format!("stopped after {} rows", self.tally.rows);
        if self.destination.can_be_resumed() {
            self.checkpoint()?;
            return Ok(format!(
                "{stopped}; the same command with --resume goes on from there"
            ));
        }
        self.end()?;
        Ok(match self.destination {
            Destination::Stream(_) => stopped,
            Destination::File(file) => {
                format!("{stopped}, which are in \"{}\"", file.partial_path().display())
            }
        })
    }

    fn end(&mut self) -> Result<(), Error> {
        let mut bytes = self.beginning();
        self.layout.end(&mut bytes);
        self.put(&bytes)
    }

    /// What comes before the first row, once.
    fn beginning(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            self.layout.begin(&mut bytes);
        }
        bytes
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.destination
            .write(bytes)
            .map_err(cannot_write(self.path.as_deref()))
    }
}

fn cannot_write(path: Option<&Path>) -> impl FnOnce(io::Error) -> Error {
    let output = path.map(Path::to_owned);
    move |source| Error::Write { output, source }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use tempfile::tempdir;
    use toxicity_input::{Content, Row, RowFailure, Shape};

    use super::*;
    use crate::output::{Document, Look, OutputFormat};

    const FORMATS: [OutputFormat; 4] = [
        OutputFormat::Table,
        OutputFormat::Json,
        OutputFormat::Jsonl,
        OutputFormat::Csv,
    ];

    /// One way to write an output.
    #[derive(Debug, Clone, Copy)]
    struct Way {
        format: OutputFormat,
        flagged_only: bool,
    }

    impl Way {
        fn open(self, path: &Path, resume: bool) -> Opened {
            self.try_open(path, resume).unwrap()
        }

        fn try_open(self, path: &Path, resume: bool) -> Result<Opened, Error> {
            let document = Document {
                shape: Shape::Texts,
                inputs: Vec::new(),
                labels: vec!["toxic".to_owned()],
                added: "toxicity".to_owned(),
                spans: false,
            };
            let layout = self.format.layout(document, Look::default());
            let run = Run {
                inputs: Vec::new(),
                settings: BTreeMap::new(),
            };
            Writer::open(layout, Some(path), Some(run), resume, self.flagged_only)
        }

        /// Writes all rows at once.
        fn whole(self, rows: &[ScoredRow], folder: &Path) -> Vec<u8> {
            let path = folder.join("whole");
            let mut writer = writer(self.open(&path, false)).unwrap();
            writer.write(rows.to_vec()).unwrap();
            writer.complete().unwrap();
            std::fs::read(path).unwrap()
        }
    }

    fn writer(opened: Opened) -> Option<Box<Writer>> {
        match opened {
            Opened::Writer(writer) => Some(writer),
            Opened::Complete(_) => None,
        }
    }

    fn file(writer: &Writer) -> &OutputFile {
        match &writer.destination {
            Destination::File(file) => file,
            Destination::Stream(_) => panic!("a file is written"),
        }
    }

    fn rows(kinds: &[u8]) -> Vec<ScoredRow> {
        let verdict = |score: f32| {
            let flagged = score >= 0.5;
            serde_json::from_value(serde_json::json!({
                "flagged": flagged, "flags": if flagged { vec!["toxic"] } else { Vec::new() },
                "scores": {"toxic": score}, "tokens": 1, "windows": 1,
            }))
        };
        let row = |(number, kind): (u64, &u8)| ScoredRow {
            row: Row {
                input: 0,
                number,
                position: 0,
                content: Content::text("x".repeat(usize::from(*kind))),
            },
            outcome: match kind % 3 {
                0 => Err(RowFailure("no".to_owned())),
                kind => Ok(verdict(f32::from(kind) / 3.0).unwrap()),
            },
        };
        (1..).zip(kinds).map(row).collect()
    }

    /// What happens after a batch of rows.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        Nothing,
        Checkpoint,
        /// The process is gone, and with it up to so many bytes that were not made durable.
        Kill {
            lost_bytes: u64,
        },
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            2 => Just(Event::Nothing),
            2 => Just(Event::Checkpoint),
            1 => (0_u64..200).prop_map(|lost_bytes| Event::Kill { lost_bytes }),
        ]
    }

    /// A process that dies leaves its files as they are, at best.
    fn kill(writer: Box<Writer>, durable_bytes: u64, lost_bytes: u64) {
        let partial = file(&writer).partial_path().to_owned();
        drop(writer);
        let length = partial.metadata().unwrap().len();
        let file = File::options().write(true).open(partial).unwrap();
        file.set_len(length.saturating_sub(lost_bytes).max(durable_bytes))
            .unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whenever_a_run_is_killed_the_output_is_that_of_a_whole_run(
            kinds in prop::collection::vec(0_u8..40, 0..60),
            format in 0_usize..4,
            flagged_only in any::<bool>(),
            events in prop::collection::vec((1_usize..9, event()), 0..40),
        ) {
            let way = Way { format: FORMATS[format], flagged_only };
            let rows = rows(&kinds);
            let folder = tempdir().unwrap();
            let path = folder.path().join("output");
            let mut current = writer(way.open(&path, true)).unwrap();
            let mut durable_bytes = 0;
            for (batch, event) in events {
                let done = usize::try_from(current.tally().rows).unwrap();
                current.write(rows[done..].iter().take(batch).cloned().collect()).unwrap();
                match event {
                    Event::Nothing => {}
                    Event::Checkpoint => {
                        current.checkpoint().unwrap();
                        durable_bytes = file(&current).bytes();
                    }
                    Event::Kill { lost_bytes } => {
                        kill(current, durable_bytes, lost_bytes);
                        current = writer(way.open(&path, true)).unwrap();
                    }
                }
            }
            let done = usize::try_from(current.tally().rows).unwrap();
            current.write(rows[done..].to_vec()).unwrap();
            let tally = *current.tally();
            current.complete().unwrap();
            prop_assert_eq!(std::fs::read(&path).unwrap(), way.whole(&rows, folder.path()));
            prop_assert_eq!(tally.rows, rows.len() as u64);
            prop_assert_eq!(tally.failed, kinds.iter().filter(|&&kind| kind % 3 == 0).count() as u64);
            prop_assert_eq!(tally.flagged, kinds.iter().filter(|&&kind| kind % 3 == 2).count() as u64);
        }
    }

    #[test]
    fn a_run_killed_while_it_puts_the_output_in_its_place_is_complete() {
        let way = Way {
            format: OutputFormat::Csv,
            flagged_only: false,
        };
        let rows = rows(&[1, 2, 3]);
        let folder = tempdir().unwrap();
        let whole = way.whole(&rows, folder.path());
        for renamed in [false, true] {
            let path = folder.path().join("output");
            let mut writer = writer(way.open(&path, false)).unwrap();
            writer.write(rows.clone()).unwrap();
            writer.end().unwrap();
            file(&writer).record_complete(writer.tally()).unwrap();
            if renamed {
                std::fs::rename(file(&writer).partial_path(), &path).unwrap();
            }
            drop(writer);
            // A command without --resume is refused and harms nothing.
            assert!(way.try_open(&path, false).is_err());
            match way.open(&path, true) {
                Opened::Complete(tally) => assert_eq!(tally.rows, 3),
                Opened::Writer(_) => panic!("nothing is left to do"),
            }
            assert_eq!(std::fs::read(&path).unwrap(), whole);
            let names = std::fs::read_dir(folder.path()).unwrap();
            assert_eq!(names.count(), 2, "the state is gone");
            std::fs::remove_file(path).unwrap();
        }
    }
}
