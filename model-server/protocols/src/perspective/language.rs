//! Whether the model judges the language of a comment.

use super::Error;

/// Languages that one request may name.
const MOST_LANGUAGES: usize = 100;

/// What is known of languages besides the request.
#[derive(Debug, Clone, Copy)]
pub struct Languages<'a> {
    /// Languages that the model judges, as ISO 639-1 codes; `*` stands for any.
    pub supported: &'a [String],
    /// Languages detected in the comment, the likeliest first; empty when none was, or when the request names its own.
    pub detected: &'a [String],
}

impl Languages<'_> {
    /// Whether the model judges any language.
    pub(super) fn any(&self) -> bool {
        self.supported.iter().any(|language| language == "*")
    }

    /// Whether the model judges the language of a BCP-47 code, whatever its region and script.
    pub(super) fn supports(&self, code: &str) -> bool {
        let is_same = |language: &String| primary(language).eq_ignore_ascii_case(primary(code));
        self.any() || self.supported.iter().any(is_same)
    }
}

/// The languages of a request; none when it leaves them out.
pub(super) fn checked(languages: Option<Vec<String>>) -> Result<Vec<String>, Error> {
    let languages = languages.unwrap_or_default();
    if languages.len() > MOST_LANGUAGES {
        return Err(Error::InvalidField {
            field: "languages".to_owned(),
            problem: format!(
                "there are {} languages; the limit is {MOST_LANGUAGES}",
                languages.len()
            ),
        });
    }
    Ok(languages)
}

/// `en` of `en-US`.
fn primary(code: &str) -> &str {
    code.split(['-', '_']).next().unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_or_a_script_does_not_change_the_language() {
        let supported = ["en".to_owned(), "pt-BR".to_owned()];
        let languages = Languages {
            supported: &supported,
            detected: &[],
        };
        for code in ["en", "EN", "en-US", "en_GB", "en-Latn-US", "pt"] {
            assert!(languages.supports(code), "{code}");
        }
        for code in ["", "e", "eng", "de", "*", "-en"] {
            assert!(!languages.supports(code), "{code}");
        }
    }

    #[test]
    fn a_model_of_any_language_judges_all() {
        let supported = ["*".to_owned()];
        let languages = Languages {
            supported: &supported,
            detected: &[],
        };
        assert!(languages.supports("om"));
    }
}
