//! The texts that are sent, and the requests they are sent in.

/// Texts of mixed lengths that are made.
const MIXED: u32 = 60;

/// Tokens of the shortest and the longest of them.
const SHORTEST: f64 = 2.0;
const LONGEST: f64 = 510.0;

/// Tokens of a word of the comments, as the bundled model's tokenizer makes them.
const TOKENS_PER_WORD: f64 = 1.15;

/// Steps in which mixed lengths follow each other, so that short and long ones take turns. It has no common divisor
/// with their number.
const STRIDE: u32 = 23;

/// Texts that are sent round and round.
#[derive(Debug, Clone)]
pub struct Texts(Vec<String>);

impl Texts {
    /// The lines of a file that hold something.
    pub fn comments(content: &str) -> Self {
        let lines = content.lines().map(str::trim).filter(|line| !line.is_empty());
        Self(lines.map(str::to_owned).collect())
    }

    /// Texts of 2 to 512 tokens, the two that enclose a text included: each is longer than the one before by the same
    /// factor, and all are made of the words of a file.
    pub fn of_mixed_lengths(content: &str) -> Self {
        let words: Vec<&str> = content.split_whitespace().collect();
        let texts = (0..MIXED).map(|position| {
            let rank = position * STRIDE % MIXED;
            let tokens = SHORTEST * (LONGEST / SHORTEST).powf(f64::from(rank) / f64::from(MIXED - 1));
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is between 1 and some hundreds"
            )]
            let count = (tokens / TOKENS_PER_WORD).round() as usize;
            let start = words.len() * position as usize / MIXED as usize;
            let around = words.iter().cycle().skip(start).take(count);
            around.copied().collect::<Vec<_>>().join(" ")
        });
        Self(texts.collect())
    }

    /// The texts themselves.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// One text per line.
    pub fn lines(&self) -> String {
        self.0.join("\n") + "\n"
    }
}

/// An endless row of requests, some of them for texts that were there before.
#[derive(Debug)]
pub struct Requests {
    start: String,
    headers: String,
    /// As they stand between the quotes of JSON.
    texts: Vec<String>,
    repeated_percent: u64,
    sent: u64,
    fresh: u64,
}

impl Requests {
    /// Requests to `path` of a server.
    pub fn new(path: &str, texts: &Texts) -> Self {
        let quoted = texts
            .0
            .iter()
            .map(|text| serde_json::Value::from(text.as_str()).to_string());
        Self {
            start: format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"),
            headers: String::new(),
            texts: quoted.map(|text| text[1..text.len() - 1].to_owned()).collect(),
            repeated_percent: 0,
            sent: 0,
            fresh: 0,
        }
    }

    /// From now on that many of a hundred texts are sent again and again; the others are new each time.
    pub fn set_repeated_percent(&mut self, percent: u64) {
        self.repeated_percent = percent;
    }

    /// From now on requests have these headers too; each line ends with a line break.
    pub fn set_headers(&mut self, headers: &str) {
        headers.clone_into(&mut self.headers);
    }

    /// Puts the next request in place of what `buffer` holds.
    pub fn write_next(&mut self, buffer: &mut Vec<u8>) {
        let fresh_until = |sent: u64| sent * (100 - self.repeated_percent) / 100;
        let is_fresh = fresh_until(self.sent + 1) > fresh_until(self.sent);
        let (turn, variant) = if is_fresh {
            self.fresh += 1;
            (self.fresh, self.fresh)
        } else {
            (self.sent - fresh_until(self.sent), 0)
        };
        self.sent += 1;
        let count = self.texts.len() as u64;
        let text = &self.texts[usize::try_from(turn % count).expect("it is an index of a slice")];
        let white_space = white_space(variant);
        let length = text.len() + white_space.len() + r#"{"text":""}"#.len();
        let length = format!("content-length: {length}\r\n\r\n");
        buffer.clear();
        for part in [
            &self.start,
            &self.headers,
            &length,
            r#"{"text":""#,
            text,
            &white_space,
            r#""}"#,
        ] {
            buffer.extend_from_slice(part.as_bytes());
        }
    }
}

/// A text that reads like `text`, and is another one for every `number`.
pub fn distinct(text: &str, number: u64) -> String {
    text.to_owned() + &white_space(number).replace("\\t", "\t")
}

/// White space that no other number gives, as it stands in JSON. What reads a text by its words does the same work with
/// it as without, but to whoever compares texts it is another one.
fn white_space(mut number: u64) -> String {
    let mut characters = String::new();
    while number > 0 {
        characters.push_str(if number.is_multiple_of(2) { " " } else { "\\t" });
        number /= 2;
    }
    characters
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn sent_texts(requests: &mut Requests, count: usize) -> Vec<String> {
        let mut buffer = Vec::new();
        let texts = (0..count).map(|_| {
            requests.write_next(&mut buffer);
            let request = std::str::from_utf8(&buffer).unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert!(
                head.ends_with(&format!("content-length: {}", body.len())),
                "{head}"
            );
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            body["text"].as_str().unwrap().to_owned()
        });
        texts.collect()
    }

    fn requests(repeated_percent: u64) -> Requests {
        let texts = Texts::comments("one \"quoted\" text\n\nanother\nthird\n");
        let mut requests = Requests::new("/", &texts);
        requests.set_repeated_percent(repeated_percent);
        requests
    }

    #[test]
    fn no_text_comes_again_and_all_have_the_same_words() {
        let texts = sent_texts(&mut requests(0), 3000);
        assert_eq!(texts.iter().collect::<HashSet<_>>().len(), 3000);
        let words: HashSet<_> = texts.iter().map(|text| text.trim()).collect();
        assert_eq!(words, HashSet::from(["one \"quoted\" text", "another", "third"]));
    }

    #[test]
    fn the_asked_share_of_the_texts_comes_again() {
        for percent in [50, 95, 100] {
            let texts = sent_texts(&mut requests(percent), 1000);
            let repeated = texts.iter().filter(|text| text.trim() == text.as_str()).count();
            assert_eq!(repeated as u64, percent * 10);
            let distinct: HashSet<_> = texts.iter().collect();
            assert_eq!(distinct.len(), 1000 - repeated + 3);
        }
    }

    #[test]
    fn a_later_share_repeats_no_fresh_text() {
        let mut requests = requests(0);
        let mut texts = sent_texts(&mut requests, 100);
        requests.set_repeated_percent(50);
        texts.extend(sent_texts(&mut requests, 100));
        assert_eq!(texts.iter().collect::<HashSet<_>>().len(), 150 + 3);
    }

    #[test]
    fn mixed_lengths_span_the_range_and_take_turns() {
        let texts = Texts::of_mixed_lengths(&"some words and more of them ".repeat(30));
        let words: Vec<usize> = texts.0.iter().map(|text| text.split(' ').count()).collect();
        assert_eq!((words.iter().min(), words.iter().max()), (Some(&2), Some(&443)));
        let falls = words.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!(falls > 15, "{words:?}");
    }
}
