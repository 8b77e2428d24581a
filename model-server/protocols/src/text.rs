//! What every protocol asks of a text before it is scored, and how a client's own words are quoted back to it.

use std::borrow::Cow;

use toxicity_api::Limits;

use crate::failure::Failure;

/// Characters of a client's own words that a message quotes.
const LONGEST_QUOTE: usize = 100;

/// Checks that the text at `index` of a request can be scored and has at most `limit` characters.
pub(crate) fn check(index: usize, text: &str, limit: usize) -> Result<(), Failure> {
    if text
        .chars()
        .all(|character| character.is_whitespace() || character.is_control())
    {
        return Err(Failure::EmptyText { index });
    }
    // A text of fewer bytes than characters allowed needs no counting.
    if text.len() > limit {
        let length = text.chars().count();
        if length > limit {
            return Err(Failure::TextTooLong { index, length, limit });
        }
    }
    Ok(())
}

/// Checks that there are not too many texts, and each of them.
pub(crate) fn check_all(texts: &[String], limits: &Limits) -> Result<(), Failure> {
    let (count, limit) = (texts.len(), limits.texts);
    if count > limit {
        return Err(Failure::TooManyTexts { count, limit });
    }
    texts
        .iter()
        .enumerate()
        .try_for_each(|(index, text)| check(index, text, limits.characters))
}

/// What a client sent, short enough to send back.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_QUOTE) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_must_hold_something_that_can_be_scored() {
        for blank in ["", " ", "\n\t", "\u{0}\u{7}", "\u{3000}"] {
            assert_eq!(
                check(3, blank, 10),
                Err(Failure::EmptyText { index: 3 }),
                "{blank:?}"
            );
        }
        assert_eq!(check(0, " a\u{0}", 10), Ok(()));
    }

    #[test]
    fn the_limit_counts_characters_and_not_bytes() {
        assert_eq!(check(0, "ééé", 3), Ok(()));
        let (length, limit) = (4, 3);
        assert_eq!(
            check(1, "éééé", 3),
            Err(Failure::TextTooLong {
                index: 1,
                length,
                limit
            })
        );
    }

    #[test]
    fn texts_are_counted_and_each_is_checked() {
        let limits = Limits {
            body_bytes: 100,
            texts: 2,
            characters: 1,
            concurrent_requests: 1,
        };
        let check = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(|&text| text.to_owned()).collect();
            check_all(&texts, &limits)
        };
        assert_eq!(check(&["a", "b"]), Ok(()));
        assert_eq!(
            check(&["a", "b", ""]),
            Err(Failure::TooManyTexts { count: 3, limit: 2 })
        );
        assert_eq!(check(&["a", ""]), Err(Failure::EmptyText { index: 1 }));
    }

    #[test]
    fn a_long_quote_is_cut_between_characters() {
        assert_eq!(shortened("é"), "é");
        assert_eq!(shortened(&"é".repeat(100)), "é".repeat(100));
        assert_eq!(shortened(&"é".repeat(101)), format!("{}…", "é".repeat(100)));
    }
}
