//! What goes into one call: a policy without input or output.

use std::collections::VecDeque;
use std::io::{self, Write};

use toxicity_input::{Row, RowFailure};

use crate::scorer::Capacity;

/// Takes the rows of the next call from the front of `waiting`, at least one if any waits. Rows whose text cannot be
/// scored within `capacity` get their failure here and cost the call nothing.
pub fn take_batch(waiting: &mut VecDeque<Row>, capacity: &Capacity) -> Vec<Row> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while let Some(row) = waiting.front_mut().filter(|_| batch.len() < capacity.texts) {
        let content = &mut row.content;
        if content.failure.is_none() {
            match check(&content.text, capacity) {
                Err(failure) => content.failure = Some(failure),
                Ok(text_bytes) if bytes > 0 && bytes + text_bytes > capacity.bytes => break,
                Ok(text_bytes) => bytes += text_bytes,
            }
        }
        batch.extend(waiting.pop_front());
    }
    batch
}

/// Bytes that the text takes as JSON, if it can be scored at all.
fn check(text: &str, capacity: &Capacity) -> Result<usize, RowFailure> {
    if text
        .chars()
        .all(|character| character.is_whitespace() || character.is_control())
    {
        return Err(RowFailure("the text is empty".to_owned()));
    }
    if text.len() > capacity.text_characters {
        let characters = text.chars().count();
        if characters > capacity.text_characters {
            return Err(RowFailure(format!(
                "the text has {characters} characters; the limit is {}",
                capacity.text_characters
            )));
        }
    }
    let bytes = json_bytes(text);
    if bytes > capacity.text_bytes {
        return Err(RowFailure(format!(
            "the text takes {bytes} bytes in a request; the limit is {}",
            capacity.text_bytes
        )));
    }
    Ok(bytes)
}

/// Bytes of a text as an element of a JSON list, its comma included.
fn json_bytes(text: &str) -> usize {
    let mut counter = Counter(1);
    serde_json::to_writer(&mut counter, text).expect("counting does not fail");
    counter.0
}

struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toxicity_input::Content;

    use super::*;

    const CAPACITY: Capacity = Capacity {
        texts: 4,
        bytes: 60,
        text_bytes: 100,
        text_characters: 40,
        calls: 1,
    };

    fn rows(texts: &[String]) -> VecDeque<Row> {
        let row = |(number, text): (u64, &String)| Row {
            input: 0,
            number,
            position: 0,
            content: Content::text(text.clone()),
        };
        (1..).zip(texts).map(row).collect()
    }

    fn scored(batch: &[Row]) -> Vec<&str> {
        let scored = batch.iter().filter(|row| row.content.failure.is_none());
        scored.map(|row| row.content.text.as_str()).collect()
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_batch_in_its_order_and_every_batch_fits(
            texts in prop::collection::vec(any::<String>(), 0..60)
        ) {
            let mut waiting = rows(&texts);
            let mut numbers = Vec::new();
            while !waiting.is_empty() {
                let batch = take_batch(&mut waiting, &CAPACITY);
                prop_assert!((1..=CAPACITY.texts).contains(&batch.len()));
                let scored = scored(&batch);
                let bytes = serde_json::to_vec(&scored).unwrap().len();
                // A list of n texts has n - 1 commas and two brackets.
                prop_assert!(scored.len() < 2 || bytes <= CAPACITY.bytes + 1, "{bytes} bytes");
                prop_assert!(bytes <= CAPACITY.text_bytes + 1);
                numbers.extend(batch.iter().map(|row| row.number));
            }
            prop_assert_eq!(numbers, (1..=texts.len() as u64).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_text_that_does_not_fit_fails_alone() {
        let texts = [
            "fine",
            " \u{200b}\n",
            "\t\n ",
            &"é".repeat(41),
            &"\u{1}".repeat(30),
            "fine too",
        ];
        let mut waiting = rows(&texts.map(str::to_owned));
        let mut failures = Vec::new();
        while !waiting.is_empty() {
            let batch = take_batch(&mut waiting, &CAPACITY);
            failures.extend(
                batch
                    .into_iter()
                    .map(|row| row.content.failure.map(|failure| failure.0)),
            );
        }
        assert_eq!((&failures[0], &failures[5]), (&None, &None));
        assert_eq!(failures[2].as_deref(), Some("the text is empty"));
        assert_eq!(
            failures[3].as_deref(),
            Some("the text has 41 characters; the limit is 40")
        );
        assert_eq!(failures[4].as_deref(), Some("the text is empty"));
    }
}
