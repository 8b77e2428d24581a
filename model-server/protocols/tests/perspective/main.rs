//! Perspective's two methods, from the bytes of a request to the JSON of the answer.

mod analyze;
mod discovery;
mod error;
#[path = "../fixture/mod.rs"]
mod fixture;
mod random;
mod schema;
mod suggest;

use serde_json::Value;
use toxicity_protocols::perspective::{AnalyzeRequest, Error, Languages, SuggestScoreRequest};

use crate::fixture::{Model, limits};

/// Reads a request to a model of the Jigsaw family.
fn read(body: &Value) -> Result<AnalyzeRequest, Error> {
    read_for(&Model::jigsaw(), body)
}

fn read_for(model: &Model, body: &Value) -> Result<AnalyzeRequest, Error> {
    AnalyzeRequest::read(body.to_string().as_bytes(), &limits(), &model.labels())
}

fn read_suggestion(body: &Value) -> Result<SuggestScoreRequest, Error> {
    let model = Model::jigsaw();
    SuggestScoreRequest::read(body.to_string().as_bytes(), &limits(), &model.labels())
}

/// What is known of languages: those of the model, and those detected.
struct Known(Vec<String>, Vec<String>);

impl Known {
    fn of(supported: &[&str], detected: &[&str]) -> Self {
        let owned = |codes: &[&str]| codes.iter().map(|&code| code.to_owned()).collect();
        Self(owned(supported), owned(detected))
    }

    fn languages(&self) -> Languages<'_> {
        Languages {
            supported: &self.0,
            detected: &self.1,
        }
    }
}

/// The refusal of a request by a model of English with the labels of the Jigsaw family.
fn refusal(body: &Value, detected: &[&str]) -> Error {
    let known = Known::of(&["en"], detected);
    match read(body) {
        Ok(request) => request
            .plan(&known.languages())
            .expect_err("the request must be refused"),
        Err(error) => error,
    }
}
