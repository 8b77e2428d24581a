//! Takes out characters that show nothing, and marks piled on letters.

use super::Change;
use super::character::{is_cased, is_general_mark};
use super::draft::Draft;

/// Most general marks on one letter. Vietnamese needs two, ancient Greek three.
const MOST_MARKS: usize = 3;

const BLACK_FLAG: char = '\u{1f3f4}';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Shows something.
    Visible,
    /// Shows nothing anywhere.
    Invisible,
    /// Shows nothing between letters of Latin, Greek or Cyrillic; other scripts and emoji need it.
    Format,
    /// Spells the name of a region after a black flag.
    Tag,
    /// Looks like a space but is none.
    Blank,
    /// A general mark.
    Mark,
    /// A general mark that strikes through, underlines or encloses what it stands on.
    Overlay,
}

fn kind(character: char) -> Kind {
    match character {
        ' '..='~' | '\t'..='\r' | '\u{85}' => Kind::Visible,
        '\0'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{180e}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' => Kind::Invisible,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
            Kind::Format
        }
        '\u{e0000}'..='\u{e007f}' => Kind::Tag,
        '\u{2800}' | '\u{3164}' | '\u{ffa0}' => Kind::Blank,
        '\u{305}'
        | '\u{332}'
        | '\u{333}'
        | '\u{334}'..='\u{338}'
        | '\u{33f}'
        | '\u{488}'
        | '\u{489}'
        | '\u{20d0}'..='\u{20ff}' => Kind::Overlay,
        _ if is_general_mark(character) => Kind::Mark,
        _ => Kind::Visible,
    }
}

/// Whether this pass may have something to do with a character after `before`.
pub(super) fn concerns(character: char, before: Option<char>) -> bool {
    match kind(character) {
        Kind::Visible => false,
        Kind::Format => !before.is_some_and(needs_format),
        _ => true,
    }
}

/// Whether a character may need a joiner, a direction mark or a variation selector beside it, as emoji and the
/// letters of Arabic, Hindi or Mongolian do.
fn needs_format(character: char) -> bool {
    !character.is_ascii() && !character.is_whitespace() && !is_cased(character)
}

/// Takes out invisible characters; blank ones become spaces.
pub(super) fn remove(draft: &mut Draft) {
    let piled_up = has_pile(draft);
    let mut unwanted = Vec::new();
    // The last character that shows something, and whether tags after it spell a region.
    let mut base = None;
    let mut in_flag = false;
    for index in 0..draft.len() {
        let character = draft[index];
        let after = draft.get(index + 1);
        let on_letter = base.is_some_and(char::is_alphabetic);
        let is_unwanted = match kind(character) {
            Kind::Visible => {
                (base, in_flag) = (Some(character), character == BLACK_FLAG);
                false
            }
            Kind::Blank => {
                draft.replace(index, ' ', Change::Invisible);
                (base, in_flag) = (Some(' '), false);
                false
            }
            Kind::Invisible => true,
            Kind::Format => {
                let needed = base.is_some_and(needs_format) || is_keycap(base, after);
                let marks_direction = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}');
                !(needed || marks_direction && after.is_some_and(needs_format))
            }
            Kind::Tag => !in_flag,
            Kind::Mark => piled_up && on_letter,
            Kind::Overlay => on_letter,
        };
        if is_unwanted {
            unwanted.push(index..index + 1);
            draft.note(Change::Invisible);
        }
    }
    draft.remove(&unwanted);
}

/// Whether a variation selector stands inside an emoji such as `1️⃣`.
fn is_keycap(base: Option<char>, after: Option<char>) -> bool {
    after == Some('\u{20e3}') && base.is_some_and(|base| base.is_ascii_digit() || matches!(base, '#' | '*'))
}

/// Whether a letter carries more marks than any writing needs. Then all marks of the text are for show.
fn has_pile(draft: &Draft) -> bool {
    let piles = draft.stretches(0..draft.len(), is_general_mark);
    piles.iter().any(|pile| pile.len() > MOST_MARKS)
}
