//! The threshold that flags as many texts as wanted. A choice without input or output.

/// A threshold, and how many of the scores it was chosen by reach it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    /// From this score on a text is flagged.
    pub threshold: f32,
    /// Scores that reach it.
    pub flagged: usize,
}

/// The threshold that as nearly as possible `wanted` of `scores` reach: equal scores are flagged together or not at all.
/// Of two that come as near the higher one. Nothing where only none or all of them could be flagged, or would be nearest.
pub(super) fn choose(scores: &[f32], wanted: usize) -> Option<Choice> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    // Between two scores that differ there is room for a threshold.
    let between = (1..sorted.len()).filter(|&flagged| sorted[flagged - 1] > sorted[flagged]);
    let flagged = [0]
        .into_iter()
        .chain(between)
        .chain([sorted.len()])
        .min_by_key(|flagged| flagged.abs_diff(wanted))?;
    if flagged == 0 || flagged == sorted.len() {
        return None;
    }
    Some(Choice {
        threshold: short_number(sorted[flagged], sorted[flagged - 1]),
        flagged,
    })
}

/// A number above `below` and at most `highest`, near their middle and with as few decimals as that takes, but two.
fn short_number(below: f32, highest: f32) -> f32 {
    let middle = f64::midpoint(below.into(), highest.into());
    (2..=9)
        .filter_map(|decimals| format!("{middle:.decimals$}").parse::<f32>().ok())
        .find(|number| *number > below && *number <= highest)
        .unwrap_or(highest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chosen(scores: &[f32], wanted: usize) -> Option<(f32, usize)> {
        choose(scores, wanted).map(|choice| (choice.threshold, choice.flagged))
    }

    #[test]
    fn as_many_are_flagged_as_wanted() {
        let scores = [0.1, 0.9, 0.35, 0.6, 0.2];
        assert_eq!(chosen(&scores, 1), Some((0.75, 1)));
        assert_eq!(chosen(&scores, 2), Some((0.48, 2)), "0.475, rounded");
        assert_eq!(chosen(&scores, 4), Some((0.15, 4)));
    }

    #[test]
    fn equal_scores_go_together() {
        let scores = [0.9, 0.5, 0.5, 0.5, 0.1, 0.05];
        assert_eq!(chosen(&scores, 3), Some((0.3, 4)), "1 is two off, 4 is one");
        assert_eq!(chosen(&scores, 2), Some((0.7, 1)));
        let scores = [0.9, 0.5, 0.5, 0.1];
        assert_eq!(chosen(&scores, 2), Some((0.7, 1)), "1 and 3 are as near");
    }

    #[test]
    fn a_threshold_that_flags_none_or_all_is_no_choice() {
        assert_eq!(choose(&[0.4, 0.4, 0.4], 1), None);
        assert_eq!(
            choose(&[0.4, 0.4, 0.4, 0.4, 0.4, 0.2], 1),
            None,
            "none is nearer than 5"
        );
        assert_eq!(choose(&[0.4], 1), None);
        assert_eq!(choose(&[], 0), None);
    }

    #[test]
    fn neighbouring_numbers_are_told_apart() {
        for below in [0.0_f32, 1e-30, 0.123_456_78, 0.999_999_8] {
            let highest = below.next_up();
            let number = short_number(below, highest);
            assert!(
                number > below && number <= highest,
                "{number} between {below} and {highest}"
            );
        }
        assert_eq!(
            choose(&[1.0, 1.0_f32.next_down()], 1).map(|choice| choice.threshold),
            Some(1.0)
        );
    }

    proptest! {
        #[test]
        fn no_other_threshold_comes_nearer(
            scores in prop::collection::vec((0_u8..12).prop_map(|step| f32::from(step) / 11.0), 1..40),
            share in 0.0_f64..1.0,
        ) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let wanted = (share * scores.len() as f64) as usize;
            let count = |threshold: f32| scores.iter().filter(|score| **score >= threshold).count();
            let Some(choice) = choose(&scores, wanted) else {
                return Ok(());
            };
            prop_assert!(choice.threshold > 0.0 && choice.threshold <= 1.0);
            prop_assert_eq!(count(choice.threshold), choice.flagged);
            for other in &scores {
                prop_assert!(choice.flagged.abs_diff(wanted) <= count(*other).abs_diff(wanted));
            }
        }
    }
}
