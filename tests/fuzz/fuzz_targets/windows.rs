//! The window maths, at every length, capacity and overlap.
#![no_main]

use libfuzzer_sys::fuzz_target;
use toxicity_model_server::window::windows;

fuzz_target!(|numbers: (u16, u16, u16)| {
    let (length, capacity, overlap) = (
        usize::from(numbers.0),
        usize::from(numbers.1).max(1),
        usize::from(numbers.2),
    );
    let overlap = overlap % capacity;
    let windows = windows(length, capacity, overlap);
    assert_eq!(windows.first().map(|window| window.start), Some(0));
    assert_eq!(windows.last().map(|window| window.end), Some(length));
    assert!(windows.iter().all(|window| window.len() <= capacity));
    for pair in windows.windows(2) {
        assert!(pair[0].start < pair[1].start, "{pair:?}");
        assert!(pair[0].end >= pair[1].start + overlap, "{pair:?}");
    }
    // One fewer could not reach the end.
    let reach = |count: usize| capacity + (count - 1) * (capacity - overlap);
    assert!(windows.len() == 1 || reach(windows.len() - 1) < length);
});
