//! A text cut at the words that carry its verdict.

use toxicity_api::Span;

/// A stretch of text, marked or not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment<'a> {
    /// The characters, unchanged.
    pub text: &'a str,
    /// Why it is marked; nothing for the text between marks.
    pub mark: Option<Mark<'a>>,
}

/// Why a stretch is marked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark<'a> {
    /// The labels that it carries, strongest first.
    pub labels: &'a [String],
    /// How much of the verdict it carries, up to 1.
    pub weight: f32,
}

impl Mark<'_> {
    /// How deep it is tinted: 1 to 4, a quarter of the weight each.
    #[must_use]
    pub fn depth(&self) -> u8 {
        match self.weight {
            weight if weight > 0.75 => 4,
            weight if weight > 0.5 => 3,
            weight if weight > 0.25 => 2,
            _ => 1,
        }
    }
}

/// Cuts a text at its spans. Together the segments are the whole text. A span that does not fit the text, or begins
/// before the end of the one before it, is left out: showing the text comes first.
#[must_use]
pub fn segments<'a>(text: &'a str, spans: &'a [Span]) -> Vec<Segment<'a>> {
    let mut ordered: Vec<&Span> = spans.iter().collect();
    ordered.sort_by_key(|span| span.bytes.begin);
    let mut segments = Vec::with_capacity(ordered.len() * 2 + 1);
    let mut done = 0;
    for span in ordered {
        if span.bytes.begin < done || span.bytes.begin >= span.bytes.end {
            continue;
        }
        let (Some(before), Some(marked)) = (text.get(done..span.bytes.begin), text.get(span.bytes.range()))
        else {
            continue;
        };
        if !before.is_empty() {
            segments.push(Segment {
                text: before,
                mark: None,
            });
        }
        segments.push(Segment {
            text: marked,
            mark: Some(Mark {
                labels: &span.labels,
                weight: span.weight,
            }),
        });
        done = span.bytes.end;
    }
    let rest = &text[done..];
    if !rest.is_empty() {
        segments.push(Segment {
            text: rest,
            mark: None,
        });
    }
    segments
}

/// The labels of all marks, each once, the heaviest first.
#[must_use]
pub fn marked_labels(spans: &[Span]) -> Vec<&str> {
    let mut ordered: Vec<&Span> = spans.iter().collect();
    ordered.sort_by(|left, right| right.weight.total_cmp(&left.weight));
    let mut labels: Vec<&str> = Vec::new();
    for label in ordered.into_iter().flat_map(|span| &span.labels) {
        if !labels.contains(&label.as_str()) {
            labels.push(label);
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toxicity_api::Offsets;

    use super::*;

    fn span(begin: usize, end: usize, weight: f32) -> Span {
        let bytes = Offsets { begin, end };
        Span {
            labels: vec!["insult".to_owned()],
            weight,
            bytes,
            utf16: bytes,
        }
    }

    fn cut<'a>(text: &'a str, spans: &'a [Span]) -> Vec<(&'a str, bool)> {
        segments(text, spans)
            .into_iter()
            .map(|segment| (segment.text, segment.mark.is_some()))
            .collect()
    }

    #[test]
    fn marks_keep_their_surroundings() {
        let spans = [span(12, 17, 0.4), span(2, 6, 1.0)];
        assert_eq!(
            cut("a fool, and idiot\n", &spans),
            [
                ("a ", false),
                ("fool", true),
                (", and ", false),
                ("idiot", true),
                ("\n", false)
            ]
        );
        assert_eq!(cut("", &[]), []);
        assert_eq!(cut("idiot", &[span(0, 5, 1.0)]), [("idiot", true)]);
    }

    #[test]
    fn spans_that_do_not_fit_are_left_out() {
        // "é" has two bytes; the fourth span would split it.
        let spans = [
            span(0, 99, 1.0),
            span(3, 3, 1.0),
            span(4, 2, 1.0),
            span(1, 3, 1.0),
            span(0, 2, 1.0),
        ];
        assert_eq!(cut("éa b", &spans), [("é", true), ("a b", false)]);
    }

    #[test]
    fn overlapping_spans_never_repeat_text() {
        assert_eq!(
            cut("abcdef", &[span(0, 3, 1.0), span(2, 5, 1.0)]),
            [("abc", true), ("def", false)]
        );
    }

    #[test]
    fn depths_are_quarters() {
        let depth = |weight| Mark { labels: &[], weight }.depth();
        assert_eq!([0.01, 0.25, 0.26, 0.6, 0.76, 1.0].map(depth), [1, 1, 2, 3, 4, 4]);
    }

    #[test]
    fn labels_are_named_once_by_weight() {
        let mut spans = vec![span(0, 1, 0.2), span(1, 2, 1.0), span(2, 3, 0.5)];
        spans[1].labels = vec!["threat".to_owned(), "insult".to_owned()];
        assert_eq!(marked_labels(&spans), ["threat", "insult"]);
    }

    proptest! {
        #[test]
        fn segments_are_the_whole_text(
            text in "\\PC{0,40}",
            offsets in proptest::collection::vec((0_usize..60, 0_usize..60), 0..8),
        ) {
            let spans: Vec<Span> = offsets.into_iter().map(|(begin, end)| span(begin, end, 0.5)).collect();
            let joined: String = segments(&text, &spans).into_iter().map(|segment| segment.text).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
