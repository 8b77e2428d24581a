//! Why a task failed, and what to do about it.

use std::path::{Path, PathBuf};

use crate::web_app;

/// Why a task failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A command is not installed or cannot be started.
    #[error("failed to start `{command}`. {remedy}")]
    StartCommand {
        /// The command line.
        command: String,
        /// What to do.
        remedy: String,
        /// Why.
        source: std::io::Error,
    },
    /// A command failed.
    #[error("`{command}` failed ({status}). {remedy}")]
    RunCommand {
        /// The command line.
        command: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// What to do.
        remedy: String,
    },
    /// cargo does not tell what the workspace holds.
    #[error("failed to read what packages there are. Is cargo on the path?")]
    ReadMetadata(#[source] cargo_metadata::Error),
    /// A file cannot be read or written.
    #[error("failed to {action} \"{path}\"")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No pinned ONNX Runtime for this machine.
    #[error(
        "failed to choose an ONNX Runtime for {0}: only Linux (x86_64, aarch64) and macOS (aarch64) are pinned. Put a \
         library of your own in place and name it with TOXICITY_ONNXRUNTIME"
    )]
    ChooseOnnxRuntime(String),
    /// A download is not what was pinned.
    #[error("failed to verify \"{path}\": its SHA-256 is {found}, not {pinned}. Delete it and try again")]
    VerifyDownload {
        /// The file.
        path: PathBuf,
        /// Its hash.
        found: String,
        /// The pinned hash.
        pinned: &'static str,
    },
    /// A wheel cannot be unpacked.
    #[error("failed to unpack \"{path}\"")]
    Unpack {
        /// The wheel.
        path: PathBuf,
        /// Why.
        source: zip::result::ZipError,
    },
    /// The web app cannot be built.
    #[error("failed to build the web app")]
    BuildWebApp(#[from] web_app::Error),
    /// A program is missing and cannot be installed from here.
    #[error("failed to find {program}: install it, on Debian and Ubuntu by `{remedy}`, and try again")]
    FindProgram {
        /// The program.
        program: &'static str,
        /// The command that installs it.
        remedy: String,
    },
    /// A port is taken.
    #[error("port {port} is taken; choose another with {flag}")]
    TakePort {
        /// The port.
        port: u16,
        /// The flag that sets it.
        flag: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// Two servers cannot share a port.
    #[error("--port and --model-port are both {0}; choose different ones")]
    SharePort(u16),
    /// A server does not get ready.
    #[error("the {service} was not ready after {seconds} s; its log above says why")]
    AwaitService {
        /// The server.
        service: &'static str,
        /// How long was waited.
        seconds: u64,
    },
    /// A server ended by itself.
    #[error("the {service} stopped by itself ({status}); its log above says why")]
    LoseService {
        /// The server.
        service: &'static str,
        /// Its exit status.
        status: std::process::ExitStatus,
    },
    /// Ctrl-C cannot be caught.
    #[error("failed to catch Ctrl-C")]
    CatchSignal(#[from] ctrlc::Error),
    /// A name that could mean something else in a path or a command.
    #[error(
        "failed to use \"{0}\" as the name of a cluster: take up to 40 lower-case letters, digits and dashes"
    )]
    NameCluster(String),
    /// There is no such cluster.
    #[error("failed to find the cluster \"{name}\": {remedy}")]
    FindCluster {
        /// Its name.
        name: String,
        /// What to do.
        remedy: String,
    },
    /// A cluster cannot become what was asked for.
    #[error(
        "failed to change the cluster \"{name}\", which {what}: stop it by `{remedy}` and start it again"
    )]
    ChangeCluster {
        /// Its name.
        name: String,
        /// Why not.
        what: &'static str,
        /// The command that stops it.
        remedy: String,
    },
    /// Not all of a cluster runs.
    #[error("failed to find everything running; missing: {components}. `{remedy}` starts it")]
    MissComponents {
        /// What does not run.
        components: String,
        /// The command that starts it.
        remedy: String,
    },
    /// A program of a cluster does not run.
    #[error("{component} {what}; the end of \"{log}\":\n{end}\n")]
    RunComponent {
        /// The program.
        component: String,
        /// What it did.
        what: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        end: String,
    },
    /// Nodes do not get ready.
    #[error("failed to get {nodes} ready; the logs of the kubelets in \"{log}\" say why")]
    AwaitNodes {
        /// Names of the nodes.
        nodes: String,
        /// Folder of the logs.
        log: PathBuf,
    },
    /// Nodes of another cluster are on this machine.
    #[error(
        "failed to add nodes: the cluster in \"{owner}\" has some, and a machine holds one cluster with nodes. Stop it \
         by `cargo xtask cluster down --name {}` in its repository, or use --nodes 0",
        owner.file_name().unwrap_or_default().to_string_lossy()
    )]
    ShareMachine {
        /// The state folder of the other cluster.
        owner: PathBuf,
    },
    /// The addresses of nodes mean something else on this machine.
    #[error(
        "failed to add nodes: they need 10.89.0.0/24, 10.244.0.0/16 and 10.96.0.0/16, but this machine has the route \
         \"{route}\". Remove what has made it, or use --nodes 0"
    )]
    ShareAddresses {
        /// The route that is there.
        route: String,
    },
    /// Nodes need root.
    #[error(
        "failed to start nodes: network namespaces, mounts and cgroups need root. Run this as root, use --nodes \
         0 (the control plane alone), --kind (with Docker), or --use-current-context (a cluster of your own)"
    )]
    NeedRoot,
    /// Not Linux.
    #[error(
        "failed to start a cluster: Kubernetes runs on Linux. Use --kind (with Docker) or --use-current-context (a \
         cluster of your own)"
    )]
    NeedLinux,
    /// No folder to keep programs in.
    #[error("failed to find the home folder: set HOME, or XDG_CACHE_HOME and KUBECONFIG")]
    FindCache,
    /// A folder of programs lacks one.
    #[error("failed to find {program} in \"{folder}\": correct KUBEBUILDER_ASSETS, or unset it")]
    FindAsset {
        /// The program.
        program: &'static str,
        /// The folder.
        folder: PathBuf,
    },
    /// No Docker for kind.
    #[error(
        "failed to reach Docker, which kind needs: start it until `docker info` works, or leave --kind away"
    )]
    FindDocker,
    /// No node that could take an image.
    #[error(
        "failed to load images: the cluster \"{cluster}\" has no nodes; add one by `cargo xtask cluster up --nodes 1 \
         --name {cluster}`"
    )]
    LoadWithoutNodes {
        /// The cluster.
        cluster: String,
    },
    /// The nodes are somebody else's.
    #[error(
        "failed to load images into the cluster of \"{cluster}\", which is not of this task's making: push them to a \
         registry that it can reach, and name them with --operator-image, --model-server-image and --web-ui-image"
    )]
    LoadIntoForeignCluster {
        /// The context.
        cluster: String,
    },
    /// Flags for a cluster without one.
    #[error(
        "failed to start: --nodes, --kind, --use-current-context and the --…-image flags are for --cluster; add it"
    )]
    NeedClusterFlag,
    /// Neither Docker nor root.
    #[error(
        "failed to build images: without a Docker daemon it is buildah that builds them, which needs root here. Start \
         Docker until `docker info` works, or run this as root"
    )]
    NeedRootForImages,
    /// No Debian to make a base image from.
    #[error(
        "failed to make a base image: that takes the packages of Debian or Ubuntu, which this is not. Use --public-bases"
    )]
    ChooseBase,
    /// Tests failed.
    #[error("{0} of the steps above failed")]
    FailTests(usize),
    /// A measurement printed something else than expected.
    #[error("failed to understand what `{command}` printed: {message}")]
    ReadMeasurement {
        /// The command.
        command: String,
        /// What is wrong.
        message: String,
    },
    /// No labelled comments to train with.
    #[error(
        "failed to find the labelled comments{}: --data names the folder with \"jigsaw/train_six_labels.csv.gz\" (columns \
         comment_text, toxic, severe_toxic, obscene, threat, insult, identity_hate), \"jigsaw/train_extra_nontoxic.csv.gz\", \
         \"toxic_spans/tsd_train.csv.gz\" and the sets beside them that models/training names",
        folder.as_ref().map_or_else(String::new, |folder| format!(" in \"{}\"", folder.display()))
    )]
    FindTrainingData {
        /// The folder, if one was named.
        folder: Option<PathBuf>,
    },
    /// A file of labelled comments is not as it should be.
    #[error("failed to judge by \"{path}\": {message}")]
    ReadLabels {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The figures of a model cannot be read.
    #[error("failed to read the figures in \"{path}\"")]
    ReadCard {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A served model is not as good as its card says, or better.
    #[error(
        "failed to find the figures of \"{card}\" again: {}. Another model is served, the card was not written anew, \
         or the way from text to score has changed",
        differences.join("; ")
    )]
    DifferFromCard {
        /// The card.
        card: PathBuf,
        /// What differs.
        differences: Vec<String>,
    },
    /// A server cannot be measured.
    #[error("failed to measure {what}")]
    Measure {
        /// What was measured.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

/// The message of an error and of all its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    message
}

impl Error {
    /// For `map_err`: what was tried with the file or folder at `path`.
    pub fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
