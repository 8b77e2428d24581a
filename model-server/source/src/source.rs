//! What people write to say where a model comes from.

mod bucket;
mod hub;
mod web;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use oci_client::Reference;

pub use bucket::{BucketPrefix, ObjectService};
pub use hub::HubRepository;
pub(crate) use hub::parse_revision;
pub use web::WebAddress;
pub(crate) use web::{WebContent, is_loopback, shown};

use crate::bundled::bundled_folder;

/// A parsed `--model` argument. Its text form can be parsed again and holds no secret: the query of a web
/// address, which may be a signature, is written as `…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// The model that ships with the server.
    Bundled,
    /// A folder on this machine.
    Folder(PathBuf),
    /// A repository of the Hugging Face Hub.
    Hub(HubRepository),
    /// An archive, or a folder of files, on a web server.
    Web(WebAddress),
    /// The objects below a prefix in S3, Google Cloud Storage or Azure Blob Storage.
    Bucket(BucketPrefix),
    /// An artifact or image in an OCI registry.
    Registry(Reference),
}

/// Why a model source cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelSourceError {
    /// A form this server does not read.
    #[error(
        "failed to understand the model source \"{0}\": use \"bundled\", a folder, \
         \"file:///absolute/folder\", \
         \"hf://owner/name[@revision]\", \"https://host/model.tar.gz\" (.tar, .tar.gz, .tar.zst or .zip), \
         \"https://host/folder/\", \"s3://bucket/prefix\", \"gs://bucket/prefix\", \
         \"az://container/prefix\" or \"oci://registry/name:tag\""
    )]
    ParseSource(String),
    /// A form that is known, but wrong in a part.
    #[error("failed to understand the model source \"{origin}\": {problem}")]
    ParsePart {
        /// The source, without what may be secret.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A claim of Kubernetes, which only the operator can mount.
    #[error(
        "failed to open the model source \"{0}\": the operator mounts the claim and passes its folder on as \
         \"file:///absolute/folder\"; outside of a cluster name the folder itself"
    )]
    OpenClaim(String),
    /// The bundled model is not where it should be.
    #[error(
        "failed to find the bundled model; looked in {}. Name its folder with --model",
        .0.iter().map(|path| format!("\"{}\"", path.display())).collect::<Vec<_>>().join(", ")
    )]
    FindBundled(Vec<PathBuf>),
}

impl ModelSource {
    /// The folder of a source on this machine; none for one that must be fetched.
    ///
    /// # Errors
    /// When the bundled model is in none of its usual places.
    pub fn local_folder(&self) -> Result<Option<PathBuf>, ModelSourceError> {
        match self {
            Self::Bundled => bundled_folder().map(Some),
            Self::Folder(path) => Ok(Some(path.clone())),
            Self::Hub(_) | Self::Web(_) | Self::Bucket(_) | Self::Registry(_) => Ok(None),
        }
    }

    /// What tells this source from every other, secrets in web addresses included: for hashing, never for
    /// showing.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Web(address) => address.url().to_string(),
            // The revision is what changes about a repository, not which one it is.
            Self::Hub(repository) => format!("hf://{}/{}", repository.owner, repository.name),
            _ => self.to_string(),
        }
    }

    /// A name for the model, fit for a folder.
    pub(crate) fn model_name(&self) -> String {
        let name = match self {
            Self::Bundled | Self::Folder(_) => "",
            Self::Hub(repository) => &repository.name,
            Self::Web(address) => address.name(),
            Self::Bucket(bucket) => bucket.name(),
            Self::Registry(reference) => reference.repository(),
        };
        let name = name.rsplit('/').next().unwrap_or_default();
        let safe = folder_name(name);
        if safe.is_empty() { "model".to_owned() } else { safe }
    }
}

/// `text` with only what every file system takes in a name, and no dot in front.
pub(crate) fn folder_name(text: &str) -> String {
    let safe = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => character,
        _ => '-',
    };
    let name: String = text.chars().map(safe).take(80).collect();
    name.trim_start_matches('.').to_owned()
}

impl FromStr for ModelSource {
    type Err = ModelSourceError;

    fn from_str(source: &str) -> Result<Self, Self::Err> {
        if source == "bundled" {
            return Ok(Self::Bundled);
        }
        let unknown = || ModelSourceError::ParseSource(shown(source));
        let wrong = |problem: String| ModelSourceError::ParsePart {
            origin: shown(source),
            problem,
        };
        let Some((scheme, rest)) = source.split_once("://") else {
            return if source.is_empty() {
                Err(unknown())
            } else {
                Ok(Self::Folder(source.into()))
            };
        };
        match scheme {
            "file" if rest.starts_with('/') => Ok(Self::Folder(rest.into())),
            "hf" => HubRepository::parse(rest).map(Self::Hub).map_err(wrong),
            "http" | "https" => WebAddress::parse(source).map(Self::Web).map_err(wrong),
            "s3" => BucketPrefix::parse(ObjectService::S3, rest)
                .map(Self::Bucket)
                .map_err(wrong),
            "gs" => BucketPrefix::parse(ObjectService::Google, rest)
                .map(Self::Bucket)
                .map_err(wrong),
            "az" => BucketPrefix::parse(ObjectService::Azure, rest)
                .map(Self::Bucket)
                .map_err(wrong),
            "oci" => parse_reference(rest).map(Self::Registry).map_err(wrong),
            "pvc" => Err(ModelSourceError::OpenClaim(shown(source))),
            _ => Err(unknown()),
        }
    }
}

fn parse_reference(text: &str) -> Result<Reference, String> {
    let form = "write oci://registry/name:tag or oci://registry/name@sha256:…";
    let reference = Reference::from_str(text).map_err(|error| format!("{error}; {form}"))?;
    // It is what the manifest is checked against, and what makes the source one that cannot change.
    match reference.digest() {
        Some(digest) if !digest.starts_with("sha256:") => Err(format!("the digest is no SHA-256; {form}")),
        _ => Ok(reference),
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => formatter.write_str("bundled"),
            Self::Folder(path) => path.display().fmt(formatter),
            Self::Hub(repository) => repository.fmt(formatter),
            Self::Web(address) => address.fmt(formatter),
            Self::Bucket(bucket) => bucket.fmt(formatter),
            Self::Registry(reference) => write!(formatter, "oci://{reference}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(source: &str) -> Result<ModelSource, ModelSourceError> {
        source.parse()
    }

    #[test]
    fn reads_the_documented_forms() {
        assert_eq!(parse("bundled").unwrap(), ModelSource::Bundled);
        assert_eq!(
            parse("file:///models/a").unwrap(),
            ModelSource::Folder("/models/a".into())
        );
        assert_eq!(parse("./a").unwrap(), ModelSource::Folder("./a".into()));
        for wrong in ["", "file://relative", "ftp://host/model"] {
            assert!(
                parse(wrong).unwrap_err().to_string().contains("file:///"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn every_form_is_written_as_it_is_read() {
        for source in [
            "bundled",
            "/models/a",
            "./a",
            "hf://unitary/toxic-bert",
            "hf://unitary/toxic-bert@v1.0",
            "hf://unitary/toxic-bert@refs/pr/1",
            "https://models.example.org/toxic.tar.zst",
            "https://models.example.org:8443/toxic/",
            "http://127.0.0.1:9000/toxic.zip",
            "s3://bucket/models/toxic",
            "gs://bucket",
            "az://container/toxic",
            "oci://ghcr.io/owner/toxic:1.0",
            "oci://localhost:5000/toxic@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            let parsed = parse(source).unwrap();
            assert_eq!(parsed.to_string(), source);
            assert_eq!(parse(&parsed.to_string()).unwrap(), parsed);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (source, part) in [
            ("hf://toxic-bert", "hf://owner/name"),
            ("hf://a/b/c", "hf://owner/name"),
            ("hf://a/b@", "revision"),
            ("hf://a/../b", "hf://owner/name"),
            ("https://host/model", "end it in \"/\""),
            ("https://", "host"),
            ("s3://", "bucket"),
            ("s3://bucket/a/../b", "prefix"),
            ("oci://", "oci://registry/name:tag"),
            ("oci://ghcr.io/Owner/name", "oci://registry/name:tag"),
            (
                &format!("oci://ghcr.io/a/b@sha512:{}", "a".repeat(128)),
                "no SHA-256",
            ),
            ("pvc://claim/model", "the operator mounts"),
        ] {
            let message = parse(source).unwrap_err().to_string();
            assert!(message.contains(part), "{source}: {message}");
        }
    }

    #[test]
    fn secrets_are_shown_nowhere() {
        let signed = parse("https://host/model.zip?X-Amz-Signature=hunter2#hunter2").unwrap();
        assert_eq!(signed.to_string(), "https://host/model.zip?…");
        let messages = [
            format!("{signed:?}"),
            parse("https://user:hunter2@host/model.zip")
                .unwrap_err()
                .to_string(),
            parse("https://host/model?token=hunter2").unwrap_err().to_string(),
            parse("ftp://user:hunter2@host/model").unwrap_err().to_string(),
            format!("{:?}", parse("s3://key:hunter2@bucket/model").unwrap_err()),
            parse("hf://user:hunter2@owner/name").unwrap_err().to_string(),
        ];
        for message in messages {
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn a_model_is_named_after_the_last_part_of_its_source() {
        for (source, name) in [
            ("hf://unitary/toxic-bert@main", "toxic-bert"),
            ("https://host/models/toxic.v2.tar.gz?dl=1", "toxic.v2"),
            ("https://host/models/toxic/", "toxic"),
            ("https://host/", "model"),
            ("s3://bucket/models/toxic", "toxic"),
            ("s3://bucket", "bucket"),
            ("oci://ghcr.io/owner/toxic:1.0", "toxic"),
        ] {
            assert_eq!(parse(source).unwrap().model_name(), name, "{source}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,60}") {
            if let Ok(source) = parse(&text) {
                let _ = source.to_string();
                let name = source.model_name();
                prop_assert!(!name.is_empty() && !name.contains('/') && !name.starts_with('.'));
            }
        }

        #[test]
        fn any_rest_is_parsed_or_refused(scheme in "hf|https|s3|oci|az", rest in "[a-zA-Z0-9@:/._?#%-]{0,40}") {
            if let Ok(source) = parse(&format!("{scheme}://{rest}")) {
                let written = source.to_string();
                prop_assert!(written.contains('…') || parse(&written) == Ok(source));
            }
        }
    }
}
