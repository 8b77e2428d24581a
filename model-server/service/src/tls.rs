//! TLS by a certificate and a key in files, read anew when they change: certificates are renewed while servers run.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use clap::Args;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK_PAUSE: Duration = Duration::from_secs(5);

/// Where the certificate lies.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArguments {
    /// Serve by TLS with this certificate: a PEM file, the chain after it. Read anew when it changes.
    #[arg(
        long,
        env = "TOXICITY_TLS_CERTIFICATE",
        value_name = "FILE",
        requires = "tls_key"
    )]
    pub tls_certificate: Option<PathBuf>,

    /// Private key of the certificate, as PEM.
    #[arg(
        long,
        env = "TOXICITY_TLS_KEY",
        value_name = "FILE",
        requires = "tls_certificate"
    )]
    pub tls_key: Option<PathBuf>,
}

/// Why TLS does not start.
#[derive(Debug, thiserror::Error)]
pub enum LoadTlsError {
    /// A file is missing or holds nothing of the kind.
    #[error("failed to read \"{}\"; it must be a PEM file", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not belong together, or are of no use.
    #[error("failed to use the certificate of --tls-certificate with the key of --tls-key")]
    Use(#[source] rustls::Error),
}

/// A certificate that is kept fresh.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    config: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads the files, if any are named.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together.
    pub fn load(arguments: &TlsArguments) -> Result<Option<Self>, LoadTlsError> {
        let (Some(certificate), Some(key)) = (&arguments.tls_certificate, &arguments.tls_key) else {
            return Ok(None);
        };
        let config = ArcSwap::from_pointee(read(certificate, key)?);
        Ok(Some(Self(Arc::new(Shared {
            certificate: certificate.clone(),
            key: key.clone(),
            config,
        }))))
    }

    /// What accepts connections by the newest certificate.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.config.load_full())
    }

    /// Reads the files anew whenever they have changed; what is of no use is logged, and the one before goes on.
    pub async fn keep_fresh(&self) -> Infallible {
        let Shared {
            certificate,
            key,
            config,
        } = &*self.0;
        let mut known = [modified(certificate), modified(key)];
        loop {
            tokio::time::sleep(LOOK_PAUSE).await;
            let found = [modified(certificate), modified(key)];
            if found == known {
                continue;
            }
            match read(certificate, key) {
                Ok(fresh) => {
                    config.store(Arc::new(fresh));
                    known = found;
                    tracing::info!("took the new certificate");
                }
                // Certificate and key are rarely replaced in one moment: the next look finds both.
                Err(error) => {
                    let error = crate::error_chain(&error);
                    tracing::warn!(%error, "failed to take the new certificate; the one before goes on");
                }
            }
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|found| found.modified()).ok()
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, LoadTlsError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| LoadTlsError::ReadFile { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .map_err(failed(certificate))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed(certificate))?;
    if chain.is_empty() {
        return Err(failed(certificate)(pem::Error::NoItemsFound));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(failed(key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(LoadTlsError::Use)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
