//! Chromium without a window, driven by `WebDriver`.

use std::process::Command;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

use crate::{Process, free_port};

/// Longest wait for something to appear on a page.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser with one open page.
pub struct Browser {
    /// The page.
    pub client: Client,
    _driver: Process,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a browser of `width` by `height` pixels with an empty profile.
    ///
    /// # Panics
    /// When Chromium or its driver is missing or does not start.
    pub async fn start(width: u32, height: u32) -> Self {
        let port = free_port();
        let mut driver = Process::start(Command::new("chromedriver").arg(format!("--port={port}")));
        let url = format!("http://127.0.0.1:{port}");
        driver.wait_until_ready(&format!("{url}/status"));
        let profile = tempfile::tempdir().expect("there is room for a profile");
        let arguments = [
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-sync".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-background-networking".to_owned(),
            "--no-first-run".to_owned(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let capabilities = capabilities.as_object().expect("it is an object").clone();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&url)
            .await
            .expect("chromedriver starts chromium");
        Self {
            client,
            _driver: driver,
            _profile: profile,
        }
    }

    /// Waits for the first element of a CSS selector.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn find(&self, selector: &str) -> Element {
        let wait = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(selector));
        wait.await
            .unwrap_or_else(|error| panic!("{selector} does not appear: {error}"))
    }

    /// Text of the first element of a CSS selector.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn text(&self, selector: &str) -> String {
        self.find(selector)
            .await
            .text()
            .await
            .expect("the element has text")
    }

    /// Texts of all elements of a CSS selector that are there now.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn texts(&self, selector: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for element in self
            .client
            .find_all(Locator::Css(selector))
            .await
            .expect("the browser answers")
        {
            texts.push(element.text().await.expect("the element has text"));
        }
        texts
    }

    /// Waits until the text of an element fulfils `condition`.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn wait_for_text(&self, selector: &str, condition: impl Fn(&str) -> bool) -> String {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let texts = self.texts(selector).await;
            if let Some(text) = texts.iter().find(|text| condition(text)) {
                return text.clone();
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{selector} holds {texts:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Runs a script in the page and gives what it returns.
    ///
    /// # Panics
    /// When it fails.
    pub async fn evaluate(&self, script: &str) -> serde_json::Value {
        self.client
            .execute(script, Vec::new())
            .await
            .expect("the script runs")
    }

    /// Ends the browser in good order.
    ///
    /// # Panics
    /// When it does not answer any more.
    pub async fn close(self) {
        self.client.close().await.expect("the browser closes");
    }
}
