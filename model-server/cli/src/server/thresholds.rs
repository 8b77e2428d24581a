//! Judges the server's scores by the thresholds of the command line.

use toxicity_api::{Scores, TextVerdict};

/// Flags the labels of `verdict` that reach their threshold. A marked word stays marked while one of its labels is
/// flagged; for a label that the server did not flag it has not looked for words, which `spans_complete` says.
pub(super) fn judge(verdict: &mut TextVerdict, thresholds: &Scores) {
    let reaches = |label: &String, score: f32| thresholds.get(label).is_some_and(|&least| score >= least);
    let mut flags: Vec<(&String, f32)> = verdict
        .scores
        .iter()
        .map(|(label, &score)| (label, score))
        .filter(|&(label, score)| reaches(label, score))
        .collect();
    flags.sort_by(|a, b| b.1.total_cmp(&a.1));
    let flags: Vec<String> = flags.into_iter().map(|(label, _)| label.clone()).collect();

    if let Some(spans) = &mut verdict.spans {
        for span in &mut *spans {
            span.labels.retain(|label| flags.contains(label));
        }
        spans.retain(|span| !span.labels.is_empty());
        let searched = flags.iter().all(|label| verdict.flags.contains(label));
        verdict.spans_complete = verdict.spans_complete.map(|complete| complete && searched);
    }
    verdict.flagged = !flags.is_empty();
    verdict.flags = flags;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict() -> TextVerdict {
        let offsets = serde_json::json!({"begin": 0, "end": 4});
        let span = |labels: &[&str]| {
            let (bytes, utf16) = (&offsets, &offsets);
            serde_json::json!({"labels": labels, "weight": 1.0, "bytes": bytes, "utf16": utf16})
        };
        let verdict = serde_json::json!({
            "flagged": true,
            "flags": ["toxic", "insult"],
            "scores": {"toxic": 0.9, "threat": 0.3, "insult": 0.6},
            "tokens": 3,
            "windows": 1,
            "spans": [span(&["toxic", "insult"]), span(&["insult"])],
            "spans_complete": true,
        });
        serde_json::from_value(verdict).unwrap()
    }

    fn judged(thresholds: [(&str, f32); 3]) -> TextVerdict {
        let mut verdict = verdict();
        let thresholds = thresholds.map(|(label, value)| (label.to_owned(), value)).into();
        judge(&mut verdict, &thresholds);
        verdict
    }

    #[test]
    fn a_higher_threshold_takes_flags_and_words_away() {
        let verdict = judged([("toxic", 0.9), ("threat", 0.5), ("insult", 0.7)]);
        assert_eq!(verdict.flags, ["toxic"]);
        let spans = verdict.spans.unwrap();
        assert_eq!(
            (spans.len(), &spans[0].labels[..]),
            (1, &["toxic".to_owned()][..])
        );
        assert_eq!(verdict.spans_complete, Some(true));
    }

    #[test]
    fn a_lower_threshold_adds_a_flag_whose_words_were_not_looked_for() {
        let verdict = judged([("toxic", 0.95), ("threat", 0.2), ("insult", 0.5)]);
        assert_eq!(verdict.flags, ["insult", "threat"]);
        assert!(verdict.flagged);
        assert_eq!(verdict.spans_complete, Some(false));
    }

    #[test]
    fn nothing_is_flagged_when_no_score_reaches_its_threshold() {
        let verdict = judged([("toxic", 1.0), ("threat", 1.0), ("insult", 1.0)]);
        assert!(!verdict.flagged && verdict.flags.is_empty() && verdict.spans.unwrap().is_empty());
    }
}
