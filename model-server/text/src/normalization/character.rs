//! What characters are to more than one pass.

use unicode_script::{Script, UnicodeScript};

/// Whether the character is a letter of a script with upper and lower case: Latin, Greek, Cyrillic and a few more.
pub(super) fn is_cased(character: char) -> bool {
    character.is_lowercase() || character.is_uppercase()
}

/// Whether the character is a Latin letter.
pub(super) fn is_latin(character: char) -> bool {
    character.is_ascii_alphabetic() || (!character.is_ascii() && character.script() == Script::Latin)
}

/// Whether the character is an unaccented vowel of English.
pub(super) fn is_vowel(character: char) -> bool {
    matches!(character.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

/// Whether the letters are all small, all capital, or small after a first capital, as those of one word are.
pub(super) fn has_plain_case(letters: &[char]) -> bool {
    let is_capital = |letter: &char| letter.is_uppercase();
    letters.iter().all(is_capital) || !letters.iter().skip(1).any(is_capital)
}

/// Whether the character is a mark of those that any letter may carry, such as U+0301, the acute accent. The marks of
/// Indic, Hebrew, Arabic and Thai writing are not.
pub(super) fn is_general_mark(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}'
            | '\u{483}'..='\u{489}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{fe20}'..='\u{fe2f}'
    )
}
