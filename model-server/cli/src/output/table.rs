//! Scores in columns, for people.

use console::{Alignment, Style, pad_str};
use toxicity_api::{Span, TextVerdict};

use super::excerpt::excerpt;
use super::{Document, Layout};
use crate::row::ScoredRow;

/// Columns that the number of a row takes.
const NUMBER_WIDTH: usize = 6;
/// Columns of a score with the mark of a flagged one, "0.98*".
const SCORE_WIDTH: usize = 5;
/// Columns that a text gets on the narrowest terminal.
const LEAST_TEXT_WIDTH: usize = 20;
/// Names of labels longer than this are broken at an underscore.
const UNBROKEN_NAME: usize = 8;

/// What the terminal can show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether to use colours; without them brackets mark words.
    pub colours: bool,
    /// Columns of the terminal; absent for a file or a pipe, where texts are not cut.
    pub width: Option<usize>,
}

/// A table that is written row by row: its columns are as wide as their headings.
pub(super) struct Table {
    document: Document,
    look: Look,
    labels: Vec<Heading>,
    number_width: usize,
    text_width: Option<usize>,
}

/// The name of a label on two lines, the first of them often empty.
struct Heading {
    lines: [String; 2],
    width: usize,
}

impl Heading {
    fn new(label: &str) -> Self {
        let [first, second] = match label.rsplit_once('_') {
            Some((first, second)) if console::measure_text_width(label) > UNBROKEN_NAME => {
                [format!("{first}_"), second.to_owned()]
            }
            _ => [String::new(), label.to_owned()],
        };
        let widths = [&first, &second].map(|line| console::measure_text_width(line));
        Self {
            width: widths[0].max(widths[1]).max(SCORE_WIDTH),
            lines: [first, second],
        }
    }
}

impl Table {
    pub(super) fn new(document: Document, look: Look) -> Self {
        let labels: Vec<Heading> = document.labels.iter().map(|label| Heading::new(label)).collect();
        let names = document.inputs.iter();
        let longest_name = names.map(|name| console::measure_text_width(name) + 1).max();
        let number_width = NUMBER_WIDTH + longest_name.unwrap_or(0);
        let before_text: usize = number_width + labels.iter().map(|label| label.width + 2).sum::<usize>() + 2;
        let text_width = look
            .width
            .map(|width| width.saturating_sub(before_text).max(LEAST_TEXT_WIDTH));
        Self {
            document,
            look,
            labels,
            number_width,
            text_width,
        }
    }

    fn style(&self) -> Style {
        Style::new().force_styling(self.look.colours)
    }

    fn heading(&self, line: usize, number: &str, text: &str) -> String {
        let mut heading = right(number, self.number_width);
        for label in &self.labels {
            heading.push_str("  ");
            heading.push_str(&right(&label.lines[line], label.width));
        }
        heading.push_str("  ");
        heading.push_str(text);
        self.style().bold().apply_to(heading.trim_end()).to_string()
    }

    fn row(&self, row: &ScoredRow) -> String {
        let number = match self.document.input_of(row) {
            Some(input) => format!("{input}:{}", row.row.number),
            None => row.row.number.to_string(),
        };
        let mut line = self
            .style()
            .dim()
            .apply_to(right(&number, self.number_width))
            .to_string();
        for (label, heading) in self.document.labels.iter().zip(&self.labels) {
            let score = match &row.outcome {
                Ok(verdict) => self.score(verdict, label, heading.width),
                Err(_) => right("- ", heading.width),
            };
            line.push_str("  ");
            line.push_str(&score);
        }
        line.push_str("  ");
        line.push_str(&self.text(row));
        line
    }

    fn score(&self, verdict: &TextVerdict, label: &str, width: usize) -> String {
        let Some(score) = verdict.scores.get(label) else {
            return right("", width);
        };
        let flagged = verdict.flags.iter().any(|flag| flag == label);
        let cell = right(&format!("{score:.2}{}", if flagged { '*' } else { ' ' }), width);
        let style = if flagged {
            self.style().red().bold()
        } else {
            self.style().dim()
        };
        style.apply_to(cell).to_string()
    }

    fn text(&self, row: &ScoredRow) -> String {
        match &row.outcome {
            Ok(verdict) => {
                let spans = verdict.spans.as_deref().unwrap_or_default();
                self.excerpt(&row.row.content.text, spans)
            }
            Err(failure) => {
                let text = self.excerpt(&format!("error: {failure}"), &[]);
                self.style().yellow().apply_to(text).to_string()
            }
        }
    }

    fn excerpt(&self, text: &str, spans: &[Span]) -> String {
        let mark = self.style().red().bold().underlined();
        excerpt(text, spans, self.text_width, !self.look.colours)
            .into_iter()
            .map(|piece| {
                if piece.marked {
                    mark.apply_to(piece.text).to_string()
                } else {
                    piece.text
                }
            })
            .collect()
    }
}

fn right(text: &str, width: usize) -> String {
    pad_str(text, width, Alignment::Right, None).into_owned()
}

impl Layout for Table {
    fn begin(&self, output: &mut Vec<u8>) {
        if self.labels.iter().any(|label| !label.lines[0].is_empty()) {
            output.extend_from_slice(self.heading(0, "", "").as_bytes());
            output.push(b'\n');
        }
        output.extend_from_slice(self.heading(1, "row", "text").as_bytes());
        output.push(b'\n');
    }

    fn rows(&self, rows: &[ScoredRow], _first: bool, output: &mut Vec<u8>) {
        for row in rows {
            output.extend_from_slice(self.row(row).as_bytes());
            output.push(b'\n');
        }
    }

    fn end(&self, _output: &mut Vec<u8>) {}
}

#[cfg(test)]
mod tests {
    use toxicity_input::{Content, Row, RowFailure, Shape};

    use super::*;
    use crate::row::Outcome;

    fn table(inputs: &[&str], width: usize) -> Table {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let document = Document {
            shape: Shape::Texts,
            inputs: owned(inputs),
            labels: owned(&["toxic", "identity_hate"]),
            added: "toxicity".to_owned(),
            spans: false,
        };
        let look = Look {
            colours: false,
            width: Some(width),
        };
        Table::new(document, look)
    }

    fn row(text: &str, outcome: Outcome) -> ScoredRow {
        ScoredRow {
            row: Row {
                input: 0,
                number: 7,
                position: 0,
                content: Content::text(text.to_owned()),
            },
            outcome,
        }
    }

    fn verdict() -> TextVerdict {
        let verdict = serde_json::json!({
            "flagged": true, "flags": ["toxic"], "scores": {"toxic": 0.987, "identity_hate": 0.004},
            "tokens": 1, "windows": 1,
        });
        serde_json::from_value(verdict).unwrap()
    }

    #[test]
    fn a_row_fits_the_terminal() {
        let text = "a text that is longer than what is left of the line";
        let line = table(&[], 50).row(&row(text, Ok(verdict())));
        assert_eq!(line, "     7  0.99*      0.00   a text that is longer t…");
        assert_eq!(console::measure_text_width(&line), 50);
        let narrow = table(&[], 10).row(&row(text, Ok(verdict())));
        assert!(narrow.ends_with("  a text that is long…"), "{narrow}");
    }

    #[test]
    fn rows_of_several_files_name_theirs_and_errors_command_no_terminal() {
        let table = table(&["b.csv", "comments.csv"], 80);
        let mut output = Vec::new();
        table.begin(&mut output);
        let failure = RowFailure("bad \u{1b}[2J".to_owned());
        table.rows(&[row("", Err(failure))], true, &mut output);
        assert_eq!(
            String::from_utf8(output).unwrap(),
            "                            identity_\n                row  toxic       hate  text\n            \
             b.csv:7     -          -   error: bad \u{fffd}[2J\n"
        );
    }
}
