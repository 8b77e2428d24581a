//! Where clients put their key.

use std::borrow::Cow;
use std::str;

use percent_encoding::percent_decode_str;

/// Headers that hold a key, in the order in which they count, and the scheme before it.
const HEADERS: [(&str, Option<&str>); 3] = [
    ("authorization", Some("bearer")),
    ("x-api-key", None),
    ("x-goog-api-key", None),
];

/// Name of the key in a query, as clients of Google's services send it.
const PARAMETER: &str = "key";

/// The key in a request with these headers and this query, if there is one.
///
/// Where there are several, the first of these counts: `Authorization: Bearer`, `X-API-Key`, `X-Goog-Api-Key`, and
/// the parameter `key` of the query. What is not UTF-8, empty, or of another scheme than Bearer is no key.
#[must_use]
pub fn presented_key<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    query: Option<&'a str>,
) -> Option<Cow<'a, str>> {
    headers
        .into_iter()
        .filter_map(|(name, value)| in_header(name, value))
        .min_by_key(|&(place, _)| place)
        .map(|(_, key)| Cow::Borrowed(key))
        .or_else(|| in_query(query?))
}

/// The key in a header, and the place of the header among [`HEADERS`].
fn in_header<'a>(name: &str, value: &'a [u8]) -> Option<(usize, &'a str)> {
    let place = HEADERS
        .iter()
        .position(|(header, _)| name.eq_ignore_ascii_case(header))?;
    let value = str::from_utf8(value).ok()?.trim();
    let key = match HEADERS[place].1 {
        None => value,
        Some(scheme) => {
            let (first, key) = value.split_once(' ')?;
            first.eq_ignore_ascii_case(scheme).then(|| key.trim_start())?
        }
    };
    (!key.is_empty()).then_some((place, key))
}

fn in_query(query: &str) -> Option<Cow<'_, str>> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| *name == PARAMETER)
        .filter_map(|(_, value)| percent_decode_str(value).decode_utf8().ok())
        .find(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(headers: &[(&str, &str)], query: Option<&str>) -> Option<String> {
        let headers = headers.iter().map(|&(name, value)| (name, value.as_bytes()));
        presented_key(headers, query).map(Cow::into_owned)
    }

    #[test]
    fn a_key_is_found_wherever_clients_put_it() {
        for headers in [
            ("authorization", "Bearer tox_a"),
            ("Authorization", "bearer   tox_a "),
            ("x-api-key", "tox_a"),
            ("X-Goog-Api-Key", " tox_a"),
        ] {
            assert_eq!(found(&[headers], None).as_deref(), Some("tox_a"), "{headers:?}");
        }
        assert_eq!(found(&[], Some("alt=json&key=tox_a")).as_deref(), Some("tox_a"));
        assert_eq!(
            found(&[], Some("key=t%6Fx_a%2B&key=b")).as_deref(),
            Some("tox_a+")
        );
    }

    #[test]
    fn the_order_of_places_is_fixed() {
        let all = [
            ("x-goog-api-key", "third"),
            ("x-api-key", "second"),
            ("authorization", "Bearer first"),
        ];
        let query = Some("key=fourth");
        assert_eq!(found(&all, query).as_deref(), Some("first"));
        assert_eq!(found(&all[..2], query).as_deref(), Some("second"));
        assert_eq!(found(&all[..1], query).as_deref(), Some("third"));
        assert_eq!(found(&[], query).as_deref(), Some("fourth"));
    }

    #[test]
    fn what_is_no_key_does_not_hide_one() {
        let headers: [(&str, &[u8]); 4] = [
            ("authorization", b"Basic dXNlcjpwYXNz"),
            ("authorization", b"Bearer"),
            ("x-api-key", b"\xff\xfe"),
            ("x-api-key", b""),
        ];
        let key = presented_key(headers, Some("key=&key=%ff&keys=no&key=yes"));
        assert_eq!(key.as_deref(), Some("yes"));
        assert_eq!(presented_key(headers, Some("key")), None);
    }

    proptest! {
        #[test]
        fn no_request_panics(
            name in "authorization|x-api-key|x-goog-api-key|other",
            value in prop::collection::vec(any::<u8>(), 0..40),
            query in prop::option::of(".{0,40}|(key|=|&|%|%f|%ff|a){0,10}"),
        ) {
            let key = presented_key([(name.as_str(), value.as_slice())], query.as_deref());
            prop_assert!(key.is_none_or(|key| !key.is_empty()));
        }
    }
}
