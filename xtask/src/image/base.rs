//! The image that ours are built on. Nothing of them but a few libraries stays in the result.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt::{self, Program};
use crate::cluster::cache_folder;
use crate::digest::sha256_hex;
use crate::error::Error;
use crate::image::engine::Engine;
use crate::process::{announce, run};

/// What the Dockerfiles look for in their base; they install what is missing.
const PACKAGES: &str = "ca-certificates,libgcc-s1,libstdc++6";

/// A base image made here from the packages of this machine's release, whose libraries fit what is compiled here.
pub struct Base {
    /// Name of the release, such as `bookworm`.
    release: String,
}

impl Base {
    /// The base of this machine's own release.
    ///
    /// # Errors
    /// When this is neither Debian nor Ubuntu.
    pub fn of_this_machine() -> Result<Self, Error> {
        let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        let release = release(&text).ok_or(Error::ChooseBase)?;
        Ok(Self { release })
    }

    /// Tells one base from another.
    pub fn identity(&self) -> String {
        format!("{} {PACKAGES}", self.release)
    }

    /// Gives the engine the base, and returns its name.
    pub fn ensure(&self, engine: &Engine) -> Result<String, Error> {
        let release = &self.release;
        let digest = sha256_hex(self.identity());
        let name = format!("localhost/toxicity-base:{release}-{}", &digest[..12]);
        if !engine.has(&name) {
            let archive = cache_folder()?.join(format!("base-{release}-{}.tar", &digest[..12]));
            if !archive.is_file() {
                make(release, &archive)?;
            }
            engine.import(&archive, &name)?;
        }
        Ok(name)
    }
}

fn make(release: &str, archive: &Path) -> Result<(), Error> {
    apt::ensure(&[Program {
        name: "mmdebstrap",
        package: "mmdebstrap",
    }])?;
    announce(&format!(
        "making a base image from packages of {release} (about 15 s, once)"
    ));
    let folder = archive.parent().expect("the cache is a folder");
    let partial: PathBuf = folder.join(format!("base-{}.partial.tar", std::process::id()));
    std::fs::create_dir_all(folder).map_err(|source| Error::File {
        action: "create",
        path: folder.to_owned(),
        source,
    })?;
    run(
        Command::new("mmdebstrap")
            .args(["--quiet", "--variant=essential"])
            .arg(format!("--include={PACKAGES}"))
            .arg(release)
            .arg(&partial),
        "Check that Debian's packages can be fetched, or use --public-bases.",
    )?;
    std::fs::rename(&partial, archive).map_err(|source| Error::File {
        action: "create",
        path: archive.to_owned(),
        source,
    })
}

/// The release that `/etc/os-release` names, if it is one of Debian or Ubuntu.
fn release(text: &str) -> Option<String> {
    let value = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .map(|value| value.trim_matches('"').to_owned())
    };
    let is_known = matches!(value("ID")?.as_str(), "debian" | "ubuntu");
    value("VERSION_CODENAME").filter(|_| is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_releases_with_debian_packages_are_taken() {
        assert_eq!(
            release("ID=debian\nVERSION_CODENAME=bookworm\n").as_deref(),
            Some("bookworm")
        );
        assert_eq!(
            release("ID=\"ubuntu\"\nVERSION_CODENAME=noble").as_deref(),
            Some("noble")
        );
        assert_eq!(release("ID=fedora\nVERSION_CODENAME=\"\""), None);
        assert_eq!(release(""), None);
    }
}
