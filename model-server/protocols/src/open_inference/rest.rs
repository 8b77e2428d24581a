//! Inference over HTTP: `POST /v2/models/{model}[/versions/{version}]/infer`, in JSON or with binary tensors.
//!
//! With the header [`HEADER_LENGTH`] the body is that many bytes of JSON and then the data of the tensors whose
//! `binary_data_size` says so, in the order of the JSON. With the header at 0 the body is one text and nothing else.
//! Clients of Triton send no content type; none is needed.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};
use toxicity_api::Limits;
use utoipa::ToSchema;

use super::binary;
use super::data::{Data, DataSchema};
use super::output::{RequestedOutput, Values};
use super::request::{check_counts, timeout};
use super::tensor::{InputTensor, TensorHeader};
use super::{AnswerForm, Datatype, Error, InferRequest, Input, Inputs, ModelView, TensorProblem};
use crate::json::{self, JsonObject};
use crate::scored::ScoredText;

/// Header that says how many bytes of the body are JSON. Absent, all of them are.
pub const HEADER_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// An answer, ready to send with status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Content type, and for binary tensors the length of the JSON before them.
    pub headers: HeaderMap,
    /// JSON, and behind it the binary tensors.
    pub body: Bytes,
}

impl InferRequest {
    /// Reads a request for `model`. `header_length` is the value of the header [`HEADER_LENGTH`].
    ///
    /// # Errors
    /// When anything in it is not as the protocol or the model's metadata say, or a limit is passed; the message names
    /// the tensor and the limit.
    pub fn from_http(
        header_length: Option<&[u8]>,
        body: &[u8],
        model: &ModelView<'_>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let Some(header_length) = header_length else {
            return Self::from_body(json::read(body)?, &[], model, limits);
        };
        let length: Option<usize> = std::str::from_utf8(header_length)
            .ok()
            .and_then(|text| text.parse().ok());
        match length.and_then(|length| body.split_at_checked(length)) {
            None => Err(Error::HeaderLength { limit: body.len() }),
            Some(([], text)) => Self::from_raw_text(text, limits),
            Some((json, binary)) => Self::from_body(json::read(json)?, binary, model, limits),
        }
    }

    fn from_body(
        request: InferRequestBody,
        mut binary: &[u8],
        model: &ModelView<'_>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let parameters = request.parameters.unwrap_or_default().0;
        let outputs = request.outputs.unwrap_or_default();
        check_counts(request.inputs.len(), outputs.len())?;
        let tensors: Result<Vec<_>, _> = request
            .inputs
            .into_iter()
            .map(|input| input.0.tensor(&mut binary))
            .collect();
        let inputs = Inputs::of_tensors(tensors?, model, limits)?;
        if !binary.is_empty() {
            return Err(Error::BytesLeft { count: binary.len() });
        }
        let binary_output = parameters.binary_data_output.unwrap_or(false);
        let outputs: Result<Vec<_>, _> = outputs
            .into_iter()
            .map(|output| output.0.requested(binary_output))
            .collect();
        Ok(Self {
            inputs,
            timeout: timeout(parameters.timeout),
            form: AnswerForm::new(request.id, outputs?, binary_output)?,
        })
    }

    fn from_raw_text(text: &[u8], limits: &Limits) -> Result<Self, Error> {
        let text = std::str::from_utf8(text)
            .map_err(|_| Error::tensor(Input::Text.name(), TensorProblem::NotUtf8 { index: 0 }))?;
        Ok(Self {
            inputs: Inputs::of_texts(vec![text.to_owned()], limits)?,
            timeout: None,
            form: AnswerForm::new(None, Vec::new(), true)?,
        })
    }
}

impl AnswerForm {
    /// The answer that `model` gives by the scores of the texts.
    #[must_use]
    pub fn into_http(self, model: &ModelView<'_>, scored: &[ScoredText]) -> Answer {
        let mut behind = Vec::new();
        let outputs = self.outputs.iter().map(|requested| {
            let tensor = requested.tensor(model, scored);
            let (parameters, data) = if requested.binary {
                let bytes = binary::of(&tensor.values);
                behind.extend_from_slice(&bytes);
                let binary_data_size = bytes.len();
                (Some(InferResponseParameters { binary_data_size }), None)
            } else {
                (None, Some(tensor.values))
            };
            InferResponseOutput {
                name: tensor.name,
                datatype: tensor.datatype,
                shape: tensor.shape,
                parameters,
                data,
            }
        });
        let response = InferResponseBody {
            outputs: outputs.collect(),
            model_name: model.name.to_owned(),
            model_version: model.version.to_owned(),
            id: self.id,
        };
        let mut body = serde_json::to_vec(&response).expect("strings and numbers are JSON");
        let mut headers = HeaderMap::new();
        let content_type = if self.outputs.iter().any(|requested| requested.binary) {
            headers.insert(HEADER_LENGTH, HeaderValue::from(body.len()));
            body.append(&mut behind);
            "application/octet-stream"
        } else {
            "application/json"
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Answer {
            headers,
            body: body.into(),
        }
    }
}

/// Request of the inference route.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = OpenInferenceRequest)]
pub struct InferRequestBody {
    /// Comes back in the answer.
    #[schema(example = "42")]
    id: Option<String>,
    /// What concerns the request as a whole; others than these are ignored.
    #[schema(value_type = Option<RequestParameters>)]
    parameters: Option<JsonObject<RequestParameters>>,
    /// `text`, or `input_ids` with an optional `attention_mask`.
    #[schema(value_type = Vec<InferRequestInput>, min_items = 1, max_items = 4)]
    inputs: Vec<JsonObject<InferRequestInput>>,
    /// The outputs to answer with; absent or empty means all.
    #[schema(value_type = Option<Vec<InferRequestOutput>>, max_items = 5)]
    outputs: Option<Vec<JsonObject<InferRequestOutput>>>,
}

/// Parameters of a request.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = OpenInferenceRequestParameters)]
pub struct RequestParameters {
    /// Whether outputs come as binary data that do not say so themselves.
    binary_data_output: Option<bool>,
    /// How long the client waits, in microseconds; 0 is as long as the server allows.
    timeout: Option<u64>,
}

/// An input tensor.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = OpenInferenceRequestInput)]
pub struct InferRequestInput {
    /// Which input of the model.
    #[schema(
        example = "text",
        pattern = "^(text|input_ids|attention_mask|token_type_ids)$"
    )]
    name: String,
    /// [texts] or [texts, 1] for `text`, [texts, tokens] for the others.
    #[schema(example = json!([1]), min_items = 1, max_items = 2)]
    shape: Vec<i64>,
    /// BYTES for `text`; INT64 or INT32 for the others.
    #[schema(example = "BYTES", pattern = "^(BYTES|INT64|INT32)$")]
    datatype: String,
    /// Where the data is, when it is not in `data`.
    #[schema(value_type = Option<InputParameters>)]
    parameters: Option<JsonObject<InputParameters>>,
    /// The elements.
    #[schema(value_type = Option<DataSchema>, example = json!(["Thanks for sharing the sources."]))]
    data: Option<Data>,
}

/// Parameters of an input tensor.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = OpenInferenceInputParameters)]
pub struct InputParameters {
    /// Bytes of the tensor behind the JSON.
    binary_data_size: Option<usize>,
    /// Not supported.
    #[schema(value_type = Option<String>, deprecated)]
    shared_memory_region: Option<String>,
}

impl InferRequestInput {
    /// The tensor, with its data here or at the beginning of `binary`, which is moved on behind it.
    fn tensor(self, binary: &mut &[u8]) -> Result<InputTensor, Error> {
        let header = TensorHeader::check(&self.name, &self.datatype, &self.shape)?;
        let parameters = self.parameters.unwrap_or_default().0;
        if parameters.shared_memory_region.is_some() {
            return Err(header.refuse(TensorProblem::SharedMemory));
        }
        match (self.data, parameters.binary_data_size) {
            (Some(data), None) => header.data(data),
            (None, Some(size)) => {
                let Some((bytes, rest)) = binary.split_at_checked(size) else {
                    let left = binary.len();
                    return Err(header.refuse(TensorProblem::BinarySize { size, left }));
                };
                *binary = rest;
                header.binary(bytes)
            }
            (Some(_), Some(_)) => Err(header.refuse(TensorProblem::TwoData)),
            (None, None) => Err(header.refuse(TensorProblem::NoData)),
        }
    }
}

/// An output tensor to answer with.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = OpenInferenceRequestOutput)]
pub struct InferRequestOutput {
    /// Which output of the model.
    #[schema(example = "scores", pattern = "^(scores|logits|flags|flagged|labels)$")]
    name: String,
    /// How to answer with it.
    #[schema(value_type = Option<OutputParameters>)]
    parameters: Option<JsonObject<OutputParameters>>,
}

/// Parameters of an output tensor.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = OpenInferenceOutputParameters)]
pub struct OutputParameters {
    /// Whether it comes as binary data behind the JSON.
    binary_data: Option<bool>,
    /// Instead of all `scores` or `logits`, so many of the highest as "value:index:label".
    classification: Option<usize>,
    /// Not supported.
    #[schema(value_type = Option<String>, deprecated)]
    shared_memory_region: Option<String>,
}

impl InferRequestOutput {
    fn requested(self, binary: bool) -> Result<RequestedOutput, Error> {
        let parameters = self.parameters.unwrap_or_default().0;
        RequestedOutput::check(
            &self.name,
            parameters.classification.unwrap_or(0),
            parameters.shared_memory_region.is_some(),
            parameters.binary_data.unwrap_or(binary),
        )
    }
}

/// Answer of the inference route.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OpenInferenceResponse)]
pub struct InferResponseBody {
    /// The model that answered.
    #[schema(example = "toxic-minilm")]
    model_name: String,
    /// Its revision.
    model_version: String,
    /// As in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// In the order of the request.
    outputs: Vec<InferResponseOutput>,
}

/// An output tensor.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OpenInferenceResponseOutput)]
pub struct InferResponseOutput {
    /// Which output of the model.
    #[schema(example = "scores")]
    name: &'static str,
    /// Datatype of its elements.
    datatype: Datatype,
    /// Its dimensions.
    #[schema(example = json!([1, 6]))]
    shape: Vec<usize>,
    /// Where the data is, when it is not in `data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<InferResponseParameters>,
    /// The elements, row by row.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Values>,
}

/// Parameters of an output tensor in an answer.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = OpenInferenceResponseParameters)]
pub struct InferResponseParameters {
    /// Bytes of the tensor behind the JSON.
    binary_data_size: usize,
}
