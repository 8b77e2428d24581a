//! Object stores: S3, Google Cloud Storage and Azure Blob Storage.

use std::str::FromStr;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use http::HeaderValue;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path as ObjectPath;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, ObjectMeta, ObjectStore, RetryConfig,
};

use super::{Content, Location, Offer, RemoteFile};
use crate::environment::Environment;
use crate::error::FetchError;
use crate::http_client::{Opened, USER_AGENT, install_crypto_provider};
use crate::options::FetchOptions;
use crate::relative_path::RelativePath;
use crate::source::{BucketPrefix, ObjectService};

/// What may help when the store does not let us in.
const HINT: &str =
    "check the name and the credentials (AWS_*, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_*)";

pub(super) async fn resolve(bucket: &BucketPrefix, options: &FetchOptions) -> Result<Offer, FetchError> {
    let origin = bucket.to_string();
    let store = connect(bucket, options).map_err(|error| FetchError::SetUpClient {
        origin: origin.clone(),
        problem: without_body(&error.to_string()),
    })?;
    let prefix = ObjectPath::from(bucket.prefix.as_str());
    let most = options.limits.files;
    let objects: Vec<ObjectMeta> = store
        .list(Some(&prefix))
        .take(most + 1)
        .try_collect()
        .await
        .map_err(|error| failure(&origin, &error))?;
    if objects.len() > most {
        return Err(FetchError::ExceedLimit {
            what: origin,
            limit: most as u64,
            unit: "objects; name the folder of the model itself",
        });
    }
    let files = objects.into_iter().filter_map(|object| {
        let name = object.location.as_ref();
        let path = RelativePath::parse(name).ok()?.within(&bucket.prefix)?;
        Some(RemoteFile {
            label: path.to_string(),
            content: Content::File(path),
            size: Some(object.size),
            sha256: None,
            etag: object.e_tag.as_deref().map(quoted),
            location: Location::Object {
                store: Arc::clone(&store),
                path: object.location,
                etag: object.e_tag.as_deref().map(quoted),
            },
        })
    });
    Ok(Offer {
        revision: None,
        files: files.collect(),
    })
}

/// Opens an object at the byte `from`, when it is still the version of `etag`.
pub(super) async fn open(
    store: &dyn ObjectStore,
    path: &ObjectPath,
    from: u64,
    etag: Option<String>,
) -> Result<Opened, FetchError> {
    let what = path.to_string();
    let options = GetOptions {
        if_match: etag,
        range: (from > 0).then_some(GetRange::Offset(from)),
        ..GetOptions::default()
    };
    let answer = store
        .get_opts(path, options)
        .await
        .map_err(|error| failure(&what, &error))?;
    Ok(Opened {
        start: answer.range.start,
        size: Some(answer.meta.size),
        etag: answer.meta.e_tag.as_deref().map(quoted),
        chunks: answer
            .into_stream()
            .map(move |chunk| chunk.map_err(|error| broken(&what, &error)))
            .boxed(),
    })
}

fn connect(
    bucket: &BucketPrefix,
    options: &FetchOptions,
) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    install_crypto_provider();
    let environment = &options.environment;
    // The store tries again by itself: it knows best which of its answers pass.
    let retries = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: options.retries.first_pause,
            ..BackoffConfig::default()
        },
        max_retries: options.retries.count,
        ..RetryConfig::default()
    };
    let client = ClientOptions::new()
        .with_user_agent(HeaderValue::from_static(USER_AGENT))
        .with_allow_http(options.allow_http)
        .with_connect_timeout(options.timeouts.connect)
        .with_read_timeout(options.timeouts.stall)
        // Else a large object on a slow line would fail for its size alone.
        .with_timeout_disabled();
    Ok(match bucket.service {
        ObjectService::S3 => {
            let builder = AmazonS3Builder::new()
                .with_client_options(client)
                .with_retry(retries);
            let builder = settings::<AmazonS3ConfigKey>(environment, "AWS_")
                .fold(builder, |builder, (key, value)| builder.with_config(key, value));
            Arc::new(builder.with_bucket_name(&bucket.bucket).build()?)
        }
        ObjectService::Google => {
            let builder = GoogleCloudStorageBuilder::new()
                .with_client_options(client)
                .with_retry(retries);
            let builder = settings::<GoogleConfigKey>(environment, "GOOGLE_")
                .fold(builder, |builder, (key, value)| builder.with_config(key, value));
            Arc::new(builder.with_bucket_name(&bucket.bucket).build()?)
        }
        ObjectService::Azure => {
            let builder = MicrosoftAzureBuilder::new()
                .with_client_options(client)
                .with_retry(retries);
            let mut builder = settings::<AzureConfigKey>(environment, "AZURE_")
                .fold(builder, |builder, (key, value)| builder.with_config(key, value));
            if let Some(endpoint) = environment.get("IDENTITY_ENDPOINT") {
                builder = builder.with_msi_endpoint(endpoint);
            }
            Arc::new(builder.with_container_name(&bucket.bucket).build()?)
        }
    })
}

/// An etag as HTTP writes it; lists of Azure leave the quotes out.
fn quoted(etag: &str) -> String {
    if etag.ends_with('"') {
        etag.to_owned()
    } else {
        format!("\"{etag}\"")
    }
}

/// The variables that mean something to the store, as its own builders read them.
fn settings<'a, K: FromStr>(
    environment: &'a Environment,
    prefix: &str,
) -> impl Iterator<Item = (K, &'a str)> {
    environment
        .beginning_with(prefix)
        .filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value)))
}

/// Failure of a question. The store has tried again already where that could help.
fn failure(what: &str, error: &object_store::Error) -> FetchError {
    if matches!(error, object_store::Error::Precondition { .. }) {
        return FetchError::Changed {
            what: what.to_owned(),
        };
    }
    let message = error.to_string();
    match status_in(&message) {
        Some(status @ 400..500) => FetchError::Refused {
            what: what.to_owned(),
            status,
            detail: code_in(&message),
            retry_after: None,
        }
        .with_hint(HINT),
        _ => broken(what, error),
    }
}

/// Failure on the way.
fn broken(what: &str, error: &object_store::Error) -> FetchError {
    FetchError::Reach {
        what: what.to_owned(),
        source: without_body(&error.to_string()).into(),
    }
}

/// What an error says before the server's own answer, which may repeat a session token, and the code in that
/// answer.
fn without_body(message: &str) -> String {
    let said = message.split(['<', '{']).next().unwrap_or_default();
    let said = said.trim_end_matches([' ', ':', '-']);
    match code_in(message) {
        code if code.is_empty() => said.to_owned(),
        code => format!("{said}: {code}"),
    }
}

/// The status of the answer, which the store's errors tell in their text alone.
fn status_in(message: &str) -> Option<u16> {
    let (_, rest) = message.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// The code of an answer such as `<Error><Code>AccessDenied</Code>…`.
fn code_in(message: &str) -> String {
    let code = message
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or_else(String::new, |(code, _)| code.chars().take(100).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_answer_is_repeated_but_its_code() {
        let message = "Generic S3 error: Error performing GET https://host/bucket in 1ms - Server returned \
                       non-2xx status code: 400 Bad Request: <?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code>\
                       <Token-0>hunter2</Token-0></Error>";
        assert_eq!(
            without_body(message),
            "Generic S3 error: Error performing GET https://host/bucket in 1ms - Server returned non-2xx status \
             code: 400 Bad Request: ExpiredToken"
        );
        assert_eq!(without_body("it broke - {\"token\": \"hunter2\"}"), "it broke");
        assert_eq!(status_in(message), Some(400));
        assert_eq!(status_in("Generic S3 error: connection refused"), None);
    }
}
