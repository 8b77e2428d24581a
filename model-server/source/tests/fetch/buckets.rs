//! Object stores.

use axum::body::Bytes;

use crate::fixture::{Fault, Fetcher, Page, Server, assert_is_model, message, model};

const SOURCE: &str = "s3://models/toxic";
const ONNX: &str = "/models/toxic/onnx/model.onnx";

/// A store with a model in the bucket `models` below `toxic/`, which is listed as S3 and Google do.
async fn store(seed: u8) -> Server {
    let server = Server::start().await;
    put_model(&server, seed);
    server
}

fn put_model(server: &Server, seed: u8) {
    let mut files = model(seed);
    files.push(("pytorch_model.bin", "weights".into()));
    let put = |(path, content): (&str, Bytes)| {
        let page = Page {
            headers: vec![("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT".to_owned())],
            ..Page::new(content)
        };
        let (size, etag) = (page.body.len(), escaped_etag(&page));
        server.put(&format!("/models/toxic/{path}"), page);
        format!(
            "<Contents><Key>toxic/{path}</Key><Size>{size}</Size><ETag>{etag}</ETag>\
             <LastModified>1994-11-06T08:49:37.000Z</LastModified></Contents>"
        )
    };
    let objects: String = files.into_iter().map(put).collect();
    let listing = format!("<ListBucketResult><IsTruncated>false</IsTruncated>{objects}</ListBucketResult>");
    server.put("/models", listing);
}

fn escaped_etag(page: &Page) -> String {
    page.etag.as_deref().unwrap().replace('"', "&quot;")
}

fn s3(server: &Server) -> Fetcher {
    let mut fetcher = Fetcher::new();
    fetcher.set(&[
        ("AWS_ENDPOINT_URL", &server.url("")),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "hunter1"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_SESSION_TOKEN", "hunter3"),
    ]);
    fetcher
}

#[tokio::test]
async fn a_model_is_fetched_from_s3_and_again_only_when_it_changed() {
    let server = store(1).await;
    let fetcher = s3(&server);
    let outcome = fetcher.fetch(SOURCE).await.unwrap();
    assert_is_model(&outcome.folder, 1);
    assert_eq!(outcome.folder.file_name().unwrap(), "toxic");
    let asked = server.asked();
    assert!(asked[0].query.contains("prefix=toxic%2F"), "{}", asked[0].query);
    let signed = asked[0].authorization.as_deref().unwrap();
    assert!(
        signed.starts_with("AWS4-HMAC-SHA256 Credential=hunter1/"),
        "{signed}"
    );

    assert!(!fetcher.fetch(SOURCE).await.unwrap().fetched);
    assert_eq!(server.asked().len(), 1, "one list, and no object");
    put_model(&server, 2);
    assert_is_model(&fetcher.fetch(SOURCE).await.unwrap().folder, 2);
}

#[tokio::test]
async fn a_download_from_s3_goes_on_where_it_was_given_up() {
    let server = store(1).await;
    let fetcher = s3(&server);
    server.fault(ONNX, Fault::Stall(2_000_000));
    fetcher.fetch_until(SOURCE, "onnx/model.onnx", 2_000_000).await;
    server.asked();
    assert_is_model(&fetcher.fetch(SOURCE).await.unwrap().folder, 1);
    assert_eq!(server.ranges(ONNX), [Some("bytes=2000000-".to_owned())]);
}

#[tokio::test]
async fn a_broken_download_from_s3_goes_on() {
    let server = store(1).await;
    let fetcher = s3(&server);
    server.fault(ONNX, Fault::Break(1_000_000));
    server.fault(ONNX, Fault::Answer(503, None));
    assert_is_model(&fetcher.fetch(SOURCE).await.unwrap().folder, 1);
    let ranges = server.ranges(ONNX);
    assert_eq!(ranges.len(), 3);
    let last = ranges[2].as_deref().unwrap();
    assert!(last.starts_with("bytes=1000000-"), "{last}");
}

#[tokio::test]
async fn an_object_that_changes_meanwhile_is_asked_for_again() {
    let server = store(1).await;
    let fetcher = s3(&server);
    // The list is of the first model, and the objects are of the second.
    let mut position = fetcher.heard.watch("config.json");
    server.fault("/models/toxic/config.json", Fault::Stall(3));
    let change = async {
        position.wait_for(|&position| position == 3).await.unwrap();
        put_model(&server, 2);
    };
    let mut options = fetcher.options.clone();
    options.timeouts.stall = std::time::Duration::from_millis(500);
    let fetcher = Fetcher { options, ..fetcher };
    let (outcome, ()) = tokio::join!(fetcher.fetch(SOURCE), change);
    assert_is_model(&outcome.unwrap().folder, 2);
}

#[tokio::test]
async fn a_refusal_shows_no_secret() {
    let server = store(1).await;
    let fetcher = s3(&server);
    server.change("/models", |page| page.authorization = Some("never".to_owned()));
    let text = message(&fetcher.fetch(SOURCE).await.unwrap_err());
    assert!(
        text.contains("401") && text.contains(SOURCE) && text.contains("AWS_"),
        "{text}"
    );
    server.put(
        "/models",
        Page {
            redirect: Some(server.url("/elsewhere")),
            ..Page::new("")
        },
    );
    let other = message(&fetcher.fetch(SOURCE).await.unwrap_err());
    for text in [text, other, format!("{:?}", fetcher.options)] {
        assert!(!text.contains("hunter"), "{text}");
    }
}

#[tokio::test]
async fn plain_http_must_be_allowed() {
    let server = store(1).await;
    let mut fetcher = s3(&server);
    fetcher.set(&[
        ("AWS_ENDPOINT_URL", &server.url("")),
        ("AWS_SKIP_SIGNATURE", "true"),
    ]);
    fetcher.options.retries.count = 0;
    fetcher.fetch(SOURCE).await.unwrap_err();
    assert_eq!(server.asked(), []);
    fetcher.options.allow_http = true;
    fetcher.fetch(SOURCE).await.unwrap();
}

#[tokio::test]
async fn a_prefix_without_a_model_and_a_store_that_is_gone_are_named() {
    let server = store(1).await;
    server.put(
        "/models",
        "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
    );
    let text = message(&s3(&server).fetch(SOURCE).await.unwrap_err());
    assert!(text.contains(SOURCE) && text.contains("config.json"), "{text}");

    let mut fetcher = s3(&server);
    fetcher.options.retries.count = 0;
    fetcher.set(&[
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_SKIP_SIGNATURE", "true"),
    ]);
    let text = message(&fetcher.fetch(SOURCE).await.unwrap_err());
    assert!(text.contains(SOURCE), "{text}");
}

#[tokio::test]
async fn a_prefix_with_too_many_objects_is_refused() {
    let server = store(1).await;
    let mut fetcher = s3(&server);
    fetcher.options.limits.files = 3;
    let text = message(&fetcher.fetch(SOURCE).await.unwrap_err());
    assert!(text.contains("more than 3 objects"), "{text}");
}

#[tokio::test]
async fn a_model_is_fetched_from_google_cloud_storage() {
    let server = store(1).await;
    let mut fetcher = Fetcher::new();
    let account = serde_json::json!({
        "gcs_base_url": server.url(""),
        "disable_oauth": true,
        "client_email": "",
        "private_key": "",
        "private_key_id": "",
    });
    fetcher.set(&[("GOOGLE_SERVICE_ACCOUNT_KEY", &account.to_string())]);
    fetcher.options.allow_http = true;
    assert_is_model(&fetcher.fetch("gs://models/toxic").await.unwrap().folder, 1);
}

#[tokio::test]
async fn a_model_is_fetched_from_azure() {
    let server = store(1).await;
    let describe = |(path, content): (&str, Bytes)| {
        let page = Page::new(content);
        let (size, etag) = (page.body.len(), page.etag.as_deref().unwrap().replace('"', ""));
        format!(
            "<Blob><Name>toxic/{path}</Name><Properties><Etag>{etag}</Etag><Content-Length>{size}</Content-Length>\
             <Last-Modified>Sun, 06 Nov 1994 08:49:37 GMT</Last-Modified><Content-Type>a/b</Content-Type>\
             </Properties></Blob>"
        )
    };
    let blobs: String = model(1).into_iter().map(describe).collect();
    let listing = format!("<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>");
    server.put("/models", listing);
    let mut fetcher = Fetcher::new();
    fetcher.set(&[
        ("AZURE_STORAGE_ACCOUNT_NAME", "account"),
        ("AZURE_STORAGE_SAS_KEY", "sv=2020&sig=hunter2"),
        ("AZURE_STORAGE_ENDPOINT", &server.url("")),
    ]);
    fetcher.options.allow_http = true;
    assert_is_model(&fetcher.fetch("az://models/toxic").await.unwrap().folder, 1);
    assert!(server.asked()[0].query.contains("sig=hunter2"));

    server.change("/models", |page| page.authorization = Some("never".to_owned()));
    let text = message(&fetcher.fetch("az://models/toxic").await.unwrap_err());
    assert!(!text.contains("hunter2"), "{text}");
}
