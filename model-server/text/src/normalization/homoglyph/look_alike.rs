//! Which letters look like which Latin ones.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

use crate::normalization::character::is_general_mark;

/// The unaccented Latin letter that a letter looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LookAlike {
    pub(super) latin: char,
    /// Whether the two cannot be told apart in print.
    pub(super) close: bool,
}

/// Latin letters that nobody writes comments with: phonetic letters and small capitals. The letters of African
/// languages among them (`ɓ`, `ɗ`, `ɛ`, `ɔ`) are marked or look like no other, and stay.
const LATIN_FORMS: [RangeInclusive<char>; 6] = [
    'ƒ'..='ƒ',
    '\u{250}'..='\u{2af}',
    '\u{1d00}'..='\u{1d2b}',
    '\u{a730}'..='\u{a731}',
    '\u{a7ae}'..='\u{a7af}',
    '\u{ab30}'..='\u{ab5a}',
];

/// Where the letters of other scripts stand that look like Latin ones: Greek, Cyrillic, Armenian; Cherokee; Canadian
/// syllabics; Greek with accents; Coptic; Lisu; more Cyrillic; small Cherokee. The first is the micro sign.
const FOREIGN_FORMS: [RangeInclusive<char>; 9] = [
    'µ'..='µ',
    '\u{370}'..='\u{58f}',
    '\u{13a0}'..='\u{13fd}',
    '\u{1401}'..='\u{167f}',
    '\u{1f00}'..='\u{1fff}',
    '\u{2c80}'..='\u{2cff}',
    '\u{a4d0}'..='\u{a4ff}',
    '\u{a640}'..='\u{a69f}',
    '\u{ab70}'..='\u{abbf}',
];

/// Small capitals and altered letters, which are also what Unicode says that `к`, `т` or `я` look like.
const ALTERED: [(char, char); 23] = [
    ('ᴀ', 'a'),
    ('ʙ', 'b'),
    ('ƅ', 'b'),
    ('ᴅ', 'd'),
    ('ᴇ', 'e'),
    ('ꜰ', 'f'),
    ('ɢ', 'g'),
    ('ʜ', 'h'),
    ('ɨ', 'i'),
    ('ᴊ', 'j'),
    ('ĸ', 'k'),
    ('ᴋ', 'k'),
    ('ʟ', 'l'),
    ('ʍ', 'm'),
    ('ᴍ', 'm'),
    ('ɴ', 'n'),
    ('ᴎ', 'n'),
    ('ᴘ', 'p'),
    ('ꞯ', 'q'),
    ('ʀ', 'r'),
    ('ᴙ', 'r'),
    ('ᴛ', 't'),
    ('ʉ', 'u'),
];

/// What is passed off as a Latin letter though Unicode does not list it.
const LOOSE: [(char, char); 20] = [
    ('б', 'b'),
    ('в', 'b'),
    ('д', 'a'),
    ('Д', 'A'),
    ('є', 'e'),
    ('э', 'e'),
    ('п', 'n'),
    ('ц', 'u'),
    ('щ', 'w'),
    ('Щ', 'W'),
    ('β', 'b'),
    ('ε', 'e'),
    ('μ', 'u'),
    ('µ', 'u'),
    ('π', 'n'),
    ('χ', 'x'),
    ('ω', 'w'),
    ('Δ', 'A'),
    ('Λ', 'A'),
    ('Σ', 'E'),
];

/// Canadian syllabics of generated "fancy" text, which Unicode does not list.
const SYLLABICS: [(char, char); 13] = [
    ('ᗩ', 'A'),
    ('ᗷ', 'B'),
    ('ᑕ', 'C'),
    ('ᗪ', 'D'),
    ('ᗴ', 'E'),
    ('ᖴ', 'F'),
    ('ᕼ', 'H'),
    ('ᗰ', 'M'),
    ('ᑎ', 'N'),
    ('ᖇ', 'R'),
    ('ᔕ', 'S'),
    ('ᗯ', 'W'),
    ('ᘔ', 'Z'),
];

/// Whether a Latin letter may look like another and has no other use.
pub(super) fn is_latin_form(character: char) -> bool {
    LATIN_FORMS.iter().any(|range| range.contains(&character))
}

/// Whether a letter of another script may look like a Latin one.
pub(super) fn is_foreign_form(character: char) -> bool {
    FOREIGN_FORMS.iter().any(|range| range.contains(&character))
}

/// The Latin letter that `character` looks like.
pub(super) fn look_alike(character: char) -> Option<LookAlike> {
    static LOOK_ALIKES: LazyLock<HashMap<char, LookAlike>> = LazyLock::new(|| {
        LATIN_FORMS
            .into_iter()
            .chain(FOREIGN_FORMS)
            .flatten()
            .filter_map(|character| Some((character, find(character)?)))
            .collect()
    });
    LOOK_ALIKES.get(&character).copied()
}

fn find(character: char) -> Option<LookAlike> {
    let look_alike = |latin, close| Some(LookAlike { latin, close });
    if let Some(latin) = listed(&SYLLABICS, character) {
        return look_alike(latin, true);
    }
    let plain = unmarked(character.to_string().nfd())?;
    if let Some(latin) = listed(&LOOSE, plain) {
        return look_alike(latin, false);
    }
    let skeleton: Vec<char> = skeleton(plain.encode_utf8(&mut [0; 4])).collect();
    let prototype = unmarked(skeleton.iter().copied())?;
    let is_marked = skeleton.len() > 1;
    if is_marked && is_latin_form(plain) {
        return None;
    }
    match listed(&ALTERED, prototype) {
        Some(latin) => look_alike(with_case_of(plain, latin), false),
        None if prototype.is_ascii_alphabetic() => look_alike(with_case_of(plain, prototype), !is_marked),
        None => None,
    }
}

fn listed(list: &[(char, char)], character: char) -> Option<char> {
    list.iter()
        .find(|(form, _)| *form == character)
        .map(|&(_, latin)| latin)
}

/// The first character, if all others are marks on it.
fn unmarked(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next()?;
    characters.all(is_general_mark).then_some(first)
}

/// Unicode gives one form for all that look the same, `l` for І and Ι too.
fn with_case_of(character: char, latin: char) -> char {
    match latin {
        'l' if character.is_uppercase() => 'I',
        _ if character.is_uppercase() => latin.to_ascii_uppercase(),
        _ if character.is_lowercase() => latin.to_ascii_lowercase(),
        _ => latin,
    }
}
