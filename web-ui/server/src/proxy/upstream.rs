//! Where the model server is.

use std::{fmt, str::FromStr};

use http::uri::{Authority, PathAndQuery, Scheme, Uri};

/// Base URL of the model server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    authority: Authority,
    /// Path before every path of the model server, without a final slash.
    base: String,
}

/// Why a text is not the URL of a model server.
#[derive(Debug, thiserror::Error)]
pub enum ParseUpstreamError {
    /// It is not a URL.
    #[error("failed to read \"{text}\" as a URL; write it like http://model-server:8000")]
    ReadUrl {
        /// What was given.
        text: String,
    },
    /// It is a URL, but not one of plain HTTP.
    #[error("failed to use \"{text}\" as upstream: only plain HTTP is spoken; did you mean http://{rest}?")]
    UseScheme {
        /// What was given.
        text: String,
        /// What was given, without the scheme.
        rest: String,
    },
    /// A query cannot be a part of a base URL.
    #[error("failed to use \"{text}\" as upstream: leave out the part after the question mark")]
    UseQuery {
        /// What was given.
        text: String,
    },
}

impl Upstream {
    /// The full address of a path on the model server.
    pub(crate) fn target(&self, path: &str, query: Option<&str>) -> Result<Uri, http::Error> {
        let mut path_and_query = format!("{}{path}", self.base);
        if path_and_query.is_empty() {
            path_and_query.push('/');
        }
        if let Some(query) = query {
            path_and_query.push('?');
            path_and_query.push_str(query);
        }
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(PathAndQuery::try_from(path_and_query)?)
            .build()
    }

    /// What a link to this model server points at, as seen from its root; nothing for a link elsewhere.
    pub(crate) fn path_of<'a>(&self, link: &'a str) -> Option<&'a str> {
        let path = if link.starts_with('/') && !link.starts_with("//") {
            link
        } else {
            let after_scheme = link
                .strip_prefix("http:")
                .or_else(|| link.strip_prefix("https:"))
                .unwrap_or(link);
            let rest = after_scheme
                .strip_prefix("//")?
                .strip_prefix(self.authority.as_str())?;
            if rest.is_empty() { "/" } else { rest }
        };
        let path = path.strip_prefix(self.base.as_str())?;
        path.starts_with('/').then_some(path)
    }
}

impl FromStr for Upstream {
    type Err = ParseUpstreamError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = || ParseUpstreamError::ReadUrl {
            text: text.to_owned(),
        };
        let uri = text.parse::<Uri>().map_err(|_| ParseUpstreamError::ReadUrl {
            text: text.to_owned(),
        })?;
        match uri.scheme() {
            // `localhost` alone and `host:8000` are readable as an authority.
            None if !text.starts_with('/') => {
                return Err(ParseUpstreamError::UseScheme {
                    text: text.to_owned(),
                    rest: text.to_owned(),
                });
            }
            None => return Err(unreadable()),
            Some(scheme) if *scheme != Scheme::HTTP => {
                let rest = text.split_once("://").map_or(text, |(_, rest)| rest).to_owned();
                return Err(ParseUpstreamError::UseScheme {
                    text: text.to_owned(),
                    rest,
                });
            }
            Some(_) => {}
        }
        if uri.query().is_some() {
            return Err(ParseUpstreamError::UseQuery {
                text: text.to_owned(),
            });
        }
        let base = uri.path().trim_end_matches('/').to_owned();
        let authority = uri
            .into_parts()
            .authority
            .filter(|authority| !authority.host().is_empty());
        Ok(Self {
            authority: authority.ok_or_else(unreadable)?,
            base,
        })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.authority, self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(text: &str) -> Upstream {
        text.parse().expect("a good URL")
    }

    #[test]
    fn a_path_and_its_query_are_appended_unchanged() {
        let plain = upstream("http://model:8000/");
        assert_eq!(
            plain
                .target("/v1/a%20b", Some("key=%26"))
                .expect("a path")
                .to_string(),
            "http://model:8000/v1/a%20b?key=%26"
        );
        assert_eq!(
            plain.target("", None).expect("a path").to_string(),
            "http://model:8000/"
        );
        let nested = upstream("http://model/team/");
        assert_eq!(
            nested.target("/info", None).expect("a path").to_string(),
            "http://model/team/info"
        );
    }

    #[test]
    fn links_to_the_model_server_are_recognised() {
        let nested = upstream("http://model:8000/team");
        assert_eq!(nested.path_of("/team/docs/"), Some("/docs/"));
        assert_eq!(nested.path_of("http://model:8000/team/docs/"), Some("/docs/"));
        assert_eq!(nested.path_of("/other"), None);
        assert_eq!(nested.path_of("/teams/docs"), None);
        let plain = upstream("http://model:8000");
        assert_eq!(plain.path_of("/docs/"), Some("/docs/"));
        assert_eq!(plain.path_of("http://model:8000"), Some("/"));
        assert_eq!(plain.path_of("http://elsewhere/docs"), None);
        assert_eq!(plain.path_of("//elsewhere/docs"), None);
        assert_eq!(plain.path_of("docs/"), None);
    }

    #[test]
    fn what_is_no_http_url_is_refused() {
        for text in [
            "",
            "/path",
            "http://",
            "https://model",
            "model:8000",
            "http://model?a",
            "ftp://model",
            "a b",
        ] {
            assert!(text.parse::<Upstream>().is_err(), "{text:?}");
        }
    }
}
