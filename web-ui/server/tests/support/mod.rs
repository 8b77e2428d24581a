//! A site to ask: the router over a small built app, and a model server in the same process.

// Each test file uses a part of it.
#![allow(dead_code)]

use std::{net::SocketAddr, path::Path};

use axum::{Router, body::Body};
use bytes::Bytes;
use clap::Parser;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use tempfile::TempDir;
use tower::ServiceExt;
use toxicity_web_server::Config;

pub struct Site {
    pub assets: TempDir,
    router: Router,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Site {
    pub fn without_upstream() -> Self {
        // Port 9 is discard; nothing listens there.
        Self::over("http://127.0.0.1:9", &[])
    }

    pub fn over(upstream: &str, flags: &[&str]) -> Self {
        let assets = tempfile::tempdir().expect("a folder");
        let write = |name: &str, content: &str| {
            std::fs::write(assets.path().join(name), content).expect("the folder can be written");
        };
        std::fs::create_dir(assets.path().join("assets")).expect("the folder can be written");
        write("index.html", "<!doctype html><title>page</title>");
        write("assets/app-1.wasm", "WASM");
        write("assets/app-1.wasm.br", "BR");
        write("assets/app-1.wasm.gz", "GZ");
        let mut arguments = vec!["toxicity-web-server", "--upstream", upstream, "--assets"];
        let folder = assets.path().display().to_string();
        arguments.push(&folder);
        arguments.extend(flags);
        let config = Config::parse_from(arguments);
        let router = toxicity_web_server::router(&config).expect("the app is there");
        Self { assets, router }
    }

    pub fn request(method: Method, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Self::request(Method::GET, path), "").await
    }

    pub async fn send(&self, request: http::request::Builder, body: impl Into<Body>) -> Answer {
        let request = request.body(body.into()).expect("a good request");
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("routers do not fail");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body,
        }
    }
}

impl Answer {
    /// The value of a header; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("a header of text"))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    pub fn error(&self) -> toxicity_api::ErrorDetail {
        serde_json::from_slice::<toxicity_api::ErrorBody>(&self.body)
            .expect("an error body")
            .error
    }
}

pub fn config(assets: &Path, upstream: &str) -> Config {
    let folder = assets.display().to_string();
    Config::parse_from(["toxicity-web-server", "--upstream", upstream, "--assets", &folder])
}

/// Serves `router` on a port of its own until the test ends.
pub async fn start(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}
