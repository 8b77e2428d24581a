//! Text to token ids, with the place in the text that each token came from.

mod ascii;

use std::ops::Range;
use std::path::{Path, PathBuf};

use tokenizers::Tokenizer;

/// Size of the vocabulary of uncased English BERT, and its word "the".
const BERT_UNCASED: (usize, u32) = (30_522, 1_996);

/// Ids of single characters, marks and the commonest words in that vocabulary, which is ordered by frequency.
const BERT_UNCASED_COMMON: Range<u32> = 0..2_200;

/// Turns text into sequences of ids. Cheap to share; not to be mistaken for a stage with state.
pub struct Tokenization {
    tokenizer: Tokenizer,
    prefix: Vec<u32>,
    suffix: Vec<u32>,
    common_ids: Range<u32>,
    padding_id: u32,
    takes_short_cut: bool,
}

/// The tokens of one text, without special tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Vocabulary ids.
    pub ids: Vec<u32>,
    /// UTF-8 byte range of the text behind each id; empty when offsets were not asked for.
    pub offsets: Vec<Range<usize>>,
}

/// Why a tokenizer cannot be loaded, or cannot take a text.
#[derive(Debug, thiserror::Error)]
pub enum TokenizationError {
    /// The tokenizer file does not load.
    #[error("failed to load the tokenizer \"{path}\": {message}")]
    Load {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The tokenizer refuses a text.
    #[error("failed to split the text into tokens: {0}")]
    Encode(String),
}

impl Tokenization {
    /// Loads `tokenizer.json`. Truncation and padding that the file may ask for are switched off: texts are never
    /// cut in silence, and windows are our own.
    ///
    /// # Errors
    /// When the file is no tokenizer.
    pub fn load(path: &Path) -> Result<Self, TokenizationError> {
        let failed = |error: tokenizers::Error| TokenizationError::Load {
            path: path.to_owned(),
            message: error.to_string(),
        };
        let mut tokenizer = Tokenizer::from_file(path).map_err(failed)?;
        let padding_id = padding_id(&tokenizer);
        tokenizer.with_truncation(None).map_err(failed)?;
        tokenizer.with_padding(None);
        let (prefix, suffix) = special_tokens(&tokenizer).map_err(failed)?;
        let vocabulary = (tokenizer.get_vocab_size(false), tokenizer.token_to_id("the"));
        let is_bert_uncased = vocabulary == (BERT_UNCASED.0, Some(BERT_UNCASED.1));
        let common_ids = if is_bert_uncased {
            BERT_UNCASED_COMMON
        } else {
            0..0
        };
        Ok(Self {
            takes_short_cut: ascii::applies_to(&tokenizer),
            tokenizer,
            prefix,
            suffix,
            common_ids,
            padding_id,
        })
    }

    /// Tokens of `text`, without special tokens and without offsets.
    ///
    /// # Errors
    /// When the tokenizer refuses the text.
    pub fn tokens(&self, text: &str) -> Result<Tokens, TokenizationError> {
        let failed = |error: tokenizers::Error| TokenizationError::Encode(error.to_string());
        let short_cut = if self.takes_short_cut {
            ascii::ids(&self.tokenizer, text)
        } else {
            None
        };
        let ids = match short_cut {
            Some(ids) => ids.map_err(failed)?,
            None => self
                .tokenizer
                .encode_fast(text, false)
                .map_err(failed)?
                .get_ids()
                .to_vec(),
        };
        Ok(Tokens {
            ids,
            offsets: Vec::new(),
        })
    }

    /// Tokens of `text`, without special tokens, each with its byte range.
    ///
    /// # Errors
    /// When the tokenizer refuses the text.
    pub fn tokens_with_offsets(&self, text: &str) -> Result<Tokens, TokenizationError> {
        let encoding = self
            .tokenizer
            .encode(text, false)
            .map_err(|error| TokenizationError::Encode(error.to_string()))?;
        let offsets = encoding
            .get_offsets()
            .iter()
            .map(|&(begin, end)| begin..end)
            .collect();
        Ok(Tokens {
            ids: encoding.get_ids().to_vec(),
            offsets,
        })
    }

    /// `ids` between the model's special tokens, ready for a forward pass.
    #[must_use]
    pub fn sequence(&self, ids: impl IntoIterator<Item = u32>) -> Vec<u32> {
        self.prefix
            .iter()
            .copied()
            .chain(ids)
            .chain(self.suffix.iter().copied())
            .collect()
    }

    /// Ids of words too common to carry a verdict by themselves; empty where the vocabulary does not tell.
    #[must_use]
    pub fn common_ids(&self) -> Range<u32> {
        self.common_ids.clone()
    }

    /// Number of ids, special tokens included.
    #[must_use]
    pub fn vocabulary_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// Id with which shorter sequences of a batch are filled up.
    #[must_use]
    pub fn padding_id(&self) -> u32 {
        self.padding_id
    }

    /// How many special tokens stand before a text.
    #[must_use]
    pub fn leading_count(&self) -> usize {
        self.prefix.len()
    }

    /// How many special tokens a sequence carries.
    #[must_use]
    pub fn special_count(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }
}

/// The padding that the file names, else the token that is called so in the vocabularies of BERT, RoBERTa and their kin.
fn padding_id(tokenizer: &Tokenizer) -> u32 {
    let named = tokenizer.get_padding().map(|padding| padding.pad_id);
    let known = ["[PAD]", "<pad>"];
    named
        .or_else(|| known.iter().find_map(|token| tokenizer.token_to_id(token)))
        .unwrap_or_default()
}

/// The special tokens before and after a text, read off a probe.
fn special_tokens(tokenizer: &Tokenizer) -> tokenizers::Result<(Vec<u32>, Vec<u32>)> {
    let encoding = tokenizer.encode("a", true)?;
    let mask = encoding.get_special_tokens_mask();
    let leading = mask.iter().take_while(|&&special| special == 1).count();
    let trailing = mask
        .iter()
        .skip(leading)
        .rev()
        .take_while(|&&special| special == 1)
        .count();
    let ids = encoding.get_ids();
    Ok((ids[..leading].to_vec(), ids[ids.len() - trailing..].to_vec()))
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use proptest::prelude::*;

    use super::*;

    fn bundled() -> &'static Tokenization {
        static TOKENIZATION: OnceLock<Tokenization> = OnceLock::new();
        TOKENIZATION.get_or_init(|| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/toxic-minilm");
            Tokenization::load(&folder.join("tokenizer.json")).unwrap()
        })
    }

    #[test]
    fn texts_stand_between_the_special_tokens_and_are_never_cut() {
        let tokenization = bundled();
        let long = tokenization.tokens(&"word ".repeat(500)).unwrap();
        assert_eq!(long.ids.len(), 500);
        assert_eq!(tokenization.sequence([7]), [101, 7, 102]);
        assert_eq!(tokenization.special_count(), 2);
    }

    #[test]
    fn the_short_cut_is_taken_where_it_may_be() {
        let tokenization = bundled();
        assert!(tokenization.takes_short_cut);
        assert!(ascii::ids(&tokenization.tokenizer, "Plain English.").is_some());
        for text in ["naïve", "see [SEP] there", "👋"] {
            assert!(ascii::ids(&tokenization.tokenizer, text).is_none(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn both_ways_give_the_same_ids(text in "[\\x00-\\x7f]{0,80}|([A-Za-z']{1,12}[ .,!?]{1,2}){0,12}") {
            let tokenization = bundled();
            prop_assert_eq!(tokenization.tokens(&text).unwrap().ids, tokenization.tokens_with_offsets(&text).unwrap().ids);
        }
    }
}
