//! The command line with the bundled model in its own process.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod fixture;

use std::path::PathBuf;
use std::process::Command;

use fixture::{finish, toxicity};
use serde_json::Value;
use tempfile::tempdir;

/// The library that `cargo xtask test` fetches, or the one that the environment names.
fn onnxruntime() -> PathBuf {
    let fetched = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/libonnxruntime.so");
    let library = std::env::var_os("TOXICITY_ONNXRUNTIME").map_or(fetched, PathBuf::from);
    assert!(
        library.is_file(),
        "{} is missing: run `cargo xtask test rust`, which fetches it",
        library.display()
    );
    library
}

fn with_model(arguments: &[&str]) -> Command {
    let mut command = toxicity(arguments);
    let model = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/toxic-minilm");
    command
        .env("TOXICITY_MODEL", model)
        .env("TOXICITY_ONNXRUNTIME", onnxruntime());
    command
}

#[test]
fn a_file_is_scored_without_a_server() {
    let folder = tempdir().unwrap();
    let input = folder.path().join("comments.csv");
    fixture::write_comments(&input, 100);
    let run = finish(&mut with_model(&[
        "score",
        "--spans",
        "--file",
        input.to_str().unwrap(),
    ]));
    assert_eq!(run.status, Some(1), "{run:?}");
    let rows = run.json_lines();
    assert_eq!(rows.len(), 100);
    for (index, row) in rows.iter().enumerate() {
        let (body, verdict) = (row["body"].as_str().unwrap(), &row["toxicity"]);
        assert_eq!(row["id"], (index + 1).to_string());
        assert_eq!(verdict["flagged"], body.contains("idiot"), "{row}");
        let words: Vec<&str> = verdict["spans"]
            .as_array()
            .unwrap()
            .iter()
            .map(|span| word(body, span))
            .collect();
        assert_eq!(words.contains(&"idiot"), body.contains("idiot"), "{row}");
    }
    assert!(
        run.stderr.starts_with("100 rows: 14 flagged, 0 failed; "),
        "{run:?}"
    );
}

fn word<'a>(text: &'a str, span: &Value) -> &'a str {
    let offset = |name: &str| usize::try_from(span["bytes"][name].as_u64().unwrap()).unwrap();
    &text[offset("begin")..offset("end")]
}

#[test]
fn labels_and_thresholds_are_those_of_the_command_line() {
    let score = |arguments: &[&str]| finish(&mut with_model(&[&["score", "you idiot"], arguments].concat()));
    let run = score(&["--labels", "insult,toxicity"]);
    assert_eq!(run.status, Some(1), "{run:?}");
    let labels = run.json_lines()[0]["toxicity"]["scores"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect::<Vec<_>>();
    assert_eq!(labels, ["insult", "toxic"], "a JSON map in the order of its keys");
    assert_eq!(
        score(&["--labels", "threat", "--threshold", "threat=0.9"]).status,
        Some(0)
    );
    for wrong in [["--labels", "rude"], ["--threshold", "rude=0.5"]] {
        let run = score(&wrong);
        assert_eq!(run.status, Some(2));
        assert!(run.stderr.contains("\"rude\"; it has toxic"), "{run:?}");
    }
}

#[test]
fn the_bundled_model_is_shown_and_healthy() {
    let run = finish(&mut with_model(&["models"]));
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(
        run.stdout.contains("toxic-minilm") && run.stdout.contains("identity_hate"),
        "{run:?}"
    );
    let run = finish(&mut with_model(&["health"]));
    assert!(run.stdout.starts_with("ready: toxic-minilm ("), "{run:?}");
    let run = finish(with_model(&["health"]).env("TOXICITY_ONNXRUNTIME", "/nowhere/library.so"));
    assert_eq!(run.status, Some(1));
    assert!(run.stdout.contains("/nowhere/library.so"), "{run:?}");
}
