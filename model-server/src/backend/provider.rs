//! What a session runs on.

use clap::ValueEnum;
use ort::ep::{CUDA, ExecutionProvider, ExecutionProviderDispatch, OpenVINO};

/// An execution provider of ONNX Runtime. The library must have been built with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA accelerator; its library comes with the PyPI wheel `onnxruntime-gpu`.
    Cuda,
    /// Intel's `OpenVINO`; its library comes with the PyPI wheel `onnxruntime-openvino`.
    #[value(name = "openvino")]
    OpenVino,
}

impl Provider {
    /// Name as the command line writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::OpenVino => "openvino",
        }
    }

    /// Whether the loaded library was built with it.
    pub(super) fn is_available(self) -> bool {
        let available = match self {
            Self::Cpu => Ok(true),
            Self::Cuda => CUDA::is_available(),
            Self::OpenVino => OpenVINO::is_available(),
        };
        available.unwrap_or(false)
    }

    /// What a session is told, if anything.
    pub(super) fn dispatch(self) -> Option<ExecutionProviderDispatch> {
        let dispatch = match self {
            Self::Cpu => return None,
            Self::Cuda => CUDA::default().build(),
            Self::OpenVino => OpenVINO::default().build(),
        };
        Some(dispatch.error_on_failure())
    }
}
