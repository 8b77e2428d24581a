//! Which part of a row holds the old score of which label.

use std::borrow::Cow;
use std::path::Path;
use std::str::FromStr;

use toxicity_input::{Fields, Original};

use super::error::CalibrateError;
use super::label;
use crate::model::Model;

/// Field of an answer of Perspective that holds its scores.
const ATTRIBUTE_SCORES: &str = "attributeScores";

/// One value of `--column-score`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreColumn {
    /// Label, an alias of it, or an attribute of Perspective.
    pub label: String,
    /// Column of a table, or path of a JSON field.
    pub column: String,
}

/// A column that is not of the form `label=name`.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the column \"{0}\": write label=name, for example toxic=perspective_score")]
pub struct ParseScoreColumnError(String);

impl FromStr for ScoreColumn {
    type Err = ParseScoreColumnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (label, column) = text
            .split_once('=')
            .ok_or_else(|| ParseScoreColumnError(text.to_owned()))?;
        Ok(Self {
            label: label.trim().to_owned(),
            column: column.trim().to_owned(),
        })
    }
}

/// An old score as it stands in a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cell<'a> {
    /// Index of the label.
    pub label: usize,
    /// Name of the column, or path of the field.
    pub column: Cow<'a, str>,
    /// What stands there; empty where nothing does.
    pub value: Cow<'a, str>,
}

/// Where the old scores stand.
#[derive(Debug)]
pub(super) enum Columns {
    /// In columns of a table.
    Table(Vec<TableColumn>),
    /// In fields of objects, of which each row may have others.
    Objects(Vec<(usize, String)>),
}

/// A column of a table.
#[derive(Debug)]
pub(super) struct TableColumn {
    label: usize,
    index: usize,
    name: String,
}

impl Columns {
    /// The columns of a table with these names.
    pub(super) fn of_table(
        model: &Model,
        names: &[String],
        chosen: &[ScoreColumn],
        path: &Path,
    ) -> Result<Self, CalibrateError> {
        if names.is_empty() {
            return Err(CalibrateError::FindRows(path.to_owned()));
        }
        let chosen = resolve(model, chosen)?;
        let mut columns = Vec::new();
        for (label, column) in &chosen {
            let index =
                names
                    .iter()
                    .position(|name| name == column)
                    .ok_or_else(|| CalibrateError::FindColumn {
                        column: column.clone(),
                        path: path.to_owned(),
                        found: names.to_vec(),
                    })?;
            columns.push(TableColumn {
                label: *label,
                index,
                name: column.clone(),
            });
        }
        for (index, name) in names.iter().enumerate() {
            let Some(label) = label::find(model, name).filter(|&label| !is_chosen(&chosen, label)) else {
                continue;
            };
            if let Some(first) = columns.iter().find(|column| column.label == label) {
                return Err(share_label(model, label, &first.name, name));
            }
            let name = name.clone();
            columns.push(TableColumn { label, index, name });
        }
        // The only column is that of the texts, whatever its name.
        if columns.is_empty() || names.len() == 1 {
            return Err(find_scores(model, path, names.to_vec()));
        }
        Ok(Self::Table(columns))
    }

    /// The fields of objects.
    pub(super) fn of_objects(model: &Model, chosen: &[ScoreColumn]) -> Result<Self, CalibrateError> {
        Ok(Self::Objects(resolve(model, chosen)?))
    }

    /// Labels and fields that the command line names, of which none may be missing.
    pub(super) fn chosen_fields(&self) -> &[(usize, String)] {
        match self {
            Self::Table(_) => &[],
            Self::Objects(chosen) => chosen,
        }
    }

    /// The old scores of a row.
    pub(super) fn cells<'a>(
        &'a self,
        original: &'a Original,
        model: &Model,
    ) -> Result<Vec<Cell<'a>>, CalibrateError> {
        match (self, original) {
            (Self::Table(columns), Original::Record(record)) => {
                let cell = |column: &'a TableColumn| Cell {
                    label: column.label,
                    column: Cow::Borrowed(&column.name),
                    value: String::from_utf8_lossy(record.get(column.index).unwrap_or_default()),
                };
                Ok(columns.iter().map(cell).collect())
            }
            (Self::Objects(chosen), Original::Object(line)) => of_object(chosen, line, model),
            _ => Ok(Vec::new()),
        }
    }
}

fn of_object<'a>(
    chosen: &'a [(usize, String)],
    line: &'a str,
    model: &Model,
) -> Result<Vec<Cell<'a>>, CalibrateError> {
    let fields = Fields::parse(line)?;
    let mut cells: Vec<Cell> = Vec::new();
    for (label, path) in chosen {
        cells.extend(fields.find(path).map(|value| Cell {
            label: *label,
            column: Cow::Borrowed(path.as_str()),
            value: plain(value),
        }));
    }
    let own = fields.names().map(|name| (name.to_owned(), name.to_owned()));
    let attributes = fields
        .find(ATTRIBUTE_SCORES)
        .and_then(|value| Fields::parse(value).ok());
    let of_perspective = attributes.iter().flat_map(Fields::names).map(|name| {
        let path = format!("{ATTRIBUTE_SCORES}.{name}.summaryScore.value");
        (name.to_owned(), path)
    });
    for (name, path) in own.chain(of_perspective) {
        let Some(label) = label::find(model, &name).filter(|&label| !is_chosen(chosen, label)) else {
            continue;
        };
        if let Some(first) = cells.iter().find(|cell| cell.label == label) {
            return Err(share_label(model, label, &first.column, &path));
        }
        cells.extend(fields.find(&path).map(|value| Cell {
            label,
            column: Cow::Owned(path),
            value: plain(value),
        }));
    }
    Ok(cells)
}

/// Names of the fields of an object, for people.
pub(super) fn field_names(original: &Original) -> Vec<String> {
    match original {
        Original::Object(line) => Fields::parse(line)
            .map(|fields| fields.names().map(str::to_owned).collect())
            .unwrap_or_default(),
        Original::Text | Original::Record(_) | Original::Unreadable => Vec::new(),
    }
}

/// That nothing of what there is holds old scores.
pub(super) fn find_scores(model: &Model, path: &Path, found: Vec<String>) -> CalibrateError {
    let labels = toxicity_protocols::scored::Labels {
        names: &model.labels,
        thresholds: &model.thresholds,
    };
    let attributes = toxicity_protocols::perspective::available_attributes(&labels);
    let attributes = attributes
        .into_iter()
        .filter(|name| !name.ends_with("_EXPERIMENTAL"));
    CalibrateError::FindScores {
        path: path.to_owned(),
        found,
        expected: model
            .labels
            .iter()
            .cloned()
            .chain(attributes.map(str::to_owned))
            .collect(),
    }
}

/// A JSON value as it would stand in a table.
fn plain(value: &str) -> Cow<'_, str> {
    match value {
        "null" => Cow::Borrowed(""),
        _ => serde_json::from_str::<String>(value).map_or(Cow::Borrowed(value), Cow::Owned),
    }
}

fn resolve(model: &Model, chosen: &[ScoreColumn]) -> Result<Vec<(usize, String)>, CalibrateError> {
    let mut resolved: Vec<(usize, String)> = Vec::new();
    for ScoreColumn { label, column } in chosen {
        let index = label::find(model, label).ok_or_else(|| CalibrateError::FindLabel {
            option: "--column-score",
            label: label.clone(),
            labels: model.labels.clone(),
        })?;
        if let Some((_, first)) = resolved.iter().find(|(label, _)| *label == index) {
            return Err(share_label(model, index, first, column));
        }
        resolved.push((index, column.clone()));
    }
    Ok(resolved)
}

fn is_chosen(chosen: &[(usize, String)], label: usize) -> bool {
    chosen.iter().any(|(chosen, _)| *chosen == label)
}

fn share_label(model: &Model, label: usize, first: &str, second: &str) -> CalibrateError {
    CalibrateError::ShareLabel {
        label: model.labels[label].clone(),
        first: first.to_owned(),
        second: second.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::label::fixture::model;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn chosen(given: &[&str]) -> Vec<ScoreColumn> {
        given.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn table(columns: &[&str], given: &[&str]) -> Result<Columns, CalibrateError> {
        Columns::of_table(&model(), &names(columns), &chosen(given), Path::new("scores.csv"))
    }

    fn table_error(columns: &[&str], given: &[&str]) -> String {
        table(columns, given).unwrap_err().to_string()
    }

    /// Label, column and value of the cells of a row.
    fn cells(columns: &Columns, original: &Original) -> Vec<(usize, String, String)> {
        let cells = columns.cells(original, &model()).unwrap().into_iter();
        cells
            .map(|cell| (cell.label, cell.column.into_owned(), cell.value.into_owned()))
            .collect()
    }

    fn owned(cells: &[(usize, &str, &str)]) -> Vec<(usize, String, String)> {
        let owned =
            |&(label, column, value): &(usize, &str, &str)| (label, column.to_owned(), value.to_owned());
        cells.iter().map(owned).collect()
    }

    #[test]
    fn columns_of_a_table_are_found_by_label_or_attribute() {
        let columns = table(&["id", "text", "IDENTITY_ATTACK", "toxicity"], &[]).unwrap();
        let record = Original::Record(vec!["7", "hi", "0.25", ""].into());
        let expected = [(2, "IDENTITY_ATTACK", "0.25"), (0, "toxicity", "")];
        assert_eq!(cells(&columns, &record), owned(&expected));
    }

    #[test]
    fn a_column_that_is_named_takes_the_place_of_the_usual_one() {
        let header = ["text", "toxic", "perspective", "PROFANITY"];
        let columns = table(&header, &["TOXICITY = perspective"]).unwrap();
        let record = Original::Record(vec!["hi", "1", "0.5", "0.1"].into());
        let expected = [(0, "perspective", "0.5"), (1, "PROFANITY", "0.1")];
        assert_eq!(cells(&columns, &record), owned(&expected));
    }

    #[test]
    fn what_was_found_and_what_is_expected_is_said() {
        let error = table_error(&["id", "text"], &[]);
        assert!(error.contains("it has \"id\", \"text\""), "{error}");
        assert!(
            error.contains("toxic, obscene, identity_hate, TOXICITY"),
            "{error}"
        );
        assert!(error.contains("--column-score"), "{error}");
        assert!(
            table_error(&["TOXICITY"], &[]).contains("old scores"),
            "a file needs texts too"
        );
        assert!(table_error(&[], &[]).contains("find a row"));
        let error = table_error(&["text", "TOXICITY"], &["toxic=score"]);
        assert!(
            error.contains("\"score\"") && error.contains("\"TOXICITY\""),
            "{error}"
        );
        let error = table_error(&["text", "TOXICITY"], &["spam=TOXICITY"]);
        assert!(error.contains("no label \"spam\""), "{error}");
    }

    #[test]
    fn two_columns_of_one_label_are_refused_unless_one_is_named() {
        let header = ["text", "TOXICITY", "TOXICITY_EXPERIMENTAL"];
        let error = table_error(&header, &[]);
        assert!(error.contains("--column-score toxic=TOXICITY"), "{error}");
        assert!(table(&header, &["toxic=TOXICITY_EXPERIMENTAL"]).is_ok());
        let error = table_error(&header, &["toxic=TOXICITY", "toxicity=TOXICITY_EXPERIMENTAL"]);
        assert!(error.contains("both hold"), "{error}");
        assert!("toxic".parse::<ScoreColumn>().is_err());
    }

    #[test]
    fn fields_of_objects_are_found_wherever_they_are() {
        let columns = Columns::of_objects(&model(), &chosen(&["obscene=old.bad"])).unwrap();
        let cells = |line: &str| cells(&columns, &Original::Object(line.to_owned()));
        assert_eq!(
            cells(r#"{"text": "hi", "toxic": null, "old": {"bad": "0.5"}, "PROFANITY": 1}"#),
            owned(&[(1, "old.bad", "0.5"), (0, "toxic", "")])
        );
        assert_eq!(
            cells(
                r#"{"text": "hi", "attributeScores": {
                    "TOXICITY": {"spanScores": [], "summaryScore": {"value": 0.92, "type": "PROBABILITY"}},
                    "SPAM": {"summaryScore": {"value": 0.1}}}}"#
            ),
            owned(&[(0, "attributeScores.TOXICITY.summaryScore.value", "0.92")])
        );
        assert_eq!(cells(r#"{"text": "hi"}"#), owned(&[]));
        let twice = Original::Object(r#"{"toxic": 1, "TOXICITY": 1}"#.to_owned());
        assert!(columns.cells(&twice, &model()).is_err());
    }
}
