//! The installed product on two real nodes, with real pods, under load, while things go wrong. The tests run one after the
//! other; `cargo xtask test cluster` runs them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod faults;
mod installed;
mod keys_and_records;
mod product;
mod rights;
mod rollouts;
mod scaling;
