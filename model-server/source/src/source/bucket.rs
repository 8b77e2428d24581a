//! Places in object stores.

use std::fmt;

use crate::relative_path::RelativePath;

/// Who keeps the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectService {
    /// Amazon S3 and what speaks its protocol, `s3://`.
    S3,
    /// Google Cloud Storage, `gs://`.
    Google,
    /// Azure Blob Storage, `az://`.
    Azure,
}

impl ObjectService {
    fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
        }
    }
}

/// The objects below a prefix, such as `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPrefix {
    /// Who keeps the objects.
    pub service: ObjectService,
    /// Name of the bucket, or of the container.
    pub bucket: String,
    /// What the names of all objects of the model begin with, before a `/`; empty for the whole bucket.
    pub prefix: String,
}

impl BucketPrefix {
    /// Reads what follows `s3://`, `gs://` or `az://`.
    pub(super) fn parse(service: ObjectService, text: &str) -> Result<Self, String> {
        let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
        let allowed = |character: char| character.is_ascii_alphanumeric() || "._-$".contains(character);
        if bucket.is_empty() || bucket.len() > 255 || !bucket.chars().all(allowed) {
            return Err(format!(
                "the bucket must be a name of letters, digits, dots and hyphens; write {}://bucket/prefix",
                service.scheme()
            ));
        }
        let prefix = prefix.trim_end_matches('/');
        if !prefix.is_empty() && RelativePath::parse(prefix).map(String::from).as_deref() != Ok(prefix) {
            return Err("the prefix must be the path of a folder".to_owned());
        }
        Ok(Self {
            service,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    /// The last part that has a name.
    pub(super) fn name(&self) -> &str {
        if self.prefix.is_empty() {
            &self.bucket
        } else {
            &self.prefix
        }
    }
}

impl fmt::Display for BucketPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.service.scheme(), self.bucket)?;
        if self.prefix.is_empty() {
            Ok(())
        } else {
            write!(formatter, "/{}", self.prefix)
        }
    }
}
