//! Addresses on web servers.

use std::fmt;

use url::{Host, Url};

/// Endings of the archives that are read.
const ARCHIVE_ENDINGS: [&str; 6] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".zip"];

/// An archive, or a folder of files, on a web server.
#[derive(Clone, PartialEq, Eq)]
pub struct WebAddress {
    url: Url,
    content: WebContent,
}

/// What lies at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WebContent {
    /// One file that holds all others.
    Archive,
    /// A folder, below which each file has an address of its own.
    Folder,
}

impl WebAddress {
    /// Reads an address with `http://` or `https://`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|error| error.to_string())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "an address holds no user and password; put a bearer token into TOXICITY_MODEL_TOKEN"
                    .to_owned(),
            );
        }
        if url.host().is_none() {
            return Err("the host is missing".to_owned());
        }
        // Never sent to the server, so it means nothing here.
        url.set_fragment(None);
        let path = url.path().to_ascii_lowercase();
        let content = if ARCHIVE_ENDINGS.iter().any(|ending| path.ends_with(ending)) {
            WebContent::Archive
        } else if path.ends_with('/') {
            WebContent::Folder
        } else {
            return Err(format!(
                "it is neither an archive ({}) nor a folder; for a folder end it in \"/\"",
                ARCHIVE_ENDINGS.join(", ")
            ));
        };
        if content == WebContent::Folder && url.query().is_some() {
            return Err(
                "a folder takes no query, since the files in it have addresses of their own".to_owned(),
            );
        }
        Ok(Self { url, content })
    }

    /// The whole address.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// What lies there.
    pub(crate) fn content(&self) -> WebContent {
        self.content
    }

    /// The last part of the path, without the ending of an archive.
    pub(super) fn name(&self) -> &str {
        let path = self.url.path().trim_end_matches('/');
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let ending = ARCHIVE_ENDINGS
            .iter()
            .filter(|ending| name.to_ascii_lowercase().ends_with(**ending))
            .max_by_key(|ending| ending.len());
        &name[..name.len() - ending.map_or(0, |ending| ending.len())]
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&shown(self.url.as_str()))
    }
}

impl fmt::Debug for WebAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "WebAddress({self})")
    }
}

/// An address as it may be shown: without user, password, query and fragment, which may be secret.
pub(crate) fn shown(address: &str) -> String {
    let (address, fragment_cut) = cut(address, '#');
    let (address, query_cut) = cut(address, '?');
    let rest = if query_cut {
        "?…"
    } else if fragment_cut {
        "#…"
    } else {
        ""
    };
    let Some((scheme, location)) = address.split_once("://") else {
        return format!("{address}{rest}");
    };
    let authority_end = location.find('/').unwrap_or(location.len());
    let authority = &location[..authority_end];
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}{}{rest}", &location[authority_end..]),
        None => format!("{scheme}://{location}{rest}"),
    }
}

fn cut(text: &str, separator: char) -> (&str, bool) {
    match text.split_once(separator) {
        Some((kept, _)) => (kept, true),
        None => (text, false),
    }
}

/// Whether an address is on this machine, where nobody listens in.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        for (address, expected) in [
            ("https://host/a.zip", "https://host/a.zip"),
            ("https://host/a.zip?token=b#c", "https://host/a.zip?…"),
            ("https://user:password@host:1/a@b.zip", "https://…@host:1/a@b.zip"),
            ("https://host/a#b", "https://host/a#…"),
            ("folder", "folder"),
        ] {
            assert_eq!(shown(address), expected);
        }
    }

    #[test]
    fn this_machine_is_known() {
        for (url, expected) in [
            ("http://127.0.0.1:80/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("http://localhost.example.org/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
