//! The report as a table for a terminal.

use std::fmt::Write;

use super::report::{LabelReport, Report};
use super::verdicts::{Verdicts, share};

const HEADING: [&str; 12] = [
    "label",
    "rows",
    "no score",
    "old from",
    "flagged",
    "new from",
    "flagged",
    "agree",
    "kappa",
    "Spearman",
    "recall",
    "precision",
];

const EXPLANATION: &str = "\
no score: rows without an old one; flagged: share of the rows; agree: share with the same verdict; kappa: that beyond
chance, 1 is full agreement; Spearman: how alike the two order the rows; recall: of those flagged before, flagged now;
precision: the other way round
";

/// A row per label, and what there is to say beside.
pub(super) fn render(report: &Report) -> String {
    let mut rows = vec![HEADING.map(str::to_owned)];
    rows.extend(report.labels.iter().map(cells));
    let widths: Vec<usize> = (0..HEADING.len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or_default()
        })
        .collect();
    let mut text = format!(
        "{} ({}), {} rows\n\n",
        report.model.name, report.model.revision, report.rows
    );
    for row in rows {
        let [label, figures @ ..] = row;
        write!(text, "{label:<width$}", width = widths[0]).expect("a string takes everything");
        for (figure, width) in figures.iter().zip(&widths[1..]) {
            write!(text, "  {figure:>width$}").expect("a string takes everything");
        }
        text.push('\n');
    }
    text.push('\n');
    text.push_str(EXPLANATION);
    for remark in report.remarks() {
        writeln!(text, "note: {remark}").expect("a string takes everything");
    }
    text
}

fn cells(report: &LabelReport) -> [String; 12] {
    let calibration = report.outcome.as_ref().ok();
    let verdicts = calibration.map(|calibration| calibration.verdicts);
    let share_of = |part: fn(&Verdicts) -> usize| {
        let verdicts = verdicts?;
        share(part(&verdicts), verdicts.count())
    };
    let of_verdicts = |figure: fn(&Verdicts) -> Option<f64>| figure(&verdicts?);
    [
        report.label.clone(),
        report.rows.to_string(),
        report.without_old_score.to_string(),
        threshold(report.old_threshold),
        percent(share_of(Verdicts::flagged_by_old)),
        threshold(calibration.map(|calibration| calibration.threshold)),
        percent(share_of(Verdicts::flagged_by_new)),
        percent(of_verdicts(Verdicts::agreement)),
        figure(of_verdicts(Verdicts::kappa)),
        figure(calibration.and_then(|calibration| calibration.spearman)),
        percent(of_verdicts(Verdicts::recall)),
        percent(of_verdicts(Verdicts::precision)),
    ]
}

fn threshold(value: Option<impl ToString>) -> String {
    value.map_or_else(absent, |value| value.to_string())
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(absent, |value| format!("{value:.3}"))
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(absent, |value| format!("{:.1} %", value * 100.0))
}

fn absent() -> String {
    "-".to_owned()
}

#[cfg(test)]
mod tests {
    use toxicity_api::ModelIdentity;

    use super::*;
    use crate::calibrate::new_scores::LeftOut;
    use crate::calibrate::report::{Calibration, Reason};

    #[test]
    fn a_label_is_a_row() {
        let label = |label: &str, outcome| LabelReport {
            label: label.to_owned(),
            rows: 50,
            without_old_score: usize::from(label == "threat"),
            old_threshold: Some(0.8),
            outcome,
        };
        let calibration = Calibration {
            threshold: 0.61,
            verdicts: Verdicts {
                both: 20,
                old_only: 5,
                new_only: 5,
                neither: 20,
            },
            spearman: Some(0.75),
        };
        let report = Report {
            model: ModelIdentity {
                name: "toxic-minilm".to_owned(),
                revision: "4c1e9a03d2b7".to_owned(),
            },
            rows: 51,
            left_out: LeftOut::default(),
            labels: vec![
                label("toxic", Ok(calibration)),
                label("threat", Err(Reason::NoneFlagged)),
            ],
        };
        let table = render(&report);
        let expected = "\
toxic-minilm (4c1e9a03d2b7), 51 rows

label   rows  no score  old from  flagged  new from  flagged   agree  kappa  Spearman  recall  precision
toxic     50         0       0.8   50.0 %      0.61   50.0 %  80.0 %  0.600     0.750  80.0 %     80.0 %
threat    50         1       0.8        -         -        -       -      -         -       -          -
";
        assert!(table.starts_with(expected), "{table}");
        assert!(table.contains("note: threat is left out"), "{table}");
        assert!(table.contains("from 0.5 on"), "{table}");
    }
}
