//! What is measured: which models, on which texts, with how many connections.

/// Connections, each with one request under way.
pub const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];

/// The number of connections that the aims are about.
pub const AIMED_CONNECTIONS: usize = 64;

/// A model that texts are scored by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// The bundled one: 8 bits.
    Bundled,
    /// The same in 32 bits.
    Float,
    /// Of the shape of toxic-bert, in 32 bits.
    BertBase,
}

/// The texts that are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextSet {
    /// As people write them.
    Comments,
    /// Of 2 to 512 tokens.
    MixedLengths,
}

/// A model on texts.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// What the tables call it.
    pub title: &'static str,
    /// The model.
    pub model: Model,
    /// The texts.
    pub texts: TextSet,
    /// Percent of texts that were sent before; each share is measured beside that of none.
    pub repeated_percents: &'static [u64],
    /// Connections, one measurement for each.
    pub connections: &'static [usize],
}

impl Scenario {
    /// The one that most of the aims are about.
    pub const COMMENTS: Self = Self {
        title: "Ordinary comments, bundled model (int8)",
        model: Model::Bundled,
        texts: TextSet::Comments,
        repeated_percents: &[50, 95, 100],
        connections: &CONNECTIONS,
    };

    /// Short texts must not wait for long ones.
    pub const MIXED_LENGTHS: Self = Self {
        title: "Mixed lengths, bundled model (int8)",
        model: Model::Bundled,
        texts: TextSet::MixedLengths,
        repeated_percents: &[],
        connections: &CONNECTIONS,
    };

    const FLOAT: Self = Self {
        title: "Ordinary comments, the same model in fp32",
        model: Model::Float,
        texts: TextSet::Comments,
        repeated_percents: &[],
        connections: &CONNECTIONS,
    };

    /// So large that 256 requests would wait longer than a measurement takes.
    const BERT_BASE: Self = Self {
        title: "Ordinary comments, BERT-base (fp32)",
        model: Model::BertBase,
        texts: TextSet::Comments,
        repeated_percents: &[],
        connections: &[1, 16, 64],
    };

    /// All that is measured, in this order.
    pub const ALL: [Self; 4] = [Self::COMMENTS, Self::MIXED_LENGTHS, Self::FLOAT, Self::BERT_BASE];
}
