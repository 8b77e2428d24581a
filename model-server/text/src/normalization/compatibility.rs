//! Puts plain letters and digits in the place of styled ones.

use std::iter;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use unicode_script::{Script, UnicodeScript};

use super::Change;
use super::draft::Draft;

/// Most characters that one becomes.
pub(super) const LONGEST: usize = 4;

/// Whether this pass may have something to do with a character after `before`.
pub(super) fn concerns(character: char, before: Option<char>) -> bool {
    is_styled(character) || (is_fullwidth_sign(character) && before.is_none_or(may_precede_sign))
}

fn is_styled(character: char) -> bool {
    matches!(
        character,
        '\u{132}' | '\u{133}' | '\u{17f}'
            | '\u{1c4}'..='\u{1cc}'
            | '\u{1f1}'..='\u{1f3}'
            | '\u{2b0}'..='\u{2e4}'
            | '\u{3d0}'..='\u{3f9}'
            | '\u{1c80}'..='\u{1c8a}'
            | '\u{1d2c}'..='\u{1dbf}'
            | '\u{1e9b}'
            | '\u{1f71}'..='\u{1ff9}'
            | '\u{2070}'..='\u{209c}'
            | '\u{2102}'..='\u{2149}'
            | '\u{2160}'..='\u{217f}'
            | '\u{2460}'..='\u{24ea}'
            | '\u{2c7c}'
            | '\u{2c7d}'
            | '\u{a69c}'
            | '\u{a69d}'
            | '\u{a770}'
            | '\u{a7f1}'..='\u{a7f9}'
            | '\u{ab5c}'..='\u{ab69}'
            | '\u{fb00}'..='\u{fb06}'
            | '\u{ff10}'..='\u{ff19}'
            | '\u{ff21}'..='\u{ff3a}'
            | '\u{ff41}'..='\u{ff5a}'
            | '\u{10780}'..='\u{107ba}'
            | '\u{1ccd6}'..='\u{1ccf9}'
            | '\u{1d400}'..='\u{1d7ff}'
            | '\u{1e030}'..='\u{1e06d}'
            | '\u{1f100}'..='\u{1f1ff}'
            | '\u{1fbf0}'..='\u{1fbf9}'
    )
}

/// Puts plain characters in the place of styled ones.
pub(super) fn replace(draft: &mut Draft) {
    draft.expand(Change::Compatibility, |draft, index| {
        let (before, after) = (draft.before(index), draft.get(index + 1));
        plain(draft[index], before, after).map(|plain| plain.into_iter().flatten())
    });
}

fn plain(character: char, before: Option<char>, after: Option<char>) -> Option<[Option<char>; LONGEST]> {
    if !is_styled(character) && !is_fullwidth_sign(character) {
        return None;
    }
    sign(character, before, after)
        .or_else(|| badge(character, before, after))
        .map(|plain| [Some(plain), None, None, None])
        .or_else(|| letters(character))
}

/// The letters or digits that Unicode says a character is a styled form of (NFKC). Only those of Latin, Greek and
/// Cyrillic: in other scripts such forms are how people write (Korean `ㅋㅋㅋ`) and are left to the tokenizer.
/// Superscripts of Latin-1 and forms that bring in spaces or signs are common in ordinary text and stay.
fn letters(character: char) -> Option<[Option<char>; LONGEST]> {
    if !character.is_alphanumeric() || is_nfkc_quick(iter::once(character)) == IsNormalized::Yes {
        return None;
    }
    let mut letters = [None; LONGEST];
    for (index, part) in iter::once(character).nfkc().enumerate() {
        let is_plain = part.is_ascii_digit()
            || (part.is_alphabetic()
                && matches!(part.script(), Script::Latin | Script::Greek | Script::Cyrillic));
        *letters.get_mut(index).filter(|_| is_plain)? = Some(part);
    }
    Some(letters)
}

/// A letter on a badge (`🅰`, `🅘`, `⒤`), which Unicode does not take for the letter. A regional indicator is a letter
/// when it has no other beside it: two make a flag.
fn badge(character: char, before: Option<char>, after: Option<char>) -> Option<char> {
    let is_regional = |character: Option<char>| matches!(character, Some('\u{1f1e6}'..='\u{1f1ff}'));
    let (first, a) = match character {
        '\u{249c}'..='\u{24b5}' => ('\u{249c}', 'a'),
        '\u{1f110}'..='\u{1f129}' => ('\u{1f110}', 'A'),
        '\u{1f150}'..='\u{1f169}' => ('\u{1f150}', 'A'),
        '\u{1f170}'..='\u{1f189}' => ('\u{1f170}', 'A'),
        '\u{1f1e6}'..='\u{1f1ff}' if !is_regional(before) && !is_regional(after) => ('\u{1f1e6}', 'A'),
        _ => return None,
    };
    char::from_u32(u32::from(a) + u32::from(character) - u32::from(first))
}

/// The ASCII sign that a fullwidth one stands for, in a word such as `sh！t` or at the start of one such as `＄tupid`.
/// Elsewhere it is how Chinese and Japanese are written.
fn sign(character: char, before: Option<char>, after: Option<char>) -> Option<char> {
    let is_letter = |character: Option<char>| {
        character.is_some_and(|character| {
            character.is_ascii_alphabetic() || matches!(character, 'Ａ'..='Ｚ' | 'ａ'..='ｚ')
        })
    };
    let begins_word = before.is_none_or(may_precede_sign) && is_letter(after);
    (is_fullwidth_sign(character) && (is_letter(before) || begins_word))
        .then(|| iter::once(character).nfkc().next())
        .flatten()
}

fn is_fullwidth_sign(character: char) -> bool {
    matches!(character, '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}')
}

fn may_precede_sign(before: char) -> bool {
    before.is_ascii() || before.is_whitespace()
}
