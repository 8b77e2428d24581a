//! From a source to a folder on this machine.

mod assembly;
mod plan;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::SystemTime;

use toxicity_service::error_chain;

use crate::cache::{CacheEntry, CacheLock, CachedModel, Staging};
use crate::checksum::Checksum;
use crate::download::Downloads;
use crate::error::FetchError;
use crate::http_client::HttpClient;
use crate::manifest::Manifest;
use crate::model_files::{SelectFilesError, find_onnx_file, onnx_candidates};
use crate::options::FetchOptions;
use crate::origin::{Wanted, resolve, wanted};
use crate::progress::Progress;
use crate::source::ModelSource;

use assembly::Assembly;
use plan::Plan;

/// How often a source may change while it is fetched.
const MOST_CHANGES: usize = 3;

/// A model folder on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedModel {
    /// The model folder. Its name is that of the model.
    pub folder: PathBuf,
    /// Commit, digest or etags of a source that is fetched; none for a folder.
    pub revision: Option<String>,
    /// Whether it was downloaded just now.
    pub fetched: bool,
}

/// Makes the model of `source` a folder on this machine, downloading it where the cache does not have it as
/// it is now.
///
/// A branch or tag is asked for its meaning each time. When the network or the server fails, the model that
/// was fetched last is used, with a warning. A download goes on where an earlier one stopped, and nothing of
/// it is seen in the returned folder's place before it is whole and checked. The future may be dropped at any
/// time.
///
/// # Errors
/// When the source cannot be reached and the cache has nothing, or when what came is not what it should be.
pub async fn fetch(
    source: &ModelSource,
    options: &FetchOptions,
    progress: &dyn Progress,
) -> Result<FetchedModel, FetchError> {
    let wanted = wanted(source, options)?;
    if let Some(folder) = source.local_folder()? {
        return local(source, folder, options).await;
    }
    let fetch = Fetch {
        source,
        origin: source.to_string(),
        entry: CacheEntry::new(&options.cache, source, options.onnx_file.as_deref()),
        wanted,
        options,
        progress,
    };
    fetch.run().await
}

/// A folder is used as it is; only the sum that was asked for is checked.
async fn local(
    source: &ModelSource,
    folder: PathBuf,
    options: &FetchOptions,
) -> Result<FetchedModel, FetchError> {
    if let Some(expected) = options.sha256.clone() {
        let choice = options.onnx_file.as_deref();
        let missing = |error| FetchError::SelectFiles {
            origin: source.to_string(),
            source: error,
        };
        let candidates = onnx_candidates(choice).map_err(missing)?;
        let onnx = find_onnx_file(&folder, choice).ok_or_else(|| {
            missing(SelectFilesError::FindOnnx {
                looked_for: candidates.iter().map(ToString::to_string).collect(),
                others: Vec::new(),
            })
        })?;
        blocking(move || {
            let found = Checksum::of_file(&onnx).map_err(FetchError::file("read", &onnx))?;
            demand(&onnx.display().to_string(), &expected, &found)
        })
        .await?;
    }
    Ok(FetchedModel {
        folder,
        revision: None,
        fetched: false,
    })
}

/// One fetch.
struct Fetch<'a> {
    source: &'a ModelSource,
    origin: String,
    entry: CacheEntry,
    wanted: Wanted,
    options: &'a FetchOptions,
    progress: &'a dyn Progress,
}

impl Fetch<'_> {
    async fn run(&self) -> Result<FetchedModel, FetchError> {
        if self.options.offline {
            return match self.remembered() {
                Ok(model) => self.accept(model),
                Err(missing) => Err(FetchError::FindInCache {
                    origin: self.origin.clone(),
                    cache: self.options.cache.clone(),
                    missing,
                }),
            };
        }
        if self.wanted.pinned.is_some()
            && let Ok(model) = self.remembered()
        {
            return self.accept(model);
        }
        match self.run_online().await {
            Err(error) if error.is_passing() => {
                let Ok(model) = self.remembered() else {
                    return Err(error);
                };
                self.progress.warning(&format!(
                    "{}; using revision {} of \"{}\", fetched at {}",
                    error_chain(&error),
                    model.manifest.revision,
                    self.origin,
                    model.manifest.fetched_at
                ));
                self.accept(model)
            }
            result => result,
        }
    }

    async fn run_online(&self) -> Result<FetchedModel, FetchError> {
        let http = HttpClient::new(self.options, &self.origin)?;
        let mut changes = 0;
        loop {
            let offer = resolve(self.source, &self.wanted, &http, self.options, self.progress).await?;
            let plan = Plan::new(offer, &self.origin, self.options)?;
            if let Ok(model) = self.entry.model(&plan.revision) {
                return self.accept(model);
            }
            match self.download(&plan, &http).await {
                Err(error @ FetchError::Changed { .. }) if changes < MOST_CHANGES => {
                    changes += 1;
                    self.progress.warning(&format!("{error}; asking again"));
                }
                result => return result,
            }
        }
    }

    /// The model that the name meant when it was last asked for; else what is missing, in words.
    fn remembered(&self) -> Result<CachedModel, String> {
        let name = &self.wanted.name;
        let revision = self.wanted.pinned.clone().or_else(|| self.entry.remembered(name));
        let revision = revision.ok_or_else(|| match name.as_str() {
            "" => "it was never fetched".to_owned(),
            name => format!("\"{name}\" of it was never fetched"),
        })?;
        self.entry.model(&revision)
    }

    /// Takes a model from the cache.
    fn accept(&self, model: CachedModel) -> Result<FetchedModel, FetchError> {
        self.demand_checksum(&model.manifest)?;
        // A cache that cannot be written, as when it is mounted read-only, serves as well.
        if let Err(error) = self.entry.remember(&self.wanted.name, &model.manifest.revision) {
            tracing::debug!("{}", error_chain(&error));
        }
        Ok(FetchedModel {
            folder: model.folder,
            revision: Some(model.manifest.revision),
            fetched: false,
        })
    }

    async fn download(&self, plan: &Plan, http: &HttpClient) -> Result<FetchedModel, FetchError> {
        let lock = self.entry.lock(self.progress).await?;
        if let Ok(model) = self.entry.model(&plan.revision) {
            // Somebody else fetched it while this waited.
            return self.accept(model);
        }
        let staging = {
            let (entry, revision, lock) = (self.entry.clone(), plan.revision.clone(), lock.clone());
            blocking(move || entry.staging(&revision, &lock)).await?
        };
        let assembly = Assembly {
            plan,
            origin: &self.origin,
            staging: &staging,
            downloads: Downloads {
                http,
                options: self.options,
                progress: self.progress,
                lock: &lock,
                taken: AtomicU64::new(0),
            },
        };
        let assembled = assembly.run().await?;
        let manifest = Manifest {
            source: self.origin.clone(),
            revision: plan.revision.clone(),
            fetched_at: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            model_file: assembled.onnx,
            archive: assembled
                .archive
                .filter(|_| matches!(self.source, ModelSource::Web(_))),
            files: assembled.files,
        };
        self.demand_checksum(&manifest)?;
        self.publish(staging, manifest, lock).await
    }

    async fn publish(
        &self,
        staging: Staging,
        manifest: Manifest,
        lock: CacheLock,
    ) -> Result<FetchedModel, FetchError> {
        let (entry, name) = (self.entry.clone(), self.wanted.name.clone());
        let model = blocking(move || {
            let revision = manifest.revision.clone();
            let before = entry.remembered(&name);
            let model = entry.publish(&staging, manifest, &lock)?;
            entry.remember(&name, &revision)?;
            // The one from before stays too: others may be about to load it.
            entry.sweep(before.as_deref(), &lock)?;
            Ok(model)
        })
        .await?;
        Ok(FetchedModel {
            folder: model.folder,
            revision: Some(model.manifest.revision),
            fetched: true,
        })
    }

    fn demand_checksum(&self, manifest: &Manifest) -> Result<(), FetchError> {
        match (&self.options.sha256, manifest.checksum()) {
            (Some(expected), Some(found)) => demand(&self.origin, expected, found),
            _ => Ok(()),
        }
    }
}

fn demand(what: &str, expected: &Checksum, found: &Checksum) -> Result<(), FetchError> {
    if expected == found {
        return Ok(());
    }
    Err(FetchError::CompareChecksum {
        what: what.to_owned(),
        expected: expected.clone(),
        found: found.clone(),
    })
}

/// Does what blocks where nobody waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FetchError> + Send + 'static,
) -> Result<T, FetchError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(FetchError::file("finish the work on", Path::new("cache"))(
            std::io::Error::other(error),
        ))
    })
}
