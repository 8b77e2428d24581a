//! The Open Inference Protocol, as its clients see it.

mod describe;
mod fixture;
#[cfg(feature = "grpc")]
mod grpc;
mod hostile;
mod kserve_v1;
mod rest;
mod tokens;
