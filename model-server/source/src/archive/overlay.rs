//! Which files are there once all archives, or all layers of an image, lie over each other, and where the
//! model is.

use std::collections::BTreeMap;

use super::{ArchiveError, Member};
use crate::model_files::REQUIRED_FILES;
use crate::relative_path::{RelativePath, below};

/// Where the modelcars of `KServe` keep the model.
const MODEL_CAR_FOLDER: &str = "models";

/// What a layer writes to say that a file of the layers below is gone (OCI image specification, "Whiteouts").
const WHITEOUT: &str = ".wh.";

/// What a layer writes to say that everything in a folder of the layers below is gone.
const OPAQUE_WHITEOUT: &str = ".wh..wh..opq";

/// Models that are named where there are too many.
const MOST_SHOWN: usize = 5;

/// A file as it is seen through all layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Index of the layer it is in.
    pub layer: usize,
    /// Whether it is a link, which cannot be unpacked.
    pub is_link: bool,
}

/// Layers over each other, the lowest first.
#[derive(Debug, Default)]
pub(crate) struct Overlay(BTreeMap<RelativePath, Place>);

impl Overlay {
    /// Lays one over those so far.
    pub(crate) fn add(&mut self, layer: usize, members: impl IntoIterator<Item = Member>) {
        let members: Vec<Member> = members.into_iter().collect();
        // A whiteout speaks of the layers below, also when a file of the same layer comes before it.
        for member in &members {
            let (folder, name) = (member.path.folder(), member.path.file_name());
            if name == OPAQUE_WHITEOUT {
                self.remove_below(folder);
            } else if let Some(gone) = name.strip_prefix(WHITEOUT) {
                let gone = member.path.sibling(gone);
                self.remove_below(gone.as_str());
                self.0.remove(&gone);
            }
        }
        for member in members {
            if !member.path.file_name().starts_with(WHITEOUT) {
                let is_link = member.is_link;
                self.0.insert(member.path, Place { layer, is_link });
            }
        }
    }

    /// Files in all layers.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The folder of the model: the one nearest to the top that holds what every model holds, `/models`
    /// before others. Empty for the top itself.
    pub(crate) fn model_root(&self) -> Result<String, ArchiveError> {
        let [config, tokenizer] = REQUIRED_FILES;
        let is_root = |path: &&RelativePath| {
            path.file_name() == config && self.0.contains_key(&path.sibling(tokenizer))
        };
        let depth = |folder: &str| {
            let parts = folder.split('/').filter(|part| !part.is_empty()).count();
            let elsewhere = folder.split('/').next() != Some(MODEL_CAR_FOLDER);
            (elsewhere && !folder.is_empty(), parts)
        };
        let mut roots: Vec<&str> = self.0.keys().filter(is_root).map(RelativePath::folder).collect();
        roots.sort_by_key(|folder| depth(folder));
        match roots.as_slice() {
            [] => Err(ArchiveError::FindModel),
            [first, second, ..] if depth(first) == depth(second) => {
                let shown = roots.iter().take(MOST_SHOWN).map(|&root| root.to_owned());
                Err(ArchiveError::ChooseModel(shown.collect()))
            }
            [first, ..] => Ok((*first).to_owned()),
        }
    }

    /// All files below `root`: as they are seen from there, what they are called here, and where they are.
    pub(crate) fn within(&self, root: &str) -> BTreeMap<RelativePath, (RelativePath, Place)> {
        let below = self.0.range(below(root));
        below
            .filter_map(|(path, place)| Some((path.within(root)?, (path.clone(), *place))))
            .collect()
    }

    fn remove_below(&mut self, folder: &str) {
        let gone: Vec<RelativePath> = self
            .0
            .range(below(folder))
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone {
            self.0.remove(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlay(layers: &[&[&str]]) -> Overlay {
        let mut overlay = Overlay::default();
        for (layer, names) in layers.iter().enumerate() {
            let member = |name: &&str| Member {
                path: RelativePath::parse(name).unwrap(),
                is_link: false,
            };
            overlay.add(layer, names.iter().map(member));
        }
        overlay
    }

    fn layer_of(overlay: &Overlay, name: &str) -> Option<usize> {
        let seen = overlay.within("");
        seen.get(&RelativePath::parse(name).unwrap())
            .map(|(_, place)| place.layer)
    }

    #[test]
    fn a_higher_layer_replaces_and_removes() {
        let layers = overlay(&[
            &[
                "models/config.json",
                "models/old.onnx",
                "models/onnx/a",
                "etc/passwd",
            ],
            &[
                "models/config.json",
                "models/.wh.old.onnx",
                "models/onnx/b",
                "models/onnx/.wh..wh..opq",
            ],
        ]);
        assert_eq!(layer_of(&layers, "models/config.json"), Some(1));
        assert_eq!(layer_of(&layers, "models/old.onnx"), None);
        assert_eq!(layer_of(&layers, "models/onnx/a"), None);
        assert_eq!(layer_of(&layers, "models/onnx/b"), Some(1));
        assert_eq!(layer_of(&layers, "etc/passwd"), Some(0));
    }

    #[test]
    fn the_model_is_found_where_it_is_usual() {
        let pair = |folder: &str| [format!("{folder}config.json"), format!("{folder}tokenizer.json")];
        let root = |folders: &[&str]| {
            let names: Vec<String> = folders.iter().flat_map(|folder| pair(folder)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            overlay(&[&names]).model_root()
        };
        assert_eq!(root(&[""]).unwrap(), "");
        assert_eq!(root(&["toxic-bert/"]).unwrap(), "toxic-bert");
        assert_eq!(root(&["a/b/", "toxic/"]).unwrap(), "toxic");
        assert_eq!(root(&["usr/", "models/toxic/"]).unwrap(), "models/toxic");
        assert!(matches!(root(&["a/", "b/"]), Err(ArchiveError::ChooseModel(_))));
        assert!(matches!(
            overlay(&[&["config.json", "a/tokenizer.json"]]).model_root(),
            Err(ArchiveError::FindModel)
        ));
    }
}
