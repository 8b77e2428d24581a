//! Builds the web app: wasm by cargo, its bindings by the wasm-bindgen library, and around it a folder of files that
//! carry their hash in their name and lie there precompressed.

use std::{
    fs, io,
    io::{BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use brotli::enc::BrotliEncoderParams;
use cargo_metadata::Message;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256, Sha384};
use wasm_bindgen_cli_support::Bindgen;

const PACKAGE: &str = "toxicity-web-ui";
const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm";

/// Files of the app that are served as they are, or with their references rewritten.
const FONT: &str = "fonts/inter-latin-variable.woff2";
const SOURCES: [&str; 6] = [
    "index.html",
    "style.css",
    "theme.js",
    "boot.js",
    "favicon.svg",
    FONT,
];

/// Where `index.html` wants the links that load the app early.
const PRELOAD_MARK: &str = "<!-- preload -->";

/// Why the web app could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Cargo is not there or cannot be read from.
    #[error("failed to run cargo for the web app")]
    RunCargo(#[source] io::Error),
    /// The app does not compile; cargo has said why.
    #[error("failed to compile the web app: cargo ended with {status}")]
    CompileApp {
        /// How cargo ended.
        status: ExitStatus,
    },
    /// Cargo ended well without naming a wasm file.
    #[error("failed to find the wasm file of \"{PACKAGE}\" in the messages of cargo")]
    FindWasm,
    /// The wasm and the binding generator do not fit each other.
    #[error("failed to generate the bindings of \"{}\": {reason}", wasm.display())]
    GenerateBindings {
        /// The file from the compiler.
        wasm: PathBuf,
        /// What the generator said.
        reason: String,
    },
    /// A file that names another one no longer does.
    #[error(
        "failed to rewrite \"{reference}\" in \"{file}\": it must be there exactly once, not {count} times"
    )]
    RewriteReference {
        /// The file that is searched.
        file: String,
        /// What is searched.
        reference: String,
        /// How often it is there.
        count: usize,
    },
    /// A file or folder cannot be read or written.
    #[error("failed to {action} \"{}\"", path.display())]
    UseFile {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

/// Builds what has changed and returns the folder that `toxicity-web-server --assets` takes.
///
/// # Errors
///
/// When the app does not compile, or a file cannot be read or written.
pub fn build(workspace_root: &Path) -> Result<PathBuf, Error> {
    let target = workspace_root.join("target");
    let folder = target.join("web-ui");
    let fingerprint_file = target.join("web-ui.fingerprint");

    let wasm = compile(workspace_root)?;
    let sources = Sources::read(&workspace_root.join("web-ui/app"))?;
    let fingerprint = fingerprint(&sources, &read(&wasm)?);
    let is_current = folder.join("index.html").is_file()
        && fs::read_to_string(&fingerprint_file).is_ok_and(|stored| stored == fingerprint);
    if is_current {
        return Ok(folder);
    }

    let bindings = bind(
        &wasm,
        &target.join(format!("web-ui.bindings-{}", std::process::id())),
    )?;
    let site = assemble(&sources, bindings)?;
    publish(&site, &folder)?;
    write(&fingerprint_file, fingerprint.as_bytes())?;
    Ok(folder)
}

/// Lets cargo compile the app, or find that nothing has changed. Returns the wasm file.
fn compile(workspace_root: &Path) -> Result<PathBuf, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut child = Command::new(cargo)
        .current_dir(workspace_root)
        .args([
            "build",
            "--package",
            PACKAGE,
            "--bin",
            PACKAGE,
            "--target",
            TARGET,
            "--profile",
            PROFILE,
        ])
        .arg("--message-format=json-render-diagnostics")
        .env("CARGO_ENCODED_RUSTFLAGS", path_flags(workspace_root))
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Error::RunCargo)?;

    let mut wasm = None;
    if let Some(messages) = child.stdout.take() {
        for message in Message::parse_stream(BufReader::new(messages)) {
            if let Message::CompilerArtifact(artifact) = message.map_err(Error::RunCargo)? {
                let is_app = artifact.target.is_bin() && artifact.target.name == PACKAGE;
                let file = artifact
                    .filenames
                    .into_iter()
                    .find(|file| file.extension() == Some("wasm"));
                wasm = file.filter(|_| is_app).or(wasm);
            }
        }
    }
    let status = child.wait().map_err(Error::RunCargo)?;
    if !status.success() {
        return Err(Error::CompileApp { status });
    }
    wasm.map(cargo_metadata::camino::Utf8PathBuf::into_std_path_buf)
        .ok_or(Error::FindWasm)
}

/// Panic messages name source files. With these flags they do so without the paths of the building machine, which
/// also makes the file the same everywhere. Flags are separated by the unit separator.
fn path_flags(workspace_root: &Path) -> String {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    cargo_home
        .iter()
        .map(|home| remap(home, "/cargo"))
        .chain([remap(workspace_root, "/toxicity-monitor")])
        .collect::<Vec<_>>()
        .join("\u{1f}")
}

/// The files of the app beside its Rust code.
struct Sources(Vec<(&'static str, Vec<u8>)>);

impl Sources {
    fn read(folder: &Path) -> Result<Self, Error> {
        let files = SOURCES
            .into_iter()
            .map(|name| Ok((name, read(&folder.join(name))?)));
        files.collect::<Result<_, _>>().map(Self)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        self.0
            .iter()
            .find(|(found, _)| *found == name)
            .map(|(_, bytes)| bytes.clone())
            .unwrap_or_default()
    }

    fn text(&self, name: &'static str) -> Text {
        Text {
            file: name,
            content: String::from_utf8_lossy(&self.bytes(name)).into_owned(),
        }
    }
}

/// What the result depends on, this file included.
fn fingerprint(sources: &Sources, wasm: &[u8]) -> String {
    let mut hash = Sha256::new();
    let own = ("web_app.rs", include_bytes!("web_app.rs").as_slice());
    let files = sources.0.iter().map(|(name, bytes)| (*name, bytes.as_slice()));
    for (name, bytes) in files.chain([own, ("wasm", wasm)]) {
        hash.update(name);
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    }
    hexadecimal(&hash.finalize())
}

/// JavaScript and wasm as a browser loads them.
struct Bindings {
    script: String,
    wasm: Vec<u8>,
}

fn bind(wasm: &Path, scratch: &Path) -> Result<Bindings, Error> {
    let generate = || {
        Bindgen::new()
            .input_path(wasm)
            .out_name("app")
            .web(true)?
            .omit_default_module_path(false)
            .typescript(false)
            .remove_name_section(true)
            .remove_producers_section(true)
            .generate(scratch)
    };
    generate().map_err(|error| Error::GenerateBindings {
        wasm: wasm.to_owned(),
        reason: format!("{error:#}"),
    })?;
    let script = String::from_utf8_lossy(&read(&scratch.join("app.js"))?).into_owned();
    let bindings = Bindings {
        script,
        wasm: read(&scratch.join("app_bg.wasm"))?,
    };
    remove(scratch)?;
    Ok(bindings)
}

/// A text whose references to other files are rewritten.
struct Text {
    file: &'static str,
    content: String,
}

impl Text {
    /// Replaces a reference that must be there exactly once: one that is missed would only show in a browser.
    fn replace(mut self, reference: &str, replacement: &str) -> Result<Self, Error> {
        let count = self.content.matches(reference).count();
        if count != 1 {
            let (file, reference) = (self.file.to_owned(), reference.to_owned());
            return Err(Error::RewriteReference {
                file,
                reference,
                count,
            });
        }
        self.content = self.content.replace(reference, replacement);
        Ok(self)
    }
}

/// A finished file: its path in the folder, and its content.
struct File {
    path: String,
    content: Vec<u8>,
}

impl File {
    /// A file under `assets/` with the hash of its content in its name.
    fn hashed(name: &str, content: Vec<u8>) -> Self {
        let name = Path::new(name);
        let stem = name.file_stem().unwrap_or_default().to_string_lossy();
        let extension = name.extension().unwrap_or_default().to_string_lossy();
        let hash = hexadecimal(&Sha256::digest(&content)[..8]);
        Self {
            path: format!("assets/{stem}-{hash}.{extension}"),
            content,
        }
    }

    /// As another file under `assets/` names it.
    fn sibling(&self) -> &str {
        self.path.strip_prefix("assets/").unwrap_or(&self.path)
    }

    /// What a browser compares the file with before it runs it.
    fn integrity(&self) -> String {
        format!(
            "integrity=\"sha384-{}\"",
            BASE64.encode(Sha384::digest(&self.content))
        )
    }
}

/// Names every file by its content, from those that name no other to the page that names them all.
fn assemble(sources: &Sources, bindings: Bindings) -> Result<Vec<File>, Error> {
    let icon = File::hashed("favicon.svg", sources.bytes("favicon.svg"));
    let font = File::hashed(FONT, sources.bytes(FONT));
    let style = sources.text("style.css").replace(FONT, font.sibling())?;
    let style = File::hashed("style.css", style.content.into_bytes());
    let theme = File::hashed("theme.js", sources.bytes("theme.js"));
    let wasm = File::hashed("app.wasm", bindings.wasm);
    let script = Text {
        file: "app.js",
        content: bindings.script,
    }
    .replace("app_bg.wasm", wasm.sibling())?;
    let script = File::hashed("app.js", script.content.into_bytes());
    let boot = sources
        .text("boot.js")
        .replace("./app.js", &format!("./{}", script.sibling()))?;
    let boot = File::hashed("boot.js", boot.content.into_bytes());

    let preload = [
        format!(
            "<link rel=\"modulepreload\" href=\"/{}\" {}>",
            script.path,
            script.integrity()
        ),
        format!(
            "<link rel=\"preload\" href=\"/{}\" as=\"fetch\" type=\"application/wasm\" crossorigin>",
            wasm.path
        ),
        format!(
            "<link rel=\"preload\" href=\"/{}\" as=\"font\" type=\"font/woff2\" crossorigin>",
            font.path
        ),
    ];
    let page = sources
        .text("index.html")
        .replace("href=\"favicon.svg\"", &format!("href=\"/{}\"", icon.path))?
        .replace(
            "href=\"style.css\"",
            &format!("href=\"/{}\" {}", style.path, style.integrity()),
        )?
        .replace(
            "src=\"theme.js\"",
            &format!("src=\"/{}\" {}", theme.path, theme.integrity()),
        )?
        .replace(
            "src=\"boot.js\"",
            &format!("src=\"/{}\" {}", boot.path, boot.integrity()),
        )?
        .replace(PRELOAD_MARK, &preload.join("\n    "))?;
    let page = File {
        path: "index.html".to_owned(),
        content: page.content.into_bytes(),
    };
    Ok(vec![icon, font, style, theme, wasm, script, boot, page])
}

/// Writes everything into a folder beside the final one and swaps them, so that a half build is never served.
fn publish(site: &[File], folder: &Path) -> Result<(), Error> {
    let process = std::process::id();
    let fresh = folder.with_extension(format!("new-{process}"));
    let stale = folder.with_extension(format!("old-{process}"));
    remove(&fresh)?;
    let assets = fresh.join("assets");
    fs::create_dir_all(&assets).map_err(|source| Error::UseFile {
        action: "create",
        path: assets,
        source,
    })?;
    for file in site {
        let path = fresh.join(&file.path);
        write(&path, &file.content)?;
        // Fonts are compressed already.
        if path.extension().is_some_and(|extension| extension != "woff2") {
            write_compressed(&path, &file.content)?;
        }
    }
    let rename = |from: &Path, to: &Path| {
        fs::rename(from, to).map_err(|source| Error::UseFile {
            action: "rename",
            path: from.to_owned(),
            source,
        })
    };
    if folder.exists() {
        rename(folder, &stale)?;
    }
    rename(&fresh, folder)?;
    remove(&stale)
}

/// Writes `.br` and `.gz` beside a file.
fn write_compressed(path: &Path, content: &[u8]) -> Result<(), Error> {
    let with_suffix = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::UseFile {
            action: "compress",
            path,
            source,
        }
    };

    let mut brotli = Vec::new();
    let parameters = BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: content.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &content[..], &mut brotli, &parameters).map_err(failed(path))?;
    write(&with_suffix(".br"), &brotli)?;

    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content).map_err(failed(path))?;
    write(&with_suffix(".gz"), &gzip.finish().map_err(failed(path))?)
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::UseFile {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    fs::write(path, content).map_err(|source| Error::UseFile {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

/// Removes a folder, if it is there.
fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::UseFile {
            action: "remove",
            path: folder.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(index: &str) -> Sources {
        Sources(vec![
            ("index.html", index.as_bytes().to_vec()),
            ("style.css", format!("src: url(\"{FONT}\")").into_bytes()),
            ("theme.js", b"theme()".to_vec()),
            ("boot.js", b"import init from \"./app.js\";".to_vec()),
            ("favicon.svg", b"<svg/>".to_vec()),
            (FONT, b"font".to_vec()),
        ])
    }

    fn bindings() -> Bindings {
        Bindings {
            script: "new URL('app_bg.wasm', import.meta.url)".to_owned(),
            wasm: b"\0asm".to_vec(),
        }
    }

    const INDEX: &str = "<!-- preload --><link href=\"favicon.svg\"><link href=\"style.css\">\
                         <script src=\"theme.js\"></script><script src=\"boot.js\"></script>";

    #[test]
    fn every_reference_leads_to_a_file_of_the_build() {
        let site = assemble(&sources(INDEX), bindings()).expect("all references are there");
        let text = |start: &str| {
            let file = site
                .iter()
                .find(|file| file.path.starts_with(start))
                .expect("the file is built");
            String::from_utf8_lossy(&file.content).into_owned()
        };
        let path = |start: &str| {
            site.iter()
                .find(|file| file.path.starts_with(start))
                .expect("the file is built")
                .path
                .clone()
        };
        let page = text("index.html");
        for start in [
            "assets/favicon-",
            "assets/style-",
            "assets/theme-",
            "assets/boot-",
            "assets/app-",
        ] {
            assert!(
                page.contains(&format!("\"/{}\"", path(start))),
                "{start} is missing in {page}"
            );
        }
        assert_eq!(page.matches("integrity=\"sha384-").count(), 4);
        assert!(text("assets/style-").contains(path("assets/inter-").trim_start_matches("assets/")));
        assert!(!text("assets/boot-").contains("./app.js"));
    }

    #[test]
    fn a_lost_reference_stops_the_build() {
        let error = assemble(&sources("<p>empty</p>"), bindings())
            .err()
            .expect("nothing is named");
        assert!(matches!(error, Error::RewriteReference { count: 0, .. }));
    }

    #[test]
    fn the_fingerprint_follows_every_input() {
        let before = fingerprint(&sources(INDEX), b"wasm");
        assert_eq!(before, fingerprint(&sources(INDEX), b"wasm"));
        assert_ne!(before, fingerprint(&sources(INDEX), b"other"));
        assert_ne!(before, fingerprint(&sources("other"), b"wasm"));
    }

    #[test]
    fn a_build_replaces_the_one_before() {
        let root = std::env::temp_dir().join(format!("toxicity-web-app-{}", std::process::id()));
        let folder = root.join("web-ui");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("old.js"), "").expect("a file");
        let site = assemble(&sources(INDEX), bindings()).expect("all references are there");
        publish(&site, &folder).expect("the folder can be written");
        assert!(folder.join("index.html.br").is_file() && folder.join("index.html.gz").is_file());
        assert!(!folder.join("old.js").exists());
        assert_eq!(fs::read_dir(&root).expect("a folder").count(), 1);
        fs::remove_dir_all(&root).expect("the folder can be removed");
    }
}
