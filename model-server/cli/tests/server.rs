//! The command line against a server that makes trouble.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod fixture;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use fixture::{Reaction, Server, finish, start, toxicity};
use serde_json::json;
use tempfile::tempdir;

#[test]
fn texts_of_the_command_line_are_scored_and_the_status_says_whether_one_is_flagged() {
    let server = Server::start();
    let run = finish(&mut server.score(&["thank you", "you idiot"]));
    assert_eq!(run.status, Some(1), "{run:?}");
    assert_eq!(
        run.json_lines(),
        [
            json!({"text": "thank you", "toxicity": {"row": 1, "flagged": false, "flags": [],
                   "scores": {"toxic": 0.25, "identity_hate": 0.0625}, "tokens": 2, "windows": 1}}),
            json!({"text": "you idiot", "toxicity": {"row": 2, "flagged": true, "flags": ["toxic"],
                   "scores": {"toxic": 0.9, "identity_hate": 0.0625}, "tokens": 2, "windows": 1}}),
        ]
    );
    assert_eq!(run.stderr, "", "two texts need no summary");
    assert_eq!(finish(&mut server.score(&["thank you"])).status, Some(0));
    assert_eq!(
        finish(&mut server.score(&["you idiot", "--exit-zero"])).status,
        Some(0)
    );
}

#[test]
fn a_table_shows_scores_flags_and_words_without_colours_in_a_pipe() {
    let server = Server::start();
    let mut command = server.score(&["--output", "table", "--spans", "you idiot\u{1b}[2J", "fine"]);
    let run = finish(&mut command);
    assert_eq!(
        run.stdout,
        "               identity_\n\
         \x20  row  toxic       hate  text\n\
         \x20    1  0.90*      0.06   you [idiot]\u{fffd}[2J\n\
         \x20    2  0.25       0.06   fine\n"
    );
    let run = finish(command.env("CLICOLOR_FORCE", "1"));
    assert!(
        run.stdout.contains("\u{1b}[31m") && !run.stdout.contains("[2J\u{1b}[2J"),
        "{run:?}"
    );
}

#[test]
fn a_file_keeps_its_columns_and_gets_scores_through_any_trouble() {
    // Each kind of trouble once in a while, and never the same call twice in a row.
    let server = Server::with(|call| match call.number % 10 {
        2 => Reaction::Refuse(429, None),
        4 => Reaction::Break,
        6 => Reaction::Refuse(503, None),
        8 => Reaction::Refuse(502, None),
        _ => Reaction::Answer,
    });
    let folder = tempdir().unwrap();
    let (input, output) = (
        folder.path().join("comments.csv"),
        folder.path().join("scored.csv"),
    );
    fixture::write_comments(&input, 300);
    let files = [
        "--file",
        input.to_str().unwrap(),
        "--out",
        output.to_str().unwrap(),
    ];
    let run = finish(server.score(&files).args(["--column", "body"]));
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(
        run.stderr.starts_with("300 rows: 42 flagged, 0 failed; "),
        "{run:?}"
    );

    let (before, after) = (fixture::read_csv(&input), fixture::read_csv(&output));
    assert_eq!(before.len(), after.len());
    for (index, (before, after)) in before.iter().zip(&after).enumerate() {
        for (column, value) in before {
            assert_eq!(after[column], *value);
        }
        let insult = before["body"].contains("idiot");
        assert_eq!(after["toxicity.row"], (index + 1).to_string());
        assert_eq!(after["toxicity.flagged"], insult.to_string());
        assert_eq!(after["toxicity.flags"], if insult { "toxic" } else { "" });
        assert_eq!(after["toxicity.toxic"], if insult { "0.9" } else { "0.25" });
        assert_eq!(after["toxicity.error"], "");
    }
    let leftovers: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(
        leftovers.len(),
        2,
        "nothing is left beside the output: {leftovers:?}"
    );
}

#[test]
fn a_row_that_cannot_be_scored_fails_alone() {
    let server = Server::start();
    let long = "x".repeat(fixture::CHARACTER_LIMIT + 1);
    let rows = format!(
        "{{\"text\": \"fine\", \"id\": 1.50}}\n{{\"text\": \"{}\"}}\n\n{{\"text\": \"{long}\"}}\n{{\"text\": \" \"}}\n\
         {{\"text\": 7}}\n{{\"text\": \"you idiot\", \"id\": 7}}\n",
        fixture::REFUSED
    );
    let folder = tempdir().unwrap();
    let input = folder.path().join("rows.jsonl");
    std::fs::write(&input, rows).unwrap();
    let run = finish(&mut server.score(&["--file", input.to_str().unwrap()]));
    assert_eq!(run.status, Some(3), "{run:?}");
    let errors: Vec<_> = run
        .json_lines()
        .iter()
        .map(|row| row["toxicity"]["error"].as_str().map(str::to_owned))
        .collect();
    let error = |message: &str| Some(message.to_owned());
    assert_eq!(
        errors,
        [
            None,
            error("the text is refused"),
            error("the line is empty"),
            error("the text has 501 characters; the limit is 500"),
            error("the text is empty"),
            error("the field \"text\" is a number, not a text"),
            None,
        ]
    );
    assert!(
        run.stdout
            .starts_with("{\"text\": \"fine\", \"id\": 1.50,\"toxicity\":{"),
        "{run:?}"
    );

    let only = finish(&mut server.score(&["--file", input.to_str().unwrap(), "--flagged-only"]));
    let numbers: Vec<_> = only
        .json_lines()
        .iter()
        .map(|row| row["toxicity"]["row"].clone())
        .collect();
    assert_eq!(numbers, [2, 3, 4, 5, 6, 7], "failed rows are not lost");
}

#[test]
fn requests_stay_within_the_limits_of_the_server() {
    let server = Server::start();
    let folder = tempdir().unwrap();
    let input = folder.path().join("texts.txt");
    // Characters that take six times their bytes in a request.
    let text = format!("a{}", "\u{1}".repeat(400));
    std::fs::write(&input, format!("{text}\n").repeat(200)).unwrap();
    let run = finish(&mut server.score(&[
        "--file",
        input.to_str().unwrap(),
        "--parallel",
        "3",
        "--labels",
        "toxic",
    ]));
    assert_eq!((run.status, run.json_lines().len()), (Some(0), 200), "{run:?}");
    let calls = server.calls();
    assert_eq!(
        calls.iter().map(|call| call.texts.len()).sum::<usize>(),
        200,
        "nothing is sent twice"
    );
    assert!(server.most_running() <= 3);
}

#[test]
fn thresholds_and_labels_of_the_command_line_count() {
    let server = Server::start();
    let run = finish(&mut server.score(&["thank you", "--threshold", "toxicity=0.2", "--labels", "toxic"]));
    assert_eq!(run.status, Some(1));
    let verdict = &run.json_lines()[0]["toxicity"];
    assert_eq!(
        (&verdict["flags"], &verdict["scores"]),
        (&json!(["toxic"]), &json!({"toxic": 0.25}))
    );
    assert_eq!(
        finish(&mut server.score(&["you idiot", "--threshold", "toxic=0.95"])).status,
        Some(0)
    );

    let run = finish(&mut server.score(&["hi", "--labels", "rude"]));
    assert_eq!(run.status, Some(2));
    assert!(
        run.stderr.contains("\"rude\"; it has toxic, identity_hate"),
        "{run:?}"
    );
}

#[test]
fn a_model_that_changes_during_the_run_is_noticed() {
    let server = Server::with(|_| Reaction::AnswerAnew);
    let run = finish(&mut server.score(&["hi"]));
    assert_eq!(run.status, Some(0));
    let note = "note: the server changed its model during the run, from insults (0123456789ab) to insults (another)\n";
    assert_eq!(run.stderr, note);
}

#[test]
fn the_wait_that_the_server_asks_for_is_kept() {
    let server = Server::with(|call| match call.number {
        1 => Reaction::Refuse(429, Some(1)),
        _ => Reaction::Answer,
    });
    assert_eq!(finish(&mut server.score(&["hi"])).status, Some(0));
    let calls = server.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls[1].at - calls[0].at >= Duration::from_secs(1));
}

#[test]
fn what_there_is_to_score_must_be_clear() {
    let server = Server::start();
    let refusal = |arguments: &[&str]| {
        let run = finish(&mut server.score(arguments));
        assert_eq!(run.status, Some(2), "{run:?}");
        run.stderr
    };
    assert!(refusal(&["hi", "--column", "body"]).contains("--column is for files"));
    assert!(refusal(&["-f", "-", "-f", "a.csv"]).contains("standard input must be the only input"));
    assert!(refusal(&["-f", "-", "--out", "a.csv", "--resume"]).contains("--resume needs an input"));
    let folder = tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let unnamed = file("unnamed.dat", "text\n");
    assert!(refusal(&["-f", &unnamed]).contains("--input-format"));
    let plain = file("plain.txt", "one\n");
    assert!(refusal(&["-f", &plain, "-c", "body"]).contains("read as plain text"));
    let scored = file("scored.csv", "text,toxicity.toxic\nhi,0.5\n");
    assert!(refusal(&["-f", &scored]).contains("--into"));
    assert_eq!(
        finish(&mut server.score(&["-f", &scored, "--into", "again"])).status,
        Some(0)
    );

    let missing = finish(&mut server.score(&["-f", "/nowhere/comments.csv"]));
    assert_eq!(missing.status, Some(3));
    assert!(
        missing
            .stderr
            .contains("failed to open \"/nowhere/comments.csv\""),
        "{missing:?}"
    );

    let mut piped = start(
        server
            .score(&["-", "-c", "said", "-o", "csv"])
            .stdin(Stdio::piped()),
    );
    piped
        .stdin
        .take()
        .unwrap()
        .write_all(b"{\"said\": \"you idiot\"}\n")
        .unwrap();
    let run = fixture::Finished::of(piped.wait_with_output().unwrap());
    assert!(
        run.stdout.contains("\nyou idiot,1,true,toxic,0.9,0.0625,\n"),
        "{run:?}"
    );
}

#[test]
fn what_will_not_pass_is_not_repeated_and_says_what_to_do() {
    let server = Server::with(|_| Reaction::Refuse(401, None));
    let run = finish(&mut server.score(&["hi", "--key", "sesame"]));
    assert_eq!((run.status, server.calls().len()), (Some(3), 1), "{run:?}");
    assert!(
        run.stderr.contains("--key-file") && !run.stderr.contains("sesame"),
        "{run:?}"
    );

    let server = Server::with(|_| Reaction::Refuse(503, None));
    let run = finish(&mut server.score(&["hi", "--retries", "2"]));
    assert_eq!((run.status, server.calls().len()), (Some(3), 3), "{run:?}");
    assert!(
        run.stderr.contains("503") && run.stderr.contains("not now"),
        "{run:?}"
    );
}

#[test]
fn the_key_is_sent_from_wherever_it_comes() {
    let server = Server::start();
    let folder = tempdir().unwrap();
    let file = folder.path().join("key.txt");
    std::fs::write(&file, "from-file\n").unwrap();
    finish(&mut server.score(&["hi", "--key", "from-flag"]));
    finish(server.score(&["hi"]).env("TOXICITY_API_KEY", "from-environment"));
    finish(
        server
            .score(&["hi", "--key-file", file.to_str().unwrap()])
            .env("TOXICITY_API_KEY", "from-environment"),
    );
    let keys: Vec<_> = server.calls().into_iter().map(|call| call.key.unwrap()).collect();
    assert_eq!(
        keys,
        ["Bearer from-flag", "Bearer from-environment", "Bearer from-file"]
    );
}

#[test]
fn a_server_that_is_not_there_is_said_at_once() {
    // Nothing listens on a port that was given back.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = format!("http://user:sesame@{address}");
    let run = finish(&mut toxicity(&["score", "hi", "--server", &server]));
    assert_eq!(run.status, Some(3));
    assert!(run.stderr.contains("failed to reach the server"), "{run:?}");
    assert!(
        run.stderr.contains(&address.to_string()) && !run.stderr.contains("sesame"),
        "{run:?}"
    );

    let run = finish(&mut toxicity(&["health", "--server", &server]));
    assert_eq!(run.status, Some(1));
    assert!(run.stdout.starts_with("not ready: "), "{run:?}");
}

#[test]
fn a_stream_is_answered_row_by_row() {
    let server = Server::start();
    let mut child = start(server.score(&[]).stdin(Stdio::piped()));
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for text in ["thank you", "you idiot", "fine"] {
        writeln!(input, "{text}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.contains(text), "{line:?}");
    }
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_reader_that_leaves_ends_the_run_quietly() {
    let server = Server::start();
    let folder = tempdir().unwrap();
    let input = folder.path().join("comments.csv");
    fixture::write_comments(&input, 5_000);
    for format in ["jsonl", "csv", "table", "json"] {
        let mut child = start(&mut server.score(&["--file", input.to_str().unwrap(), "--output", format]));
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        assert!(!first.is_empty());
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        let status = child.wait().unwrap().code();
        assert_eq!(errors, "", "{format}");
        assert!(matches!(status, Some(0 | 1)), "{format}: {status:?}");
    }
}

#[test]
fn the_memory_of_a_run_does_not_grow_with_its_rows() {
    let folder = tempdir().unwrap();
    let peak = |rows: usize| {
        let input = folder.path().join(format!("{rows}.csv"));
        fixture::write_comments(&input, rows);
        // The last call waits until the peak is read.
        let (sender, at_last) = channel();
        let (release, released) = channel::<()>();
        let (seen, released) = (AtomicUsize::new(0), Mutex::new(released));
        let server = Server::with(move |call| {
            let before = seen.fetch_add(call.texts.len(), Ordering::SeqCst);
            if before + call.texts.len() == rows {
                sender.send(()).unwrap();
                released.lock().unwrap().recv().unwrap();
            }
            Reaction::Answer
        });
        let mut command = server.score(&["--file", input.to_str().unwrap(), "--output", "csv"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        at_last.recv().unwrap();
        let peak = fixture::peak_memory(child.id());
        release.send(()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1));
        peak
    };
    let (few, many) = (peak(2_000), peak(25_000));
    assert!(
        many < few + 4 * 1024,
        "{few} KiB for 2,000 rows, {many} KiB for 25,000"
    );
}

#[test]
fn the_model_and_the_health_of_a_server_are_shown() {
    let server = Server::start();
    let run = finish(&mut toxicity(&["models", "--server", &server.url()]));
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(
        run.stdout.contains("0123456789ab") && run.stdout.contains("identity_hate  0.5"),
        "{run:?}"
    );
    let run = finish(&mut toxicity(&[
        "models",
        "--output",
        "json",
        "--server",
        &server.url(),
    ]));
    assert_eq!(
        run.json(),
        json!({
            "name": "insults", "revision": "0123456789ab", "labels": fixture::LABELS, "languages": ["en"],
            "thresholds": {"toxic": 0.5, "identity_hate": 0.5}, "activation": "sigmoid", "window_tokens": 64,
        })
    );
    let run = finish(toxicity(&["health"]).env("TOXICITY_SERVER", server.url()));
    assert_eq!(run.status, Some(0));
    assert_eq!(
        run.stdout,
        format!("ready: insults (0123456789ab) at {}/\n", server.url())
    );
}
