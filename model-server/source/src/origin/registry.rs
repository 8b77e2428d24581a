//! OCI registries: artifacts as ORAS pushes them, and images that hold a model folder, as the
//! modelcars of `KServe` do.
//!
//! A layer with a title (`org.opencontainers.image.title`) is a file of that name; one that also says it is
//! to be unpacked, or has no title, is an archive
//! (<https://oras.land/docs/how_to_guides/pushing_and_pulling>,
//! <https://kserve.github.io/website/docs/model-serving/storage/providers/oci>).

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use oci_client::client::{ClientConfig, ClientProtocol, current_platform_resolver};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciManifest,
};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use url::Url;

use super::{Content, Location, Offer, RemoteFile, Wanted};
use crate::checksum::Checksum;
use crate::credentials::{Authorization, registry_login};
use crate::error::FetchError;
use crate::http_client::{HttpClient, Opened, USER_AGENT};
use crate::options::FetchOptions;
use crate::progress::Progress;
use crate::relative_path::RelativePath;
use crate::retry::retry;
use crate::source::is_loopback;

/// Names the file that a layer is.
const TITLE: &str = "org.opencontainers.image.title";

/// Says that a layer with a title is a packed folder.
const UNPACK: &str = "io.deis.oras.content.unpack";

/// What may help when the registry does not let us in.
const HINT: &str =
    "check the name; log in with TOXICITY_OCI_USERNAME and TOXICITY_OCI_PASSWORD, or in Docker's config.json";

/// A repository in a registry.
pub(crate) struct Registry {
    reference: Reference,
    base: Url,
    client: Client,
    login: RegistryAuth,
    /// What the registry wants to see, as long as it lasts.
    authorization: Mutex<Option<Authorization>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Registry({})", self.reference)
    }
}

pub(super) fn wanted(reference: &Reference) -> Wanted {
    Wanted {
        name: reference_name(reference).to_owned(),
        pinned: reference.digest().map(str::to_owned),
    }
}

pub(super) async fn resolve(
    reference: &Reference,
    http: &HttpClient,
    options: &FetchOptions,
    progress: &dyn Progress,
) -> Result<Offer, FetchError> {
    let registry = Arc::new(Registry::connect(reference, options).await?);
    let (manifest, revision) = registry
        .manifest(reference_name(reference), http, options, progress)
        .await?;
    let layers = match manifest {
        OciManifest::Image(image) => image.layers,
        OciManifest::ImageIndex(index) => {
            let digest = current_platform_resolver(&index.manifests)
                .or_else(|| index.manifests.first().map(|entry| entry.digest.clone()))
                .ok_or_else(|| FetchError::UnderstandAnswer {
                    what: registry.origin(),
                    problem: "the index lists no image".to_owned(),
                })?;
            match registry.manifest(&digest, http, options, progress).await? {
                (OciManifest::Image(image), _) => image.layers,
                (OciManifest::ImageIndex(_), _) => {
                    return Err(FetchError::UnderstandAnswer {
                        what: registry.origin(),
                        problem: "the index lists an index".to_owned(),
                    });
                }
            }
        }
    };
    let files = layers.into_iter().map(|layer| registry.file(layer));
    Ok(Offer {
        revision: Some(revision),
        files: files.collect::<Result<_, _>>()?,
    })
}

/// The digest, which wins over a tag, or the tag.
fn reference_name(reference: &Reference) -> &str {
    reference.digest().or(reference.tag()).unwrap_or("latest")
}

impl Registry {
    async fn connect(reference: &Reference, options: &FetchOptions) -> Result<Self, FetchError> {
        let origin = format!("oci://{reference}");
        let host = reference.resolve_registry();
        let failed = |problem: String| FetchError::SetUpClient {
            origin: origin.clone(),
            problem,
        };
        let address = |scheme: &str| {
            Url::parse(&format!("{scheme}://{host}/v2/")).map_err(|error| failed(error.to_string()))
        };
        let mut base = address("https")?;
        let mut protocol = ClientProtocol::Https;
        if options.allow_http || is_loopback(&base) {
            base = address("http")?;
            protocol = ClientProtocol::Http;
        }
        let client = Client::try_from(ClientConfig {
            protocol,
            connect_timeout: Some(options.timeouts.connect),
            read_timeout: Some(options.timeouts.stall),
            user_agent: USER_AGENT,
            ..ClientConfig::default()
        })
        .map_err(|error| failed(error.to_string()))?;
        let environment = options.environment.clone();
        let registry = reference.registry().to_owned();
        // A credential helper is a program that may take its time.
        let login = tokio::task::spawn_blocking(move || registry_login(&environment, &registry))
            .await
            .map_err(|error| failed(error.to_string()))?
            .map_err(|source| FetchError::ReadCredentials { origin, source })?;
        Ok(Self {
            reference: reference.clone(),
            base,
            client,
            login: match login {
                Some(Authorization::Basic(user, password)) => {
                    RegistryAuth::Basic(user, password.expose_secret().to_owned())
                }
                Some(Authorization::Bearer(token)) => RegistryAuth::Bearer(token.expose_secret().to_owned()),
                None => RegistryAuth::Anonymous,
            },
            authorization: Mutex::default(),
        })
    }

    fn origin(&self) -> String {
        format!("oci://{}", self.reference)
    }

    /// The manifest of this tag or digest, and its digest.
    async fn manifest(
        &self,
        name: &str,
        http: &HttpClient,
        options: &FetchOptions,
        progress: &dyn Progress,
    ) -> Result<(OciManifest, String), FetchError> {
        let url = self.address("manifests", name);
        let accept = [
            OCI_IMAGE_MEDIA_TYPE,
            OCI_IMAGE_INDEX_MEDIA_TYPE,
            IMAGE_MANIFEST_MEDIA_TYPE,
            IMAGE_MANIFEST_LIST_MEDIA_TYPE,
        ]
        .join(", ");
        let (url, accept) = (&url, accept.as_str());
        let ask = || {
            self.authorized(move |authorization| {
                async move {
                    http.json::<OciManifest>(url, authorization.as_ref(), accept)
                        .await
                }
                .boxed()
            })
        };
        let (manifest, bytes): (OciManifest, Bytes) = retry(options.retries, progress, ask).await?;
        let digest = format!("sha256:{}", Checksum::of_bytes(&bytes));
        if name.starts_with("sha256:") && name != digest {
            return Err(FetchError::UnderstandAnswer {
                what: self.origin(),
                problem: format!("the manifest {name} was asked for, and {digest} came"),
            });
        }
        Ok((manifest, digest))
    }

    /// Opens a blob at the byte `from`.
    pub(super) async fn open_blob(
        &self,
        http: &HttpClient,
        digest: &str,
        from: u64,
    ) -> Result<Opened, FetchError> {
        let url = &self.address("blobs", digest);
        self.authorized(move |authorization| {
            async move { http.open(url, authorization.as_ref(), from, None).await }.boxed()
        })
        .await
    }

    /// Asks with the authorization at hand, and once more with a new one when the registry wants another:
    /// tokens last minutes, and a download may take longer.
    async fn authorized<'a, T>(
        &self,
        ask: impl Fn(Option<Authorization>) -> BoxFuture<'a, Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        let at_hand = self.authorization.lock().await.clone();
        match ask(at_hand).await {
            Err(FetchError::Refused { status: 401, .. }) => {}
            answer => return answer.map_err(|error| error.with_hint(HINT)),
        }
        let renewed = self.authorize().await?;
        self.authorization.lock().await.clone_from(&renewed);
        ask(renewed).await.map_err(|error| error.with_hint(HINT))
    }

    /// Lets the registry say what it wants, and gets it.
    async fn authorize(&self) -> Result<Option<Authorization>, FetchError> {
        let token = self
            .client
            .auth(&self.reference, &self.login, RegistryOperation::Pull)
            .await
            .map_err(|error| self.not_authorized(error))?;
        Ok(match (token, &self.login) {
            (Some(token), _) => Some(Authorization::Bearer(token.into())),
            (None, RegistryAuth::Basic(user, password)) => {
                Some(Authorization::Basic(user.clone(), password.as_str().into()))
            }
            (None, _) => None,
        })
    }

    fn not_authorized(&self, error: OciDistributionError) -> FetchError {
        let what = self.origin();
        match error {
            OciDistributionError::RequestError(error) => FetchError::Reach {
                what,
                source: error.without_url().into(),
            },
            // What the service said may repeat what it was sent.
            _ => FetchError::Refused {
                what,
                status: 401,
                detail: String::new(),
                retry_after: None,
            }
            .with_hint(HINT),
        }
    }

    fn file(self: &Arc<Self>, layer: OciDescriptor) -> Result<RemoteFile, FetchError> {
        let sha256 = layer
            .digest
            .strip_prefix("sha256:")
            .and_then(|digits| digits.parse::<Checksum>().ok())
            .ok_or_else(|| FetchError::UnderstandAnswer {
                what: self.origin(),
                problem: "a layer has no digest sha256:…".to_owned(),
            })?;
        let annotation = |name: &str| layer.annotations.as_ref().and_then(|all| all.get(name));
        let packed = annotation(UNPACK).is_some_and(|unpack| unpack == "true");
        let path = annotation(TITLE).and_then(|title| RelativePath::parse(title).ok());
        let (label, content) = match path {
            Some(path) if !packed => (path.to_string(), Content::File(path)),
            _ => (format!("layer {}", &sha256.as_str()[..12]), Content::Archive),
        };
        Ok(RemoteFile {
            label,
            content,
            size: u64::try_from(layer.size).ok(),
            sha256: Some(sha256),
            etag: None,
            location: Location::Blob {
                registry: Arc::clone(self),
                digest: layer.digest,
            },
        })
    }

    fn address(&self, kind: &str, name: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(self.reference.repository().split('/'))
                .extend([kind, name]);
        }
        url
    }
}
