//! Fetching from servers on this machine that behave well, badly, or with intent.
#![allow(clippy::unwrap_used, clippy::panic, reason = "it is a test")]

mod archives;
mod buckets;
mod cached;
mod fixture;
mod hub;
mod local;
mod registry;
mod resumed;
mod web;
