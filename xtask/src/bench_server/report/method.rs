//! How it was measured, where, and of what.

use super::{Report, percent};
use crate::bench_server::load::as_number;
use crate::bench_server::plan::{Model, TextSet};

impl Report {
    /// What one must know to read the figures, and to get them again.
    pub(super) fn method(&self) -> String {
        let facts = self
            .facts
            .iter()
            .map(|(name, value)| format!("- {name}: {value}\n"));
        let rounds = self.measurements[0].rounds.len();
        let tokens = |texts: TextSet| {
            let mut tokens = self.of(Model::Bundled, texts).rounds[0].tokens.clone();
            tokens.sort_unstable();
            let mean = as_number(tokens.iter().sum()) / as_number(tokens.len() as u64);
            format!(
                "{} texts of {} to {} tokens, {mean:.0} on average",
                tokens.len(),
                tokens[0],
                tokens[tokens.len() - 1]
            )
        };
        let difference = |model: Model| self.of(model, TextSet::Comments).median(|round| round.difference);
        format!(
            "## How it was measured\n\n{}\n\
             Meanwhile other programs took {} of the machine, and its host {}. The figures are medians of {rounds} rounds; \
             each measurement took {:.0} s, after at least half a second and an answer on each connection. In a round \
             everything is measured once, and what is compared is measured soon after each other, because a machine's own \
             speed drifts. Servers are started anew in each round and run as they come. The load generator runs on the \
             same cores as what it measures, with one request under way on each connection.\n\n\
             - Ordinary comments: {}. Mixed lengths: {}, each longer than the one before by the same factor, short and \
             long ones in turn. Without repetition no text is sent twice: white space at its end, which is no token, makes \
             it another one.\n\
             - Time added to the work on a text is the mean time of an answer less the mean time that one bare session \
             takes for tokens and passes of the same texts. CPU is the processor time of the server for each request.\n\
             - The baseline, `tests/baseline/server.py`, is Flask in gunicorn with four threads, the fastest of the ways \
             that Flask's documentation names: one text for each pass, ONNX Runtime and tokenizers with their own \
             defaults, texts cut at 512 tokens. The model server scores longer texts than its window, 192 tokens with the \
             bundled model, in overlapping windows.\n\
             - The scores that the two servers give to the comments differ by {:.3} at most with the bundled model, by \
             {:.3} in fp32.\n\
             - fp32 is the bundled model with its 8-bit weights written out in 32 bits (`tests/baseline/dequantize.py`). \
             BERT-base has the shape of toxic-bert and random weights (`tests/baseline/bert_base.py`); 256 connections \
             would wait longer for it than a measurement takes.\n",
            facts.collect::<String>(),
            percent(self.interference.others),
            percent(self.interference.stolen),
            self.sample.as_secs_f64(),
            tokens(TextSet::Comments),
            tokens(TextSet::MixedLengths),
            difference(Model::Bundled),
            difference(Model::Float),
        )
    }
}
