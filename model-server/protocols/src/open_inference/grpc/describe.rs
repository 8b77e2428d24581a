//! Metadata, configuration, statistics and index as messages: the same as over HTTP.

use super::message::model_metadata_response::TensorMetadata as TensorMetadataMessage;
use super::message::repository_index_response::ModelIndex;
use super::message::{
    DataType, InferStatistics, ModelConfig, ModelInput, ModelMetadataResponse, ModelOutput,
    ModelStatistics as ModelStatisticsMessage, ModelStatisticsResponse, ServerMetadataResponse,
    StatisticDuration,
};
use crate::open_inference::ModelView;
use crate::open_inference::metadata::{
    InputConfiguration, ModelConfiguration, ModelMetadata, OutputConfiguration, ServerMetadata,
    TensorMetadata,
};
use crate::open_inference::repository::IndexEntry;
use crate::open_inference::statistics::{CountedDuration, InferenceDurations, ModelStatistics, Statistics};

pub(super) fn metadata(model: &ModelView<'_>) -> ModelMetadataResponse {
    let metadata = ModelMetadata::of(model);
    ModelMetadataResponse {
        name: metadata.name,
        versions: metadata.versions,
        platform: metadata.platform.to_owned(),
        inputs: metadata.inputs.into_iter().map(Into::into).collect(),
        outputs: metadata.outputs.into_iter().map(Into::into).collect(),
    }
}

pub(super) fn configuration(model: &ModelView<'_>) -> ModelConfig {
    let configuration = ModelConfiguration::of(model);
    ModelConfig {
        name: configuration.name,
        platform: configuration.platform.to_owned(),
        max_batch_size: configuration.max_batch_size,
        input: configuration.input.into_iter().map(Into::into).collect(),
        output: configuration.output.into_iter().map(Into::into).collect(),
        backend: configuration.backend.to_owned(),
    }
}

impl From<ServerMetadata> for ServerMetadataResponse {
    fn from(metadata: ServerMetadata) -> Self {
        Self {
            name: metadata.name.to_owned(),
            version: metadata.version,
            extensions: metadata.extensions.map(str::to_owned).to_vec(),
        }
    }
}

impl From<TensorMetadata> for TensorMetadataMessage {
    fn from(tensor: TensorMetadata) -> Self {
        Self {
            name: tensor.name.to_owned(),
            datatype: tensor.datatype.name().to_owned(),
            shape: tensor.shape,
        }
    }
}

impl From<InputConfiguration> for ModelInput {
    fn from(input: InputConfiguration) -> Self {
        Self {
            name: input.name.to_owned(),
            data_type: data_type(input.data_type),
            dims: input.dims,
            optional: input.optional,
        }
    }
}

impl From<OutputConfiguration> for ModelOutput {
    fn from(output: OutputConfiguration) -> Self {
        Self {
            name: output.name.to_owned(),
            data_type: data_type(output.data_type),
            dims: output.dims,
        }
    }
}

fn data_type(name: &str) -> i32 {
    DataType::from_str_name(name).unwrap_or_default().into()
}

impl From<Statistics> for ModelStatisticsResponse {
    fn from(statistics: Statistics) -> Self {
        Self {
            model_stats: statistics.model_stats.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ModelStatistics> for ModelStatisticsMessage {
    fn from(statistics: ModelStatistics) -> Self {
        Self {
            name: statistics.name,
            version: statistics.version,
            last_inference: statistics.counts.last_inference,
            inference_count: statistics.counts.inference_count,
            execution_count: statistics.counts.execution_count,
            inference_stats: Some(statistics.counts.inference_stats.into()),
        }
    }
}

impl From<InferenceDurations> for InferStatistics {
    fn from(durations: InferenceDurations) -> Self {
        Self {
            success: Some(durations.success.into()),
            fail: Some(durations.fail.into()),
            queue: Some(durations.queue.into()),
            compute_input: Some(durations.compute_input.into()),
            compute_infer: Some(durations.compute_infer.into()),
            compute_output: Some(durations.compute_output.into()),
            cache_hit: Some(durations.cache_hit.into()),
            cache_miss: Some(durations.cache_miss.into()),
        }
    }
}

impl From<CountedDuration> for StatisticDuration {
    fn from(duration: CountedDuration) -> Self {
        Self {
            count: duration.count,
            ns: duration.ns,
        }
    }
}

impl From<IndexEntry> for ModelIndex {
    fn from(entry: IndexEntry) -> Self {
        Self {
            name: entry.name,
            version: entry.version,
            state: entry.state.to_owned(),
            reason: entry.reason.to_owned(),
        }
    }
}
