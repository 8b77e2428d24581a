//! Who may ask the model server, and how often: API keys from a file that is read again when it changes.
//!
//! The way of a request: [`presented_key`] finds the key in it, [`KeyRing::authenticate`] says whose it is, and
//! [`Key::admit`] whether the key has a request left. [`WatchedKeyRing`] holds the ring of the newest file.
//!
//! # The file
//!
//! One key a line; a field that begins with `#` begins a comment.
//!
//! ```text
//! # name         hash                  attributes
//! forum-2026     sha256:<64 hex digits> tenant=forum rate=50 burst=100 thresholds=toxic=0.8,threat=0.3
//! forum-2027     sha256:<64 hex digits> tenant=forum rate=50 burst=100
//! operations     sha256:<64 hex digits> admin
//! ```
//!
//! The name is for people and logs. `tenant` groups keys, so that one can take another's place; without it the key is
//! a tenant of its own. `rate` is requests per second and `burst` how many may come at once, by default as many as
//! the rate; without a rate there is no limit. `thresholds` are scores from which labels are flagged, for this key.
//! `admin` lets the key change the server. [`GeneratedKey`] makes a key and its line; by hand the hash is what
//! `printf %s "$KEY" | sha256sum` prints.

mod entry;
mod generated_key;
mod hash;
mod key_ring;
mod presented_key;
mod rate_limit;
mod watched_key_ring;

pub use entry::{KeyEntry, ParseKeyEntryError};
pub use generated_key::{GenerateKeyError, GeneratedKey};
pub use hash::{KeyHash, ParseKeyHashError, SHORTEST_SECRET, ShortSecretError};
pub use key_ring::{Key, KeyRing, ParseKeyRingError};
pub use presented_key::presented_key;
pub use rate_limit::{RateLimit, RateLimitedError};
pub use watched_key_ring::{LARGEST_FILE, LoadKeyRingError, WatchedKeyRing};
