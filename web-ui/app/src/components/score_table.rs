//! Every label with its score.

use yew::{Html, Properties, component, html};

use super::ScoreBar;
use crate::presentation::{Level, Row, label_name, score};

/// Properties of [`ScoreTable`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ScoreTableProps {
    /// The labels, in the order in which they are shown.
    pub rows: Vec<Row>,
}

/// A table, so that it reads as one to everybody.
#[component]
pub fn ScoreTable(props: &ScoreTableProps) -> Html {
    let row = |row: &Row| {
        let (class, note) = match row.level {
            Level::Over => ("over", ", over"),
            Level::Near => ("near", ", near"),
            Level::Fine => ("fine", ", below"),
        };
        let threshold = row.threshold.map(score);
        html! {
            <tr key={row.label.clone()} {class} data-label={row.label.clone()} data-level={class}>
                <th scope="row">{ label_name(&row.label) }</th>
                <td class="bar-cell" title={threshold.as_ref().map(|value| format!("Threshold {value}"))}>
                    <ScoreBar score={row.score} threshold={row.threshold} />
                    if let Some(threshold) = &threshold {
                        <span class="visually-hidden">{ format!("Threshold {threshold}{note}") }</span>
                    }
                </td>
                <td class="score numeric">{ score(row.score) }</td>
            </tr>
        }
    };
    html! {
        <table class="scores">
            <caption class="visually-hidden">{ "Score and threshold per label, the highest score first" }</caption>
            <thead>
                <tr>
                    <th scope="col">{ "Label" }</th>
                    <th scope="col">
                        <span class="wide-only">{ "Score against threshold" }</span>
                        <span class="narrow-only">{ "Against threshold" }</span>
                    </th>
                    <th scope="col" class="score">{ "Score" }</th>
                </tr>
            </thead>
            <tbody>{ for props.rows.iter().map(row) }</tbody>
        </table>
    }
}
