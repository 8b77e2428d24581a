//! What the server and its model say of themselves.

use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Datatype, Input, ModelView, Output};

/// Name of the server.
pub const SERVER_NAME: &str = "toxicity-model-server";

/// Extensions of Triton that the server speaks, under the names that its documentation gives them.
pub const EXTENSIONS: [&str; 5] = [
    "classification",
    "parameters",
    "binary_tensor_data",
    "model_configuration",
    "statistics",
];

/// How the model is built, as the protocol names it.
const PLATFORM: &str = "onnx_onnxv1";

/// Answer of `GET /v2/health/live`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceLive)]
pub struct Live {
    /// Whether the server lives.
    pub live: bool,
}

/// Answer of `GET /v2/health/ready`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceReady)]
pub struct Ready {
    /// Whether a request sent now would be scored.
    pub ready: bool,
}

/// Answer of `GET /v2/models/{model}[/versions/{version}]/ready`, and of `GET /v1/models/{model}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceModelReady)]
pub struct ModelReady {
    /// Name of the model.
    #[schema(example = "toxic-minilm")]
    pub name: String,
    /// Whether a request sent now would be scored.
    pub ready: bool,
}

/// Answer of `GET /v2/models`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceModelList)]
pub struct ModelList {
    /// Names of the models; one, or none while it loads.
    #[schema(example = json!(["toxic-minilm"]))]
    pub models: Vec<String>,
}

/// Answer of `GET /v2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceServerMetadata)]
pub struct ServerMetadata {
    /// Name of the server.
    #[schema(example = "toxicity-model-server")]
    pub name: &'static str,
    /// Version of the server.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// Extensions of the protocol that it speaks.
    #[schema(value_type = Vec<String>, example = json!(EXTENSIONS))]
    pub extensions: [&'static str; EXTENSIONS.len()],
}

impl ServerMetadata {
    /// What the server says of itself in this version.
    #[must_use]
    pub fn new(version: &str) -> Self {
        Self {
            name: SERVER_NAME,
            version: version.to_owned(),
            extensions: EXTENSIONS,
        }
    }
}

/// Answer of `GET /v2/models/{model}[/versions/{version}]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceModelMetadata)]
pub struct ModelMetadata {
    /// Name of the model.
    #[schema(example = "toxic-minilm")]
    pub name: String,
    /// Its one version, the revision.
    pub versions: Vec<String>,
    /// How it is built.
    #[schema(example = "onnx_onnxv1")]
    pub platform: &'static str,
    /// The tensors that it takes: `text`, or in its place `input_ids` and those behind it.
    pub inputs: Vec<TensorMetadata>,
    /// The tensors that it gives.
    pub outputs: Vec<TensorMetadata>,
    /// What the tensors do not say: how to choose among the inputs, the labels, their thresholds.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub properties: IndexMap<&'static str, String>,
}

/// A tensor that the model takes or gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceTensorMetadata)]
pub struct TensorMetadata {
    /// Its name.
    #[schema(example = "scores")]
    pub name: &'static str,
    /// Datatype of its elements.
    pub datatype: Datatype,
    /// Its dimensions; -1 is any size.
    #[schema(example = json!([-1, 6]))]
    pub shape: Vec<i64>,
}

impl ModelMetadata {
    /// What is said of `model`.
    #[must_use]
    pub fn of(model: &ModelView<'_>) -> Self {
        let thresholds = model.labels.thresholds.iter().map(f32::to_string);
        let inputs = format!(
            "send `text` (also as [-1, 1]), or `input_ids` with special tokens, at most {} of them in a row, and an \
             optional `attention_mask`; INT32 is taken for INT64",
            model.window_tokens
        );
        Self {
            name: model.name.to_owned(),
            versions: vec![model.version.to_owned()],
            platform: PLATFORM,
            inputs: input_tensors(),
            outputs: output_tensors(model),
            properties: IndexMap::from([
                ("inputs", inputs),
                ("labels", model.labels.names.join(",")),
                ("thresholds", thresholds.collect::<Vec<_>>().join(",")),
            ]),
        }
    }
}

fn input_tensors() -> Vec<TensorMetadata> {
    let tensors = Input::ALL.iter().map(|input| TensorMetadata {
        name: input.name(),
        datatype: input.datatype(),
        shape: input.shape().to_vec(),
    });
    tensors.collect()
}

fn output_tensors(model: &ModelView<'_>) -> Vec<TensorMetadata> {
    let tensors = Output::ALL.iter().map(|output| TensorMetadata {
        name: output.name(),
        datatype: output.datatype(),
        shape: output.shape(model.labels.names.len()),
    });
    tensors.collect()
}

/// Answer of `GET /v2/models/{model}[/versions/{version}]/config`: what of Triton's model configuration is true here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceModelConfiguration)]
pub struct ModelConfiguration {
    /// Name of the model.
    #[schema(example = "toxic-minilm")]
    pub name: String,
    /// How Triton would name what runs it.
    #[schema(example = "onnxruntime_onnx")]
    pub platform: &'static str,
    /// What runs it.
    #[schema(example = "onnxruntime")]
    pub backend: &'static str,
    /// 0: the number of texts is a dimension of the shapes below.
    #[schema(example = 0)]
    pub max_batch_size: i32,
    /// The tensors that it takes. Each may be absent, because `text` and `input_ids` stand in place of one another.
    pub input: Vec<InputConfiguration>,
    /// The tensors that it gives.
    pub output: Vec<OutputConfiguration>,
}

/// A tensor that the model takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceInputConfiguration)]
pub struct InputConfiguration {
    /// Its name.
    #[schema(example = "text")]
    pub name: &'static str,
    /// Datatype of its elements.
    #[schema(example = "TYPE_STRING")]
    pub data_type: &'static str,
    /// Its dimensions; -1 is any size.
    #[schema(example = json!([-1]))]
    pub dims: Vec<i64>,
    /// Whether it may be absent.
    pub optional: bool,
}

/// A tensor that the model gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceOutputConfiguration)]
pub struct OutputConfiguration {
    /// Its name.
    #[schema(example = "scores")]
    pub name: &'static str,
    /// Datatype of its elements.
    #[schema(example = "TYPE_FP32")]
    pub data_type: &'static str,
    /// Its dimensions; -1 is any size.
    #[schema(example = json!([-1, 6]))]
    pub dims: Vec<i64>,
}

impl ModelConfiguration {
    /// The configuration of `model`.
    #[must_use]
    pub fn of(model: &ModelView<'_>) -> Self {
        let input = input_tensors().into_iter().map(|tensor| InputConfiguration {
            name: tensor.name,
            data_type: tensor.datatype.configuration_name(),
            dims: tensor.shape,
            optional: true,
        });
        let output = output_tensors(model)
            .into_iter()
            .map(|tensor| OutputConfiguration {
                name: tensor.name,
                data_type: tensor.datatype.configuration_name(),
                dims: tensor.shape,
            });
        Self {
            name: model.name.to_owned(),
            platform: "onnxruntime_onnx",
            backend: "onnxruntime",
            max_batch_size: 0,
            input: input.collect(),
            output: output.collect(),
        }
    }
}
