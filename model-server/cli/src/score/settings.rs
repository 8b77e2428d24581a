//! What of a command line must be the same for a run to go on where another ended.

use std::collections::BTreeMap;

use toxicity_api::ModelIdentity;

use crate::arguments::ScoreArguments;
use crate::local;
use crate::output::OutputFormat;
use crate::scorer::Named;

/// Everything but the inputs that the output depends on.
pub(super) fn settings(
    arguments: &ScoreArguments,
    format: OutputFormat,
    model: &ModelIdentity,
) -> BTreeMap<String, String> {
    let yes = |set: bool| set.then(|| "yes".to_owned());
    let value = |set: bool, value: &dyn std::fmt::Debug| set.then(|| format!("{value:?}"));
    let thresholds = local::thresholds(&arguments.scorer.model);
    let settings = [
        ("the model", Some(Named(model).to_string())),
        ("--output", Some(format!("{format:?}").to_lowercase())),
        (
            "--input-format",
            arguments.input_format.map(|format| format.to_string()),
        ),
        ("--column", arguments.column.clone()),
        ("--no-header", yes(arguments.no_header)),
        ("--into", Some(arguments.into.clone())),
        ("--flagged-only", yes(arguments.flagged_only)),
        ("--spans", yes(arguments.spans)),
        ("--normalize", yes(arguments.normalize)),
        ("--labels", value(!arguments.labels.is_empty(), &arguments.labels)),
        ("--threshold", value(!thresholds.is_empty(), &thresholds)),
    ];
    let settings = settings
        .into_iter()
        .chain(local::settings(&arguments.scorer.model));
    settings
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}
