//! Tensors as bytes, the same over HTTP and gRPC: little endian, row by row, booleans as one byte, strings behind their
//! length in four bytes.

use bytes::Buf;

use super::TensorProblem;
use super::output::Values;

/// Reads `count` strings.
pub(super) fn texts(count: usize, mut bytes: &[u8]) -> Result<Vec<String>, TensorProblem> {
    // An element takes four bytes at least.
    let mut texts = Vec::with_capacity(count.min(bytes.len() / 4));
    for index in 0..count {
        let broken = TensorProblem::BrokenElement { index };
        let Ok(length) = bytes.try_get_u32_le() else {
            return Err(broken);
        };
        let Some((element, rest)) = usize::try_from(length)
            .ok()
            .and_then(|length| bytes.split_at_checked(length))
        else {
            return Err(broken);
        };
        texts.push(text(index, element)?);
        bytes = rest;
    }
    if bytes.is_empty() {
        Ok(texts)
    } else {
        Err(TensorProblem::BytesLeft {
            count: bytes.len(),
            elements: count,
        })
    }
}

/// The text of the element at `index`.
pub(super) fn text(index: usize, bytes: &[u8]) -> Result<String, TensorProblem> {
    let text = std::str::from_utf8(bytes).map_err(|_| TensorProblem::NotUtf8 { index })?;
    Ok(text.to_owned())
}

/// Reads `count` whole numbers of `WIDTH` bytes.
pub(super) fn integers<const WIDTH: usize>(
    count: usize,
    bytes: &[u8],
    read: impl Fn([u8; WIDTH]) -> i64,
) -> Result<Vec<i64>, TensorProblem> {
    let expected = count.saturating_mul(WIDTH);
    let (elements, _) = bytes.as_chunks::<WIDTH>();
    if bytes.len() != expected {
        return Err(TensorProblem::ByteCount {
            expected,
            count: bytes.len(),
        });
    }
    Ok(elements.iter().map(|&element| read(element)).collect())
}

/// Writes the elements of a tensor.
pub(super) fn of(values: &Values) -> Vec<u8> {
    match values {
        Values::Numbers(numbers) => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
        Values::Booleans(booleans) => booleans.iter().map(|&boolean| u8::from(boolean)).collect(),
        Values::Strings(strings) => {
            let mut bytes = Vec::with_capacity(strings.iter().map(|string| 4 + string.len()).sum());
            for string in strings {
                let length = u32::try_from(string.len()).expect("a label is shorter than 4 GiB");
                bytes.extend_from_slice(&length.to_le_bytes());
                bytes.extend_from_slice(string.as_bytes());
            }
            bytes
        }
    }
}
