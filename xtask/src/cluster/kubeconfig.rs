//! Files that tell a client where the API server is and who it is. They are written as JSON, which is YAML.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::cluster::state::State;
use crate::error::Error;

/// Writes `<who>.kubeconfig` for the client of the certificate `<who>`; a file that is right already stays untouched.
pub fn ensure(state: &State, who: &str, server: &str) -> Result<(), Error> {
    let path = state.path(&format!("{who}.kubeconfig"));
    let pki = state.path("pki");
    let content = render(
        &state.name,
        server,
        &read(&pki.join("ca.crt"))?,
        &read(&pki.join(format!("{who}.crt")))?,
        &read(&pki.join(format!("{who}.key")))?,
    );
    let content = serde_json::to_vec_pretty(&content).expect("a kubeconfig is plain data");
    if std::fs::read(&path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    let failed = |source| Error::File {
        action: "write",
        path: path.clone(),
        source,
    };
    // A client that reads just now must see the old or the new one, and nobody else the key.
    let partial = path.with_extension("partial");
    std::fs::write(&partial, "").map_err(failed)?;
    std::fs::set_permissions(&partial, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    std::fs::write(&partial, content).map_err(failed)?;
    std::fs::rename(&partial, &path).map_err(failed)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

fn render(name: &str, server: &str, authority: &[u8], certificate: &[u8], key: &[u8]) -> Value {
    let context = format!("toxicity-{name}");
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "clusters": [{"name": context, "cluster": {
            "server": server,
            "certificate-authority-data": BASE64.encode(authority),
        }}],
        "users": [{"name": context, "user": {
            "client-certificate-data": BASE64.encode(certificate),
            "client-key-data": BASE64.encode(key),
        }}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_context_leads_to_the_cluster_and_the_user() {
        let config = render(
            "test",
            "https://127.0.0.1:6443",
            b"authority",
            b"certificate",
            b"key",
        );
        let context = &config["contexts"][0];
        assert_eq!(config["current-context"], context["name"]);
        assert_eq!(config["clusters"][0]["name"], context["context"]["cluster"]);
        assert_eq!(config["users"][0]["name"], context["context"]["user"]);
        assert_eq!(config["users"][0]["user"]["client-key-data"], "a2V5");
    }
}
