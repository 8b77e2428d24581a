//! Generates the messages and the service of the gRPC protocol, without a `protoc` on the machine.

#[cfg(feature = "grpc")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    tonic_prost_build::configure()
        .build_client(false)
        .build_transport(false)
        // Tensors are read where they lie in the message.
        .bytes(".inference")
        .compile_fds(protox::compile(["open_inference.proto"], ["proto"])?)?;
    Ok(())
}

#[cfg(not(feature = "grpc"))]
fn main() {}
