//! What builds images: Docker where its daemon answers, else buildah.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::apt::{self, Program};
use crate::error::Error;
use crate::process::{is_installed, run};
use crate::workspace::Workspace;

const REMEDY: &str = "Its message above says why.";

/// A builder of images.
pub enum Engine {
    /// Docker, with its own store.
    Docker,
    /// buildah, with a store in the build folder, so that nothing is left elsewhere.
    Buildah {
        /// The store.
        storage: PathBuf,
    },
}

impl Engine {
    /// Finds one, and installs buildah where there is none.
    ///
    /// # Errors
    /// When neither can be used.
    pub fn find(workspace: &Workspace) -> Result<Self, Error> {
        if is_installed("docker") && quiet(Command::new("docker").arg("info")) {
            return Ok(Self::Docker);
        }
        if !nix::unistd::geteuid().is_root() {
            return Err(Error::NeedRootForImages);
        }
        apt::ensure(&[Program {
            name: "buildah",
            package: "buildah",
        }])?;
        Ok(Self::Buildah {
            storage: workspace.target().join("images/storage"),
        })
    }

    /// Builds an image: on this base around files compiled outside, or without one as the Dockerfile says.
    pub fn build(
        &self,
        root: &Path,
        dockerfile: &Path,
        base: Option<&str>,
        reference: &str,
    ) -> Result<(), Error> {
        let mut command = self.command();
        match self {
            Self::Docker => command.args(["build", "--quiet"]),
            // A chroot needs no rights over namespaces, which a container seldom has.
            Self::Buildah { .. } => command.args(["bud", "--quiet", "--format=docker", "--isolation=chroot"]),
        };
        // Said in either case: buildah 1.28 takes a stage that only a default names for unused.
        let stage = if base.is_some() { "prebuilt" } else { "compile" };
        command.args(["--build-arg", &format!("BINARY_STAGE={stage}")]);
        if let Some(base) = base {
            command.args(["--build-arg", &format!("BASE_IMAGE={base}")]);
        }
        command.arg("--file").arg(dockerfile);
        command.args(["--tag", reference]).arg(root);
        run(command.stdout(Stdio::null()), REMEDY)
    }

    /// Whether the image is there.
    pub fn has(&self, reference: &str) -> bool {
        let mut command = self.command();
        match self {
            Self::Docker => command.args(["image", "inspect", reference]),
            Self::Buildah { .. } => command.args(["inspect", "--type=image", reference]),
        };
        quiet(&mut command)
    }

    /// Makes an image of one layer from the archive of a file system.
    pub fn import(&self, archive: &Path, reference: &str) -> Result<(), Error> {
        let mut command = self.command();
        match self {
            Self::Docker => {
                command.arg("import").arg(archive).arg(reference);
            }
            Self::Buildah { storage } => {
                let folder = archive.parent().expect("an archive lies in a folder");
                let name = archive.file_name().expect("an archive has a name");
                let dockerfile = storage.with_file_name("base.Dockerfile");
                let ignored = storage.with_file_name("base.dockerignore");
                let text = format!("FROM scratch\nADD {} /\n", name.to_string_lossy());
                for (path, text) in [
                    (&dockerfile, text),
                    (&ignored, format!("*\n!{}\n", name.to_string_lossy())),
                ] {
                    std::fs::create_dir_all(storage)
                        .and_then(|()| std::fs::write(path, text))
                        .map_err(|source| Error::File {
                            action: "write",
                            path: path.clone(),
                            source,
                        })?;
                }
                command.args(["bud", "--quiet", "--isolation=chroot", "--tag", reference]);
                command.arg("--ignorefile").arg(ignored);
                command.arg("--file").arg(dockerfile).arg(folder);
            }
        }
        run(command.stdout(Stdio::null()), REMEDY)
    }

    /// Writes the image to an archive, all or nothing.
    pub fn save(&self, reference: &str, archive: &Path) -> Result<(), Error> {
        let partial = archive.with_extension("partial");
        // buildah adds to an archive that is there.
        let _ = std::fs::remove_file(&partial);
        let failed = |source| Error::File {
            action: "write",
            path: archive.to_owned(),
            source,
        };
        std::fs::create_dir_all(archive.parent().expect("an archive lies in a folder")).map_err(failed)?;
        let mut command = self.command();
        match self {
            Self::Docker => command.args(["save", "--output"]).arg(&partial).arg(reference),
            Self::Buildah { .. } => command
                .args(["push", "--quiet", reference])
                .arg(format!("docker-archive:{}:{reference}", partial.display())),
        };
        run(command.stdout(Stdio::null()), REMEDY)?;
        std::fs::rename(&partial, archive).map_err(failed)
    }

    /// Removes an image; one that is gone or in use is none of ours any more.
    pub fn remove(&self, reference: &str) {
        let mut command = self.command();
        match self {
            Self::Docker => command.args(["image", "rm", reference]),
            Self::Buildah { .. } => command.args(["rmi", reference]),
        };
        quiet(&mut command);
    }

    fn command(&self) -> Command {
        match self {
            Self::Docker => Command::new("docker"),
            Self::Buildah { storage } => {
                let mut command = Command::new("buildah");
                command.arg("--root").arg(storage);
                command.arg("--runroot").arg(storage.with_file_name("run"));
                // Copies instead of mounts, which also works within a container.
                command.args(["--storage-driver", "vfs"]);
                command
            }
        }
    }
}

fn quiet(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
