//! One line of the file of keys.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use indexmap::IndexMap;

use crate::hash::KeyHash;
use crate::rate_limit::{self, RateLimit};

/// Longest name of a key or tenant, in characters.
const LONGEST_NAME: usize = 64;

/// What may follow the hash, and what the value of each must be.
const ATTRIBUTES: [(&str, &str); 5] = [
    ("tenant", "named as keys are"),
    ("rate", "a whole number from 1 to 1000000"),
    ("burst", "a whole number from 1 to 1000000"),
    (
        "thresholds",
        "label=score pairs joined by commas, each score above 0 and at most 1",
    ),
    ("admin", "without a value"),
];

/// What the file says of a key. Its `Display` is the line in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyEntry {
    /// Name of the key, for people, logs and metrics.
    pub name: String,
    /// The stored form of the key.
    pub hash: KeyHash,
    /// Who the key belongs to, when the key is not its only one.
    pub tenant: Option<String>,
    /// How often it may ask; as often as it likes without one.
    pub rate_limit: Option<RateLimit>,
    /// Score from which a label is flagged, above 0 and at most 1, for labels whose threshold differs for this key.
    pub thresholds: IndexMap<String, f32>,
    /// Whether the key may change the server.
    pub is_admin: bool,
}

/// Why a line cannot be used. No message repeats what may be a key or a hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeyEntryError {
    /// The name is no name.
    #[error("the name (field 1) must be 1 to {LONGEST_NAME} letters, digits, dots, dashes or underscores")]
    Name,
    /// The hash is none.
    #[error(
        "the hash (field 2) must be \"sha256:\" and 64 hexadecimal digits; write the hash, never the key itself"
    )]
    Hash,
    /// An attribute is not known.
    #[error("field {field} is no attribute; there are tenant=, rate=, burst=, thresholds= and admin")]
    UnknownAttribute {
        /// Which field of the line, counted from 1.
        field: usize,
    },
    /// An attribute stands there twice.
    #[error("{attribute} (field {field}) stands there twice")]
    RepeatedAttribute {
        /// Which field of the line, counted from 1.
        field: usize,
        /// The attribute.
        attribute: &'static str,
    },
    /// The value of an attribute is wrong.
    #[error("{attribute} (field {field}) must be {expected}")]
    Attribute {
        /// Which field of the line, counted from 1.
        field: usize,
        /// The attribute.
        attribute: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A burst without a rate.
    #[error("burst= needs rate=, which says how fast the burst fills up")]
    BurstWithoutRate,
}

impl KeyEntry {
    /// A key with no attributes.
    ///
    /// # Errors
    /// When the name is no name.
    pub fn new(name: &str, hash: KeyHash) -> Result<Self, ParseKeyEntryError> {
        Ok(Self {
            name: parse_name(name).ok_or(ParseKeyEntryError::Name)?,
            hash,
            tenant: None,
            rate_limit: None,
            thresholds: IndexMap::new(),
            is_admin: false,
        })
    }

    /// Who the key belongs to; itself, when the file names nobody.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.tenant.as_deref().unwrap_or(&self.name)
    }

    /// Reads a line; nothing when it holds no key.
    pub(crate) fn parse(line: &str) -> Result<Option<Self>, ParseKeyEntryError> {
        let mut fields = line
            .split_whitespace()
            .take_while(|field| !field.starts_with('#'));
        let Some(name) = fields.next() else {
            return Ok(None);
        };
        let hash = fields
            .next()
            .and_then(|hash| hash.parse().ok())
            .ok_or(ParseKeyEntryError::Hash)?;
        Self::new(name, hash)?.with_attributes(fields).map(Some)
    }

    /// The key with these attributes, which are the fields of the line from the third on.
    pub(crate) fn with_attributes<'a>(
        mut self,
        attributes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ParseKeyEntryError> {
        let (mut rate, mut burst, mut thresholds) = (None, None, None);
        for (field, text) in (3..).zip(attributes) {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            let Some(&(attribute, expected)) = ATTRIBUTES.iter().find(|(attribute, _)| *attribute == name)
            else {
                return Err(ParseKeyEntryError::UnknownAttribute { field });
            };
            let wrong = || ParseKeyEntryError::Attribute {
                field,
                attribute,
                expected,
            };
            let is_repeated = match attribute {
                "tenant" => self
                    .tenant
                    .replace(parse_name(value).ok_or_else(wrong)?)
                    .is_some(),
                "rate" => rate.replace(parse_number(value).ok_or_else(wrong)?).is_some(),
                "burst" => burst.replace(parse_number(value).ok_or_else(wrong)?).is_some(),
                "thresholds" => thresholds
                    .replace(parse_thresholds(value).ok_or_else(wrong)?)
                    .is_some(),
                _ if text == attribute => std::mem::replace(&mut self.is_admin, true),
                _ => return Err(wrong()),
            };
            if is_repeated {
                return Err(ParseKeyEntryError::RepeatedAttribute { field, attribute });
            }
        }
        self.rate_limit = match (rate, burst) {
            (Some(per_second), burst) => Some(RateLimit {
                per_second,
                burst: burst.unwrap_or(per_second),
            }),
            (None, Some(_)) => return Err(ParseKeyEntryError::BurstWithoutRate),
            (None, None) => None,
        };
        self.thresholds = thresholds.unwrap_or_default();
        Ok(self)
    }
}

fn parse_name(text: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    ((1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(is_plain)).then(|| text.to_owned())
}

fn parse_number(text: &str) -> Option<NonZeroU32> {
    text.parse()
        .ok()
        .filter(|number: &NonZeroU32| number.get() <= rate_limit::LARGEST)
}

fn parse_thresholds(text: &str) -> Option<IndexMap<String, f32>> {
    let mut thresholds = IndexMap::new();
    for pair in text.split(',') {
        let (label, score) = pair.split_once('=')?;
        let score = score.parse().ok().filter(|&score| score > 0.0 && score <= 1.0)?;
        if label.is_empty() || thresholds.insert(label.to_owned(), score).is_some() {
            return None;
        }
    }
    Some(thresholds)
}

impl FromStr for KeyEntry {
    type Err = ParseKeyEntryError;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        Self::parse(line)?.ok_or(ParseKeyEntryError::Name)
    }
}

impl fmt::Display for KeyEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.name, self.hash)?;
        if let Some(tenant) = &self.tenant {
            write!(formatter, " tenant={tenant}")?;
        }
        if let Some(RateLimit { per_second, burst }) = self.rate_limit {
            write!(formatter, " rate={per_second} burst={burst}")?;
        }
        for (index, (label, score)) in self.thresholds.iter().enumerate() {
            let separator = if index == 0 { " thresholds=" } else { "," };
            write!(formatter, "{separator}{label}={score}")?;
        }
        if self.is_admin {
            formatter.write_str(" admin")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: &str = "sha256:2070df23e0d957590bc67a03d7a244173059dd2a2ad4a8d5a01a3e6eed013fec";

    fn error(attributes: &str) -> ParseKeyEntryError {
        format!("forum {HASH} {attributes}")
            .parse::<KeyEntry>()
            .unwrap_err()
    }

    #[test]
    fn a_line_says_all_of_a_key() {
        let line = format!(
            "forum-2026\t{HASH} tenant=forum rate=50  burst=100 thresholds=toxic=0.8,threat=0.3 admin # since May"
        );
        let entry: KeyEntry = line.parse().unwrap();
        assert_eq!((entry.name.as_str(), entry.tenant()), ("forum-2026", "forum"));
        let limit = entry.rate_limit.unwrap();
        assert_eq!((limit.per_second.get(), limit.burst.get()), (50, 100));
        assert_eq!(
            entry.thresholds,
            IndexMap::from([("toxic".to_owned(), 0.8), ("threat".to_owned(), 0.3)])
        );
        assert!(entry.is_admin);
    }

    #[test]
    fn attributes_are_optional() {
        let entry: KeyEntry = format!("forum {HASH} rate=5").parse().unwrap();
        assert_eq!(entry.tenant(), "forum");
        assert_eq!(entry.rate_limit.unwrap().burst.get(), 5);
        assert!(!entry.is_admin && entry.thresholds.is_empty());
    }

    #[test]
    fn lines_without_a_key_are_passed_over() {
        for line in ["", "  \t", "# forum", "  #forum sha256:"] {
            assert_eq!(KeyEntry::parse(line), Ok(None), "{line}");
        }
    }

    #[test]
    fn says_which_field_is_wrong_and_what_it_must_be() {
        let message = |attributes: &str| error(attributes).to_string();
        assert!(message("tenant=a/b").contains("tenant (field 3)"));
        assert!(message("admin rate=0").contains("rate (field 4) must be a whole number from 1"));
        assert!(message("rate=1 burst=2000000").contains("burst (field 4)"));
        assert!(message("rate=2/s").contains("rate (field 3)"));
        for thresholds in [
            "toxic",
            "toxic=0",
            "toxic=1.1",
            "toxic=NaN",
            "=0.5",
            "toxic=0.5,toxic=0.6",
            "a=0.5,",
            "",
        ] {
            assert!(
                message(&format!("thresholds={thresholds}")).contains("thresholds (field 3)"),
                "{thresholds}"
            );
        }
        assert!(message("admin=yes").contains("admin (field 3) must be without a value"));
        assert!(message("rates=1").contains("field 3 is no attribute"));
        assert_eq!(error("burst=5"), ParseKeyEntryError::BurstWithoutRate);
        for twice in ["admin", "rate=1", "tenant=a", "thresholds=a=0.5"] {
            assert!(
                message(&format!("{twice} {twice}")).contains("(field 4) stands there twice"),
                "{twice}"
            );
        }
        assert_eq!("fo/rum".parse::<KeyEntry>(), Err(ParseKeyEntryError::Hash));
        assert_eq!(
            format!("fo/rum {HASH}").parse::<KeyEntry>(),
            Err(ParseKeyEntryError::Name)
        );
    }

    #[test]
    fn no_message_repeats_a_key_or_a_hash() {
        let secret = "tox_SECRETSECRETSECRETSECRETSECRET";
        for line in [
            secret.to_owned(),
            format!("forum {secret}"),
            format!("forum {HASH} {secret}"),
            format!("forum {HASH} {secret}={secret}"),
            format!("forum {HASH} tenant={secret}/"),
            format!("forum {HASH} thresholds={secret}"),
            format!("{HASH} {secret}"),
            format!("forum {HASH}0"),
        ] {
            let error = line.parse::<KeyEntry>().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("SECRET") && !shown.contains("2070df"), "{shown}");
        }
    }

    fn entries() -> impl Strategy<Value = KeyEntry> {
        let name = "[A-Za-z0-9._-]{1,64}";
        let limit =
            (1..=rate_limit::LARGEST, 1..=rate_limit::LARGEST).prop_map(|(per_second, burst)| RateLimit {
                per_second: NonZeroU32::new(per_second).unwrap(),
                burst: NonZeroU32::new(burst).unwrap(),
            });
        let thresholds = prop::collection::vec(("[a-z_]{1,20}", 1..=1000_u16), 0..4).prop_map(|pairs| {
            pairs
                .into_iter()
                .map(|(label, score)| (label, f32::from(score) / 1000.0))
                .collect()
        });
        let attributes = (
            prop::option::of(name),
            prop::option::of(limit),
            thresholds,
            any::<bool>(),
        );
        (name, "[ -~]{32,60}", attributes).prop_map(
            |(name, secret, (tenant, rate_limit, thresholds, is_admin))| KeyEntry {
                tenant,
                rate_limit,
                thresholds,
                is_admin,
                ..KeyEntry::new(&name, KeyHash::of_secret(&secret).unwrap()).unwrap()
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(entry in entries()) {
            prop_assert_eq!(entry.to_string().parse(), Ok(entry));
        }

        #[test]
        fn no_line_panics(
            line in any::<String>(),
            name in "[a-z#/]{0,5}",
            attributes in "(tenant|rate|burst|thresholds|admin|=|,|0|1|a|#| ){0,12}",
        ) {
            let _ = line.parse::<KeyEntry>();
            let _ = format!("{name} {HASH} {attributes}").parse::<KeyEntry>();
        }
    }
}
