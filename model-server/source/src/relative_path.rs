//! Paths inside a model folder, as sources and archives name them.

use std::fmt;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Longest path, in bytes.
const LONGEST: usize = 1024;

/// A path that cannot leave the folder it is joined to: relative, its parts separated by `/`, none of them
/// `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct RelativePath(String);

/// The path leaves its folder, or is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to use the path \"{0}\": it must be relative, without \"..\", backslashes and control characters"
)]
pub struct ParseRelativePathError(String);

impl RelativePath {
    /// Reads a path and drops what means nothing in it: `./` and doubled or trailing separators.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseRelativePathError> {
        let parts = || text.split('/').filter(|part| !matches!(*part, "" | "."));
        let wrong = text.starts_with('/')
            || text.len() > LONGEST
            || text
                .chars()
                .any(|character| character.is_control() || character == '\\')
            || parts().any(|part| part == "..")
            || parts().next().is_none();
        if wrong {
            let shown = text.chars().filter(|character| !character.is_control()).take(100);
            return Err(ParseRelativePathError(shown.collect()));
        }
        Ok(Self(parts().collect::<Vec<_>>().join("/")))
    }

    /// The path as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub(crate) fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }

    /// All parts but the last; empty for a file at the top.
    pub(crate) fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// A file of another name in the same folder.
    pub(crate) fn sibling(&self, name: &str) -> Self {
        Self(joined(self.folder(), name))
    }

    /// The path as it is seen from `root`, which is empty for the top.
    pub(crate) fn within(&self, root: &str) -> Option<Self> {
        if root.is_empty() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(root)?.strip_prefix('/')?;
        Some(Self(rest.to_owned()))
    }

    /// The file of this path below `folder`.
    pub(crate) fn below(&self, folder: &Path) -> PathBuf {
        self.0
            .split('/')
            .fold(folder.to_owned(), |path, part| path.join(part))
    }
}

/// All paths below `folder`, in the order of paths. Empty for the top.
pub(crate) fn below(folder: &str) -> (Bound<RelativePath>, Bound<RelativePath>) {
    if folder.is_empty() {
        return (Bound::Unbounded, Bound::Unbounded);
    }
    // "0" is what follows "/".
    let bound = |end: char| RelativePath(format!("{folder}{end}"));
    (Bound::Excluded(bound('/')), Bound::Excluded(bound('0')))
}

/// `name` in `folder`, which is empty for the top.
pub(crate) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

impl TryFrom<String> for RelativePath {
    type Error = ParseRelativePathError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<RelativePath> for String {
    fn from(path: RelativePath) -> Self {
        path.0
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_cleaned_and_those_that_leave_are_refused() {
        for (text, clean) in [
            ("config.json", "config.json"),
            ("./onnx//model.onnx", "onnx/model.onnx"),
            ("a/./b/", "a/b"),
            ("..config", "..config"),
        ] {
            assert_eq!(RelativePath::parse(text).unwrap().as_str(), clean);
        }
        for wrong in [
            "",
            ".",
            "/etc/passwd",
            "..",
            "a/../../b",
            "a\\b",
            "a\0b",
            &"a".repeat(2000),
        ] {
            assert!(RelativePath::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_path_is_seen_from_its_root() {
        let path = RelativePath::parse("models/onnx/model.onnx").unwrap();
        assert_eq!(path.within("models").unwrap().as_str(), "onnx/model.onnx");
        assert_eq!(path.within("").unwrap(), path);
        assert_eq!(path.within("model"), None);
        assert_eq!(
            path.sibling("model.onnx_data").as_str(),
            "models/onnx/model.onnx_data"
        );
    }

    #[test]
    fn what_is_below_a_folder_is_a_range() {
        let paths: BTreeSet<_> = ["a", "a-b/c", "a.b", "a/b", "a/c/d", "a0", "b/a"]
            .iter()
            .map(|text| RelativePath::parse(text).unwrap())
            .collect();
        let found: Vec<_> = paths.range(below("a")).map(RelativePath::as_str).collect();
        assert_eq!(found, ["a/b", "a/c/d"]);
        assert_eq!(paths.range(below("")).count(), paths.len());
    }

    proptest! {
        #[test]
        fn no_path_leaves_its_folder(text in "[./a\\\\\u{1}-]{0,20}") {
            if let Ok(path) = RelativePath::parse(&text) {
                let below = path.below(Path::new("/models"));
                prop_assert!(below.starts_with("/models") && below != Path::new("/models"));
                prop_assert!(below.components().all(|part| part != std::path::Component::ParentDir));
            }
        }
    }
}
