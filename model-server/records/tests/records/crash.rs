//! A process that is killed loses nothing that it acknowledged.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use toxicity_records::{Feedback, Recorder, RecorderOptions, Records};
use uuid::Uuid;

use crate::fixture::{Fixture, suggestion, timeouts, verdict};

/// Holds the URL of the database for the process that is killed.
const URL: &str = "TOXICITY_RECORDS_CRASH_URL";

/// Acknowledgements to see before the kill.
const ACKNOWLEDGED: usize = 300;

#[tokio::test]
async fn acknowledged_feedback_survives_a_kill() {
    let fixture = Fixture::sqlite().await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::stores_feedback_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(URL, &fixture.url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    // The test harness prints lines of its own.
    let ids = output
        .lines()
        .filter_map(|line| line.unwrap().parse::<Uuid>().ok());
    let mut acknowledged = HashSet::new();
    for id in ids {
        acknowledged.insert(id);
        if acknowledged.len() == ACKNOWLEDGED {
            // SIGKILL. What was printed until it arrives is read too.
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    assert!(acknowledged.len() >= ACKNOWLEDGED, "{}", acknowledged.len());

    let stored: HashSet<Uuid> = fixture.feedback_ids().await.into_iter().collect();
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[tokio::test]
#[ignore = "it is the process that `acknowledged_feedback_survives_a_kill` starts and kills"]
async fn stores_feedback_until_it_is_killed() {
    let url = std::env::var(URL).unwrap();
    let records = Records::open(&url, timeouts()).await.unwrap();
    // Verdicts come in at the same time, as in life.
    let recorder = Recorder::start(records.clone(), RecorderOptions::default(), Arc::new(()));
    loop {
        for number in 0..50 {
            recorder.record(verdict(&number.to_string()));
        }
        let store = async |number: usize| {
            let feedback = Feedback {
                text: Some(number.to_string()),
                ..suggestion(&[("toxic", 1.0)])
            };
            let id = records.add_feedback(feedback).await.unwrap();
            let mut output = std::io::stdout().lock();
            writeln!(output, "{id}").unwrap();
            output.flush().unwrap();
        };
        futures_util::future::join_all((0..4).map(store)).await;
    }
}
