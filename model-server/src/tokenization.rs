//! Text to token ids, with the place in the text that each token came from.

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
            tokenizer,
            prefix,
            suffix,
            common_ids,
        })
    }

    /// Tokens of `text`, without special tokens and without offsets.
    ///
    /// # Errors
    /// When the tokenizer refuses the text.
    pub fn tokens(&self, text: &str) -> Result<Tokens, TokenizationError> {
        let encoding = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(|error| TokenizationError::Encode(error.to_string()))?;
        Ok(Tokens {
            ids: encoding.get_ids().to_vec(),
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

    /// How many special tokens a sequence carries.
    #[must_use]
    pub fn special_count(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }
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
