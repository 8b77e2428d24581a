//! The call of the page as a command for a shell.

use toxicity_api::AnalyzeRequest;

/// The command that asks the server at `origin` for the same verdict. JSON escapes control characters and the quoting
/// covers the rest, so no text can end the argument and become a command.
#[must_use]
pub fn curl_command(origin: &str, request: &AnalyzeRequest) -> String {
    let body = serde_json::to_string(request).unwrap_or_default();
    format!(
        "curl -sS {} \\\n  -H 'Content-Type: application/json' \\\n  --data {}",
        quoted(&format!("{origin}/api/v1/analyze")),
        quoted(&body)
    )
}

/// One word of a POSIX shell. Quoting fails only for NUL, which neither a URL nor JSON contains.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| "''".to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(text: &str) -> AnalyzeRequest {
        AnalyzeRequest {
            text: Some(text.to_owned()),
            spans: true,
            ..AnalyzeRequest::default()
        }
    }

    /// What a shell hands to curl.
    fn words(text: &str) -> Vec<String> {
        let command = curl_command("https://toxicity.example", &request(text)).replace("\\\n", " ");
        shlex::split(&command).expect("a complete command")
    }

    #[test]
    fn a_plain_text_reads_plainly() {
        assert_eq!(
            curl_command("http://localhost:8080", &request("You fool")),
            "curl -sS http://localhost:8080/api/v1/analyze \\\n  -H 'Content-Type: application/json' \\\n  \
             --data '{\"text\":\"You fool\",\"spans\":true}'"
        );
    }

    proptest! {
        #[test]
        fn every_text_arrives_as_one_argument(text in "(\\PC|['\"\\\\$`!\\n\\t\u{0}]){0,30}") {
            // A backslash at the end of a line inside the text cannot occur: JSON has escaped the line break.
            let words = words(&text);
            prop_assert_eq!(words.len(), 7);
            let sent: AnalyzeRequest = serde_json::from_str(&words[6]).expect("a JSON body");
            prop_assert_eq!(sent, request(&text));
        }
    }
}
