//! Rows of tokens in place of texts.

use proptest::prelude::*;
use serde_json::{Value, json};
use toxicity_protocols::open_inference::{Error, Inputs};

use crate::fixture::{VOCABULARY, WINDOW, read, read_binary, tokens};

fn tensor(name: &str, datatype: &str, shape: &[usize], data: &[i64]) -> Value {
    json!({"name": name, "datatype": datatype, "shape": shape, "data": data})
}

fn read_tensors(tensors: &[Value]) -> Result<Inputs, Error> {
    read(&json!({ "inputs": tensors }).to_string()).map(|request| request.inputs)
}

fn ids(shape: &[usize], data: &[i64]) -> Value {
    tensor("input_ids", "INT64", shape, data)
}

fn mask(shape: &[usize], data: &[i64]) -> Value {
    tensor("attention_mask", "INT32", shape, data)
}

fn segments(shape: &[usize], data: &[i64]) -> Value {
    tensor("token_type_ids", "INT64", shape, data)
}

#[test]
fn rows_are_cut_to_what_the_mask_shows() {
    let shape = [3, 4];
    let all = ids(&shape, &[101, 7, 8, 102, 101, 7, 102, 0, 0, 101, 7, 102]);
    let shown = mask(&shape, &[1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1]);
    assert_eq!(
        read_tensors(&[all, shown]).unwrap(),
        tokens(&[&[101, 7, 8, 102], &[101, 7, 102], &[101, 7, 102]])
    );
}

#[test]
fn rows_without_a_mask_are_taken_whole_in_either_width() {
    let expected = tokens(&[&[101, 0, 102]]);
    for datatype in ["INT64", "INT32"] {
        let tensor = tensor("input_ids", datatype, &[1, 3], &[101, 0, 102]);
        assert_eq!(read_tensors(&[tensor]).unwrap(), expected, "{datatype}");
    }
    let nested = r#"{"inputs": [{"name": "input_ids", "shape": [1, 3], "datatype": "INT64", "data": [[101, 0, 102]]}]}"#;
    assert_eq!(read(nested).unwrap().inputs, expected);
}

#[test]
fn binary_rows_are_little_endian_in_either_width() {
    let row = [101, 7592, 102];
    let wide: Vec<u8> = row.iter().flat_map(|id: &i64| id.to_le_bytes()).collect();
    let narrow: Vec<u8> = row
        .iter()
        .flat_map(|&id| i32::try_from(id).unwrap().to_le_bytes())
        .collect();
    for (datatype, binary) in [("INT64", wide), ("INT32", narrow)] {
        let request = json!({"inputs": [{
            "name": "input_ids", "shape": [1, 3], "datatype": datatype,
            "parameters": {"binary_data_size": binary.len()},
        }]});
        let read = read_binary(&request.to_string(), &binary).unwrap();
        assert_eq!(read.inputs, tokens(&[&[101, 7592, 102]]), "{datatype}");
    }
}

#[test]
fn segments_of_single_texts_are_taken() {
    let shape = [1, 3];
    let tensors = [
        ids(&shape, &[101, 102, 0]),
        mask(&shape, &[1, 1, 0]),
        segments(&shape, &[0, 0, 1]),
    ];
    assert_eq!(read_tensors(&tensors).unwrap(), tokens(&[&[101, 102]]));
}

#[test]
fn tokens_that_the_model_cannot_score_are_refused_by_name() {
    let vocabulary = i64::try_from(VOCABULARY).unwrap();
    let long = vec![5; 2 * (WINDOW + 1)];
    let row = [1, 3];
    let good = ids(&row, &[1, 2, 3]);
    for (tensors, problem) in [
        (
            vec![ids(&row, &[1, -2, 3])],
            "`input_ids` holds the token -2 at row 0; tokens are 0 to 30521",
        ),
        (
            vec![ids(&[2, 1], &[1, vocabulary])],
            "`input_ids` holds the token 30522 at row 1",
        ),
        (
            vec![ids(&row, &[1, i64::MAX, 3])],
            "`input_ids` holds the token 9223372036854775807",
        ),
        (
            vec![ids(&[2, 9], &long)],
            "`input_ids` holds 9 tokens in row 0; the limit is 8",
        ),
        (
            vec![ids(&[3], &[1, 2, 3])],
            "`input_ids` has the shape [3]; it must be [texts, tokens]",
        ),
        (vec![ids(&[1, 0], &[])], "`input_ids` has the shape [1, 0]"),
        (
            vec![tensor("input_ids", "FP32", &row, &[1, 2, 3])],
            "`input_ids` has the datatype \"FP32\"; it must be INT64",
        ),
        (
            vec![good.clone(), mask(&[3, 1], &[1, 1, 1])],
            "`attention_mask` has the shape [3, 1]; it must be that of",
        ),
        (
            vec![good.clone(), mask(&row, &[1, 2, 1])],
            "`attention_mask` holds 2 at row 0",
        ),
        (
            vec![good.clone(), mask(&row, &[1, 0, 1])],
            "`attention_mask` has a 0 between two 1 in row 0",
        ),
        (
            vec![good.clone(), mask(&row, &[0, 0, 0])],
            "`attention_mask` is 0 all over row 0",
        ),
        (
            vec![good.clone(), segments(&row, &[0, 0, 1])],
            "`token_type_ids` must be 0 throughout, but is not in row 0",
        ),
        (
            vec![good.clone(), segments(&[1, 2], &[0, 0])],
            "`token_type_ids` has the shape [1, 2]",
        ),
        (
            vec![good.clone(), good.clone()],
            "`input_ids` is sent more than once",
        ),
        (
            vec![mask(&row, &[1, 1, 1])],
            "`attention_mask` is sent without `input_ids`",
        ),
        (
            vec![
                good,
                json!({"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a"]}),
            ],
            "`input_ids` is sent beside `text`",
        ),
        (
            vec![
                mask(&row, &[1; 3]),
                json!({"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a"]}),
            ],
            "`attention_mask` is sent without `input_ids`",
        ),
        (
            vec![json!({"name": "input_ids", "datatype": "INT64", "shape": [1, 1], "data": ["a"]})],
            "`input_ids` holds strings, which its datatype is not",
        ),
    ] {
        let error = read_tensors(&tensors).unwrap_err();
        assert!(error.to_string().contains(problem), "{problem}: {error}");
        assert_eq!(error.status(), 400);
    }
}

#[test]
fn rows_are_counted_against_the_limit_of_texts() {
    let error = read_tensors(&[ids(&[9, 1], &[1; 9])]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the request holds 9 texts; the limit is 8 per call"
    );
}

#[test]
fn binary_rows_must_have_the_bytes_of_their_shape() {
    for (shape, size) in [
        ("[1, 3]", 23),
        ("[1, 3]", 25),
        ("[9223372036854775807, 9223372036854775807]", 24),
    ] {
        let request = format!(
            r#"{{"inputs": [{{"name": "input_ids", "shape": {shape}, "datatype": "INT64",
            "parameters": {{"binary_data_size": {size}}}}}]}}"#
        );
        let error = read_binary(&request, &vec![0; size]).unwrap_err();
        assert!(
            error.to_string().contains("`input_ids` has a shape of"),
            "{error}"
        );
        assert!(
            error.to_string().contains(&format!("but holds {size}")),
            "{error}"
        );
    }
}

proptest! {
    #[test]
    fn padding_on_either_side_changes_nothing(
        rows in prop::collection::vec((prop::collection::vec(0..30_522_u32, 1..=WINDOW), any::<bool>()), 1..6),
        extra in 0..4_usize,
    ) {
        let columns = rows.iter().map(|(row, _)| row.len()).max().unwrap() + extra;
        let (mut padded, mut shown) = (Vec::new(), Vec::new());
        for (row, left) in &rows {
            let padding = vec![0; columns - row.len()];
            let ids: Vec<i64> = row.iter().map(|&id| id.into()).collect();
            let ones = vec![1; row.len()];
            if *left {
                padded.extend([padding.clone(), ids].concat());
                shown.extend([padding, ones].concat());
            } else {
                padded.extend([ids, padding.clone()].concat());
                shown.extend([ones, padding].concat());
            }
        }
        let shape = [rows.len(), columns];
        let expected = Inputs::Tokens(rows.into_iter().map(|(row, _)| row).collect());
        prop_assert_eq!(read_tensors(&[ids(&shape, &padded), mask(&shape, &shown)]).unwrap(), expected);
    }
}
