//! Folders on this machine.

use toxicity_model_source::{FetchError, VerifyError, verify};

use crate::fixture::{Fetcher, message, model, onnx, sha256};

fn write_model(folder: &std::path::Path) {
    for (path, content) in model(1) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

#[tokio::test]
async fn a_folder_is_used_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    write_model(folder.path());
    let fetcher = Fetcher::new();
    let model = fetcher
        .fetch(&format!("file://{}", folder.path().display()))
        .await
        .unwrap();
    assert_eq!(model.folder, folder.path());
    assert_eq!((model.revision, model.fetched), (None, false));
    assert!(matches!(
        verify(folder.path()),
        Err(VerifyError::ReadManifest { .. })
    ));
}

#[tokio::test]
async fn a_folder_must_have_the_sum_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    write_model(folder.path());
    let mut fetcher = Fetcher::new();
    let source = folder.path().to_str().unwrap();
    fetcher.options.sha256 = Some(sha256(&onnx(1)).parse().unwrap());
    fetcher.fetch(source).await.unwrap();
    fetcher.options.sha256 = Some(sha256(b"other").parse().unwrap());
    let error = fetcher.fetch(source).await.unwrap_err();
    assert!(matches!(error, FetchError::CompareChecksum { .. }), "{error}");
    fetcher.options.onnx_file = Some("model_int8.onnx".to_owned());
    let error = fetcher.fetch(source).await.unwrap_err();
    assert!(message(&error).contains("model_int8.onnx"), "{}", message(&error));
}

#[tokio::test]
async fn a_revision_goes_with_the_hub_alone() {
    let mut fetcher = Fetcher::new();
    fetcher.options.revision = Some("main".to_owned());
    for source in ["/models", "https://host/model.tar", "s3://bucket/model"] {
        let error = fetcher.fetch(source).await.unwrap_err();
        assert!(
            matches!(error, FetchError::UseRevision { .. }),
            "{source}: {error}"
        );
    }
}
