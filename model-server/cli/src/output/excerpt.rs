//! What of a text is shown on one line of a terminal.

use toxicity_api::Span;

/// A stretch of an excerpt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// What to show.
    pub(super) text: String,
    /// Whether it carries the verdict.
    pub(super) marked: bool,
}

/// The part of `text` that fits `width` columns, all of it when there is no width. It begins where the first marked
/// word can be seen. Nothing in it can move the cursor or turn the direction of writing.
pub(super) fn excerpt(text: &str, spans: &[Span], width: Option<usize>, brackets: bool) -> Vec<Piece> {
    let Some(width) = width.map(|width| width.max(2)) else {
        return pieces(glyphs(text, spans, brackets));
    };
    let mut columns = Columns::default();
    if glyphs(text, spans, brackets).all(|glyph| columns.take(glyph) <= width) {
        return pieces(glyphs(text, spans, brackets));
    }

    let first_mark = if spans.is_empty() {
        0
    } else {
        let mut before = Columns::default();
        let unmarked = glyphs(text, spans, brackets).take_while(|glyph| !glyph.marked);
        unmarked.map(|glyph| before.take(glyph)).last().unwrap_or(0)
    };
    let left_out = if first_mark > width / 2 {
        first_mark - width / 3
    } else {
        0
    };
    let mut skipped = Columns::default();
    let shown = glyphs(text, spans, brackets).skip_while(|&glyph| skipped.take(glyph) <= left_out);

    let ellipsis = |shown: bool| shown.then_some(ELLIPSIS);
    let mut taken = Columns(usize::from(left_out > 0));
    let mut cut = false;
    let mut visible: Vec<Glyph> = Vec::with_capacity(width);
    for glyph in shown {
        if taken.take(glyph) > width - 1 {
            cut = true;
            break;
        }
        visible.push(glyph);
    }
    let all = ellipsis(left_out > 0)
        .into_iter()
        .chain(visible)
        .chain(ellipsis(cut));
    pieces(all)
}

/// A character as it is shown.
#[derive(Debug, Clone, Copy)]
struct Glyph {
    character: char,
    marked: bool,
}

const ELLIPSIS: Glyph = Glyph {
    character: '…',
    marked: false,
};

/// Columns that glyphs take, added up.
#[derive(Default)]
struct Columns(usize);

impl Columns {
    fn take(&mut self, glyph: Glyph) -> usize {
        self.0 += console::measure_text_width(glyph.character.encode_utf8(&mut [0; 4]));
        self.0
    }
}

fn glyphs(text: &str, spans: &[Span], brackets: bool) -> impl Iterator<Item = Glyph> {
    text.char_indices().flat_map(move |(index, character)| {
        let end = index + character.len_utf8();
        let marked = spans.iter().any(|span| span.bytes.range().contains(&index));
        let begins = spans.iter().any(|span| span.bytes.begin == index);
        let ends = spans.iter().any(|span| span.bytes.end == end);
        let bracket = |shown: bool, character| {
            let glyph = Glyph {
                character,
                marked: true,
            };
            (shown && brackets).then_some(glyph)
        };
        let glyph = Glyph {
            character: shown(character),
            marked,
        };
        bracket(begins, '[')
            .into_iter()
            .chain([glyph])
            .chain(bracket(ends, ']'))
    })
}

/// Line ends become spaces; what a terminal would take for a command becomes a replacement character.
fn shown(character: char) -> char {
    match character {
        '\n' | '\r' | '\t' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ if character.is_control() => '\u{fffd}',
        _ => character,
    }
}

fn pieces(glyphs: impl Iterator<Item = Glyph>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for Glyph { character, marked } in glyphs {
        match pieces.last_mut() {
            Some(last) if last.marked == marked => last.text.push(character),
            _ => pieces.push(Piece {
                text: character.to_string(),
                marked,
            }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toxicity_api::Offsets;

    use super::*;

    fn span(text: &str, word: &str) -> Span {
        let begin = text.find(word).unwrap();
        let offsets = |begin, end| Offsets { begin, end };
        Span {
            labels: vec!["toxic".to_owned()],
            weight: 1.0,
            bytes: offsets(begin, begin + word.len()),
            utf16: offsets(0, 0),
        }
    }

    fn plain(text: &str, words: &[&str], width: Option<usize>) -> String {
        let spans: Vec<Span> = words.iter().map(|word| span(text, word)).collect();
        let pieces = excerpt(text, &spans, width, true);
        pieces.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn marked_words_are_pieces_of_their_own() {
        let text = "you idiot!";
        let pieces = excerpt(text, &[span(text, "idiot")], None, false);
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| (piece.text.as_str(), piece.marked))
            .collect();
        assert_eq!(pieces, [("you ", false), ("idiot", true), ("!", false)]);
    }

    #[test]
    fn a_long_text_is_cut_and_the_first_marked_word_stays_in_sight() {
        assert_eq!(plain("short", &[], Some(5)), "short");
        assert_eq!(plain("longer", &[], Some(5)), "long…");
        let text = "a long and friendly beginning, then you idiot, and a long end";
        let shown = plain(text, &["idiot"], Some(20));
        assert!(
            shown.starts_with('…') && shown.ends_with('…') && shown.contains("[idiot]"),
            "{shown}"
        );
        assert_eq!(plain("日本語の文", &[], Some(7)), "日本語…");
    }

    #[test]
    fn nothing_in_a_text_commands_the_terminal() {
        assert_eq!(
            plain("a\u{1b}[31mb\r\nc\u{7}\u{202e}d", &[], None),
            "a\u{fffd}[31mb  c\u{fffd}\u{fffd}d"
        );
    }

    proptest! {
        #[test]
        fn no_excerpt_is_wider_than_asked(text in any::<String>(), at in any::<prop::sample::Index>(), width in 2_usize..40) {
            let word = text.split(' ').nth(at.index(text.split(' ').count())).unwrap().to_owned();
            let words: Vec<&str> = Some(word.as_str()).filter(|word| !word.is_empty()).into_iter().collect();
            let columns = |shown: &str| -> usize {
                shown.chars().map(|c| console::measure_text_width(c.encode_utf8(&mut [0; 4]))).sum()
            };
            let shown = plain(&text, &words, Some(width));
            prop_assert!(columns(&shown) <= width, "{shown:?}");
        }
    }
}
