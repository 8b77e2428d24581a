//! Where traces go, and how.

use http::Uri;

use super::{StartTracesError, TraceArguments};

/// Path of traces below the address of a collector that is asked by HTTP.
const TRACES_PATH: &str = "/v1/traces";

/// Port on which collectors are asked by gRPC.
const GRPC_PORT: u16 = 4317;

/// A collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    /// Its full address.
    pub(super) url: Uri,
    /// How it is asked.
    pub(super) protocol: Protocol,
}

/// How traces are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP, with bodies of protobuf.
    Http,
}

impl Protocol {
    /// Its name in OpenTelemetry.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http/protobuf",
        }
    }
}

impl Destination {
    /// The collector that the arguments and the environment name, if they do and do not say that traces are off.
    pub(super) fn of(
        arguments: &TraceArguments,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, StartTracesError> {
        let is = |name, wanted: &str| variable(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
        if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
            return Ok(None);
        }
        let own = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        let general = arguments.otlp_endpoint.clone();
        let (address, name, is_whole) = match (variable(own), general.filter(|address| !address.is_empty())) {
            (Some(address), _) => (address, own, true),
            (None, Some(address)) => (address, "--otlp-endpoint", false),
            (None, None) => return Ok(None),
        };
        let url = parse(&address, name)?;
        let protocol = match protocol(arguments, &variable)? {
            Some(protocol) => protocol,
            None if url.port_u16() == Some(GRPC_PORT) => Protocol::Grpc,
            None => Protocol::Http,
        };
        let url = match protocol {
            Protocol::Http if !is_whole => {
                below(&url).ok_or(StartTracesError::ReadAddress { address, name })?
            }
            Protocol::Http | Protocol::Grpc => url,
        };
        Ok(Some(Self { url, protocol }))
    }

    /// Whether it is asked by TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        self.url.scheme_str() == Some("https")
    }

    /// The address for logs: path and query may hold a secret.
    pub(super) fn shown(&self) -> String {
        let scheme = self.url.scheme_str().unwrap_or_default();
        let authority = self.url.authority().map_or("", |authority| authority.as_str());
        format!("{scheme}://{authority}")
    }
}

fn parse(address: &str, name: &'static str) -> Result<Uri, StartTracesError> {
    let wrong = || StartTracesError::ReadAddress {
        address: address.to_owned(),
        name,
    };
    // What stands before the host is looked for first: an address with a password in it is not shown.
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    if host
        .split(['/', '?', '#'])
        .next()
        .is_some_and(|host| host.contains('@'))
    {
        return Err(StartTracesError::UseCredentials { name });
    }
    let url: Uri = address.trim().parse().map_err(|_| wrong())?;
    let is_http = matches!(url.scheme_str(), Some("http" | "https"));
    if !is_http || url.host().is_none_or(str::is_empty) {
        return Err(wrong());
    }
    Ok(url)
}

/// The protocol that is asked for, if one is.
fn protocol(
    arguments: &TraceArguments,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Protocol>, StartTracesError> {
    let own = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
    let general = arguments.otlp_protocol.clone();
    let (protocol, name) = match (variable(own), general.filter(|protocol| !protocol.is_empty())) {
        (Some(protocol), _) => (protocol, own),
        (None, Some(protocol)) => (protocol, "--otlp-protocol"),
        (None, None) => return Ok(None),
    };
    match protocol.trim() {
        "grpc" => Ok(Some(Protocol::Grpc)),
        "http/protobuf" => Ok(Some(Protocol::Http)),
        _ => Err(StartTracesError::UseProtocol { protocol, name }),
    }
}

/// The address of traces below the general address of a collector.
fn below(url: &Uri) -> Option<Uri> {
    let path = url.path().trim_end_matches('/');
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Uri::builder()
        .scheme(url.scheme()?.clone())
        .authority(url.authority()?.clone())
        .path_and_query(format!("{path}{TRACES_PATH}{query}"))
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(
        endpoint: Option<&str>,
        protocol: Option<&str>,
        variables: &[(&str, &str)],
    ) -> Result<Option<(String, Protocol)>, StartTracesError> {
        let arguments = TraceArguments {
            otlp_endpoint: endpoint.map(str::to_owned),
            otlp_protocol: protocol.map(str::to_owned),
        };
        let found = Destination::of(&arguments, |name| {
            let pair = variables.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| (*value).to_owned())
        });
        found.map(|found| found.map(|found| (found.url.to_string(), found.protocol)))
    }

    #[test]
    fn without_an_address_there_are_no_traces() {
        assert_eq!(destination(None, Some("nonsense"), &[]).unwrap(), None);
        assert_eq!(destination(Some(""), None, &[]).unwrap(), None);
        for off in [("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert_eq!(destination(Some("http://a:4318"), None, &[off]).unwrap(), None);
        }
    }

    #[test]
    fn traces_go_below_the_general_address_and_to_their_own_as_it_is() {
        let own = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b/own")];
        for (endpoint, variables, url) in [
            ("http://a:4318", &[][..], "http://a:4318/v1/traces"),
            ("http://a:4318/", &[], "http://a:4318/v1/traces"),
            ("https://a/otlp/?x=y", &[], "https://a/otlp/v1/traces?x=y"),
            ("http://a:4318", &own, "http://b/own"),
        ] {
            let found = destination(Some(endpoint), None, variables).unwrap();
            assert_eq!(found, Some((url.to_owned(), Protocol::Http)), "{endpoint}");
        }
    }

    #[test]
    fn the_port_tells_the_protocol_where_nothing_else_does() {
        let own = [("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")];
        for (endpoint, protocol, variables, expected) in [
            ("http://a:4317", None, &[][..], Protocol::Grpc),
            ("http://a:4317", Some("http/protobuf"), &[], Protocol::Http),
            ("http://a:4318", Some(""), &[], Protocol::Http),
            ("http://a:4318", Some("grpc"), &[], Protocol::Grpc),
            ("http://a:4318", Some("http/protobuf"), &own, Protocol::Grpc),
        ] {
            let found = destination(Some(endpoint), protocol, variables).unwrap();
            assert_eq!(found.map(|(_, protocol)| protocol), Some(expected), "{endpoint}");
        }
    }

    #[test]
    fn what_is_of_no_use_names_its_flag_and_a_remedy() {
        for endpoint in [
            "localhost:4318",
            "collector",
            "ftp://a",
            "http://",
            "http://a b",
            "/path",
        ] {
            let message = destination(Some(endpoint), None, &[]).unwrap_err().to_string();
            assert!(message.contains("--otlp-endpoint"), "{message}");
            assert!(message.contains("\"http://localhost:4318\""), "{message}");
        }
        let own = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector")];
        let message = destination(None, None, &own).unwrap_err().to_string();
        assert!(
            message.contains("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
            "{message}"
        );
        let message = destination(Some("http://a"), Some("http/json"), &[])
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("--otlp-protocol") && message.contains("http/json"),
            "{message}"
        );
    }

    #[test]
    fn an_address_with_a_password_is_refused_and_not_shown() {
        for endpoint in ["http://user:secret@a:4318", "user:secret@a"] {
            let message = destination(Some(endpoint), None, &[]).unwrap_err().to_string();
            assert!(!message.contains("secret"), "{message}");
            assert!(message.contains("OTEL_EXPORTER_OTLP_HEADERS"), "{message}");
        }
    }
}
