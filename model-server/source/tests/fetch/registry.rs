//! OCI registries.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use toxicity_model_source::{ArchiveError, FetchError};

use crate::fixture::{
    Fault, Fetcher, Page, Server, assert_is_model, gzip, message, model, onnx, sha256, tar, tar_of_model,
    zstandard,
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What says that a layer is the file of this name.
fn titled(name: &str) -> Value {
    json!({"org.opencontainers.image.title": name})
}

/// A registry with the repository `owner/toxic`.
struct Registry(Server);

impl Registry {
    async fn start() -> Self {
        let server = Server::start().await;
        server.put("/v2/", "{}");
        Self(server)
    }

    fn source(&self, tag: &str) -> String {
        format!("oci://{}/owner/toxic{tag}", self.0.address)
    }

    fn blob_path(content: &[u8]) -> String {
        format!("/v2/owner/toxic/blobs/sha256:{}", sha256(content))
    }

    /// Stores a blob and gives its descriptor.
    fn blob(&self, content: &[u8], media_type: &str, annotations: &Value) -> Value {
        self.0.put(&Self::blob_path(content), content.to_vec());
        let digest = format!("sha256:{}", sha256(content));
        json!({"mediaType": media_type, "digest": digest, "size": content.len(), "annotations": annotations})
    }

    /// Stores a manifest and gives its digest.
    fn manifest(&self, tag: &str, layers: &[Value]) -> String {
        let config =
            json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": "sha256:44", "size": 2});
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        self.document(tag, MANIFEST, &manifest)
    }

    fn document(&self, tag: &str, media_type: &'static str, document: &Value) -> String {
        let page = Page {
            content_type: Some(media_type),
            ..Page::json(document)
        };
        let digest = format!("sha256:{}", sha256(&page.body));
        self.0
            .put(&format!("/v2/owner/toxic/manifests/{tag}"), page.clone());
        self.0.put(&format!("/v2/owner/toxic/manifests/{digest}"), page);
        digest
    }

    /// An artifact as `oras push` makes it.
    fn artifact(&self, tag: &str, seed: u8) -> String {
        let mut layers: Vec<Value> = model(seed)
            .iter()
            .map(|(path, content)| {
                let title = titled(path);
                self.blob(content, "application/vnd.oci.image.layer.v1.tar", &title)
            })
            .collect();
        let title = titled("README.md");
        layers.push(self.blob(b"# Toxic", "text/markdown", &title));
        self.manifest(tag, &layers)
    }
}

#[tokio::test]
async fn an_artifact_gives_its_files_by_their_titles() {
    let registry = Registry::start().await;
    let digest = registry.artifact("1.0", 1);
    let fetcher = Fetcher::new();
    let outcome = fetcher.fetch(&registry.source(":1.0")).await.unwrap();
    assert_is_model(&outcome.folder, 1);
    assert_eq!(outcome.revision, Some(digest));
    assert_eq!(outcome.folder.file_name().unwrap(), "toxic");
    assert_eq!(
        registry.0.ranges(&Registry::blob_path(b"# Toxic")),
        [] as [Option<String>; 0]
    );
}

#[tokio::test]
async fn a_tag_is_asked_for_its_digest_and_a_digest_is_not_asked_for() {
    let registry = Registry::start().await;
    let digest = registry.artifact("latest", 1);
    let fetcher = Fetcher::new();
    fetcher.fetch(&registry.source("")).await.unwrap();
    registry.0.asked();
    assert!(!fetcher.fetch(&registry.source(":latest")).await.unwrap().fetched);
    assert_eq!(registry.0.asked().len(), 1);
    registry.artifact("latest", 2);
    assert_is_model(&fetcher.fetch(&registry.source("")).await.unwrap().folder, 2);

    let pinned = registry.source(&format!("@{digest}"));
    assert_is_model(&fetcher.fetch(&pinned).await.unwrap().folder, 1);
    registry.0.asked();
    assert!(!fetcher.fetch(&pinned).await.unwrap().fetched);
    assert_eq!(registry.0.asked(), []);
}

#[tokio::test]
async fn an_image_gives_the_model_below_its_folder_models() {
    let base = tar([("etc/passwd", b"root".as_slice()), ("models/config.json", b"old")]);
    let top = tar_of_model(1, "models/toxic-bert/");
    let whiteout = tar([("models/.wh.config.json", b"".as_slice())]);
    for (media_type, top) in [
        ("application/vnd.oci.image.layer.v1.tar", top.clone()),
        ("application/vnd.oci.image.layer.v1.tar+gzip", gzip(&top)),
        ("application/vnd.oci.image.layer.v1.tar+zstd", zstandard(&top)),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", gzip(&top)),
    ] {
        let registry = Registry::start().await;
        let layers = [
            registry.blob(
                &gzip(&base),
                "application/vnd.oci.image.layer.v1.tar+gzip",
                &Value::Null,
            ),
            registry.blob(&top, media_type, &Value::Null),
            registry.blob(&whiteout, "application/vnd.oci.image.layer.v1.tar", &Value::Null),
        ];
        registry.manifest("1.0", &layers);
        let fetcher = Fetcher::new();
        let outcome = fetcher.fetch(&registry.source(":1.0")).await.unwrap();
        assert_is_model(&outcome.folder, 1);
    }
}

#[tokio::test]
async fn an_index_leads_to_the_image_for_this_machine() {
    let registry = Registry::start().await;
    let other = registry.artifact("other", 2);
    let own = registry.artifact("own", 1);
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let entry = |digest: &str, architecture: &str| {
        json!({"mediaType": MANIFEST, "digest": digest, "size": 1,
               "platform": {"os": std::env::consts::OS, "architecture": architecture}})
    };
    let index = json!({"schemaVersion": 2, "mediaType": INDEX,
                       "manifests": [entry(&other, "s390x"), entry(&own, architecture)]});
    let digest = registry.document("1.0", INDEX, &index);
    let fetcher = Fetcher::new();
    let outcome = fetcher.fetch(&registry.source(":1.0")).await.unwrap();
    assert_is_model(&outcome.folder, 1);
    assert_eq!(outcome.revision, Some(digest));
}

#[tokio::test]
async fn a_folder_that_oras_packed_is_unpacked() {
    let registry = Registry::start().await;
    let files = model(1);
    let onnx = gzip(&tar([("onnx/model.onnx", onnx(1).as_ref())]));
    let mut layers: Vec<Value> = files[..3]
        .iter()
        .map(|(path, content)| registry.blob(content, "a/b", &titled(path)))
        .collect();
    let packed = json!({"org.opencontainers.image.title": "onnx", "io.deis.oras.content.unpack": "true"});
    layers.push(registry.blob(&onnx, "application/vnd.oci.image.layer.v1.tar+gzip", &packed));
    registry.manifest("1.0", &layers);
    let fetcher = Fetcher::new();
    let outcome = fetcher.fetch(&registry.source(":1.0")).await.unwrap();
    assert_is_model(&outcome.folder, 1);
}

#[tokio::test]
async fn a_blob_goes_on_where_it_broke() {
    let registry = Registry::start().await;
    registry.artifact("1.0", 1);
    let path = Registry::blob_path(&onnx(1));
    registry.0.fault(&path, Fault::Break(1_000_000));
    let fetcher = Fetcher::new();
    let outcome = fetcher.fetch(&registry.source(":1.0")).await.unwrap();
    assert_is_model(&outcome.folder, 1);
    assert_eq!(
        registry.0.ranges(&path),
        [None, Some("bytes=1000000-".to_owned())]
    );
}

#[tokio::test]
async fn a_blob_or_manifest_of_another_digest_is_refused() {
    let registry = Registry::start().await;
    let digest = registry.artifact("1.0", 1);
    registry
        .0
        .change(&Registry::blob_path(&onnx(1)), |page| page.body = onnx(2));
    let error = Fetcher::new().fetch(&registry.source(":1.0")).await.unwrap_err();
    assert!(matches!(error, FetchError::CompareChecksum { .. }), "{error}");

    registry.0.put(
        &format!("/v2/owner/toxic/manifests/{digest}"),
        Page::json(&json!({
            "schemaVersion": 2, "config": {"mediaType": "a/b", "digest": "sha256:44", "size": 2}, "layers": []
        })),
    );
    let error = Fetcher::new()
        .fetch(&registry.source(&format!("@{digest}")))
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::UnderstandAnswer { .. }), "{error}");
}

/// Makes the registry want a token from a service of its own, which wants a user and a password.
async fn want_token(registry: &Registry, token: &str) -> Server {
    let service = Server::start().await;
    let basic = format!("Basic {}", BASE64_STANDARD.encode("me:hunter2"));
    service.put(
        "/token",
        Page {
            authorization: Some(basic),
            ..Page::json(&json!({"token": token}))
        },
    );
    let challenge = format!("Bearer realm=\"{}\",service=\"registry\"", service.url("/token"));
    let token = format!("Bearer {token}");
    registry.0.change_all(|page| {
        page.authorization = Some(token.clone());
        page.challenge = Some(challenge.clone());
    });
    service
}

#[tokio::test]
async fn the_registry_says_where_to_get_a_token() {
    let registry = Registry::start().await;
    registry.artifact("1.0", 1);
    let service = want_token(&registry, "short-lived").await;
    let mut fetcher = Fetcher::new();
    let text = message(&fetcher.fetch(&registry.source(":1.0")).await.unwrap_err());
    assert!(
        text.contains("401") && text.contains("TOXICITY_OCI_USERNAME"),
        "{text}"
    );
    service.asked();

    let login = [
        ("TOXICITY_OCI_USERNAME", "me"),
        ("TOXICITY_OCI_PASSWORD", "hunter2"),
    ];
    fetcher.set(&login);
    assert_is_model(&fetcher.fetch(&registry.source(":1.0")).await.unwrap().folder, 1);
    let asked = service.asked();
    assert_eq!(asked.len(), 1, "one token for all files");
    assert!(
        asked[0].query.contains("scope=repository%3Aowner%2Ftoxic%3Apull"),
        "{}",
        asked[0].query
    );

    let mut fetcher = Fetcher::new();
    fetcher.set(&[
        ("TOXICITY_OCI_USERNAME", "me"),
        ("TOXICITY_OCI_PASSWORD", "hunter3"),
    ]);
    let text = message(&fetcher.fetch(&registry.source(":1.0")).await.unwrap_err());
    assert!(text.contains("401") && !text.contains("hunter"), "{text}");
}

#[tokio::test]
async fn a_token_that_runs_out_is_replaced() {
    let registry = Registry::start().await;
    registry.artifact("1.0", 1);
    want_token(&registry, "first").await;
    let mut fetcher = Fetcher::new();
    fetcher.set(&[
        ("TOXICITY_OCI_USERNAME", "me"),
        ("TOXICITY_OCI_PASSWORD", "hunter2"),
    ]);
    registry
        .0
        .fault(&Registry::blob_path(&onnx(1)), Fault::Answer(401, None));
    assert_is_model(&fetcher.fetch(&registry.source(":1.0")).await.unwrap().folder, 1);
}

#[tokio::test]
async fn a_registry_may_want_the_password_itself() {
    let registry = Registry::start().await;
    registry.artifact("1.0", 1);
    let basic = format!("Basic {}", BASE64_STANDARD.encode("me:hunter2"));
    registry.0.change_all(|page| {
        page.authorization = Some(basic.clone());
        page.challenge = Some("Basic realm=\"registry\"".to_owned());
    });
    let docker = tempfile::tempdir().unwrap();
    let config = json!({"auths": {&registry.0.address: {"auth": BASE64_STANDARD.encode("me:hunter2")}}});
    std::fs::write(docker.path().join("config.json"), config.to_string()).unwrap();
    let mut fetcher = Fetcher::new();
    fetcher.set(&[("DOCKER_CONFIG", docker.path().to_str().unwrap())]);
    assert_is_model(&fetcher.fetch(&registry.source(":1.0")).await.unwrap().folder, 1);
}

#[tokio::test]
async fn hostile_layers_are_refused() {
    let registry = Registry::start().await;
    let link = {
        let mut builder = tar::Builder::new(tar_of_model(1, "models/"));
        builder
            .get_mut()
            .truncate(tar_of_model(1, "models/").len() - 1024);
        let mut head = tar::Header::new_gnu();
        head.set_entry_type(tar::EntryType::Symlink);
        head.set_size(0);
        builder
            .append_link(&mut head, "models/config.json", "/etc/passwd")
            .unwrap();
        builder.into_inner().unwrap()
    };
    let layer = registry.blob(&link, "application/vnd.oci.image.layer.v1.tar", &Value::Null);
    registry.manifest("1.0", &[layer]);
    let error = Fetcher::new().fetch(&registry.source(":1.0")).await.unwrap_err();
    let FetchError::Unpack { source, .. } = &error else {
        panic!("{error}")
    };
    assert!(matches!(source, ArchiveError::FollowLink(_)), "{source}");

    // A title that leaves the folder is no title.
    let layer = |title: &str| registry.blob(b"{}", "a/b", &titled(title));
    registry.manifest("2.0", &[layer("../config.json"), layer("/tokenizer.json")]);
    let error = Fetcher::new().fetch(&registry.source(":2.0")).await.unwrap_err();
    assert!(matches!(error, FetchError::Unpack { .. }), "{error}");

    registry.manifest(
        "3.0",
        &[json!({"mediaType": "a/b", "digest": "md5:0", "size": 1})],
    );
    let error = Fetcher::new().fetch(&registry.source(":3.0")).await.unwrap_err();
    assert!(matches!(error, FetchError::UnderstandAnswer { .. }), "{error}");
}
