//! The binaries from the outside: signals, ports, sockets.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use toxicity_tests::{ModelServer, Process, WebServer, binary, free_port};

/// Sends raw bytes and gives what comes back until the server closes.
fn raw(port: u16, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn post(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /v1/analyze HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn a_stopping_server_finishes_what_it_began() {
    let mut server = ModelServer::start(&["--sessions", "1"]);
    let texts = different_texts(300);
    let port = server.port;
    let asked = std::thread::spawn(move || raw(port, &post(json!({"texts": texts}).to_string().as_bytes())));
    let started = Instant::now();
    while !metrics(&server).contains("toxicity_requests_in_flight 2") {
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "the request does not arrive"
        );
    }
    server.process.terminate();
    let answer = asked.join().unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200"),
        "{}",
        &answer[..answer.len().min(300)]
    );
    let status = server.process.wait(Duration::from_secs(10));
    assert!(status.success(), "{status}");
    assert!(
        TcpStream::connect(("127.0.0.1", port)).is_err(),
        "nobody listens any more"
    );
}

/// Texts of a dozen words or so. Identical ones would be scored once.
fn different_texts(count: usize) -> Vec<String> {
    let text = |number| format!("you are wonderful person {number} and I like your garden very much");
    (0..count).map(text).collect()
}

fn metrics(server: &ModelServer) -> String {
    ureq::get(server.url("/metrics"))
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap()
}

#[test]
fn requests_that_no_client_library_would_send_are_answered() {
    let server = ModelServer::start(&[]);
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("invalid UTF-8", post(b"{\"text\": \"\xff\xfe\"}"), "400"),
        ("a NUL byte", post(b"{\"text\": \"a\0b\"}"), "400"),
        ("an escaped NUL", post(b"{\"text\": \"a\\u0000b\"}"), "200"),
        (
            "a megabyte",
            post(format!("{{\"text\": \"{}\"}}", "a ".repeat(500_000)).as_bytes()),
            "422",
        ),
        (
            "three megabytes",
            post(format!("{{\"text\": \"{}\"}}", "a ".repeat(1_500_000)).as_bytes()),
            "413",
        ),
        (
            "100,000 texts",
            post(json!({"texts": vec!["ab"; 100_000]}).to_string().as_bytes()),
            "422",
        ),
    ];
    for (name, request, status) in cases {
        let answer = raw(server.port, &request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{name}: {}",
            &answer[..answer.len().min(400)]
        );
        if status != "200" {
            assert!(answer.contains("\"error\":{\"code\":"), "{name}: {answer}");
        }
    }
    let (status, body) = server.post("/v1/analyze", &json!({"text": "still here"}));
    assert_eq!(
        (status, body["results"][0]["flagged"].as_bool()),
        (200, Some(false))
    );
}

#[test]
fn a_client_that_leaves_costs_nothing_more() {
    let server = ModelServer::start(&["--sessions", "1"]);
    let texts = different_texts(1000);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream
        .write_all(&post(json!({"texts": texts}).to_string().as_bytes()))
        .unwrap();
    let started = Instant::now();
    while !metrics(&server).contains("toxicity_requests_in_flight 2") {
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "the request does not arrive"
        );
    }
    drop(stream);
    let started = Instant::now();
    while !metrics(&server).contains("toxicity_requests_in_flight 1") {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "the request goes on without its client"
        );
    }
    let passes = |text: String| {
        let line = text
            .lines()
            .find(|line| line.starts_with("toxicity_texts_total"))
            .unwrap()
            .to_owned();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    assert!(
        passes(metrics(&server)) < 1000,
        "the texts were scored all the same"
    );
}

#[test]
fn mistakes_at_the_start_are_explained() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut server = Process::start(&mut ModelServer::command(port));
    assert!(!server.wait(Duration::from_secs(10)).success());
    let message = server.standard_error();
    assert!(
        message.contains("--listen") && message.contains(&port.to_string()),
        "{message}"
    );

    let mut command = ModelServer::command(free_port());
    let mut server = Process::start(command.args(["--model", "/nowhere"]));
    assert!(!server.wait(Duration::from_secs(10)).success());
    let message = server.standard_error();
    assert!(
        message.contains("config.json") && message.contains("/nowhere"),
        "{message}"
    );

    let mut command = Command::new(binary("toxicity-web-server"));
    command.args([
        "--listen",
        &format!("127.0.0.1:{}", free_port()),
        "--assets",
        "/nowhere",
    ]);
    let mut server = Process::start(command.args(["--upstream", "http://127.0.0.1:1"]));
    assert!(!server.wait(Duration::from_secs(10)).success());
    let message = server.standard_error();
    assert!(
        message.contains("/nowhere") && message.contains("index.html"),
        "{message}"
    );
}

#[test]
fn logs_are_json_on_request_and_hold_no_text() {
    let port = free_port();
    let mut command = ModelServer::command(port);
    let mut server = Process::start(command.args(["--log-format", "json", "--log", "debug"]));
    server.wait_until_ready(&format!("http://127.0.0.1:{port}/readyz"));
    raw(
        port,
        &post(b"{\"text\": \"confidential idiot\", \"spans\": true}"),
    );
    raw(port, &post(b"{\"text\": \"confidential"));
    server.terminate();
    assert!(server.wait(Duration::from_secs(10)).success());
    let log = server.standard_error();
    assert!(!log.contains("confidential"), "{log}");
    for line in log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    assert!(
        log.contains("\"message\":\"ready\"") && log.contains("\"message\":\"stopped\""),
        "{log}"
    );
}

#[test]
fn the_web_server_names_a_model_server_that_does_not_answer() {
    let mut web_server = WebServer::start(free_port());
    let answer = raw(
        web_server.port,
        b"GET /api/info HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert!(answer.contains("\"code\":\"upstream_unavailable\""), "{answer}");
    web_server.process.terminate();
    assert!(web_server.process.wait(Duration::from_secs(10)).success());
}
