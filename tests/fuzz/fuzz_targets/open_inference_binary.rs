//! The decoder of binary tensors: any bytes behind a JSON that fits them. What it takes must be what the same values in
//! JSON are.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use toxicity_fuzz::{LIMITS, Model, assert_refusal};
use toxicity_protocols::open_inference::InferRequest;

#[derive(Debug, Arbitrary)]
struct Request<'a> {
    datatype: Datatype,
    rows: u8,
    columns: Option<u8>,
    /// Whether the second half of the bytes is an attention mask.
    masked: bool,
    /// Bytes that the size of the last tensor leaves out, or counts too many.
    slack: i8,
    bytes: &'a [u8],
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Datatype {
    Bytes,
    Int32,
    Int64,
}

/// A tensor of a request.
struct Tensor<'a> {
    name: &'static str,
    datatype: Datatype,
    shape: Vec<u8>,
    bytes: &'a [u8],
}

impl<'a> Request<'a> {
    fn tensors(&self) -> Vec<Tensor<'a>> {
        let shape = [Some(self.rows), self.columns];
        let tensor = |name, bytes| Tensor {
            name,
            datatype: self.datatype,
            shape: shape.into_iter().flatten().collect(),
            bytes,
        };
        match (self.datatype, self.masked) {
            (Datatype::Bytes, _) => vec![tensor("text", self.bytes)],
            (_, false) => vec![tensor("input_ids", self.bytes)],
            (_, true) => {
                let (ids, mask) = self.bytes.split_at(self.bytes.len() / 2);
                vec![tensor("input_ids", ids), tensor("attention_mask", mask)]
            }
        }
    }
}

impl Tensor<'_> {
    /// The tensor as JSON holds it, with what `key` says of its data.
    fn json(&self, key: &str, data: Value) -> Value {
        let datatype = match self.datatype {
            Datatype::Bytes => "BYTES",
            Datatype::Int32 => "INT32",
            Datatype::Int64 => "INT64",
        };
        let mut tensor = json!({"name": self.name, "datatype": datatype, "shape": self.shape});
        tensor[key] = data;
        tensor
    }

    /// The values by the specification: integers little endian, strings behind their length.
    fn values(&self) -> Value {
        match self.datatype {
            Datatype::Int32 => self.integers(|bytes| i32::from_le_bytes(bytes).into()),
            Datatype::Int64 => self.integers(|bytes| i64::from_le_bytes(bytes).into()),
            Datatype::Bytes => {
                let mut rest = self.bytes;
                let mut strings = Vec::new();
                while let Some((length, behind)) = rest.split_first_chunk() {
                    let (string, behind) = behind.split_at(u32::from_le_bytes(*length) as usize);
                    strings.push(std::str::from_utf8(string).expect("the decoder takes UTF-8 only"));
                    rest = behind;
                }
                strings.into()
            }
        }
    }

    fn integers<const SIZE: usize>(&self, read: impl Fn([u8; SIZE]) -> Value) -> Value {
        let (chunks, rest) = self.bytes.as_chunks();
        assert!(rest.is_empty(), "the decoder takes whole integers only");
        chunks.iter().map(|&bytes| read(bytes)).collect()
    }
}

fuzz_target!(|request: Request| {
    let view = Model::jigsaw().view();
    let tensors = request.tensors();
    let mut sizes: Vec<usize> = tensors.iter().map(|tensor| tensor.bytes.len()).collect();
    if let Some(last) = sizes.last_mut() {
        *last = last.saturating_add_signed(request.slack.into());
    }
    let is_right = sizes.iter().sum::<usize>() == request.bytes.len();
    let binary = tensors
        .iter()
        .zip(sizes)
        .map(|(tensor, size)| tensor.json("parameters", json!({"binary_data_size": size})));
    let mut body = json!({"inputs": binary.collect::<Vec<_>>()})
        .to_string()
        .into_bytes();
    let header_length = body.len().to_string();
    body.extend_from_slice(request.bytes);
    let read = match InferRequest::from_http(Some(header_length.as_bytes()), &body, &view, &LIMITS) {
        Ok(read) => read,
        Err(error) => return assert_refusal(error.status(), &error.body()),
    };
    assert!(is_right, "sizes that do not add up to the body were taken");
    let json: Vec<_> = tensors
        .iter()
        .map(|tensor| tensor.json("data", tensor.values()))
        .collect();
    let body = json!({"inputs": json}).to_string();
    let same = InferRequest::from_http(None, body.as_bytes(), &view, &LIMITS);
    assert_eq!(read, same.expect("the same values in JSON are taken too"));
});
