//! The web UI in a real Chromium, before a real model server.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use serde_json::Value;
use toxicity_tests::{Browser, ModelServer, WebServer};

const INSULT: &str =
    "Honestly, you are a stupid, worthless idiot. The rest of the article was fine though, thanks!";

/// Types `text` into the field, key by key as a person does.
async fn type_text(browser: &Browser, text: &str) {
    let field = browser.find("#text").await;
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
}

async fn submit(browser: &Browser) {
    browser.find("#analyze").await.click().await.unwrap();
}

async fn marked_words(browser: &Browser) -> Vec<String> {
    browser.texts("#marked-text mark").await
}

#[tokio::test]
async fn a_comment_is_scored_and_its_words_are_marked() {
    let model_server = ModelServer::start(&[]);
    let web_server = WebServer::start(model_server.port);
    let browser = Browser::start(1280, 800).await;
    browser.client.goto(&web_server.url("/")).await.unwrap();
    browser.find("#first-visit").await;

    type_text(&browser, INSULT).await;
    submit(&browser).await;
    browser
        .wait_for_text("#verdict", |text| text.contains("Flagged"))
        .await;

    let rows = browser.texts("#result tr[data-label]").await;
    assert_eq!(rows.len(), 6, "{rows:?}");
    let score = browser.text("tr[data-label=\"toxic\"] .score").await;
    assert!(score.parse::<f32>().unwrap() > 0.9, "toxic scores {score}");
    let sentence = browser.text("#sentence").await;
    assert!(
        sentence.contains("toxic") && sentence.contains("insult"),
        "{sentence}"
    );
    let marked = marked_words(&browser).await;
    assert!(
        marked.contains(&"stupid".to_owned()) && marked.contains(&"idiot".to_owned()),
        "{marked:?}"
    );
    assert_eq!(
        browser.text("#marked-text").await.replace('\n', " "),
        INSULT,
        "the whole text is shown"
    );

    type_text(
        &browser,
        "Thanks for sharing the sources, I will read them tonight.",
    )
    .await;
    browser.find("#stale").await;
    submit(&browser).await;
    browser
        .wait_for_text("#verdict", |text| text.contains("Nothing flagged"))
        .await;
    assert!(marked_words(&browser).await.is_empty());
    browser.close().await;
}

#[tokio::test]
async fn control_enter_submits_and_text_is_never_markup() {
    let model_server = ModelServer::start(&[]);
    let web_server = WebServer::start(model_server.port);
    let browser = Browser::start(360, 740).await;
    browser.client.goto(&web_server.url("/")).await.unwrap();

    let text = "<b>You</b> <img src=x onerror=\"window.attacked=1\"> idiot 👋🏽 ok";
    type_text(&browser, text).await;
    // WebDriver's keys for Control, Enter and the release of both.
    browser
        .find("#text")
        .await
        .send_keys("\u{e009}\u{e007}\u{e000}")
        .await
        .unwrap();
    browser
        .wait_for_text("#verdict", |verdict| verdict.contains("Flagged"))
        .await;
    assert_eq!(browser.text("#marked-text").await, text);
    assert_eq!(marked_words(&browser).await, ["idiot"]);
    assert_eq!(
        browser.evaluate("return window.attacked ?? null").await,
        Value::Null
    );
    let overflow = browser
        .evaluate("return document.documentElement.scrollWidth - window.innerWidth")
        .await;
    assert!(
        overflow.as_i64().unwrap() <= 0,
        "a phone scrolls sideways by {overflow} px"
    );
    browser.close().await;
}

#[tokio::test]
async fn a_long_text_says_in_how_many_windows_it_was_scored() {
    let model_server = ModelServer::start(&[]);
    let web_server = WebServer::start(model_server.port);
    let browser = Browser::start(1280, 800).await;
    browser.client.goto(&web_server.url("/")).await.unwrap();
    let text = "The committee met on Tuesday and talked about the budget for the playground. ".repeat(30);
    let script = format!(
        "const field = document.querySelector('#text'); field.focus(); \
         document.execCommand('insertText', false, {});",
        serde_json::to_string(&text).unwrap()
    );
    browser.evaluate(&script).await;
    submit(&browser).await;
    browser
        .wait_for_text("#windows-note", |note| note.contains("windows"))
        .await;
    browser.close().await;
}

#[tokio::test]
async fn a_model_server_that_is_gone_is_named_and_comes_back() {
    let model_server = ModelServer::start(&[]);
    let port = model_server.port;
    let web_server = WebServer::start(port);
    let browser = Browser::start(1280, 800).await;
    browser.client.goto(&web_server.url("/")).await.unwrap();
    browser
        .wait_for_text("#status", |status| status.contains("Ready"))
        .await;

    drop(model_server);
    type_text(&browser, INSULT).await;
    submit(&browser).await;
    let error = browser
        .wait_for_text("#error", |error| error.contains("does not answer"))
        .await;
    assert!(error.contains("Retrying"), "{error}");

    // The page tries again by itself.
    let _model_server = ModelServer::start_on(port, &[]);
    browser
        .wait_for_text("#verdict", |verdict| verdict.contains("Flagged"))
        .await;
    browser.close().await;
}

#[tokio::test]
async fn the_pages_obey_their_own_security_policy() {
    let model_server = ModelServer::start(&[]);
    let web_server = WebServer::start(model_server.port);
    let browser = Browser::start(1280, 800).await;
    for path in ["/", "/api/docs/"] {
        browser.client.goto(&web_server.url(path)).await.unwrap();
        // Buffered: what was violated while the page loaded is reported too.
        browser
            .evaluate(
                "window.violations = []; \
                 new ReportingObserver(reports => window.violations.push(...reports.map(report => report.body)), \
                     { types: ['csp-violation'], buffered: true }).observe();",
            )
            .await;
        if path == "/" {
            type_text(&browser, INSULT).await;
            submit(&browser).await;
            browser
                .wait_for_text("#verdict", |text| text.contains("Flagged"))
                .await;
        } else {
            try_out_info(&browser).await;
        }
        let violations = browser.evaluate("return window.violations").await;
        assert_eq!(violations, Value::Array(Vec::new()), "on {path}");
    }
    browser.close().await;
}

/// Sends a request from the API's own page, which must reach the model server through the proxy.
async fn try_out_info(browser: &Browser) {
    let operation = "#operations-operations-info";
    browser
        .find(&format!("{operation} .opblock-summary-control"))
        .await
        .click()
        .await
        .unwrap();
    browser
        .find(&format!("{operation} button.execute"))
        .await
        .click()
        .await
        .unwrap();
    let answer = format!("{operation} .live-responses-table .response-col_status");
    browser
        .wait_for_text(&answer, |status| status.starts_with("200"))
        .await;
}
