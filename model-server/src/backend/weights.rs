//! The weights of a model file, held once for all its sessions.
//!
//! Sessions that each load the file hold a copy of the weights each, and on cores that share a cache they push each
//! other's copies out of it. Handing ONNX Runtime the same tensors and one container for their packed forms keeps one
//! copy: a fifth more texts per second on two cores, and less memory.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ort::session::builder::{PrepackedWeights, SessionBuilder};
use ort::value::{DynValue, PrimitiveTensorElementType, Tensor};
use prost::Message;

/// Tensors below this size are cheaper to copy than to look after.
const SMALLEST_SHARED_BYTES: usize = 4 * 1024;

/// The parts of ONNX's `ModelProto` that hold weights (onnx.proto3, `TensorProto.DataType` and `DataLocation`).
#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(message, optional, tag = "7")]
    graph: Option<GraphProto>,
}

#[derive(Clone, PartialEq, Message)]
struct GraphProto {
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<TensorProto>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorProto {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "bytes", tag = "9")]
    raw_data: Bytes,
}

const FLOAT: i32 = 1;
const UINT8: i32 = 2;
const INT8: i32 = 3;

/// Weights that several sessions of one model share.
pub(super) struct SharedWeights {
    tensors: Vec<(String, Arc<DynValue>)>,
    packed: PrepackedWeights,
}

impl SharedWeights {
    /// Reads the weights that lie inside the file at `path`. What this does not understand each session loads for
    /// itself: a file that is no model at all fails there, with ONNX Runtime's own words.
    pub(super) fn read(path: &Path) -> Self {
        let content = std::fs::read(path).map(Bytes::from).unwrap_or_default();
        let graph = ModelProto::decode(content)
            .ok()
            .and_then(|model| model.graph)
            .unwrap_or_default();
        let tensors = graph
            .initializer
            .into_iter()
            .filter(|tensor| tensor.raw_data.len() >= SMALLEST_SHARED_BYTES)
            .filter_map(|tensor| Some((tensor.name.clone(), Arc::new(value(&tensor)?))))
            .collect();
        Self {
            tensors,
            packed: PrepackedWeights::new(),
        }
    }

    /// Has the session that `builder` makes use these weights.
    pub(super) fn apply(&self, builder: SessionBuilder) -> Result<SessionBuilder, String> {
        let mut builder = builder
            .with_prepacked_weights(&self.packed)
            .map_err(|error| error.to_string())?;
        for (name, tensor) in &self.tensors {
            builder = builder
                .with_initializer(name, Arc::clone(tensor))
                .map_err(|error| error.to_string())?;
        }
        Ok(builder)
    }
}

fn value(tensor: &TensorProto) -> Option<DynValue> {
    let bytes = &tensor.raw_data;
    match tensor.data_type {
        FLOAT => {
            let (numbers, _) = bytes.as_chunks::<4>();
            shaped(
                tensor,
                numbers.iter().map(|&number| f32::from_le_bytes(number)).collect(),
            )
        }
        UINT8 => shaped(tensor, bytes.to_vec()),
        INT8 => shaped(tensor, bytes.iter().map(|&byte| byte.cast_signed()).collect()),
        _ => None,
    }
}

fn shaped<T>(tensor: &TensorProto, numbers: Vec<T>) -> Option<DynValue>
where
    T: PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
{
    let count = tensor.dims.iter().try_fold(1_usize, |count, &dimension| {
        count.checked_mul(usize::try_from(dimension).ok()?)
    })?;
    if count != numbers.len() {
        return None;
    }
    Some(
        Tensor::from_array((tensor.dims.clone(), numbers))
            .ok()?
            .into_dyn(),
    )
}
