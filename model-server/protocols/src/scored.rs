//! What a protocol is told of the model and of a scored text.

/// Labels and thresholds of the model that answered.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    /// Names, in the order of the model's outputs.
    pub names: &'a [String],
    /// Score from which each label is flagged, in the same order; those of the caller's key where it has its own.
    pub thresholds: &'a [f32],
}

impl Labels<'_> {
    /// Index of the first label that has one of `names`.
    #[must_use]
    pub fn find(&self, names: &[&str]) -> Option<usize> {
        self.names.iter().position(|name| names.contains(&name.as_str()))
    }
}

/// A scored text. All lists are in the order of the model's outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredText {
    /// Score per label, 0 to 1; for a text of several windows, the maximum over them.
    pub scores: Vec<f32>,
    /// Logit per label, of the window with the highest score of that label.
    pub logits: Vec<f32>,
    /// Whether each label reaches its threshold.
    pub flagged: Vec<bool>,
    /// Tokens of the text, without special tokens.
    pub tokens: usize,
    /// Windows it was scored in.
    pub windows: usize,
}
