//! The report as JSON, for machines.

use indexmap::IndexMap;
use serde::Serialize;
use toxicity_api::ModelIdentity;

use super::report::{LabelReport, Report};
use super::verdicts::share;

/// A report, ready to be written.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    model: &'a ModelIdentity,
    rows: usize,
    rows_left_out: usize,
    thresholds: IndexMap<&'a str, f32>,
    labels: IndexMap<&'a str, Label>,
    remarks: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Label {
    rows: usize,
    rows_without_old_score: usize,
    old_threshold: Option<f64>,
    #[serde(flatten)]
    figures: Option<Figures>,
}

/// What only a label with a new threshold has. An absent figure is one that cannot be told.
#[derive(Debug, Serialize)]
struct Figures {
    new_threshold: f32,
    flagged_by_old: Option<f64>,
    flagged_by_new: Option<f64>,
    agreement: Option<f64>,
    kappa: Option<f64>,
    spearman: Option<f64>,
    recall: Option<f64>,
    precision: Option<f64>,
}

impl<'a> From<&'a Report> for Document<'a> {
    fn from(report: &'a Report) -> Self {
        let labels = report.labels.iter();
        Self {
            model: &report.model,
            rows: report.rows,
            rows_left_out: report.left_out.rows,
            thresholds: report.thresholds(),
            labels: labels
                .map(|report| (report.label.as_str(), report.into()))
                .collect(),
            remarks: report.remarks(),
        }
    }
}

impl From<&LabelReport> for Label {
    fn from(report: &LabelReport) -> Self {
        let figures = report.outcome.as_ref().ok().map(|calibration| {
            let verdicts = &calibration.verdicts;
            Figures {
                new_threshold: calibration.threshold,
                flagged_by_old: share(verdicts.flagged_by_old(), verdicts.count()),
                flagged_by_new: share(verdicts.flagged_by_new(), verdicts.count()),
                agreement: verdicts.agreement(),
                kappa: verdicts.kappa(),
                spearman: calibration.spearman,
                recall: verdicts.recall(),
                precision: verdicts.precision(),
            }
        });
        Self {
            rows: report.rows,
            rows_without_old_score: report.without_old_score,
            old_threshold: report.old_threshold,
            figures,
        }
    }
}
