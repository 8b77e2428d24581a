//! Archives of all kinds, the hostile ones among them.

use std::io::Write;

use toxicity_model_source::{ArchiveError, FetchError};

use crate::fixture::{
    Fetcher, Server, assert_is_model, gzip, message, model, tar, tar_of_model, zip, zstandard,
};

/// Fetches an archive and gives what became of it.
async fn fetch(name: &str, archive: Vec<u8>, set: impl FnOnce(&mut Fetcher)) -> Result<Fetcher, FetchError> {
    let server = Server::start().await;
    server.put(&format!("/{name}"), archive);
    let mut fetcher = Fetcher::new();
    set(&mut fetcher);
    let outcome = fetcher.fetch(&server.url(&format!("/{name}"))).await?;
    assert_is_model(&outcome.folder, 1);
    Ok(fetcher)
}

async fn refused(name: &str, archive: Vec<u8>, set: impl FnOnce(&mut Fetcher)) -> ArchiveError {
    match fetch(name, archive, set).await.map(drop) {
        Err(FetchError::Unpack { source, .. }) => source,
        other => panic!("{name}: {other:?}"),
    }
}

fn zip_of_model(root: &str) -> Vec<u8> {
    let files = model(1);
    let named: Vec<_> = files
        .iter()
        .map(|(path, content)| (format!("{root}{path}"), content))
        .collect();
    zip(named
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_ref())))
}

/// A tar whose names are not checked, followed by the model.
fn tar_with(kind: tar::EntryType, name: &str, target: &str, content: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut head = tar::Header::new_gnu();
    let raw = head.as_gnu_mut().unwrap();
    raw.name[..name.len()].copy_from_slice(name.as_bytes());
    raw.linkname[..target.len()].copy_from_slice(target.as_bytes());
    raw.realsize.copy_from_slice(b"00000000000\0");
    head.set_entry_type(kind);
    head.set_size(content.len() as u64);
    head.set_cksum();
    builder.append(&head, content).unwrap();
    let mut bytes = builder.into_inner().unwrap();
    bytes.truncate(bytes.len() - 1024);
    bytes.extend(tar_of_model(1, ""));
    bytes
}

#[tokio::test]
async fn every_kind_of_archive_is_unpacked_whatever_its_name_says() {
    let plain = tar_of_model(1, "toxic/");
    for (name, archive) in [
        ("a.tar", plain.clone()),
        ("a.tar.gz", gzip(&plain)),
        ("a.tgz", gzip(&plain)),
        ("a.tar.zst", zstandard(&plain)),
        ("a.zip", zip_of_model("toxic/")),
        ("misnamed.zip", zstandard(&plain)),
        ("misnamed.tar", zip_of_model("")),
    ] {
        fetch(name, archive, |_| ())
            .await
            .unwrap_or_else(|error| panic!("{name}: {}", message(&error)));
    }
}

#[tokio::test]
async fn only_the_model_is_unpacked() {
    let files = model(1);
    let mut all: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, content)| (*path, content.as_ref()))
        .collect();
    all.push(("pytorch_model.bin", b"weights"));
    all.push(("run.sh", b"rm -rf /"));
    fetch("a.tar", tar(all), |_| ()).await.unwrap();
}

#[tokio::test]
async fn members_that_leave_the_folder_are_refused() {
    for name in ["../config.json", "toxic/../../config.json", "/etc/passwd"] {
        let archive = tar_with(tar::EntryType::Regular, name, "", b"{}");
        let error = refused("a.tar", archive, |_| ()).await;
        assert!(
            matches!(&error, ArchiveError::LeaveFolder(shown) if shown == name),
            "{error}"
        );
        let mut archive = vec![(name, b"{}".as_slice())];
        let files = model(1);
        archive.extend(files.iter().map(|(path, content)| (*path, content.as_ref())));
        let error = refused("a.zip", zip(archive), |_| ()).await;
        assert!(matches!(&error, ArchiveError::LeaveFolder(_)), "{error}");
    }
}

#[tokio::test]
async fn links_are_never_made_and_never_followed() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "secret").unwrap();
    let target = secret.path().to_str().unwrap();
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link] {
        // A link that no model needs is left out.
        fetch("a.tar", tar_with(kind, "README.md", target, b""), |_| ())
            .await
            .unwrap();
        // One that is replaced by a file later on is no link any more, and nothing is written through it.
        fetch("a.tar", tar_with(kind, "config.json", target, b""), |_| ())
            .await
            .unwrap();
        assert_eq!(std::fs::read_to_string(secret.path()).unwrap(), "secret");
        // One that is needed is refused.
        let error = refused("a.tar", tar_with(kind, "vocab.txt", target, b""), |_| ()).await;
        assert!(
            matches!(&error, ArchiveError::FollowLink(name) if name == "vocab.txt"),
            "{error}"
        );
    }
    // A folder that is a link has no effect on the files below it.
    let archive = tar_with(tar::EntryType::Symlink, "onnx", "/tmp", b"");
    fetch("a.tar", archive, |_| ()).await.unwrap();
}

#[tokio::test]
async fn devices_are_left_out() {
    for kind in [tar::EntryType::Char, tar::EntryType::Block, tar::EntryType::Fifo] {
        fetch("a.tar", tar_with(kind, "vocab.txt", "", b""), |_| ())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_bomb_ends_at_the_limit() {
    let zeros = vec![0; 20_000_000];
    let files = [
        ("config.json", b"{}".as_slice()),
        ("tokenizer.json", b"{}"),
        ("model.onnx", &zeros),
    ];
    let limits = |fetcher: &mut Fetcher| {
        fetcher.options.limits.file_bytes = 10_000_000;
        fetcher.options.limits.total_bytes = 15_000_000;
    };
    for (name, archive) in [
        ("a.tar.gz", gzip(&tar(files))),
        ("a.tar.zst", zstandard(&tar(files))),
        ("a.zip", zip(files)),
    ] {
        assert!(archive.len() < 200_000, "{name} is no bomb");
        let error = refused(name, archive, limits).await;
        assert!(
            matches!(error, ArchiveError::ExceedLimit { .. }),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn a_long_header_is_not_kept_in_memory() {
    let long_name = vec![b'a'; 50_000_000];
    for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader] {
        let archive = gzip(&tar_with(kind, "long", "", &long_name));
        let error = refused("a.tar.gz", archive, |_| ()).await;
        let text = error.to_string();
        assert!(text.contains("in the header of one member"), "{text}");
    }
}

#[tokio::test]
async fn many_members_are_refused() {
    let limits = |fetcher: &mut Fetcher| fetcher.options.limits.files = 100;
    let names: Vec<String> = (0..101).map(|number| format!("file{number}")).collect();
    let files = || names.iter().map(|name| (name.as_str(), b"".as_slice()));
    for (name, archive) in [("a.tar", tar(files())), ("a.zip", zip(files()))] {
        let error = refused(name, archive, limits).await;
        assert!(
            matches!(error, ArchiveError::ExceedLimit { limit: 100, .. }),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn sparse_files_are_refused() {
    let archive = tar_with(tar::EntryType::GNUSparse, "model.onnx", "", b"");
    let error = refused("a.tar", archive, |_| ()).await;
    assert!(matches!(error, ArchiveError::FillSparse(_)), "{error}");
}

#[tokio::test]
async fn damage_is_an_error() {
    let whole = gzip(&tar_of_model(1, ""));
    let half = whole[..whole.len() / 2].to_vec();
    let zipped = zip_of_model("");
    for (name, archive) in [
        ("a.tar.gz", half),
        ("a.zip", zipped[..zipped.len() / 2].to_vec()),
        ("a.tar", b"neither this nor that".repeat(100)),
        ("a.tar.zst", b"\x28\xb5\x2f\xfdnot really".to_vec()),
    ] {
        let error = refused(name, archive, |_| ()).await;
        assert!(matches!(error, ArchiveError::Read(_)), "{name}: {error}");
    }
    let mut flipped = zip_of_model("");
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let error = refused("a.zip", flipped, |_| ()).await;
    assert!(matches!(error, ArchiveError::Read(_)), "{error}");
}

#[tokio::test]
async fn an_archive_without_a_model_or_with_two_is_refused() {
    let empty = tar([("README.md", b"nothing here".as_slice())]);
    assert!(matches!(
        refused("a.tar", empty, |_| ()).await,
        ArchiveError::FindModel
    ));
    let two = tar([
        ("a/config.json", b"{}".as_slice()),
        ("a/tokenizer.json", b"{}"),
        ("b/config.json", b"{}"),
        ("b/tokenizer.json", b"{}"),
    ]);
    let error = refused("a.tar", two, |_| ()).await;
    assert!(
        matches!(&error, ArchiveError::ChooseModel(found) if found.len() == 2),
        "{error}"
    );
}

#[tokio::test]
async fn an_archive_of_archives_is_no_model() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&gzip(&tar_of_model(1, ""))).unwrap();
    let error = refused("a.tar.gz", encoder.finish().unwrap(), |_| ()).await;
    assert!(matches!(error, ArchiveError::Read(_)), "{error}");
}
