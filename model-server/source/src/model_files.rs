//! Which files make a model folder, and which of a repository's many are worth fetching.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::relative_path::RelativePath;

/// Where the ONNX file may lie inside a model folder; the first that is there is used.
pub const ONNX_FILES: [&str; 5] = [
    "model.onnx",
    "onnx/model.onnx",
    "onnx/model_quantized.onnx",
    "onnx/model_int8.onnx",
    "onnx/model_fp16.onnx",
];

/// What every model folder holds besides the ONNX file.
pub(crate) const REQUIRED_FILES: [&str; 2] = ["config.json", "tokenizer.json"];

/// What a model folder may hold.
pub(crate) const OPTIONAL_FILES: [&str; 11] = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "thresholds.json",
    "reference.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
];

/// A file that a model needs is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectFilesError {
    /// A file of a fixed name.
    #[error("failed to find \"{0}\"; a model needs \"config.json\", \"tokenizer.json\" and an ONNX file")]
    FindFile(&'static str),
    /// None of the ONNX files.
    #[error(
        "failed to find an ONNX file; looked for \"{}\"{}",
        .looked_for.join("\", \""),
        .others
            .first()
            .map(|other| format!(". There is \"{other}\": name it as the model file"))
            .unwrap_or_default()
    )]
    FindOnnx {
        /// The names tried.
        looked_for: Vec<String>,
        /// ONNX files of other names.
        others: Vec<String>,
    },
    /// The chosen model file is no ONNX file.
    #[error(
        "failed to use \"{0}\" as the model file: it must be the relative path of a file whose name ends in \
         \".onnx\""
    )]
    UseModelFile(String),
}

/// The ONNX file of the model in `folder`: the one chosen, else the first of [`ONNX_FILES`] that is there.
#[must_use]
pub fn find_onnx_file(folder: &Path, choice: Option<&str>) -> Option<PathBuf> {
    let candidates = onnx_candidates(choice).ok()?;
    let mut paths = candidates.iter().map(|candidate| candidate.below(folder));
    paths.find(|path| path.is_file())
}

/// Where to look for the ONNX file, best first. A name without a folder is also looked for in `onnx/`.
pub(crate) fn onnx_candidates(choice: Option<&str>) -> Result<Vec<RelativePath>, SelectFilesError> {
    let parse = |name: &str| {
        RelativePath::parse(name)
            .ok()
            .filter(|path| is_onnx(path.as_str()))
            .ok_or_else(|| SelectFilesError::UseModelFile(name.to_owned()))
    };
    match choice {
        None => ONNX_FILES.iter().map(|name| parse(name)).collect(),
        Some(name) if name.contains('/') => Ok(vec![parse(name)?]),
        Some(name) => Ok(vec![parse(name)?, parse(&format!("onnx/{name}"))?]),
    }
}

/// The files of one model among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The ONNX file.
    pub onnx: RelativePath,
    /// All files, the ONNX file among them.
    pub files: Vec<RelativePath>,
}

/// Picks from `paths`, which begin at the model folder, what the model needs: one ONNX file of several, with
/// the external data beside it, and nothing of other frameworks.
pub(crate) fn select(
    paths: &BTreeSet<RelativePath>,
    choice: Option<&str>,
) -> Result<Selection, SelectFilesError> {
    let named = |name: &str| paths.iter().find(|path| path.as_str() == name).cloned();
    let mut files = Vec::new();
    for name in REQUIRED_FILES {
        files.push(named(name).ok_or(SelectFilesError::FindFile(name))?);
    }
    files.extend(OPTIONAL_FILES.iter().filter_map(|name| named(name)));

    let candidates = onnx_candidates(choice)?;
    let onnx = candidates
        .iter()
        .find(|candidate| paths.contains(candidate))
        .cloned()
        .ok_or_else(|| SelectFilesError::FindOnnx {
            looked_for: candidates.iter().map(ToString::to_string).collect(),
            others: paths
                .iter()
                .map(RelativePath::as_str)
                .filter(|path| is_onnx(path))
                .map(str::to_owned)
                .collect(),
        })?;
    files.extend(paths.iter().filter(|path| is_external_data(&onnx, path)).cloned());
    files.push(onnx.clone());
    Ok(Selection { onnx, files })
}

fn is_onnx(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "onnx")
}

/// Whether `path` holds weights that the ONNX file keeps outside of itself, by the names that exporters give:
/// `model.onnx_data`, `model.onnx_data_1`, `model.onnx.data`, `model.data`.
fn is_external_data(onnx: &RelativePath, path: &RelativePath) -> bool {
    let (onnx_name, name) = (onnx.file_name(), path.file_name());
    let stem = onnx_name.trim_end_matches(".onnx");
    onnx.folder() == path.folder()
        && (name
            .strip_prefix(onnx_name)
            .is_some_and(|rest| rest.starts_with("_data") || rest.starts_with(".data"))
            || name.strip_prefix(stem) == Some(".data"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> BTreeSet<RelativePath> {
        names
            .iter()
            .map(|name| RelativePath::parse(name).unwrap())
            .collect()
    }

    fn selected(names: &[&str], choice: Option<&str>) -> Result<(String, Vec<String>), SelectFilesError> {
        let selection = select(&paths(names), choice)?;
        let mut files: Vec<_> = selection.files.iter().map(ToString::to_string).collect();
        files.sort();
        Ok((selection.onnx.to_string(), files))
    }

    #[test]
    fn one_onnx_file_of_several_is_picked_and_no_other_weights() {
        let repository = [
            "README.md",
            "config.json",
            "model.safetensors",
            "onnx/model.onnx",
            "onnx/model.onnx_data",
            "onnx/model.onnx_data_1",
            "onnx/model_fp16.onnx",
            "onnx/model_quantized.onnx",
            "pytorch_model.bin",
            "thresholds.json",
            "tokenizer.json",
            "training_args.bin",
            "vocab.txt",
        ];
        let (onnx, files) = selected(&repository, None).unwrap();
        assert_eq!(onnx, "onnx/model.onnx");
        assert_eq!(
            files,
            [
                "config.json",
                "onnx/model.onnx",
                "onnx/model.onnx_data",
                "onnx/model.onnx_data_1",
                "thresholds.json",
                "tokenizer.json",
                "vocab.txt"
            ]
        );
        let (onnx, files) = selected(&repository, Some("model_quantized.onnx")).unwrap();
        assert_eq!(onnx, "onnx/model_quantized.onnx");
        assert!(!files.iter().any(|file| file.ends_with("_data")), "{files:?}");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(
            selected(&["config.json", "model.onnx"], None),
            Err(SelectFilesError::FindFile("tokenizer.json"))
        );
        let odd = ["config.json", "tokenizer.json", "onnx/model_O3.onnx"];
        let message = selected(&odd, None).unwrap_err().to_string();
        assert!(message.contains("\"onnx/model_O3.onnx\": name it"), "{message}");
        assert_eq!(
            selected(&odd, Some("model_O3.onnx")).unwrap().0,
            "onnx/model_O3.onnx"
        );
    }

    #[test]
    fn the_model_file_must_be_an_onnx_file_inside() {
        for wrong in ["model.safetensors", "../model.onnx", "/model.onnx", ""] {
            let error = selected(&["config.json", "tokenizer.json"], Some(wrong)).unwrap_err();
            assert_eq!(error, SelectFilesError::UseModelFile(wrong.to_owned()));
        }
    }

    #[test]
    fn external_data_lies_beside_its_onnx_file() {
        let onnx = RelativePath::parse("onnx/model.onnx").unwrap();
        for (name, expected) in [
            ("onnx/model.onnx_data", true),
            ("onnx/model.onnx.data", true),
            ("onnx/model.data", true),
            ("model.onnx_data", false),
            ("onnx/model.onnx", false),
            ("onnx/model.onnx.bak", false),
            ("onnx/model_fp16.onnx_data", false),
        ] {
            assert_eq!(
                is_external_data(&onnx, &RelativePath::parse(name).unwrap()),
                expected,
                "{name}"
            );
        }
    }
}
