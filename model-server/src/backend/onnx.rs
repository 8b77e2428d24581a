//! ONNX Runtime sessions.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionOutputs};
use ort::value::{TensorElementType, TensorRef};

use super::provider::Provider;
use super::weights::SharedWeights;
use super::{Backend, BackendError, Logits};

/// Optimizer that ONNX Runtime runs at load by default and whose fused CPU kernel is slower than the parts it
/// replaces (measured: 20 to 30 % of a whole pass).
const SLOW_ON_CPU: &str = "SkipLayerNormFusion";

/// Optional output of one logit per token: how toxic it is.
const SPAN_LOGITS: &str = "span_logits";

/// File name of the ONNX Runtime library, looked for beside the executable.
const LIBRARY: &str = if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// Why ONNX Runtime or a model file cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadOnnxError {
    /// No library in any of the usual places.
    #[error(
        "failed to find the ONNX Runtime library; looked for {}. Name it with --onnxruntime or TOXICITY_ONNXRUNTIME, \
         for example libonnxruntime.so.1.31.1 from the PyPI wheel \"onnxruntime\"",
        .0.iter().map(|path| format!("\"{}\"", path.display())).collect::<Vec<_>>().join(", ")
    )]
    FindLibrary(Vec<PathBuf>),
    /// The library is there but does not load.
    #[error("failed to load the ONNX Runtime library \"{path}\": {message}")]
    LoadLibrary {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        message: String,
    },
    /// The library was built without the provider.
    #[error(
        "the ONNX Runtime library has no provider \"{0}\": name one built with it with --onnxruntime, or use --provider cpu"
    )]
    MissingProvider(&'static str),
    /// The model file does not load.
    #[error("failed to load the model file \"{path}\": {message}")]
    LoadModel {
        /// The file.
        path: PathBuf,
        /// What ONNX Runtime said.
        message: String,
    },
    /// The model wants an input this server cannot make.
    #[error(
        "the model wants the input \"{name}\" of type {element_type}; known are input_ids, attention_mask and \
         token_type_ids of type int64 or int32"
    )]
    UnknownInput {
        /// The input.
        name: String,
        /// Its type.
        element_type: String,
    },
    /// No output looks like one logit per label.
    #[error("the model has no float output \"logits\" of {labels} labels; its outputs are {outputs}")]
    FindLogits {
        /// Labels of the configuration.
        labels: usize,
        /// Outputs of the file.
        outputs: String,
    },
    /// The output that marks words has another shape or type.
    #[error(
        "the output \"span_logits\" of the model is {found}; it must be a float tensor of one number per token, of the \
         shape [batch, sequence]"
    )]
    FitSpanLogits {
        /// What it is.
        found: String,
    },
}

/// ONNX Runtime allows one environment per process, so all models of a process share it.
static ENVIRONMENT: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// The loaded ONNX Runtime library.
#[derive(Clone)]
pub struct OnnxRuntime {
    environment: Environment,
}

impl OnnxRuntime {
    /// Loads the library at `path`, or else from beside the executable. A process loads one library; later calls give
    /// the same.
    ///
    /// # Errors
    /// When there is no library, when it is not one, or when another one is loaded already.
    pub fn load(path: Option<&Path>) -> Result<Self, LoadOnnxError> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => library_beside_executable()?,
        };
        let failed = |message: String| LoadOnnxError::LoadLibrary {
            path: path.clone(),
            message,
        };
        if !path.is_file() {
            return Err(failed("no such file".to_owned()));
        }
        let mut loaded = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, environment)) = loaded.as_ref() {
            return if *known == path {
                Ok(Self {
                    environment: environment.clone(),
                })
            } else {
                Err(failed(format!("\"{}\" is loaded already", known.display())))
            };
        }
        let builder = ort::init_from(&path).map_err(|error| failed(error.to_string()))?;
        let environment = builder
            .with_name("toxicity")
            .with_telemetry(false)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        *loaded = Some((path, environment.clone()));
        Ok(Self { environment })
    }

    /// Version and build options of the library.
    #[must_use]
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }
}

fn library_beside_executable() -> Result<PathBuf, LoadOnnxError> {
    let executable = std::env::current_exe().ok();
    let candidates: Vec<PathBuf> = executable
        .as_deref()
        .and_then(Path::parent)
        .map(|folder| vec![folder.join(LIBRARY), folder.join("../lib").join(LIBRARY)])
        .unwrap_or_default();
    let found = candidates.iter().find(|path| path.is_file());
    found.cloned().ok_or(LoadOnnxError::FindLibrary(candidates))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InputRole {
    Ids,
    Mask,
    TypeIds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IntegerType {
    Int32,
    Int64,
}

/// How sessions run.
#[derive(Debug, Clone, Copy)]
pub struct SessionOptions {
    /// What they run on.
    pub provider: Provider,
    /// Threads of one session.
    pub intra_threads: usize,
    /// Whether ONNX Runtime may fuse `SkipLayerNormalization` at load, which on processors is slower than its parts.
    pub fuse_skip_layer_norm: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            provider: Provider::Cpu,
            intra_threads: 1,
            fuse_skip_layer_norm: false,
        }
    }
}

/// A model file, from which sessions are made that share its weights.
pub struct OnnxModel {
    environment: Environment,
    path: PathBuf,
    labels: usize,
    padding_id: u32,
    options: SessionOptions,
    /// Accelerators hold weights of their own.
    weights: Option<SharedWeights>,
}

impl OnnxModel {
    /// Reads the file of a classifier of `labels` labels whose shorter sequences are filled up with `padding_id`.
    ///
    /// # Errors
    /// When the library has not the provider.
    pub fn read(
        runtime: &OnnxRuntime,
        path: &Path,
        labels: usize,
        padding_id: u32,
        options: SessionOptions,
    ) -> Result<Self, LoadOnnxError> {
        if !options.provider.is_available() {
            return Err(LoadOnnxError::MissingProvider(options.provider.name()));
        }
        Ok(Self {
            environment: runtime.environment.clone(),
            path: path.to_owned(),
            labels,
            padding_id,
            options,
            weights: (options.provider == Provider::Cpu).then(|| SharedWeights::read(path)),
        })
    }

    /// How its sessions run.
    #[must_use]
    pub fn options(&self) -> SessionOptions {
        self.options
    }

    /// Makes a session and checks that its inputs and outputs fit the labels.
    ///
    /// # Errors
    /// When the file does not load or does not fit.
    pub fn session(&self) -> Result<OnnxBackend, LoadOnnxError> {
        self.session_of_threads(self.options.intra_threads)
    }

    /// Makes a session of so many threads, whatever the options say.
    ///
    /// # Errors
    /// When the file does not load or does not fit.
    pub fn session_of_threads(&self, threads: usize) -> Result<OnnxBackend, LoadOnnxError> {
        let failed = |message: String| LoadOnnxError::LoadModel {
            path: self.path.clone(),
            message,
        };
        let session = self.build_session(threads).map_err(failed)?;
        let inputs = session
            .inputs()
            .iter()
            .map(|input| {
                let element_type = input.dtype().tensor_type();
                match_input(input.name(), element_type).ok_or_else(|| LoadOnnxError::UnknownInput {
                    name: input.name().to_owned(),
                    element_type: element_type
                        .map_or_else(|| "unknown".to_owned(), |known| known.to_string()),
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let output = find_logits(&session, self.labels)?;
        let marks_tokens = has_span_logits(&session)?;
        Ok(OnnxBackend {
            session,
            inputs,
            output,
            marks_tokens,
            labels: self.labels,
            padding_id: self.padding_id,
        })
    }

    fn build_session(&self, threads: usize) -> Result<Session, String> {
        #[allow(clippy::needless_pass_by_value, reason = "`map_err` gives the error away")]
        fn message<T>(error: ort::Error<T>) -> String {
            error.to_string()
        }
        let builder = Session::builder(&self.environment).map_err(message)?;
        let builder = builder.with_intra_threads(threads).map_err(message)?;
        // Threads that wait for the next pass would take turns with those of other sessions.
        let builder = builder
            .with_config_entry("session.force_spinning_stop", "1")
            .map_err(message)?;
        let builder = builder.with_inter_threads(1).map_err(message)?;
        let builder = builder
            .with_optimization_level(GraphOptimizationLevel::All)
            .map_err(message)?;
        let builder = if self.options.provider == Provider::Cpu && !self.options.fuse_skip_layer_norm {
            builder.with_disabled_optimizers(SLOW_ON_CPU).map_err(message)?
        } else {
            builder
        };
        let builder = match self.options.provider.dispatch() {
            Some(provider) => builder.with_execution_providers([provider]).map_err(message)?,
            None => builder,
        };
        // Every length would leave a plan of its own behind; lengths differ with every text.
        let builder = builder.with_memory_pattern(false).map_err(message)?;
        let mut builder = match &self.weights {
            Some(weights) => weights.apply(builder)?,
            None => builder,
        };
        builder.commit_from_file(&self.path).map_err(message)
    }
}

/// One session. On processors several single-threaded ones on threads of their own beat one with several threads, and
/// they never wait for each other.
pub struct OnnxBackend {
    session: Session,
    inputs: Vec<(String, InputRole, IntegerType)>,
    output: String,
    /// Whether there are logits per token too.
    marks_tokens: bool,
    labels: usize,
    /// Id that fills shorter sequences up.
    padding_id: u32,
}

fn match_input(
    name: &str,
    element_type: Option<TensorElementType>,
) -> Option<(String, InputRole, IntegerType)> {
    let role = match name {
        "input_ids" => InputRole::Ids,
        "attention_mask" => InputRole::Mask,
        "token_type_ids" => InputRole::TypeIds,
        _ => return None,
    };
    let integer = match element_type? {
        TensorElementType::Int32 => IntegerType::Int32,
        TensorElementType::Int64 => IntegerType::Int64,
        _ => return None,
    };
    Some((name.to_owned(), role, integer))
}

/// The output called `logits`, or else the only float output whose last dimension can be the labels.
fn find_logits(session: &Session, labels: usize) -> Result<String, LoadOnnxError> {
    let fits = |output: &&ort::value::Outlet| {
        let is_float = output.dtype().tensor_type() == Some(TensorElementType::Float32);
        let last = output
            .dtype()
            .tensor_shape()
            .and_then(|shape| shape.last().copied());
        let could_be_labels = last.is_some_and(|size| size < 0 || usize::try_from(size) == Ok(labels));
        is_float && could_be_labels && output.name() != SPAN_LOGITS
    };
    let named = session
        .outputs()
        .iter()
        .filter(|output| output.name() == "logits")
        .find(fits);
    named
        .or_else(|| session.outputs().iter().find(fits))
        .map(|output| output.name().to_owned())
        .ok_or_else(|| LoadOnnxError::FindLogits {
            labels,
            outputs: session
                .outputs()
                .iter()
                .map(|output| format!("\"{}\" ({})", output.name(), output.dtype()))
                .collect::<Vec<_>>()
                .join(", "),
        })
}

/// Whether the model says of each token too how toxic it is.
fn has_span_logits(session: &Session) -> Result<bool, LoadOnnxError> {
    let Some(output) = session
        .outputs()
        .iter()
        .find(|output| output.name() == SPAN_LOGITS)
    else {
        return Ok(false);
    };
    let is_float = output.dtype().tensor_type() == Some(TensorElementType::Float32);
    let rank = output.dtype().tensor_shape().map(|shape| shape.len());
    if is_float && rank == Some(2) {
        Ok(true)
    } else {
        Err(LoadOnnxError::FitSpanLogits {
            found: output.dtype().to_string(),
        })
    }
}

impl Backend for OnnxBackend {
    fn logits(&mut self, batch: &[&[u32]]) -> Result<Vec<Logits>, BackendError> {
        let run = |error: ort::Error| BackendError::Run(error.to_string());
        let longest = batch.iter().map(|ids| ids.len()).max().unwrap_or_default();
        let shape = [batch.len(), longest];
        // The tensors borrow their numbers, so these must outlive the run.
        let mut wide: Vec<Vec<i64>> = Vec::with_capacity(self.inputs.len());
        let mut narrow: Vec<Vec<i32>> = Vec::with_capacity(self.inputs.len());
        for (_, role, integer) in &self.inputs {
            let values = padded(batch, longest, self.padding_id, *role);
            match integer {
                IntegerType::Int64 => wide.push(values.map(i64::from).collect()),
                IntegerType::Int32 => narrow.push(values.map(u32::cast_signed).collect()),
            }
        }
        let (mut wide_values, mut narrow_values) = (wide.iter(), narrow.iter());
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for (name, _, integer) in &self.inputs {
            let missing = "one buffer was filled per input";
            let value: ort::session::SessionInputValue = match integer {
                IntegerType::Int64 => {
                    let numbers = wide_values.next().expect(missing);
                    TensorRef::from_array_view((shape, numbers.as_slice()))
                        .map_err(run)?
                        .into()
                }
                IntegerType::Int32 => {
                    let numbers = narrow_values.next().expect(missing);
                    TensorRef::from_array_view((shape, numbers.as_slice()))
                        .map_err(run)?
                        .into()
                }
            };
            inputs.push((name.as_str(), value));
        }
        let outputs = self.session.run(inputs).map_err(run)?;
        let output = outputs
            .get(self.output.as_str())
            .ok_or_else(|| BackendError::ReadOutput(format!("\"{}\" is missing", self.output)))?;
        let (_, logits) = output
            .try_extract_tensor::<f32>()
            .map_err(|error| BackendError::ReadOutput(error.to_string()))?;
        if logits.len() != self.labels * batch.len() {
            let message = format!(
                "{} logits for {} labels of {} sequences",
                logits.len(),
                self.labels,
                batch.len()
            );
            return Err(BackendError::ReadOutput(message));
        }
        if !logits.iter().all(|logit| logit.is_finite()) {
            return Err(BackendError::ReadOutput("a logit is not finite".to_owned()));
        }
        let mut all: Vec<Logits> = logits
            .chunks(self.labels)
            .map(|labels| Logits::from(labels.to_vec()))
            .collect();
        if self.marks_tokens {
            for (logits, tokens) in all.iter_mut().zip(span_logits(&outputs, batch, longest)?) {
                logits.tokens = Some(tokens);
            }
        }
        Ok(all)
    }

    fn marks_tokens(&self) -> bool {
        self.marks_tokens
    }
}

/// The logits per token of each sequence, without those of its padding.
fn span_logits(
    outputs: &SessionOutputs,
    batch: &[&[u32]],
    longest: usize,
) -> Result<Vec<Vec<f32>>, BackendError> {
    let output = outputs
        .get(SPAN_LOGITS)
        .ok_or_else(|| BackendError::ReadOutput(format!("\"{SPAN_LOGITS}\" is missing")))?;
    let (shape, logits) = output
        .try_extract_tensor::<f32>()
        .map_err(|error| BackendError::ReadOutput(error.to_string()))?;
    let [rows, columns] = [batch.len(), longest].map(|size| i64::try_from(size).unwrap_or(i64::MAX));
    if **shape != [rows, columns] {
        let message =
            format!("\"{SPAN_LOGITS}\" has the shape {shape}, for {rows} sequences of {columns} tokens");
        return Err(BackendError::ReadOutput(message));
    }
    let rows = logits.chunks(longest.max(1)).zip(batch);
    rows.map(|(row, ids)| {
        let own = &row[..ids.len()];
        // Infinity is what a model may say of tokens that it masks.
        if own.iter().any(|logit| logit.is_nan()) {
            return Err(BackendError::ReadOutput(
                "a logit of a token is not a number".to_owned(),
            ));
        }
        Ok(own.to_vec())
    })
    .collect()
}

/// The numbers of one input for all sequences, each as long as the longest.
fn padded(batch: &[&[u32]], longest: usize, padding_id: u32, role: InputRole) -> impl Iterator<Item = u32> {
    batch.iter().flat_map(move |ids| {
        let (present, absent) = match role {
            InputRole::Ids => (None, padding_id),
            InputRole::Mask => (Some(1), 0),
            InputRole::TypeIds => (Some(0), 0),
        };
        let values = ids.iter().map(move |&id| present.unwrap_or(id));
        values.chain(std::iter::repeat_n(absent, longest - ids.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shorter_sequences_are_padded_and_masked() {
        let batch: [&[u32]; 2] = [&[5, 6, 7], &[8]];
        let of = |role| padded(&batch, 3, 1, role).collect::<Vec<_>>();
        assert_eq!(of(InputRole::Ids), [5, 6, 7, 8, 1, 1]);
        assert_eq!(of(InputRole::Mask), [1, 1, 1, 1, 0, 0]);
        assert_eq!(of(InputRole::TypeIds), [0; 6]);
    }
}
