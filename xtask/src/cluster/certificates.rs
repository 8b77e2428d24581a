//! The certificates of a cluster: one authority, and what it signs.

use std::path::Path;
use std::process::{Command, Output};

use crate::cluster::state::State;
use crate::error::Error;
use crate::process::{command_line, start_error};

/// Longer than anybody keeps a cluster for tests.
const DAYS: &str = "3650";

/// For whom a certificate is.
pub struct Certificate<'a> {
    /// Name of its files in `pki/`.
    pub file: &'a str,
    /// Its subject, which for a client is the user and the group.
    pub subject: &'a str,
    /// Names and addresses of a server, as openssl writes them; empty for a client alone.
    pub names: &'a str,
}

/// Makes the authority and the key for service accounts.
pub fn ensure_authority(state: &State) -> Result<(), Error> {
    let folder = state.path("pki");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)))
        .map_err(|source| Error::File {
            action: "create",
            path: folder.clone(),
            source,
        })?;
    if !folder.join("ca.crt").is_file() {
        let mut command = openssl(&folder);
        command.args([
            "req",
            "-x509",
            "-days",
            DAYS,
            "-nodes",
            "-subj",
            "/CN=kubernetes-ca",
        ]);
        command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        command.args(["-keyout", "ca.key", "-out", "ca.crt.partial"]);
        run(&mut command)?;
        publish(&folder, "ca.crt")?;
    }
    if !folder.join("sa.pub").is_file() {
        let mut command = openssl(&folder);
        command.args([
            "ecparam",
            "-name",
            "prime256v1",
            "-genkey",
            "-noout",
            "-out",
            "sa.key",
        ]);
        run(&mut command)?;
        let mut command = openssl(&folder);
        command.args(["ec", "-in", "sa.key", "-pubout", "-out", "sa.pub.partial"]);
        run(&mut command)?;
        publish(&folder, "sa.pub")?;
    }
    Ok(())
}

/// Makes a certificate with its key, unless it is there.
pub fn ensure(state: &State, certificate: &Certificate) -> Result<(), Error> {
    let folder = state.path("pki");
    let file = certificate.file;
    if folder.join(format!("{file}.crt")).is_file() {
        return Ok(());
    }
    let request = format!("{file}.csr");
    let extensions = format!("{file}.extensions");
    super::write(&folder.join(&extensions), self::extensions(certificate))?;
    let mut command = openssl(&folder);
    command.args(["req", "-new", "-nodes", "-subj", certificate.subject]);
    command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    command.args(["-keyout", &format!("{file}.key"), "-out", &request]);
    run(&mut command)?;
    let mut command = openssl(&folder);
    command.args([
        "x509",
        "-req",
        "-in",
        &request,
        "-days",
        DAYS,
        "-extfile",
        &extensions,
    ]);
    command.args(["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]);
    command.args(["-out", &format!("{file}.crt.partial")]);
    run(&mut command)?;
    publish(&folder, &format!("{file}.crt"))
}

fn extensions(certificate: &Certificate) -> String {
    let mut text = "keyUsage=digitalSignature,keyEncipherment\n".to_owned();
    if certificate.names.is_empty() {
        text.push_str("extendedKeyUsage=clientAuth\n");
    } else {
        // A kubelet is a server and a client by the same certificate.
        text.push_str("extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=");
        text.push_str(certificate.names);
        text.push('\n');
    }
    text
}

fn openssl(folder: &Path) -> Command {
    let mut command = Command::new("openssl");
    command.current_dir(folder);
    command
}

/// Runs openssl, whose chatter is of interest only when it fails.
fn run(command: &mut Command) -> Result<(), Error> {
    let remedy = "Install openssl 3.";
    let Output { status, stderr, .. } = command
        .output()
        .map_err(|source| start_error(command, remedy, source))?;
    if status.success() {
        return Ok(());
    }
    eprint!("{}", String::from_utf8_lossy(&stderr));
    Err(Error::RunCommand {
        command: command_line(command),
        status,
        remedy: remedy.to_owned(),
    })
}

/// A certificate is there only when it is whole; its key was written before.
fn publish(folder: &Path, file: &str) -> Result<(), Error> {
    let path = folder.join(file);
    std::fs::rename(folder.join(format!("{file}.partial")), &path).map_err(|source| Error::File {
        action: "write",
        path,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_gets_names() {
        let client = Certificate {
            file: "admin",
            subject: "/CN=admin",
            names: "",
        };
        assert!(extensions(&client).ends_with("extendedKeyUsage=clientAuth\n"));
        let server = Certificate {
            names: "IP:127.0.0.1",
            ..client
        };
        assert!(extensions(&server).contains("serverAuth,clientAuth\nsubjectAltName=IP:127.0.0.1\n"));
    }
}
