//! Metrics, as Prometheus reads them.

use std::collections::BTreeMap;

/// Whole numbers by name and labels, such as `toxicity_operator_leader` or `a_total{kind="Service"}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics(BTreeMap<String, u64>);

impl Metrics {
    /// Reads the text format. Fractions, which only times are, are left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(
            lines
                .filter_map(|line| {
                    let (series, value) = line.rsplit_once(' ')?;
                    Some((series.to_owned(), value.parse().ok()?))
                })
                .collect(),
        )
    }

    /// The sum over all series of a name that carry all of `labels`, each such as `kind="Service"`.
    ///
    /// # Panics
    /// When there is none: a name with a slip of the pen would always be 0.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[&str]) -> u64 {
        let mut found = self
            .0
            .iter()
            .filter(|(series, _)| {
                let (of, rest) = series.split_once('{').unwrap_or((series, ""));
                of == name && labels.iter().all(|label| rest.contains(label))
            })
            .map(|(_, value)| *value)
            .peekable();
        assert!(
            found.peek().is_some(),
            "there is no metric {name} with {labels:?}"
        );
        found.sum()
    }

    /// Children applied and deleted.
    #[must_use]
    pub fn child_writes(&self) -> u64 {
        self.sum("toxicity_operator_child_writes_total", &[])
    }

    /// Statuses and events written.
    #[must_use]
    pub fn status_writes(&self) -> u64 {
        self.sum("toxicity_operator_status_writes_total", &[])
    }

    /// Looks at monitors.
    #[must_use]
    pub fn reconciles(&self) -> u64 {
        self.sum("toxicity_operator_reconciles_total", &[])
    }

    /// Requests to the API server.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.sum("toxicity_operator_api_requests_total", &[])
    }

    /// Whether the operator leads.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.sum("toxicity_operator_leader", &[]) == 1
    }
}
