//! `toxicity-model-server calibrate` with the bundled model, on old scores that are made of its own.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod fixture;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use fixture::onnxruntime;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use toxicity_api::Scores;
use toxicity_model_server::engine::{Engine, EngineOptions, Question};
use toxicity_model_server::metrics::Metrics;
use toxicity_model_server::model::{ModelFolder, ModelOverrides};

fn comments() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/comments.txt");
    let content = std::fs::read_to_string(path).unwrap();
    let lines = content.lines().filter(|line| !line.trim().is_empty());
    lines.map(str::to_owned).collect()
}

/// What the bundled model says of the texts.
fn scores(texts: &[String]) -> Vec<Scores> {
    let options = EngineOptions {
        folder: fixture::bundled_model(),
        onnxruntime: Some(onnxruntime()),
        ..EngineOptions::default()
    };
    let engine = Engine::load(&options, &Arc::new(Metrics::new())).unwrap();
    let question = Question::all(&engine.model);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let lane = engine.scheduler().lane(Duration::from_mins(1));
        let mut scores = Vec::new();
        for text in texts {
            let verdict = engine.verdict(&lane, text, &question).await.unwrap();
            scores.push(verdict.into_text_verdict(&engine.model).scores);
        }
        scores
    })
}

/// Another scale for the same order.
fn bent(score: f32) -> f64 {
    f64::from(score).powf(0.3)
}

/// The score that lies in the middle of the `flagged` highest and the rest.
fn threshold(scores: &[Scores], label: &str, flagged: usize) -> f64 {
    let mut sorted: Vec<f64> = scores.iter().map(|scores| bent(scores[label])).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    f64::midpoint(sorted[flagged - 1], sorted[flagged])
}

fn calibrate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_toxicity-model-server"))
        .arg("calibrate")
        .args(arguments)
        .env("TOXICITY_MODEL", fixture::bundled_model())
        .env("TOXICITY_ONNXRUNTIME", onnxruntime())
        .output()
        .unwrap()
}

fn printed(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn message(arguments: &[&str]) -> String {
    let output = calibrate(arguments);
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn near(value: &Value, expected: f64) -> bool {
    value
        .as_f64()
        .is_some_and(|value| (value - expected).abs() < 1e-9)
}

/// Comments with old scores on another scale, in a table and as answers of Perspective.
struct Logs {
    folder: TempDir,
    /// The old thresholds: 15 of 60 are toxic, 7 of 50 insulting.
    old: String,
}

impl Logs {
    fn write() -> Self {
        let texts = comments();
        let scores = scores(&texts);
        let mut table = "id,comment_text,TOXICITY,INSULT,THREAT\r\n".to_owned();
        let mut lines = String::new();
        for (row, (text, scores)) in texts.iter().zip(&scores).enumerate() {
            let quoted = text.replace('"', "\"\"");
            let [toxic, insult] = ["toxic", "insult"].map(|label| bent(scores[label]));
            // The insult is known of all but the first ten.
            let insult = (row >= 10).then_some(insult);
            let written = insult.map_or_else(String::new, |insult| insult.to_string());
            write!(table, "{row},\"{quoted}\",{toxic},{written},0\r\n").unwrap();
            let answer = json!({"TOXICITY": {"summaryScore": {"value": toxic, "type": "PROBABILITY"}}});
            let line = json!({"comment": {"text": text}, "attributeScores": answer, "old": insult});
            writeln!(lines, "{line}").unwrap();
        }
        let toxic = threshold(&scores, "toxic", 15);
        let insult = threshold(&scores[10..], "insult", 7);
        let logs = Self {
            folder: tempdir().unwrap(),
            old: format!("{toxic},insult={insult}"),
        };
        std::fs::write(logs.path("old.csv"), table + "60,\" \",0.5,0.5,0\r\n").unwrap();
        std::fs::write(logs.path("old.jsonl"), lines).unwrap();
        logs
    }

    fn path(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    fn thresholds(&self) -> String {
        self.path("thresholds.json")
    }

    fn calibrate(&self, name: &str, more: &[&str]) -> Output {
        let (from, out) = (self.path(name), self.thresholds());
        let arguments = ["--from", &from, "--old-threshold", &self.old, "--out", &out];
        calibrate(&[&arguments, more].concat())
    }
}

#[test]
fn scores_on_another_scale_get_thresholds_that_say_the_same_of_every_comment() {
    let logs = Logs::write();
    let report = printed(&logs.calibrate("old.csv", &["--json"]));
    for (label, rows, flagged) in [("toxic", 60, 15.0 / 60.0), ("insult", 50, 7.0 / 50.0)] {
        let report = &report["labels"][label];
        assert_eq!(report["rows"], rows, "{report}");
        for figure in ["agreement", "kappa", "spearman", "recall", "precision"] {
            assert!(near(&report[figure], 1.0), "{label} {figure}: {report}");
        }
        assert!(near(&report["flagged_by_old"], flagged), "{report}");
        assert!(near(&report["flagged_by_new"], flagged), "{report}");
    }
    assert_eq!(report["labels"]["insult"]["rows_without_old_score"], 10);
    assert_eq!(
        report["labels"]["threat"].get("new_threshold"),
        None,
        "nothing is flagged: {report}"
    );
    assert_eq!(report["rows_left_out"], 1);
    let remarks = report["remarks"].to_string();
    assert!(
        remarks.contains("threat is left out") && remarks.contains("line 62"),
        "{remarks}"
    );

    let fields = [
        "--column-text",
        "comment.text",
        "--column-score",
        "insult=old",
        "--json",
    ];
    let same = printed(&logs.calibrate("old.jsonl", &fields));
    assert_eq!(same["thresholds"], report["thresholds"]);
}

#[test]
fn the_file_that_is_written_sets_the_thresholds_of_a_model() {
    let logs = Logs::write();
    let output = logs.calibrate("old.csv", &[]);
    let table = String::from_utf8(output.stdout).unwrap();
    let row = table.lines().find(|line| line.starts_with("toxic ")).unwrap();
    assert!(
        row.contains("25.0 %") && row.contains("100.0 %") && row.contains("1.000"),
        "{table}"
    );
    let model = logs.folder.path().join("model");
    std::fs::create_dir(&model).unwrap();
    for name in [
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.onnx",
    ] {
        std::fs::copy(fixture::bundled_model().join(name), model.join(name)).unwrap();
    }
    std::fs::copy(logs.thresholds(), model.join("thresholds.json")).unwrap();
    let served = ModelFolder::open(&model, &ModelOverrides::default())
        .unwrap()
        .model;
    let said = String::from_utf8(output.stderr).unwrap();
    let thresholds = served.threshold_map();
    let (toxic, insult) = (thresholds["toxic"], thresholds["insult"]);
    let expected = format!("serve --thresholds toxic={toxic},insult={insult}\n");
    assert!(said.ends_with(&expected), "{said}");
    assert!((thresholds["threat"] - 0.5).abs() < f32::EPSILON);
}

#[test]
fn what_cannot_be_used_is_told_before_anything_is_scored() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("old.csv");
    let out = folder.path().join("thresholds.json");
    let (path, out_path) = (path.to_str().unwrap(), out.to_str().unwrap());
    let told = |content: &str, more: &[&str]| {
        std::fs::write(path, content).unwrap();
        message(&[&["--from", path, "--out", out_path], more].concat())
    };
    let all = ["--old-threshold", "0.8"];
    assert!(told("", &all).contains("failed to find a row"));
    assert!(told("text,note\na,b\n", &all).contains("it has \"text\", \"note\""));
    assert!(told("id,TOXICITY\n1,0.5\n", &all).contains("\"id\", \"TOXICITY\"; name the one"));
    assert!(told("text,TOXICITY\na,1.5\n", &all).contains("\"1.5\" in column \"TOXICITY\" at line 2"));
    assert!(told("text,TOXICITY\na,0.5\n", &all).contains("flags none of the rows"));
    let told_insult = told("text,TOXICITY\na,0.9\nb,0\n", &["--old-threshold", "insult=0.8"]);
    assert!(
        told_insult.contains("--column-score insult=NAME"),
        "{told_insult}"
    );
    assert!(told("text,TOXICITY\na,0.9\n", &[]).contains("--old-threshold"));
    assert!(!out.exists(), "nothing is written");
    let nowhere = folder.path().join("nowhere/thresholds.json");
    let told = message(&[
        "--from",
        path,
        "--out",
        nowhere.to_str().unwrap(),
        "--old-threshold",
        "0.8",
    ]);
    assert!(told.contains("nowhere/thresholds.json"), "{told}");
}
