//! `OpenAI`'s moderations, from the bytes of a request to the JSON of the answer.

mod answer;
#[path = "../fixture/mod.rs"]
mod fixture;
mod random;
mod refusal;
mod schema;

use serde_json::Value;
use toxicity_protocols::openai::{Error, ModerationRequest};

use crate::fixture::limits;

const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

fn read(body: &Value) -> Result<ModerationRequest, Error> {
    ModerationRequest::read(body.to_string().as_bytes(), &limits())
}
