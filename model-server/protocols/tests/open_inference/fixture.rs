//! A model, and texts that it has scored.

use std::sync::LazyLock;

use toxicity_api::Limits;
use toxicity_protocols::open_inference::rest::{Answer, HEADER_LENGTH};
use toxicity_protocols::open_inference::{Error, InferRequest, Inputs, ModelView};
use toxicity_protocols::scored::{Labels, ScoredText};

pub const LIMITS: Limits = Limits {
    body_bytes: 4096,
    texts: 8,
    characters: 1000,
    concurrent_requests: 1,
};

pub const WINDOW: usize = 8;
pub const VOCABULARY: usize = 30_522;

static NAMES: LazyLock<Vec<String>> =
    LazyLock::new(|| ["toxic", "threat", "insult"].map(str::to_owned).to_vec());

pub fn model() -> ModelView<'static> {
    ModelView {
        name: "toxic",
        version: "5eedf00d",
        labels: Labels {
            names: &NAMES,
            thresholds: &[0.5, 0.25, 0.75],
        },
        window_tokens: WINDOW,
        vocabulary_size: VOCABULARY,
    }
}

/// Two scored texts, of which the second is flagged for `threat`.
pub fn scored() -> Vec<ScoredText> {
    let text = |scores: [f32; 3], logits: [f32; 3], flagged: [bool; 3]| ScoredText {
        scores: scores.to_vec(),
        logits: logits.to_vec(),
        flagged: flagged.to_vec(),
        tokens: 3,
        windows: 1,
    };
    vec![
        text([0.25, 0.125, 0.5], [-1.5, -2.0, 0.0], [false; 3]),
        text([0.125, 0.75, 0.5], [-2.0, 1.5, 0.0], [false, true, false]),
    ]
}

pub fn texts(texts: &[&str]) -> Inputs {
    Inputs::Texts(texts.iter().map(|&text| text.to_owned()).collect())
}

pub fn tokens(rows: &[&[u32]]) -> Inputs {
    Inputs::Tokens(rows.iter().map(|row| row.to_vec()).collect())
}

/// Reads a body that is all JSON.
pub fn read(json: &str) -> Result<InferRequest, Error> {
    InferRequest::from_http(None, json.as_bytes(), &model(), &LIMITS)
}

/// Reads JSON with binary data behind it.
pub fn read_binary(json: &str, binary: &[u8]) -> Result<InferRequest, Error> {
    let length = json.len().to_string();
    let body = [json.as_bytes(), binary].concat();
    InferRequest::from_http(Some(length.as_bytes()), &body, &model(), &LIMITS)
}

/// The answer to a request, by the texts of [`scored`].
pub fn answer(request: InferRequest) -> Answer {
    request.form.into_http(&model(), &scored())
}

/// The JSON of an answer, and the binary data behind it.
pub fn parts(answer: &Answer) -> (serde_json::Value, Vec<u8>) {
    let length = answer
        .headers
        .get(HEADER_LENGTH)
        .map_or(answer.body.len(), |length| {
            let length = length.to_str().expect("a number");
            length.parse().expect("a number")
        });
    let (json, binary) = answer.body.split_at(length);
    (serde_json::from_slice(json).expect("JSON"), binary.to_vec())
}

/// Texts in the binary form of the protocol.
pub fn encoded(texts: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in texts {
        let text = text.as_ref();
        bytes.extend(u32::try_from(text.len()).expect("a short text").to_le_bytes());
        bytes.extend(text);
    }
    bytes
}
