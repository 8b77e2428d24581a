//! Credentials, from the environment and from the files in which the tools of each service keep them.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use secrecy::SecretString;

use crate::environment::Environment;

/// Most bytes of a file with a token.
const LONGEST_TOKEN: u64 = 16 * 1024;

/// What goes into the header `Authorization`.
#[derive(Debug, Clone)]
pub(crate) enum Authorization {
    /// A token.
    Bearer(SecretString),
    /// A user and a password.
    Basic(String, SecretString),
}

/// Why credentials that are there cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file cannot be read.
    #[error("failed to read \"{path}\"", path = .path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Docker's configuration has an entry that does not work.
    #[error("failed to use the entry for \"{registry}\" in \"{path}\": {problem}", path = .path.display())]
    UseDockerConfig {
        /// The registry.
        registry: String,
        /// The file.
        path: PathBuf,
        /// What does not work.
        problem: &'static str,
    },
}

/// The token for the Hugging Face Hub, from where its own tools keep it: `HF_TOKEN`, the file named by
/// `HF_TOKEN_PATH`, `token` in `HF_HOME`, or `~/.cache/huggingface/token`.
pub(crate) fn hub_token(environment: &Environment) -> Result<Option<Authorization>, CredentialsError> {
    if let Some(token) = environment.get("HF_TOKEN") {
        return Ok(Some(bearer(token)));
    }
    let named = environment.path("HF_TOKEN_PATH");
    let usual = environment
        .path("HF_HOME")
        .or_else(|| Some(environment.cache_home()?.join("huggingface")))
        .map(|home| home.join("token"));
    let (path, must_exist) = match (named, usual) {
        (Some(path), _) => (path, true),
        (None, Some(path)) => (path, false),
        (None, None) => return Ok(None),
    };
    let mut token = String::new();
    match File::open(&path).and_then(|file| file.take(LONGEST_TOKEN).read_to_string(&mut token)) {
        Ok(_) => Ok(Some(token.trim()).filter(|token| !token.is_empty()).map(bearer)),
        Err(_) if !must_exist && !path.exists() => Ok(None),
        Err(source) => Err(CredentialsError::ReadFile { path, source }),
    }
}

/// The token for web servers: `TOXICITY_MODEL_TOKEN`.
pub(crate) fn web_token(environment: &Environment) -> Option<Authorization> {
    environment.get("TOXICITY_MODEL_TOKEN").map(bearer)
}

/// User and password for an OCI registry: `TOXICITY_OCI_USERNAME` and `TOXICITY_OCI_PASSWORD`, else what
/// Docker's `config.json` (in `DOCKER_CONFIG` or `~/.docker`) says, credential helpers included. May wait for
/// a helper.
pub(crate) fn registry_login(
    environment: &Environment,
    registry: &str,
) -> Result<Option<Authorization>, CredentialsError> {
    if let (Some(user), Some(password)) = (
        environment.get("TOXICITY_OCI_USERNAME"),
        environment.get("TOXICITY_OCI_PASSWORD"),
    ) {
        return Ok(Some(Authorization::Basic(user.to_owned(), password.into())));
    }
    let folder = environment
        .path("DOCKER_CONFIG")
        .or_else(|| Some(environment.path("HOME")?.join(".docker")));
    let Some(path) = folder.map(|folder| folder.join("config.json")) else {
        return Ok(None);
    };
    if !path.exists() {
        return Ok(None);
    }
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(source) => return Err(CredentialsError::ReadFile { path, source }),
    };
    // Docker's own tools write the login to Docker Hub under this name.
    let server = match registry {
        "docker.io" | "index.docker.io" => "https://index.docker.io/v1/",
        registry => registry,
    };
    let problem = match docker_credential::get_credential_from_reader(std::io::BufReader::new(file), server) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            return Ok(Some(Authorization::Basic(user, password.into())));
        }
        Err(CredentialRetrievalError::NoCredentialConfigured) => return Ok(None),
        Ok(DockerCredential::IdentityToken(_)) => {
            "it is an identity token; log in with a user name and a password or access token"
        }
        // What a helper prints may be secret, so nothing of it is repeated.
        Err(CredentialRetrievalError::HelperFailure { .. }) => "its credential helper failed",
        Err(CredentialRetrievalError::HelperCommunicationError) => "its credential helper cannot be run",
        Err(CredentialRetrievalError::MalformedHelperResponse) => {
            "its credential helper gave no user and password"
        }
        Err(CredentialRetrievalError::CredentialMismatchError) => "`auth` and `password` differ",
        Err(CredentialRetrievalError::CredentialDecodingError) => "`auth` is not base64 of user:password",
        Err(CredentialRetrievalError::ConfigReadError | CredentialRetrievalError::ConfigNotFound) => {
            "the file is not valid JSON"
        }
    };
    Err(CredentialsError::UseDockerConfig {
        registry: registry.to_owned(),
        path,
        problem,
    })
}

fn bearer(token: &str) -> Authorization {
    Authorization::Bearer(token.into())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use secrecy::ExposeSecret;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variables = variables
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()));
        variables.collect()
    }

    fn text(authorization: Option<Authorization>) -> Option<String> {
        authorization.map(|authorization| match authorization {
            Authorization::Bearer(token) => token.expose_secret().to_owned(),
            Authorization::Basic(user, password) => format!("{user}:{}", password.expose_secret()),
        })
    }

    fn path(folder: &Path) -> &str {
        folder.to_str().unwrap()
    }

    #[test]
    fn the_token_of_the_hub_lies_where_its_tools_put_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        let token = |variables: &[(&str, &str)]| text(hub_token(&environment(variables)).unwrap());
        assert_eq!(token(&[]), None);
        assert_eq!(token(&[("HOME", path(home))]), None);

        let usual = home.join(".cache/huggingface");
        std::fs::create_dir_all(&usual).unwrap();
        std::fs::write(usual.join("token"), "hf_usual\n").unwrap();
        std::fs::write(home.join("token"), "hf_home").unwrap();
        assert_eq!(token(&[("HOME", path(home))]).as_deref(), Some("hf_usual"));
        assert_eq!(
            token(&[("HOME", path(home)), ("HF_HOME", path(home))]).as_deref(),
            Some("hf_home")
        );
        let file = home.join("token");
        assert_eq!(
            token(&[("HF_TOKEN_PATH", path(&file)), ("HOME", "/")]).as_deref(),
            Some("hf_home")
        );
        assert_eq!(
            token(&[("HF_TOKEN", "hf_variable"), ("HOME", path(home))]).as_deref(),
            Some("hf_variable")
        );
    }

    #[test]
    fn a_token_file_that_is_named_must_be_there() {
        let error = hub_token(&environment(&[("HF_TOKEN_PATH", "/nowhere/token")])).unwrap_err();
        assert!(error.to_string().contains("/nowhere/token"), "{error}");
    }

    #[test]
    fn the_login_of_a_registry_comes_from_the_environment_or_from_docker() {
        let folder = tempfile::tempdir().unwrap();
        let auth = BASE64_STANDARD.encode("docker:from-file");
        let config =
            format!(r#"{{"auths": {{"ghcr.io": {{"auth": "{auth}"}}, "broken.io": {{"auth": "%"}}}}}}"#);
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        let docker = ("DOCKER_CONFIG", path(folder.path()));
        let login = |variables: &[(&str, &str)], registry: &str| {
            registry_login(&environment(variables), registry).map(text)
        };
        assert_eq!(login(&[], "ghcr.io").unwrap(), None);
        assert_eq!(
            login(&[docker], "ghcr.io").unwrap().as_deref(),
            Some("docker:from-file")
        );
        assert_eq!(login(&[docker], "quay.io").unwrap(), None);
        let own = [
            docker,
            ("TOXICITY_OCI_USERNAME", "me"),
            ("TOXICITY_OCI_PASSWORD", "mine"),
        ];
        assert_eq!(login(&own, "ghcr.io").unwrap().as_deref(), Some("me:mine"));
        let error = login(&[docker], "broken.io").unwrap_err().to_string();
        assert!(error.contains("broken.io") && error.contains("base64"), "{error}");
    }

    #[test]
    fn credentials_are_not_shown() {
        let shown = format!(
            "{:?} {:?}",
            bearer("hunter2"),
            Authorization::Basic("me".to_owned(), "hunter2".into())
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
