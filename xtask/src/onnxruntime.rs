//! Fetches the ONNX Runtime library: version and hashes are pinned here and nowhere else.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt::{self, Program};
use crate::digest::sha256_hex;
use crate::error::Error;
use crate::process::{announce, run};
use crate::workspace::Workspace;

const VERSION: &str = "1.31.1";

/// A wheel of PyPI. All are of one Python version, so that the Python at hand does not matter.
struct Wheel {
    system: &'static str,
    architecture: &'static str,
    platform: &'static str,
    sha256: &'static str,
    library: &'static str,
}

const WHEELS: [Wheel; 3] = [
    Wheel {
        system: "linux",
        architecture: "x86_64",
        platform: "manylinux_2_28_x86_64",
        sha256: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
        library: "libonnxruntime.so",
    },
    Wheel {
        system: "linux",
        architecture: "aarch64",
        platform: "manylinux_2_28_aarch64",
        sha256: "da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3",
        library: "libonnxruntime.so",
    },
    Wheel {
        system: "macos",
        architecture: "aarch64",
        platform: "macosx_14_0_arm64",
        sha256: "60b6b69bfe580eab576cacc5d132a0e9cf2a37fcfd18d46dd191042b1d1ed0d7",
        library: "libonnxruntime.dylib",
    },
];

/// The library, fetched on first use and linked beside the binaries of both profiles, so that they find it by
/// themselves.
pub fn ensure(workspace: &Workspace) -> Result<PathBuf, Error> {
    let wheel = WHEELS
        .iter()
        .find(|wheel| wheel.system == std::env::consts::OS && wheel.architecture == std::env::consts::ARCH)
        .ok_or_else(|| {
            Error::ChooseOnnxRuntime(format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH))
        })?;
    let library = workspace
        .target()
        .join("onnxruntime")
        .join(VERSION)
        .join(wheel.library);
    if !library.is_file() {
        fetch(workspace, wheel, &library)?;
    }
    for profile in ["debug", "release"] {
        link_beside_binaries(&library, &workspace.target().join(profile))?;
    }
    Ok(library)
}

fn fetch(workspace: &Workspace, wheel: &Wheel, library: &Path) -> Result<(), Error> {
    announce(&format!("fetching ONNX Runtime {VERSION} (PyPI wheel, 24 MB)"));
    ensure_pip()?;
    let folder = library
        .parent()
        .expect("the library lies in a folder of its version");
    let downloads = folder.join("download");
    // What an interrupted download left would be taken for the wheel.
    let _ = std::fs::remove_dir_all(&downloads);
    std::fs::create_dir_all(&downloads).map_err(Error::file("create", &downloads))?;
    run(
        Command::new("python3")
            .current_dir(workspace.root())
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
            ])
            .args([
                "--only-binary=:all:",
                "--python-version",
                "311",
                "--platform",
                wheel.platform,
                "--dest",
            ])
            .arg(&downloads)
            .arg(format!("onnxruntime=={VERSION}")),
        "Check that PyPI can be reached (a proxy or mirror is set by `pip config`), and try again.",
    )?;
    let archive = single_wheel(&downloads)?;
    verify(&archive, wheel.sha256)?;
    unpack(&archive, library)?;
    std::fs::remove_dir_all(&downloads).map_err(Error::file("remove", &downloads))
}

/// Installs Python and pip where they are missing.
pub fn ensure_pip() -> Result<(), Error> {
    if has_pip() {
        return Ok(());
    }
    apt::ensure(&[
        Program {
            name: "python3",
            package: "python3",
        },
        Program {
            name: "pip3",
            package: "python3-pip",
        },
    ])
}

fn has_pip() -> bool {
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "--version"]);
    command.output().is_ok_and(|output| output.status.success())
}

fn single_wheel(folder: &Path) -> Result<PathBuf, Error> {
    let entries = std::fs::read_dir(folder).map_err(Error::file("read", folder))?;
    let wheel = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheel.ok_or_else(|| Error::file("find a wheel in", folder)(io::ErrorKind::NotFound.into()))
}

fn verify(archive: &Path, pinned: &'static str) -> Result<(), Error> {
    let content = std::fs::read(archive).map_err(Error::file("read", archive))?;
    let found = sha256_hex(&content);
    if found == pinned {
        Ok(())
    } else {
        Err(Error::VerifyDownload {
            path: archive.to_owned(),
            found,
            pinned,
        })
    }
}

/// Writes the library and its licence; the library becomes visible only when it is complete.
fn unpack(archive: &Path, library: &Path) -> Result<(), Error> {
    let failed = |source| Error::Unpack {
        path: archive.to_owned(),
        source,
    };
    let reader = std::fs::File::open(archive).map_err(Error::file("open", archive))?;
    let mut wheel = zip::ZipArchive::new(reader).map_err(failed)?;
    let name = library
        .file_name()
        .expect("the library has a name")
        .to_string_lossy()
        .into_owned();
    let stem = name.split('.').next().unwrap_or_default().to_owned();
    let entry = wheel
        .file_names()
        .filter_map(Result::ok)
        .find(|entry| {
            let file = entry.rsplit('/').next().unwrap_or_default();
            entry.starts_with("onnxruntime/capi/")
                && file
                    .strip_prefix(&stem)
                    .is_some_and(|rest| rest.starts_with('.') && rest.contains(VERSION))
        })
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| failed(zip::result::ZipError::FileNotFound))?;
    for (entry, destination) in [
        (
            "onnxruntime/LICENSE".to_owned(),
            library.with_file_name("LICENSE"),
        ),
        (entry, library.to_owned()),
    ] {
        let partial = destination.with_extension("partial");
        let mut output = std::fs::File::create(&partial).map_err(Error::file("create", &partial))?;
        let mut content = wheel.by_name(&entry).map_err(failed)?;
        io::copy(&mut content, &mut output).map_err(Error::file("write", &partial))?;
        std::fs::rename(&partial, &destination).map_err(Error::file("create", &destination))?;
    }
    Ok(())
}

fn link_beside_binaries(library: &Path, folder: &Path) -> Result<(), Error> {
    let link = folder.join(library.file_name().expect("the library has a name"));
    if std::fs::canonicalize(&link).is_ok_and(|target| Some(target) == std::fs::canonicalize(library).ok()) {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    // Absent on first use, stale after a change of version.
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(library, &link).map_err(Error::file("create", &link))
}
