//! Overlapping windows over a text that is longer than the model's window.

use std::ops::Range;

/// Ranges that cover `0..length` in order, each at most `capacity` long, neighbours sharing at least `overlap`.
///
/// The fewest windows that can do this are used, and they are spread evenly, so that the last one is no stub.
/// An empty text takes one empty window.
///
/// # Panics
/// When `capacity` is 0 or `overlap` is not smaller than `capacity`.
#[must_use]
pub fn windows(length: usize, capacity: usize, overlap: usize) -> Vec<Range<usize>> {
    assert!(
        overlap < capacity,
        "the overlap of {overlap} must be smaller than the window of {capacity}"
    );
    if length <= capacity {
        return std::iter::once(0..length).collect();
    }
    let count = (length - overlap).div_ceil(capacity - overlap);
    let last_start = length - capacity;
    (0..count)
        .map(|index| {
            let start = index * last_start / (count - 1);
            start..start + capacity
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_fits_takes_one_window() {
        assert_eq!(windows(0, 10, 2), std::iter::once(0..0).collect::<Vec<_>>());
        assert_eq!(windows(10, 10, 2), std::iter::once(0..10).collect::<Vec<_>>());
        assert_eq!(windows(11, 10, 2), [0..10, 1..11]);
    }

    proptest! {
        #[test]
        fn windows_cover_the_text_and_overlap(
            length in 0_usize..5_000,
            capacity in 1_usize..300,
            overlap_share in 0_usize..100,
        ) {
            let overlap = overlap_share * capacity / 101;
            let windows = windows(length, capacity, overlap);
            prop_assert_eq!(windows[0].start, 0);
            prop_assert_eq!(windows[windows.len() - 1].end, length);
            for window in &windows {
                prop_assert!(window.len() <= capacity);
            }
            for pair in windows.windows(2) {
                prop_assert!(pair[0].start < pair[1].start);
                prop_assert!(pair[0].end >= pair[1].start + overlap);
            }
            let fewest = if length <= capacity { 1 } else { (length - overlap).div_ceil(capacity - overlap) };
            prop_assert_eq!(windows.len(), fewest);
        }
    }
}
