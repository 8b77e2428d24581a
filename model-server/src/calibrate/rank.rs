//! Whether two score alike in their order, whatever their scales.

/// Spearman's rank correlation, with the middle rank for equal values: 1 when one rises wherever the other does, 0 when
/// they have nothing to do with each other. Nothing where one side is the same throughout.
pub(super) fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let first = middle_ranks(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let second = middle_ranks(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    correlation(&first, &second)
}

/// The rank of each value from 1; values that are equal share the mean of their ranks.
#[allow(clippy::cast_precision_loss, reason = "rows of a file are far below 2^52")]
fn middle_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let middle = before as f64 + f64::midpoint(1.0, equal.len() as f64);
        for &index in equal {
            ranks[index] = middle;
        }
        before += equal.len();
    }
    ranks
}

/// Pearson's correlation.
#[allow(clippy::cast_precision_loss, reason = "rows of a file are far below 2^52")]
fn correlation(first: &[f64], second: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (first_mean, second_mean) = (mean(first), mean(second));
    let (mut both, mut first_squares, mut second_squares) = (0.0, 0.0, 0.0);
    for (first, second) in first.iter().zip(second) {
        let (first, second) = (first - first_mean, second - second_mean);
        both += first * second;
        first_squares += first * first;
        second_squares += second * second;
    }
    (first_squares > 0.0 && second_squares > 0.0)
        .then(|| both / (first_squares.sqrt() * second_squares.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-12)
    }

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        assert_eq!(middle_ranks(&[0.3, 0.1, 0.3, 0.9]), [2.5, 1.0, 2.5, 4.0]);
        assert_eq!(middle_ranks(&[5.0, 5.0, 5.0]), [2.0, 2.0, 2.0]);
        assert_eq!(middle_ranks(&[]), [0.0; 0]);
    }

    #[test]
    fn only_the_order_counts() {
        let pairs = [(0.1, 0.001), (0.5, 0.002), (0.2, 0.0015), (0.9, 1.0)];
        assert!(near(spearman(&pairs), 1.0));
        let opposite = pairs.map(|(first, second)| (first, -second));
        assert!(near(spearman(&opposite), -1.0));
    }

    #[test]
    fn figures_are_those_reckoned_by_hand() {
        // Ranks 1 2 3 4 5 beside 2 1 4 3 5: differences 1 1 1 1 0, so 1 - 6 * 4 / (5 * 24) = 0.8.
        let pairs = [(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0), (5.0, 5.0)];
        assert!(near(spearman(&pairs), 0.8));
        // Ranks 1 2.5 2.5 4 beside 1 2 3 4: products 2.25 + 0 + 0 + 2.25 = 4.5, squares 4.5 and 5.
        let tied = [(1.0, 1.0), (2.0, 2.0), (2.0, 3.0), (3.0, 4.0)];
        assert!(near(spearman(&tied), 4.5 / 22.5_f64.sqrt()));
    }

    #[test]
    fn a_side_that_never_changes_has_no_order() {
        assert_eq!(spearman(&[(1.0, 0.1), (1.0, 0.2)]), None);
        assert_eq!(spearman(&[(1.0, 0.1)]), None);
        assert_eq!(spearman(&[]), None);
    }
}
