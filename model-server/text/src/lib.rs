//! What is found out about a text before it is scored: obfuscation and language.

pub mod language;
pub mod normalization;
