//! A request, whichever way it came.

use std::time::Duration;

use super::output::RequestedOutput;
use super::{Error, Input, Inputs, Output, OutputProblem};

/// A request, read. HTTP reads it by `InferRequest::from_http`, gRPC by `InferRequest::from_message`.
#[derive(Debug, Clone, PartialEq)]
pub struct InferRequest {
    /// What to score.
    pub inputs: Inputs,
    /// How long the client waits, where it says so.
    pub timeout: Option<Duration>,
    /// How to answer.
    pub form: AnswerForm,
}

/// How a request wants its answer. HTTP makes one by `AnswerForm::into_http`, gRPC by `AnswerForm::into_message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerForm {
    /// Comes back in the answer.
    pub(super) id: Option<String>,
    /// At least one, each once.
    pub(super) outputs: Vec<RequestedOutput>,
}

impl AnswerForm {
    /// The form that a request asks for. Without any output it is all of them, `binary` or not.
    pub(super) fn new(
        id: Option<String>,
        mut outputs: Vec<RequestedOutput>,
        binary: bool,
    ) -> Result<Self, Error> {
        if outputs.is_empty() {
            outputs.extend(Output::ALL.map(|output| RequestedOutput {
                output,
                classes: 0,
                binary,
            }));
        }
        for (index, requested) in outputs.iter().enumerate() {
            // Tensors of one name could not be told apart.
            if outputs[..index]
                .iter()
                .any(|other| other.output == requested.output)
            {
                return Err(Error::output(requested.output.name(), OutputProblem::Repeated));
            }
        }
        Ok(Self { id, outputs })
    }
}

/// The timeout that a client gives in microseconds, of which 0 is none.
pub(super) fn timeout(microseconds: Option<u64>) -> Option<Duration> {
    microseconds
        .filter(|&microseconds| microseconds > 0)
        .map(Duration::from_micros)
}

/// Checks, before any is looked at, that there are not more tensors than could be right.
pub(super) fn check_counts(inputs: usize, outputs: usize) -> Result<(), Error> {
    if inputs > Input::ALL.len() {
        return Err(Error::TooManyInputs {
            count: inputs,
            limit: Input::ALL.len(),
        });
    }
    if outputs > Output::ALL.len() {
        return Err(Error::TooManyOutputs {
            count: outputs,
            limit: Output::ALL.len(),
        });
    }
    Ok(())
}
