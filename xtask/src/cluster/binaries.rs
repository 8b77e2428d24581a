//! Finds the programs of a cluster, or builds them once from their released Go modules.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cluster::go;
use crate::error::Error;
use crate::process::{announce, run};

/// A folder with etcd, kube-apiserver and kubectl, as other tools of the trade know it.
const ASSETS: &str = "KUBEBUILDER_ASSETS";

/// What `k8s.io/kubernetes` requires as v0.0.0 and is published beside it under a version of its own.
const STAGING: [&str; 31] = [
    "api",
    "apiextensions-apiserver",
    "apimachinery",
    "apiserver",
    "cli-runtime",
    "client-go",
    "cloud-provider",
    "cluster-bootstrap",
    "code-generator",
    "component-base",
    "component-helpers",
    "controller-manager",
    "cri-api",
    "cri-client",
    "csi-translation-lib",
    "dynamic-resource-allocation",
    "endpointslice",
    "externaljwt",
    "kms",
    "kube-aggregator",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
    "metrics",
    "mount-utils",
    "pod-security-admission",
    "sample-apiserver",
    "sample-cli-plugin",
    "sample-controller",
];

/// What folders of builds begin with; only one that was cut off stays behind.
pub const INTERRUPTED: &str = "partial-";

/// A program of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Piece {
    /// The store of the API server.
    Etcd,
    /// The API server.
    ApiServer,
    /// The controllers of the built-in kinds.
    ControllerManager,
    /// Chooses nodes for pods.
    Scheduler,
    /// The command line client.
    Kubectl,
    /// Runs the pods of a node.
    Kubelet,
    /// Leads Service addresses to pods.
    KubeProxy,
    /// Names of Services.
    CoreDns,
    /// `kubectl top` and autoscaling.
    MetricsServer,
    /// Clusters in Docker.
    Kind,
}

/// What a control plane needs.
pub const CONTROL_PLANE: [Piece; 5] = [
    Piece::Etcd,
    Piece::ApiServer,
    Piece::ControllerManager,
    Piece::Scheduler,
    Piece::Kubectl,
];

/// What nodes need beside it.
pub const NODES: [Piece; 4] = [
    Piece::Kubelet,
    Piece::KubeProxy,
    Piece::CoreDns,
    Piece::MetricsServer,
];

/// A Go module that programs are built from.
struct Module {
    /// Folder of its programs in the cache, without the version.
    name: &'static str,
    path: &'static str,
    version: &'static str,
}

const KUBERNETES: Module = Module {
    name: "kubernetes",
    path: "k8s.io/kubernetes",
    version: "1.34.2",
};
const ETCD: Module = Module {
    name: "etcd",
    path: "go.etcd.io/etcd/server/v3",
    version: "3.5.24",
};
const CORE_DNS: Module = Module {
    name: "coredns",
    path: "github.com/coredns/coredns",
    version: "1.12.4",
};
const METRICS_SERVER: Module = Module {
    name: "metrics-server",
    path: "sigs.k8s.io/metrics-server",
    version: "0.9.0",
};
const KIND: Module = Module {
    name: "kind",
    path: "sigs.k8s.io/kind",
    version: "0.30.0",
};

impl Piece {
    /// Name of the program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kubectl => "kubectl",
            Self::Kubelet => "kubelet",
            Self::KubeProxy => "kube-proxy",
            Self::CoreDns => "coredns",
            Self::MetricsServer => "metrics-server",
            Self::Kind => "kind",
        }
    }

    fn module(self) -> &'static Module {
        match self {
            Self::Etcd => &ETCD,
            Self::CoreDns => &CORE_DNS,
            Self::MetricsServer => &METRICS_SERVER,
            Self::Kind => &KIND,
            _ => &KUBERNETES,
        }
    }

    fn package(self) -> String {
        let module = self.module().path;
        match self {
            Self::Etcd | Self::CoreDns | Self::Kind => module.to_owned(),
            _ => format!("{module}/cmd/{}", self.name()),
        }
    }

    /// How long a build usually takes on two cores with nothing cached.
    fn duration(self) -> &'static str {
        match self {
            Self::ApiServer => "about 3 minutes",
            Self::MetricsServer => "about 2 minutes",
            Self::CoreDns => "about 1 minute",
            _ => "less than a minute",
        }
    }
}

/// Where the programs are.
#[derive(Debug)]
pub struct Binaries(HashMap<Piece, PathBuf>);

impl Binaries {
    /// The program of a piece that was asked for.
    pub fn path(&self, piece: Piece) -> &Path {
        &self.0[&piece]
    }
}

/// Finds each piece in `KUBEBUILDER_ASSETS`, on the path in the wanted minor version, or in the cache, where it is
/// built on first use.
///
/// # Errors
/// When a program cannot be built, or `KUBEBUILDER_ASSETS` does not hold what it must.
pub fn ensure(pieces: &[Piece]) -> Result<Binaries, Error> {
    let mut found = HashMap::new();
    let mut missing = Vec::new();
    let assets = std::env::var_os(ASSETS).map(PathBuf::from);
    for &piece in pieces {
        let program = match in_assets(assets.as_deref(), piece)? {
            Some(program) => Some(program),
            None => cached(piece)?.or_else(|| on_path(piece)),
        };
        match program {
            Some(program) => {
                found.insert(piece, program);
            }
            None => missing.push(piece),
        }
    }
    if !missing.is_empty() {
        let cache = cache_folder()?;
        let _lock = lock(&cache)?;
        remove_interrupted(&cache);
        let go = go::ensure(&cache)?;
        for piece in missing {
            // Another task may have built it while this one waited for the lock.
            let program = match cached(piece)? {
                Some(program) => program,
                None => build(&go, &cache, piece)?,
            };
            found.insert(piece, program);
        }
    }
    Ok(Binaries(found))
}

fn in_assets(assets: Option<&Path>, piece: Piece) -> Result<Option<PathBuf>, Error> {
    let Some(folder) = assets else {
        return Ok(None);
    };
    let program = folder.join(piece.name());
    if program.is_file() {
        return Ok(Some(program));
    }
    if matches!(piece, Piece::Etcd | Piece::ApiServer | Piece::Kubectl) {
        return Err(Error::FindAsset {
            program: piece.name(),
            folder: folder.to_owned(),
        });
    }
    Ok(None)
}

fn on_path(piece: Piece) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let program = std::env::split_paths(&path)
        .map(|folder| folder.join(piece.name()))
        .find(|program| program.is_file())?;
    let arguments: &[&str] = match piece {
        Piece::Kubectl => &["version", "--client"],
        _ => &["--version"],
    };
    let printed = Command::new(&program).args(arguments).output().ok()?;
    let minor = minor_version(&String::from_utf8_lossy(&printed.stdout))?;
    (Some(minor) == minor_version(piece.module().version)).then_some(program)
}

/// The first `MAJOR.MINOR` in a text.
fn minor_version(text: &str) -> Option<(u32, u32)> {
    text.split(|character: char| !(character.is_ascii_digit() || character == '.'))
        .find_map(|word| {
            let mut parts = word.split('.');
            Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        })
}

/// The folder that outlives `cargo clean`: `$XDG_CACHE_HOME/toxicity-monitor`.
pub fn cache_folder() -> Result<PathBuf, Error> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(PathBuf::from(folder)),
        None => std::env::home_dir().map(|home| home.join(".cache")),
    };
    Ok(base.ok_or(Error::FindCache)?.join("toxicity-monitor"))
}

fn cached(piece: Piece) -> Result<Option<PathBuf>, Error> {
    let program = place(&cache_folder()?, piece);
    Ok(program.is_file().then_some(program))
}

fn place(cache: &Path, piece: Piece) -> PathBuf {
    let module = piece.module();
    cache
        .join(format!("{}-{}", module.name, module.version))
        .join(piece.name())
}

/// Lets one task at a time build; the lock ends with the file that is given back.
fn lock(cache: &Path) -> Result<std::fs::File, Error> {
    let path = cache.join("lock");
    let failed = |source| Error::File {
        action: "lock",
        path: path.clone(),
        source,
    };
    std::fs::create_dir_all(cache).map_err(failed)?;
    let file = std::fs::File::create(&path).map_err(failed)?;
    if file.try_lock().is_err() {
        announce("waiting for another task that builds into the same cache");
        file.lock().map_err(failed)?;
    }
    Ok(file)
}

/// Removes what builds that were cut off have left. Who holds the lock is the only one to build.
fn remove_interrupted(cache: &Path) {
    for entry in std::fs::read_dir(cache)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
    {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(INTERRUPTED) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn build(go: &Path, cache: &Path, piece: Piece) -> Result<PathBuf, Error> {
    let (name, module) = (piece.name(), piece.module());
    announce(&format!(
        "building {name} {} from its Go module ({} on 2 cores, once)",
        module.version,
        piece.duration()
    ));
    let work = cache.join(format!("{INTERRUPTED}{name}-{}", std::process::id()));
    super::write(&work.join("go.mod"), go_mod(module))?;
    let program = place(cache, piece);
    let folder = program
        .parent()
        .expect("a program lies in a folder of its version");
    std::fs::create_dir_all(folder).map_err(|source| Error::File {
        action: "create",
        path: folder.to_owned(),
        source,
    })?;
    let built = work.join(name);
    let mut command = Command::new(go);
    command
        .current_dir(&work)
        .args(["build", "-trimpath", "-ldflags", &linker_flags(module), "-o"])
        .arg(&built)
        .arg(piece.package())
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=mod");
    run(
        &mut command,
        "Check that Go modules can be fetched (`go env GOPROXY`) and that 5 GB are free, and try again.",
    )?;
    // An interrupted build leaves no program behind that could be taken for a whole one.
    std::fs::rename(&built, &program).map_err(|source| Error::File {
        action: "create",
        path: program.clone(),
        source,
    })?;
    let _ = std::fs::remove_dir_all(&work);
    Ok(program)
}

fn go_mod(module: &Module) -> String {
    let mut text = format!(
        "module build\n\ngo 1.24.0\n\nrequire {} v{}\n",
        module.path, module.version
    );
    if module.path == KUBERNETES.path {
        let version = module.version.trim_start_matches("1.");
        for name in STAGING {
            let _ = writeln!(text, "replace k8s.io/{name} => k8s.io/{name} v0.{version}");
        }
    }
    text
}

/// What makes a program smaller, and tells it its version where the module does not.
fn linker_flags(module: &Module) -> String {
    let mut flags = "-s -w".to_owned();
    if module.path == KUBERNETES.path {
        let package = "k8s.io/component-base/version";
        let mut parts = module.version.split('.');
        let (major, minor) = (parts.next().unwrap_or("1"), parts.next().unwrap_or("0"));
        let _ = write!(
            flags,
            " -X {package}.gitVersion=v{} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}",
            module.version
        );
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_that_each_program_prints() {
        assert_eq!(minor_version("Kubernetes v1.34.2"), Some((1, 34)));
        assert_eq!(minor_version("etcd Version: 3.5.24\nGit SHA: 12.5"), Some((3, 5)));
        assert_eq!(minor_version("Client Version: v1.32.4-dispatcher"), Some((1, 32)));
        assert_eq!(minor_version("no version"), None);
    }

    #[test]
    fn the_modules_that_kubernetes_stages_are_replaced() {
        assert!(go_mod(&KUBERNETES).contains("\nreplace k8s.io/api => k8s.io/api v0.34.2\n"));
        assert!(!go_mod(&ETCD).contains("replace"));
    }

    #[test]
    fn assets_must_hold_what_they_promise() {
        let empty = Path::new("/nonexistent");
        assert!(in_assets(Some(empty), Piece::Etcd).is_err());
        assert_eq!(in_assets(Some(empty), Piece::Kubelet).unwrap(), None);
        assert_eq!(in_assets(None, Piece::Etcd).unwrap(), None);
    }
}
