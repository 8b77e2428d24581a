//! What a model that judges each token says of a text: no more of it than marking words takes.

use std::ops::Range;

use crate::model::sigmoid;

/// Probability under which a token marks no word.
pub(super) const WEAKEST: f32 = 0.1;

/// A token that may be toxic, as one window sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ToxicToken {
    /// Index into the tokens of the text.
    pub(crate) token: usize,
    /// Index of the window.
    pub(crate) window: usize,
    /// That it is toxic.
    pub(crate) probability: f32,
}

/// Those of a text, in its order. Most texts have none, so that keeping them takes next to nothing. `logits` are those
/// of each window's sequence, which begins with `leading` special tokens.
pub(crate) fn toxic_tokens(windows: &[Range<usize>], logits: &[&[f32]], leading: usize) -> Box<[ToxicToken]> {
    let mut toxic = Vec::new();
    for (window, (tokens, logits)) in windows.iter().zip(logits).enumerate() {
        let of_window = tokens.clone().zip(logits.iter().skip(leading));
        let judged = of_window.map(|(token, &logit)| ToxicToken {
            token,
            window,
            probability: sigmoid(logit),
        });
        toxic.extend(judged.filter(|token| token.probability >= WEAKEST));
    }
    toxic.sort_by_key(|token| token.token);
    toxic.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_tokens_and_harmless_ones_are_left_out() {
        let windows = [0..3, 2..5];
        let logits: [&[f32]; 2] = [
            &[9.0, -9.0, 0.0, 2.0, 9.0],
            &[9.0, -1.0, f32::NEG_INFINITY, -3.0, 9.0],
        ];
        let found: Vec<(usize, usize)> = toxic_tokens(&windows, &logits, 1)
            .iter()
            .map(|token| (token.token, token.window))
            .collect();
        assert_eq!(found, [(1, 0), (2, 0), (2, 1)], "of -3 the probability is 0.05");
    }
}
