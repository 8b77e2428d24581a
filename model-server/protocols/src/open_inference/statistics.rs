//! What the server has done since it started, as Triton counts it: `GET /v2/models[/{model}[/versions/{version}]]/stats`.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::ModelView;

/// Answer of the statistics routes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceStatistics)]
pub struct Statistics {
    /// Statistics of the loaded model; none while it loads.
    pub model_stats: Vec<ModelStatistics>,
}

/// Statistics of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceModelStatistics)]
pub struct ModelStatistics {
    /// Name of the model.
    #[schema(example = "toxic-minilm")]
    pub name: String,
    /// Its revision.
    pub version: String,
    /// The counts.
    #[serde(flatten)]
    pub counts: Counts,
    /// Empty: texts are scored one by one or in batches whose sizes are not counted.
    pub batch_stats: [u64; 0],
}

/// What is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceCounts)]
pub struct Counts {
    /// When the last request came, in milliseconds since 1970; 0 before the first.
    pub last_inference: u64,
    /// Texts scored, without those that the cache answered.
    pub inference_count: u64,
    /// Forward passes.
    pub execution_count: u64,
    /// Where the time went.
    pub inference_stats: InferenceDurations,
}

/// How often each stage ran, and how long in sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceDurations)]
pub struct InferenceDurations {
    /// Requests that were answered.
    pub success: CountedDuration,
    /// Requests that failed.
    pub fail: CountedDuration,
    /// Waiting for a session.
    pub queue: CountedDuration,
    /// Tokenizing.
    pub compute_input: CountedDuration,
    /// Forward passes.
    pub compute_infer: CountedDuration,
    /// Making scores of logits.
    pub compute_output: CountedDuration,
    /// Texts that the cache answered.
    pub cache_hit: CountedDuration,
    /// Texts that it did not answer.
    pub cache_miss: CountedDuration,
}

/// How often something happened, and how long it took in sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenInferenceCountedDuration)]
pub struct CountedDuration {
    /// How often.
    pub count: u64,
    /// Nanoseconds in sum.
    pub ns: u64,
}

impl CountedDuration {
    /// So many times, so long in sum.
    #[must_use]
    pub fn new(count: u64, sum: Duration) -> Self {
        Self {
            count,
            ns: u64::try_from(sum.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

impl Statistics {
    /// The statistics of the loaded model, where one is.
    #[must_use]
    pub fn of(model: Option<&ModelView<'_>>, counts: Counts) -> Self {
        let statistics = model.map(|model| ModelStatistics {
            name: model.name.to_owned(),
            version: model.version.to_owned(),
            counts,
            batch_stats: [],
        });
        Self {
            model_stats: statistics.into_iter().collect(),
        }
    }
}
