//! The model server stopped and killed while clients send all they can.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};
use toxicity_tests::{ModelServer, free_port};
use ureq::http::header;

/// Clients that send at once.
const CLIENTS: usize = 8;

/// Time that clients send before something happens.
const WARMING: Duration = Duration::from_millis(700);

/// Keeps its connections, and takes any status for an answer.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into()
}

/// What one client saw until its connection was ended.
#[derive(Debug, Default)]
struct Seen {
    answers: HashMap<u16, usize>,
    failures: Vec<String>,
}

/// Sends texts that differ until an answer ends the connection or `leave` is set, as a client behind a Service does
/// that finds the next pod then.
fn client(url: String, name: usize, leave: &'static AtomicBool) -> JoinHandle<Seen> {
    thread::spawn(move || {
        let agent = agent();
        let mut seen = Seen::default();
        for number in 0.. {
            let text = format!("client {name} says for the time {number} that you are a fool");
            match agent.post(&url).send_json(json!({"text": text})) {
                Ok(mut answer) => {
                    *seen.answers.entry(answer.status().as_u16()).or_default() += 1;
                    let ends = answer
                        .headers()
                        .get(header::CONNECTION)
                        .is_some_and(|value| value == "close");
                    answer.body_mut().read_to_string().unwrap();
                    if ends || leave.load(Ordering::Relaxed) {
                        break;
                    }
                }
                Err(error) => {
                    seen.failures.push(error.to_string());
                    break;
                }
            }
        }
        seen
    })
}

#[test]
fn a_terminated_server_fails_no_request() {
    static NEVER: AtomicBool = AtomicBool::new(false);
    let mut server = ModelServer::start(&["--shutdown-delay", "1s"]);
    let url = server.url("/v1/analyze");
    let clients: Vec<_> = (0..CLIENTS)
        .map(|name| client(url.clone(), name, &NEVER))
        .collect();
    thread::sleep(WARMING);
    server.process.terminate();
    // Some still come while the Service learns that the pod is leaving.
    thread::sleep(Duration::from_millis(200));
    let late = (CLIENTS..2 * CLIENTS).map(|name| client(url.clone(), name, &NEVER));
    let clients: Vec<_> = clients.into_iter().chain(late).collect();

    let mut answered = 0;
    for client in clients {
        let seen = client.join().unwrap();
        assert!(seen.failures.is_empty(), "{seen:?}");
        assert!(seen.answers.keys().all(|&status| status == 200), "{seen:?}");
        answered += seen.answers.values().sum::<usize>();
    }
    assert!(
        answered > 2 * CLIENTS,
        "the server was hardly asked anything: {answered}"
    );
    let status = server.process.wait(Duration::from_secs(10));
    assert!(status.success(), "{status}");
    println!("{answered} requests of {} clients, none failed", 2 * CLIENTS);
}

/// Judges texts and has each judgement confirmed until the server is gone. Gives the names of what was confirmed.
fn moderator(url: String, name: String) -> JoinHandle<Vec<String>> {
    thread::spawn(move || {
        let agent = agent();
        let mut confirmed = Vec::new();
        for number in 0.. {
            let text = format!("moderator {name} reads text {number}");
            let feedback = json!({"text": text, "suggested": {"insult": 1.0}, "client_token": text});
            let Ok(mut answer) = agent.post(&url).send_json(feedback) else {
                break;
            };
            assert_eq!(answer.status().as_u16(), 201);
            // An answer that is cut off confirms nothing.
            let Ok(answer) = answer.body_mut().read_json::<Value>() else {
                break;
            };
            confirmed.push(answer["id"].as_str().unwrap().to_owned());
        }
        confirmed
    })
}

/// The names of all feedback in the database.
fn stored_feedback(server: &ModelServer) -> Vec<String> {
    let mut export = agent().get(server.url("/v1/feedback/export")).call().unwrap();
    let lines = export
        .body_mut()
        .with_config()
        .limit(1 << 30)
        .read_to_string()
        .unwrap();
    let id = |line: &str| {
        let item: Value = serde_json::from_str(line).unwrap();
        item["id"].as_str().unwrap().to_owned()
    };
    lines.lines().map(id).collect()
}

#[test]
fn a_killed_server_has_kept_all_feedback_that_it_confirmed() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let folder = tempfile::tempdir().unwrap();
    let records = format!("sqlite://{}", folder.path().join("records.db").display());
    let port = free_port();
    let mut confirmed = Vec::new();
    for round in 0..3 {
        let server = ModelServer::start_on(port, &["--records-url", &records]);
        let moderators: Vec<_> = (0..CLIENTS / 2)
            .map(|name| moderator(server.url("/v1/feedback"), format!("{round}.{name}")))
            .collect();
        // Verdicts are recorded at the same time.
        let clients: Vec<_> = (0..CLIENTS / 2)
            .map(|name| client(server.url("/v1/analyze"), name, &STOP))
            .collect();
        thread::sleep(WARMING + Duration::from_millis(150) * round);
        // By SIGKILL.
        drop(server);
        for client in clients {
            client.join().unwrap();
        }
        for moderator in moderators {
            confirmed.extend(moderator.join().unwrap());
        }
        let server = ModelServer::start_on(port, &["--records-url", &records]);
        let stored = stored_feedback(&server);
        let count = |id: &String| stored.iter().filter(|&other| other == id).count();
        let lost: Vec<_> = confirmed.iter().filter(|id| count(id) != 1).collect();
        assert!(lost.is_empty(), "confirmed, and not stored once: {lost:?}");
    }
    assert!(
        confirmed.len() > 10 * CLIENTS,
        "hardly anything was confirmed: {}",
        confirmed.len()
    );
    println!("{} confirmations, none lost by three kills", confirmed.len());
}
