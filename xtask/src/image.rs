//! `cargo xtask image`: the images of the product, built without any registry where none is wanted.
//!
//! The programs are compiled outside, which saves minutes against compiling them in the image. Tags come from what
//! goes in, so that an unchanged tree gives the same images and a second call does nothing.

mod base;
mod engine;

use std::path::{Path, PathBuf};

use clap::Args;
use sha2::{Digest, Sha256};

use crate::build;
use crate::cluster::{self, ClusterName};
use crate::component::{self, Component, files_below};
use crate::error::Error;
use crate::image::base::Base;
use crate::image::engine::Engine;
use crate::process::announce;
use crate::workspace::Workspace;

/// What tags from content begin with. Only such images are removed again.
const CONTENT_TAG: &str = "dev-";

/// Which images.
#[derive(Debug, Args)]
pub struct ImageArguments {
    /// Parts of the product; none means all.
    #[arg(value_enum)]
    components: Vec<Component>,

    /// Tag of the images. Default: one made from what goes in; with --public-bases `dev`.
    #[arg(long)]
    tag: Option<String>,

    /// Build as anybody would who has only the Dockerfiles: on the public base images, compiling inside.
    #[arg(long)]
    public_bases: bool,

    /// Also give the images to the nodes of a cluster.
    #[arg(long)]
    load: bool,

    /// The cluster that --load means.
    #[arg(long, default_value = "main", requires = "load")]
    name: ClusterName,
}

/// An image that is built.
#[derive(Debug, Clone)]
pub struct Image {
    /// What it holds.
    pub component: Component,
    /// Its name with tag.
    pub reference: String,
    /// The archive to load it from.
    pub archive: PathBuf,
}

/// Builds the images and says what they are called.
pub fn run(workspace: &Workspace, arguments: &ImageArguments) -> Result<(), Error> {
    let components = if arguments.components.is_empty() {
        &Component::ALL[..]
    } else {
        &arguments.components
    };
    let cluster = arguments
        .load
        .then(|| cluster::existing(workspace, &arguments.name))
        .transpose()?;
    let tag = arguments.tag.as_deref();
    let images = if arguments.public_bases {
        build_on_public_bases(workspace, components, tag.unwrap_or("dev"))?
    } else {
        build(workspace, components, tag)?
    };
    if let Some(cluster) = cluster {
        load(&cluster, &images)?;
    }
    println!();
    for image in &images {
        let bytes = std::fs::metadata(&image.archive).map_or(0, |file| file.len());
        println!("{:<58} {:>4} MB", image.reference, bytes.div_ceil(1_000_000));
    }
    Ok(())
}

/// Gives images to the nodes of a cluster.
pub fn load(cluster: &cluster::Cluster, images: &[Image]) -> Result<(), Error> {
    announce(&format!("loading the images into cluster \"{}\"", cluster.name));
    let archives: Vec<PathBuf> = images.iter().map(|image| image.archive.clone()).collect();
    cluster.load_images(&archives)
}

/// Builds the images of `components` as the Dockerfiles say, without anything from outside.
fn build_on_public_bases(
    workspace: &Workspace,
    components: &[Component],
    tag: &str,
) -> Result<Vec<Image>, Error> {
    let engine = Engine::find(workspace)?;
    let images = components.iter().map(|&component| {
        let image = image(workspace, component, tag);
        announce(&format!("building the image {} (some minutes)", image.reference));
        engine.build(
            workspace.root(),
            &dockerfile(workspace, component),
            None,
            &image.reference,
        )?;
        engine.save(&image.reference, &image.archive)?;
        Ok(image)
    });
    images.collect()
}

fn image(workspace: &Workspace, component: Component, tag: &str) -> Image {
    let archive = format!("{}-{tag}.tar", component.name());
    Image {
        component,
        reference: format!("localhost/{}:{tag}", component.image()),
        archive: workspace.target().join("images").join(archive),
    }
}

fn dockerfile(workspace: &Workspace, component: Component) -> PathBuf {
    workspace.root().join(component.name()).join("Dockerfile")
}

/// Builds the images of `components` around programs compiled outside, or finds that they are there.
///
/// # Errors
/// When nothing here can build images, a program does not compile, or a base image cannot be had.
pub fn build(
    workspace: &Workspace,
    components: &[Component],
    tag: Option<&str>,
) -> Result<Vec<Image>, Error> {
    let base = Base::of_this_machine()?;
    // Before minutes of building.
    let engine = Engine::find(workspace)?;
    let files = |component: Component| workspace.target().join("image").join(component.name());
    build::stable_binaries(workspace, components)?;
    for &component in components {
        let folder = files(component);
        // What an earlier version has left there would go into the image.
        let _ = std::fs::remove_dir_all(&folder);
        component::install(workspace, component, &folder)?;
    }
    components
        .iter()
        .map(|&component| {
            let dockerfile = dockerfile(workspace, component);
            let digest = digest(&files(component), &dockerfile, &base.identity())?;
            let content_tag = format!("{CONTENT_TAG}{}", &digest[..12]);
            let tag = tag.unwrap_or(&content_tag);
            let image = image(workspace, component, tag);
            if tag == content_tag && image.archive.is_file() {
                return Ok(image);
            }
            let base = base.ensure(&engine)?;
            announce(&format!("building the image {}", image.reference));
            engine.build(workspace.root(), &dockerfile, Some(&base), &image.reference)?;
            engine.save(&image.reference, &image.archive)?;
            if tag == content_tag {
                remove_older(&engine, &image);
            }
            Ok(image)
        })
        .collect()
}

/// What tells an image from another: its files with their names, its Dockerfile, and the base.
fn digest(files: &Path, dockerfile: &Path, base: &str) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    hasher.update(base);
    for file in files_below(files)?.iter().chain([&dockerfile.to_owned()]) {
        let name = file.strip_prefix(files).unwrap_or(Path::new("Dockerfile"));
        let content = std::fs::read(file).map_err(|source| Error::File {
            action: "read",
            path: file.clone(),
            source,
        })?;
        // With lengths, so that no byte can change sides.
        for part in [name.as_os_str().as_encoded_bytes(), &content] {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
    }
    Ok(hasher
        .finalize()
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")))
}

/// Removes the images of earlier trees, which would pile up with every change.
fn remove_older(engine: &Engine, image: &Image) {
    let archives = image.archive.parent().expect("an archive lies in a folder");
    let before = format!("{}-{CONTENT_TAG}", image.component.name());
    for entry in std::fs::read_dir(archives)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
    {
        let path = entry.path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path != image.archive && name.starts_with(&before) {
            let tag = &name[image.component.name().len() + 1..];
            engine.remove(&format!("localhost/{}:{tag}", image.component.image()));
            // A second task may have removed it already.
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256_hex;

    fn folder_of(files: &[(&str, &str)]) -> PathBuf {
        let content = sha256_hex(format!("{files:?}"));
        let folder = std::env::temp_dir().join(format!("image-digest-{}-{content}", std::process::id()));
        for (name, content) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    #[test]
    fn the_tag_changes_with_every_part_and_with_nothing_else() {
        let dockerfile = Path::new("/dev/null");
        let of = |files: &[(&str, &str)], base| {
            let folder = folder_of(files);
            let digest = digest(&folder, dockerfile, base).unwrap();
            std::fs::remove_dir_all(folder).unwrap();
            digest
        };
        let first = of(&[("a", "1"), ("b", "2")], "base");
        assert_eq!(first.len(), 64);
        assert_eq!(first, of(&[("b", "2"), ("a", "1")], "base"));
        assert_ne!(first, of(&[("a", "1"), ("b", "2")], "other base"));
        assert_ne!(first, of(&[("a", "12"), ("b", "")], "base"));
        assert_ne!(first, of(&[("a", "1"), ("c", "2")], "base"));
    }
}
