//! From the message of a request to what to score, and from the scores to the message of the answer.

use std::collections::HashMap;

use bytes::Bytes;
use prost::Message;
use toxicity_api::Limits;

use super::message::infer_parameter::ParameterChoice;
use super::message::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use super::message::model_infer_response::InferOutputTensor;
use super::message::{InferParameter, InferTensorContents, ModelInferRequest, ModelInferResponse};
use crate::open_inference::binary;
use crate::open_inference::output::{RequestedOutput, Values};
use crate::open_inference::request::{check_counts, timeout};
use crate::open_inference::tensor::{ElementType, Elements, InputTensor, TensorHeader};
use crate::open_inference::{AnswerForm, Error, InferRequest, Inputs, ModelView, TensorProblem};
use crate::scored::ScoredText;

/// Parameter of tensors that lie in memory which is not shared with this server.
const SHARED_MEMORY: &str = "shared_memory_region";

impl InferRequest {
    /// Reads a request for `model`.
    ///
    /// # Errors
    /// When anything in it is not as the protocol or the model's metadata say, or a limit is passed; the message names
    /// the tensor and the limit.
    pub fn from_message(
        request: ModelInferRequest,
        model: &ModelView<'_>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let count = request.inputs.len();
        check_counts(count, request.outputs.len())?;
        let raw = !request.raw_input_contents.is_empty();
        if request.raw_input_contents.len() > count {
            return Err(Error::Field(format!(
                "`raw_input_contents` holds the data of {} tensors, `inputs` only {count}",
                request.raw_input_contents.len()
            )));
        }
        let mut raw_contents = request.raw_input_contents.into_iter();
        let tensors: Result<Vec<_>, _> = request
            .inputs
            .into_iter()
            .enumerate()
            .map(|(index, input)| input_tensor(&decode(input, "inputs", index)?, raw_contents.next()))
            .collect();
        let outputs: Result<Vec<_>, _> = request
            .outputs
            .into_iter()
            .enumerate()
            .map(|(index, output)| requested_output(&decode(output, "outputs", index)?, raw))
            .collect();
        Ok(Self {
            inputs: Inputs::of_tensors(tensors?, model, limits)?,
            timeout: timeout(whole_number(&request.parameters, "timeout")?),
            // Clients of Triton read the data of an answer in the form in which they sent theirs.
            form: AnswerForm::new(Some(request.id), outputs?, raw)?,
        })
    }
}

impl AnswerForm {
    /// The answer that `model` gives by the scores of the texts.
    #[must_use]
    pub fn into_message(self, model: &ModelView<'_>, scored: &[ScoredText]) -> ModelInferResponse {
        let mut response = ModelInferResponse {
            model_name: model.name.to_owned(),
            model_version: model.version.to_owned(),
            id: self.id.unwrap_or_default(),
            ..ModelInferResponse::default()
        };
        for requested in self.outputs {
            let tensor = requested.tensor(model, scored);
            let contents = if requested.binary {
                response
                    .raw_output_contents
                    .push(binary::of(&tensor.values).into());
                None
            } else {
                Some(contents(tensor.values))
            };
            response.outputs.push(InferOutputTensor {
                name: tensor.name.to_owned(),
                datatype: tensor.datatype.name().to_owned(),
                shape: tensor
                    .shape
                    .into_iter()
                    .map(|size| i64::try_from(size).unwrap_or(i64::MAX))
                    .collect(),
                parameters: HashMap::new(),
                contents,
            });
        }
        response
    }
}

/// A tensor of the request; where it stands counts, because its name may not be readable.
fn decode<M: Message + Default>(bytes: Bytes, field: &str, index: usize) -> Result<M, Error> {
    M::decode(bytes).map_err(|error| Error::Field(format!("`{field}[{index}]`: {error}")))
}

fn input_tensor(input: &InferInputTensor, raw_content: Option<Bytes>) -> Result<InputTensor, Error> {
    let header = TensorHeader::check(&input.name, &input.datatype, &input.shape)?;
    if input.parameters.contains_key(SHARED_MEMORY) {
        return Err(header.refuse(TensorProblem::SharedMemory));
    }
    match (&input.contents, raw_content) {
        (None, Some(bytes)) => header.binary(&bytes),
        (Some(_), Some(_)) => Err(header.refuse(TensorProblem::TwoData)),
        (Some(contents), None) => {
            let elements = elements(header.element, contents).map_err(|problem| header.refuse(problem))?;
            header.elements(elements)
        }
        (None, None) => Err(header.refuse(TensorProblem::NoData)),
    }
}

fn elements(element: ElementType, contents: &InferTensorContents) -> Result<Elements, TensorProblem> {
    match element {
        ElementType::Text => {
            let texts = contents.bytes_contents.iter().enumerate();
            let texts: Result<_, _> = texts.map(|(index, bytes)| binary::text(index, bytes)).collect();
            texts.map(Elements::Texts)
        }
        ElementType::Integer32 => {
            let integers = contents.int_contents.iter().map(|&integer| integer.into());
            Ok(Elements::Integers(integers.collect()))
        }
        ElementType::Integer64 => Ok(Elements::Integers(contents.int64_contents.clone())),
    }
}

fn requested_output(output: &InferRequestedOutputTensor, raw: bool) -> Result<RequestedOutput, Error> {
    let classes = whole_number(&output.parameters, "classification")?.unwrap_or(0);
    RequestedOutput::check(
        &output.name,
        usize::try_from(classes).unwrap_or(usize::MAX),
        output.parameters.contains_key(SHARED_MEMORY),
        raw,
    )
}

/// The parameter of this name, which must be a number of at least 0.
fn whole_number(parameters: &HashMap<String, InferParameter>, name: &str) -> Result<Option<u64>, Error> {
    let number = match parameters.get(name).map(|parameter| &parameter.parameter_choice) {
        None => return Ok(None),
        Some(Some(ParameterChoice::Int64Param(number))) => u64::try_from(*number).ok(),
        Some(Some(ParameterChoice::Uint64Param(number))) => Some(*number),
        Some(_) => None,
    };
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(Error::Field(format!(
            "the parameter `{name}` must be a whole number of at least 0"
        ))),
    }
}

fn contents(values: Values) -> InferTensorContents {
    let mut contents = InferTensorContents::default();
    match values {
        Values::Numbers(numbers) => contents.fp32_contents = numbers,
        Values::Booleans(booleans) => contents.bool_contents = booleans,
        Values::Strings(strings) => {
            contents.bytes_contents = strings
                .into_iter()
                .map(|string| string.into_bytes().into())
                .collect();
        }
    }
    contents
}
