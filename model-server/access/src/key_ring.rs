//! All keys of one file.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use governor::clock::DefaultClock;
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::entry::{KeyEntry, ParseKeyEntryError};
use crate::hash::KeyHash;
use crate::rate_limit::{Allowance, RateLimitedError};

/// A key that may ask.
#[derive(Debug)]
pub struct Key {
    /// What the file says of it.
    pub entry: KeyEntry,
    /// Shared with the same key of the file before, so that a new file does not fill it up.
    allowance: Option<Arc<Allowance>>,
}

impl Key {
    /// Takes one request of what the key has left.
    ///
    /// # Errors
    /// When none is left; the error says when to try again.
    pub fn admit(&self) -> Result<(), RateLimitedError> {
        self.allowance
            .as_ref()
            .map_or(Ok(()), |allowance| allowance.take())
    }
}

impl From<KeyEntry> for Key {
    fn from(entry: KeyEntry) -> Self {
        let allowance = entry
            .rate_limit
            .map(|limit| Arc::new(Allowance::new(limit, DefaultClock::default())));
        Self { entry, allowance }
    }
}

/// The keys of a file; at least one. Its `FromStr` reads the file.
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<Arc<Key>>,
}

/// Why the keys of a file cannot be used. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeyRingError {
    /// A line is wrong.
    #[error("line {line}")]
    Line {
        /// Which line.
        line: usize,
        /// What is wrong with it.
        source: ParseKeyEntryError,
    },
    /// Two keys have one name.
    #[error("line {line} has the name of line {first}; give each key its own")]
    RepeatedName {
        /// Which line.
        line: usize,
        /// The line that had the name first.
        first: usize,
    },
    /// Two lines are of one key.
    #[error("line {line} has the hash of line {first}; take one of them out")]
    RepeatedHash {
        /// Which line.
        line: usize,
        /// The line that had the hash first.
        first: usize,
    },
    /// There is no key. Nobody could ask, which is more likely a mistake than meant.
    #[error("there is no key, so nobody could ask; add one, or start without the file to answer everybody")]
    NoKeys,
}

impl KeyRing {
    /// The key that was presented, if it is on the ring.
    ///
    /// The time this takes depends on how many keys there are, and not on which of them it is or how much of one is
    /// right.
    #[must_use]
    pub fn authenticate(&self, presented: &str) -> Option<Arc<Key>> {
        let presented = KeyHash::of_secret(presented).ok()?;
        let mut found = u32::MAX;
        for (index, key) in (0..).zip(&self.keys) {
            found.conditional_assign(&index, key.entry.hash.ct_eq(&presented));
        }
        self.keys.get(usize::try_from(found).ok()?).map(Arc::clone)
    }

    /// The keys, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().map(Arc::as_ref)
    }

    /// Lets keys go on with what they have left where their hash and limit are the same as on the ring before.
    pub(crate) fn inherit(&mut self, before: &Self) {
        let allowances: HashMap<KeyHash, &Arc<Allowance>> = before
            .keys()
            .filter_map(|key| Some((key.entry.hash, key.allowance.as_ref()?)))
            .collect();
        for key in &mut self.keys {
            if let Some(&allowance) = allowances.get(&key.entry.hash)
                && key.entry.rate_limit == Some(allowance.limit())
            {
                *key = Arc::new(Key {
                    entry: key.entry.clone(),
                    allowance: Some(Arc::clone(allowance)),
                });
            }
        }
    }
}

impl FromStr for KeyRing {
    type Err = ParseKeyRingError;

    fn from_str(file: &str) -> Result<Self, Self::Err> {
        let mut keys = Vec::new();
        let mut names = HashMap::new();
        let mut hashes = HashMap::new();
        for (line, text) in (1..).zip(file.lines()) {
            let entry = match KeyEntry::parse(text) {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(source) => return Err(ParseKeyRingError::Line { line, source }),
            };
            if let Some(first) = names.insert(entry.name.clone(), line) {
                return Err(ParseKeyRingError::RepeatedName { line, first });
            }
            if let Some(first) = hashes.insert(entry.hash, line) {
                return Err(ParseKeyRingError::RepeatedHash { line, first });
            }
            keys.push(Arc::new(entry.into()));
        }
        if keys.is_empty() {
            return Err(ParseKeyRingError::NoKeys);
        }
        Ok(Self { keys })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generated_key::GeneratedKey;

    fn ring(keys: &[&GeneratedKey]) -> KeyRing {
        let lines: Vec<String> = keys.iter().map(|key| key.entry.to_string()).collect();
        lines.join("\n").parse().unwrap()
    }

    fn key(name: &str) -> GeneratedKey {
        GeneratedKey::new(name, []).unwrap()
    }

    fn limited(name: &str) -> GeneratedKey {
        GeneratedKey::new(name, ["rate=1"]).unwrap()
    }

    #[test]
    fn each_key_opens_as_itself_and_nothing_else_does() {
        let keys = [key("first"), key("second"), key("third")];
        let ring = ring(&keys.each_ref());
        let name = |presented: &str| ring.authenticate(presented).map(|key| key.entry.name.clone());
        for key in &keys {
            assert_eq!(name(key.secret()), Some(key.entry.name.clone()));
            assert_eq!(name(&key.entry.hash.to_string()), None);
            assert_eq!(name(&format!("{} ", key.secret())), None);
        }
        assert_eq!(name(key("fourth").secret()), None);
        assert_eq!(name(""), None);
    }

    #[test]
    fn several_keys_of_a_tenant_open() {
        let keys =
            ["forum-2026", "forum-2027"].map(|name| GeneratedKey::new(name, ["tenant=forum"]).unwrap());
        let ring = ring(&keys.each_ref());
        for key in &keys {
            assert_eq!(ring.authenticate(key.secret()).unwrap().entry.tenant(), "forum");
        }
    }

    #[test]
    fn a_key_has_only_its_own_limit() {
        let (slow, free) = (limited("slow"), key("free"));
        let ring = ring(&[&slow, &free]);
        let admit = |key: &GeneratedKey| ring.authenticate(key.secret()).unwrap().admit();
        assert!(admit(&slow).is_ok());
        let refused = admit(&slow).unwrap_err();
        assert_eq!(
            (refused.limit.per_second.get(), refused.retry_after_seconds()),
            (1, 1)
        );
        assert!((0..1_000).all(|_| admit(&free).is_ok()));
    }

    #[test]
    fn a_new_ring_goes_on_with_what_a_key_has_left() {
        let (slow, changed) = (limited("slow"), limited("changed"));
        let before = ring(&[&slow, &changed]);
        assert!(before.keys().all(|key| key.admit().is_ok()));
        let file = format!(
            "{} rate=2\n{} admin",
            KeyEntry::new("changed", changed.entry.hash).unwrap(),
            slow.entry
        );
        let mut after: KeyRing = file.parse().unwrap();
        after.inherit(&before);
        assert!(after.authenticate(slow.secret()).unwrap().admit().is_err());
        assert!(after.authenticate(changed.secret()).unwrap().admit().is_ok());
    }

    #[test]
    fn says_which_line_is_wrong() {
        let (first, second) = (key("first"), key("second"));
        let error = |file: String| file.parse::<KeyRing>().unwrap_err();
        let file = format!("# keys\n{}\n\nsecond sha256:\n", first.entry);
        assert_eq!(
            error(file),
            ParseKeyRingError::Line {
                line: 4,
                source: ParseKeyEntryError::Hash
            }
        );
        let file = format!("{}\r\nfirst {}", first.entry, second.entry.hash);
        assert_eq!(error(file), ParseKeyRingError::RepeatedName { line: 2, first: 1 });
        let file = format!("{}\n# again\nsecond {}", first.entry, first.entry.hash);
        assert_eq!(error(file), ParseKeyRingError::RepeatedHash { line: 3, first: 1 });
        assert_eq!(error("\n# nobody\n".to_owned()), ParseKeyRingError::NoKeys);
    }

    proptest! {
        #[test]
        fn no_file_panics(file in any::<String>()) {
            let _ = file.parse::<KeyRing>();
        }

        #[test]
        fn what_is_presented_never_panics(presented in any::<String>()) {
            prop_assert!(ring(&[&key("first")]).authenticate(&presented).is_none());
        }
    }
}
