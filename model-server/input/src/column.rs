//! Which column of a table holds the texts.

/// Names of the text in data sets of comments, tried in this order when none is named.
pub(super) const USUAL_NAMES: [&str; 6] = ["text", "comment_text", "comment", "body", "message", "content"];

/// Why no column was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChooseColumnError {
    /// There are several, and none has a usual name.
    #[error("it has the columns {}; name the one to score with --column", quoted(.0))]
    Unnamed(Vec<String>),
    /// There is no such column.
    #[error("it has no column \"{name}\"; it has {}", quoted(.columns))]
    Find {
        /// The name asked for.
        name: String,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// A file without header has no names.
    #[error("without a header, --column must be a number from 1 to {columns}")]
    Number {
        /// How many columns there are.
        columns: usize,
    },
}

/// Index of the column to score. A number counts from 1, unless a column has it as its name.
pub(super) fn choose(
    columns: &[String],
    has_header: bool,
    name: Option<&str>,
) -> Result<usize, ChooseColumnError> {
    let find = |name: &str| columns.iter().position(|column| has_header && column == name);
    let Some(name) = name else {
        return match columns.len() {
            0 | 1 => Ok(0),
            _ => USUAL_NAMES
                .iter()
                .find_map(|name| find(name))
                .ok_or_else(|| ChooseColumnError::Unnamed(columns.to_vec())),
        };
    };
    let by_number = || {
        let number: usize = name.parse().ok()?;
        (1..=columns.len()).contains(&number).then(|| number - 1)
    };
    find(name).or_else(by_number).ok_or_else(|| {
        if has_header {
            ChooseColumnError::Find {
                name: name.to_owned(),
                columns: columns.to_vec(),
            }
        } else {
            ChooseColumnError::Number {
                columns: columns.len(),
            }
        }
    })
}

/// The first columns of a table, for people.
fn quoted(columns: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut names: Vec<String> = columns
        .iter()
        .take(SHOWN)
        .map(|name| format!("\"{name}\""))
        .collect();
    if columns.len() > SHOWN {
        names.push(format!("{} more", columns.len() - SHOWN));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_column_is_found_by_name_by_number_or_by_a_usual_name() {
        let table = columns(&["id", "body", "note", "2"]);
        assert_eq!(choose(&table, true, Some("note")), Ok(2));
        assert_eq!(choose(&table, true, Some("1")), Ok(0));
        assert_eq!(
            choose(&table, true, Some("2")),
            Ok(3),
            "a name comes before a number"
        );
        assert_eq!(choose(&table, false, Some("2")), Ok(1));
        assert_eq!(choose(&table, true, None), Ok(1));
        assert_eq!(choose(&columns(&["whatever"]), true, None), Ok(0));
        assert_eq!(choose(&columns(&["body", "text"]), true, None), Ok(1));
    }

    #[test]
    fn what_there_is_to_choose_from_is_said() {
        let table = columns(&["id", "note"]);
        let error = |header, name| choose(&table, header, name).unwrap_err().to_string();
        assert!(error(true, None).contains("\"id\", \"note\"; name the one"));
        assert!(error(true, Some("body")).contains("no column \"body\"; it has \"id\", \"note\""));
        assert!(error(false, Some("3")).contains("a number from 1 to 2"));
        assert!(error(false, Some("body")).contains("without a header"));
        let many = ChooseColumnError::Unnamed((0..25).map(|index| index.to_string()).collect());
        assert!(many.to_string().contains("\"19\", 5 more"));
    }
}
