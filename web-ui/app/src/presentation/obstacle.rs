//! Why a text cannot be sent.

use super::{counted, grouped};

/// Why a text cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// There is nothing to judge.
    Empty,
    /// It has more characters than the server takes.
    TooLong {
        /// By how many.
        excess: usize,
        /// What the server takes.
        limit: usize,
    },
}

impl Obstacle {
    /// What stands against sending `text`, which has so many characters; a limit that is not known yet does not.
    #[must_use]
    pub fn of(text: &str, characters: usize, limit: Option<usize>) -> Option<Self> {
        match limit {
            Some(limit) if characters > limit => Some(Self::TooLong {
                excess: characters - limit,
                limit,
            }),
            _ => text.trim().is_empty().then_some(Self::Empty),
        }
    }

    /// What is wrong and what helps.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::Empty => "Enter a text first.".to_owned(),
            Self::TooLong { excess, limit } => format!(
                "{} over the limit of {}. Shorten the text to analyze it.",
                counted(excess, "character"),
                grouped(limit)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_count_and_not_bytes() {
        let text = "👩‍👩‍👧é";
        assert_eq!(Obstacle::of(text, text.chars().count(), Some(6)), None);
        assert_eq!(
            Obstacle::of(text, text.chars().count(), Some(5)),
            Some(Obstacle::TooLong { excess: 1, limit: 5 })
        );
        assert_eq!(Obstacle::of(text, 6, None), None);
    }

    #[test]
    fn blank_is_empty() {
        assert_eq!(Obstacle::of(" \n", 2, Some(5)), Some(Obstacle::Empty));
    }

    #[test]
    fn the_message_says_by_how_much() {
        let message = Obstacle::TooLong {
            excess: 1_113,
            limit: 20_000,
        }
        .message();
        assert_eq!(
            message,
            "1,113 characters over the limit of 20,000. Shorten the text to analyze it."
        );
    }
}
