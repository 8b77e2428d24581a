//! What can be wrong with a tensor.

/// What is wrong with a tensor; reads on behind its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorProblem {
    /// No input has its name.
    #[error("is no input of this model; it takes `text`, or `input_ids` with an optional `attention_mask`")]
    Unknown,
    /// It is there twice.
    #[error("is sent more than once")]
    Repeated,
    /// Texts and tokens are there at once.
    #[error("is sent beside `text`; send one or the other")]
    BesideText,
    /// It belongs to tokens that are not there.
    #[error("is sent without `input_ids`")]
    WithoutTokens,
    /// It cannot hold what its input needs.
    #[error("has the datatype \"{datatype}\"; it must be {expected}")]
    Datatype {
        /// As sent, shortened.
        datatype: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Its shape is not that of its input.
    #[error("has the shape [{shape}]; it must be {expected}, no dimension below 1")]
    Shape {
        /// As sent, shortened.
        shape: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Its shape is not that of `input_ids`.
    #[error("has the shape [{rows}, {columns}]; it must be that of `input_ids`")]
    OtherShape {
        /// First dimension.
        rows: usize,
        /// Second dimension.
        columns: usize,
    },
    /// Its lists are nested in another way than its shape says.
    #[error(
        "has `data` nested as [{outer}, {inner}], which its shape is not; nest it as the shape says, or send a flat list"
    )]
    Nesting {
        /// Lists.
        outer: usize,
        /// Elements in each.
        inner: usize,
    },
    /// It holds more or fewer elements than its shape says.
    #[error("has a shape of {expected} elements, but holds {count}")]
    ElementCount {
        /// Elements that the shape makes.
        expected: usize,
        /// Elements that it holds.
        count: usize,
    },
    /// It holds more or fewer bytes than its shape says.
    #[error("has a shape of {expected} bytes, but holds {count}")]
    ByteCount {
        /// Bytes that the shape makes.
        expected: usize,
        /// Bytes that it holds.
        count: usize,
    },
    /// The bytes end within a string, or its length is made up.
    #[error(
        "ends within element {index}: every BYTES element stands behind its length in 4 bytes, little endian"
    )]
    BrokenElement {
        /// Which element.
        index: usize,
    },
    /// Bytes follow the last string.
    #[error("holds {count} bytes more than the {elements} elements of its shape")]
    BytesLeft {
        /// Bytes.
        count: usize,
        /// Elements.
        elements: usize,
    },
    /// A string is not text.
    #[error("holds an element that is not UTF-8, at index {index}")]
    NotUtf8 {
        /// Which element.
        index: usize,
    },
    /// It holds numbers for strings, or strings for numbers.
    #[error("holds {held}, which its datatype is not")]
    WrongElements {
        /// What it holds.
        held: &'static str,
    },
    /// It holds nothing.
    #[error("holds no data; send `data`, or binary data with the parameter `binary_data_size`")]
    NoData,
    /// It holds its elements twice.
    #[error("holds `data` beside binary data; send one or the other")]
    TwoData,
    /// The body has fewer bytes than it claims.
    #[error("has the `binary_data_size` {size}, but only {left} bytes are left behind the JSON")]
    BinarySize {
        /// Bytes that it claims.
        size: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// It lies in memory that is not shared with this server.
    #[error("lies in shared memory, which is not supported; send its data in the request")]
    SharedMemory,
    /// A token is none of the model's.
    #[error("holds the token {id} at row {row}; tokens are 0 to {largest}")]
    UnknownToken {
        /// The token.
        id: i64,
        /// Its row.
        row: usize,
        /// The largest there is.
        largest: usize,
    },
    /// A row does not fit into one forward pass.
    #[error("holds {length} tokens in row {row}; the limit is {limit}, special tokens included")]
    RowTooLong {
        /// Tokens without padding.
        length: usize,
        /// Which row.
        row: usize,
        /// Tokens that fit.
        limit: usize,
    },
    /// The mask is not made of 0 and 1.
    #[error("holds {value} at row {row}; it must hold 0 for padding and 1 for tokens")]
    MaskValue {
        /// The value.
        value: i64,
        /// Its row.
        row: usize,
    },
    /// The mask hides tokens between others.
    #[error("has a 0 between two 1 in row {row}; only padding before and after the tokens can be masked")]
    MaskGap {
        /// Which row.
        row: usize,
    },
    /// The mask hides everything.
    #[error("is 0 all over row {row}; a row must hold at least one token")]
    EmptyRow {
        /// Which row.
        row: usize,
    },
    /// The row has tokens of a second text.
    #[error("must be 0 throughout, but is not in row {row}: the model scores single texts, not pairs")]
    SecondSegment {
        /// Which row.
        row: usize,
    },
}
