//! Puts a model folder together from what is downloaded.

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt};

use crate::archive::overlay::Overlay;
use crate::archive::{self, ArchiveError, Member};
use crate::cache::Staging;
use crate::checksum::Checksum;
use crate::download::{Downloads, Written};
use crate::error::FetchError;
use crate::manifest::StoredFile;
use crate::model_files::{Selection, select};
use crate::origin::{Content, RemoteFile};
use crate::relative_path::RelativePath;

use super::blocking;
use super::plan::Plan;

/// Files that are downloaded at the same time.
const CONCURRENT_DOWNLOADS: usize = 4;

/// One model folder in the making.
pub(super) struct Assembly<'a> {
    pub plan: &'a Plan,
    pub origin: &'a str,
    pub staging: &'a Staging,
    pub downloads: Downloads<'a>,
}

/// A model folder that is whole but not published.
pub(super) struct Assembled {
    /// The ONNX file.
    pub onnx: RelativePath,
    /// The sum of the archive, where there was just one.
    pub archive: Option<Checksum>,
    /// All files.
    pub files: Vec<StoredFile>,
}

/// Where the members of one archive go.
type Targets = BTreeMap<RelativePath, PathBuf>;

impl Assembly<'_> {
    /// Downloads, and unpacks where that is needed.
    pub(super) async fn run(&self) -> Result<Assembled, FetchError> {
        match &self.plan.selection {
            Some(selection) => self.assemble_files(selection).await,
            None => self.assemble_archives().await,
        }
    }

    async fn assemble_files(&self, selection: &Selection) -> Result<Assembled, FetchError> {
        let files = self.plan.files.iter();
        let chosen = files.filter_map(|file| Some((file, file.path()?.clone())));
        Ok(Assembled {
            onnx: selection.onnx.clone(),
            archive: None,
            files: self.download(chosen.collect()).await?,
        })
    }

    /// Downloads archives, finds the model in them and unpacks what it needs. Files beside the archives are
    /// part of the search, and are downloaded only when they are chosen.
    async fn assemble_archives(&self) -> Result<Assembled, FetchError> {
        let sums = self.download_archives().await?;
        let overlay = self.look_into_archives().await?;
        let root = overlay
            .model_root()
            .map_err(|error| unpack_error(self.origin, error))?;
        let seen = overlay.within(&root);
        let choice = self.downloads.options.onnx_file.as_deref();
        let selection =
            select(&seen.keys().cloned().collect(), choice).map_err(|source| FetchError::SelectFiles {
                origin: self.origin.to_owned(),
                source,
            })?;

        let mut packed: BTreeMap<usize, Targets> = BTreeMap::new();
        let mut loose = Vec::new();
        for path in &selection.files {
            let (inside, place) = &seen[path];
            let file = &self.plan.files[place.layer];
            if place.is_link {
                let error = ArchiveError::FollowLink(inside.to_string());
                return Err(unpack_error(&file.label, error));
            }
            match file.content {
                Content::File(_) => loose.push((file, path.clone())),
                Content::Archive => {
                    let target = path.below(&self.staging.model);
                    packed
                        .entry(place.layer)
                        .or_default()
                        .insert(inside.clone(), target);
                }
            }
        }
        let mut files = self.download(loose).await?;
        let unpacked = self.unpack(packed).await?.into_iter();
        files.extend(unpacked.filter_map(|(inside, written)| Some(stored(inside.within(&root)?, written))));
        Ok(Assembled {
            onnx: selection.onnx,
            archive: <[Checksum; 1]>::try_from(sums).ok().map(|[sum]| sum),
            files,
        })
    }

    async fn download(&self, files: Vec<(&RemoteFile, RelativePath)>) -> Result<Vec<StoredFile>, FetchError> {
        let downloads = files.into_iter().map(|(file, path)| {
            let target = path.below(&self.staging.model);
            let download = async move {
                let written = self.downloads.download(file, &target).await?;
                Ok(stored(path, written))
            };
            download.boxed()
        });
        few_at_a_time(downloads.collect()).await
    }

    async fn download_archives(&self) -> Result<Vec<Checksum>, FetchError> {
        let files = self.plan.files.iter().enumerate();
        let archives = files.filter(|(_, file)| file.content == Content::Archive);
        let downloads = archives.map(|(layer, file)| {
            let target = self.archive_path(layer);
            let download = async move { Ok(self.downloads.download(file, &target).await?.sha256) };
            download.boxed()
        });
        few_at_a_time(downloads.collect()).await
    }

    async fn look_into_archives(&self) -> Result<Overlay, FetchError> {
        let limits = self.downloads.options.limits;
        let mut overlay = Overlay::default();
        for (layer, file) in self.plan.files.iter().enumerate() {
            let members = match &file.content {
                Content::File(path) => vec![Member {
                    path: path.clone(),
                    is_link: false,
                }],
                Content::Archive => {
                    let (archive, lock) = (self.archive_path(layer), self.downloads.lock.clone());
                    let label = file.label.clone();
                    blocking(move || {
                        let members = archive::list(&archive, &limits);
                        drop(lock);
                        members.map_err(|error| unpack_error(&label, error))
                    })
                    .await?
                }
            };
            overlay.add(layer, members);
            if overlay.len() > limits.files {
                return Err(FetchError::ExceedLimit {
                    what: self.origin.to_owned(),
                    limit: limits.files as u64,
                    unit: "files",
                });
            }
        }
        Ok(overlay)
    }

    async fn unpack(
        &self,
        packed: BTreeMap<usize, Targets>,
    ) -> Result<BTreeMap<RelativePath, Written>, FetchError> {
        let limits = self.downloads.options.limits;
        let archives = packed.into_iter().map(|(layer, targets)| {
            let label = self.plan.files[layer].label.clone();
            (label, self.archive_path(layer), targets)
        });
        let (archives, lock) = (archives.collect::<Vec<_>>(), self.downloads.lock.clone());
        blocking(move || {
            let (mut taken, mut unpacked) = (0, BTreeMap::new());
            for (label, archive, targets) in archives {
                let written = archive::extract(&archive, &targets, &limits, &mut taken)
                    .map_err(|error| unpack_error(&label, error))?;
                unpacked.extend(written);
            }
            drop(lock);
            Ok(unpacked)
        })
        .await
    }

    fn archive_path(&self, layer: usize) -> PathBuf {
        self.staging.archives.join(layer.to_string())
    }
}

async fn few_at_a_time<T>(work: Vec<BoxFuture<'_, Result<T, FetchError>>>) -> Result<Vec<T>, FetchError> {
    futures_util::stream::iter(work)
        .buffered(CONCURRENT_DOWNLOADS)
        .try_collect()
        .await
}

fn stored(path: RelativePath, written: Written) -> StoredFile {
    StoredFile {
        path,
        size: written.size,
        sha256: written.sha256,
    }
}

fn unpack_error(what: &str, source: ArchiveError) -> FetchError {
    FetchError::Unpack {
        what: what.to_owned(),
        source,
    }
}
