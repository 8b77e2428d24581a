//! Numbers as people read them.

/// A score with two decimals; what would round to nothing is said to be small instead.
#[must_use]
pub fn score(value: f32) -> String {
    if value < 0.01 {
        "<0.01".to_owned()
    } else {
        format!("{value:.2}")
    }
}

/// Digits in groups of three.
#[must_use]
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let mut groups: Vec<&str> = Vec::new();
    if !head.is_empty() {
        groups.push(head);
    }
    groups.extend(
        tail.as_bytes()
            .chunks(3)
            .filter_map(|group| std::str::from_utf8(group).ok()),
    );
    groups.join(",")
}

/// A number with its noun; `1 window`, `2 windows`.
#[must_use]
pub fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A duration, as exact as it is worth.
#[must_use]
pub fn milliseconds(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.1} ms")
    } else if value < 10_000.0 {
        format!("{value:.0} ms")
    } else {
        format!("{:.1} s", value / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_have_two_decimals_and_never_pretend_to_be_nothing() {
        for (value, text) in [
            (0.0, "<0.01"),
            (0.0099, "<0.01"),
            (0.01, "0.01"),
            (0.5, "0.50"),
            (0.999, "1.00"),
        ] {
            assert_eq!(score(value), text);
        }
    }

    #[test]
    fn digits_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (20_113, "20,113"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(counted(1, "window"), "1 window");
        assert_eq!(counted(1_200, "token"), "1,200 tokens");
    }

    #[test]
    fn durations_lose_digits_as_they_grow() {
        for (value, text) in [
            (3.12, "3.1 ms"),
            (42.4, "42 ms"),
            (9_999.0, "9999 ms"),
            (12_340.0, "12.3 s"),
        ] {
            assert_eq!(milliseconds(value), text);
        }
    }
}
