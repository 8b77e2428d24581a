//! The figures as a page for a terminal.

use super::bootstrap::LabelFigures;
use super::scored::ServedModel;
use crate::bench_server::load::as_number;
use crate::bench_server::table::Table;

/// The figures of all labels.
pub struct Report<'a> {
    /// The model.
    pub model: &'a ServedModel,
    /// Rows of the file.
    pub rows: usize,
    /// The figures.
    pub labels: &'a [LabelFigures],
}

impl Report<'_> {
    /// A table, and what its columns mean.
    pub fn markdown(&self) -> String {
        let mut table = Table::new(&[
            "label",
            "known",
            "positive",
            "AUC",
            "average precision",
            "Brier",
            "flagged from",
            "flagged",
            "precision",
            "recall",
        ]);
        for label in self.labels {
            table.row(self.cells(label));
        }
        let mean = self
            .mean_auc()
            .map_or_else(String::new, |mean| format!(" Mean AUC: {:.2}.", 100.0 * mean));
        let ServedModel { name, revision, .. } = self.model;
        format!(
            "{name} ({revision}), {} rows. In per cent, but for the Brier score; in brackets 95 % intervals (500 drawings \
             of the rows).\n\n{}\n{mean}",
            self.rows,
            table.markdown(),
            mean = mean.trim_start()
        )
    }

    fn cells(&self, label: &LabelFigures) -> Vec<String> {
        let LabelFigures {
            figures, intervals, ..
        } = label;
        let threshold = self.model.thresholds.get(&label.label);
        vec![
            label.label.clone(),
            label.known.to_string(),
            label.positives.to_string(),
            percent(figures.auc, intervals.auc),
            percent(figures.average_precision, intervals.average_precision),
            with_interval(figures.brier, intervals.brier, |value| format!("{value:.4}")),
            threshold.map_or("-".to_owned(), ToString::to_string),
            with_interval(figures.flagged, None, |value| format!("{:.2}", 100.0 * value)),
            percent(figures.precision, intervals.precision),
            percent(figures.recall, intervals.recall),
        ]
    }

    /// The mean over the labels that have one.
    fn mean_auc(&self) -> Option<f64> {
        let areas: Vec<f64> = self.labels.iter().filter_map(|label| label.figures.auc).collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / as_number(areas.len() as u64))
    }
}

fn percent(value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    with_interval(value, interval, |value| format!("{:.2}", 100.0 * value))
}

fn with_interval(value: Option<f64>, interval: Option<[f64; 2]>, shown: fn(f64) -> String) -> String {
    match (value, interval) {
        (None, _) => "-".to_owned(),
        (Some(value), None) => shown(value),
        (Some(value), Some([low, high])) => format!("{} ({}-{})", shown(value), shown(low), shown(high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::bootstrap::Intervals;
    use crate::eval::figures::Figures;

    #[test]
    fn a_label_is_a_row() {
        let model: ServedModel = serde_json::from_value(serde_json::json!({
            "name": "toxic-minilm", "revision": "4c1e9a03d2b7", "labels": ["toxic", "threat"],
            "thresholds": {"toxic": 0.61, "threat": 0.5},
        }))
        .unwrap();
        let toxic = LabelFigures {
            label: "toxic".to_owned(),
            known: 4000,
            positives: 390,
            figures: Figures {
                auc: Some(0.98),
                brier: Some(0.025),
                flagged: Some(0.1),
                ..Figures::default()
            },
            intervals: Intervals {
                auc: Some([0.9753, 0.9841]),
                ..Intervals::default()
            },
        };
        let report = Report {
            model: &model,
            rows: 4000,
            labels: &[toxic],
        };
        let page = report.markdown();
        let row = page.lines().find(|line| line.contains("| toxic ")).unwrap();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let expected = [
            "toxic",
            "4000",
            "390",
            "98.00 (97.53-98.41)",
            "-",
            "0.0250",
            "0.61",
            "10.00",
            "-",
            "-",
        ];
        assert_eq!(cells[1..11], expected, "{page}");
        assert!(page.ends_with("Mean AUC: 98.00."), "{page}");
    }
}
