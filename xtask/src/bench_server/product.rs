//! The model server that is measured, and what only it tells.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::subject::{Kind, Subject};
use crate::error::Error;

const KIND: Kind = Kind {
    name: "model server",
    health_path: "/readyz",
    path: "/v1/analyze",
};

/// Its program.
pub struct Product {
    /// The file.
    pub program: PathBuf,
}

/// Texts that were looked up in the cache of scores until a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CacheCounts {
    hits: f64,
    misses: f64,
}

impl CacheCounts {
    /// Share of the texts since then that were found.
    pub fn share_since(self, before: Self) -> f64 {
        let hits = self.hits - before.hits;
        hits / (hits + self.misses - before.misses)
    }

    fn parse(metrics: &str) -> Option<Self> {
        let value = |name: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse().ok()
        };
        Some(Self {
            hits: value("toxicity_cache_hits_total ")?,
            misses: value("toxicity_cache_misses_total ")?,
        })
    }
}

impl Product {
    /// Starts it with a model and otherwise as it comes.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self, model: &Path) -> Result<Subject, Error> {
        self.start_with(model, &[])
    }

    /// Starts it with a model and further flags.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_with(&self, model: &Path, flags: &[&str]) -> Result<Subject, Error> {
        Subject::start(KIND, |address| {
            let mut command = Command::new(&self.program);
            command.args(["serve", "--log", "warn", "--model"]).arg(model);
            command.args(["--listen", &address.to_string()]).args(flags);
            command
        })
    }
}

/// What a running server has counted of its cache.
///
/// # Errors
/// When it does not tell.
pub fn cache_counts(subject: &Subject) -> Result<CacheCounts, Error> {
    let url = subject.url("/metrics");
    let answer = ureq::get(&url).call();
    let metrics = answer.and_then(|mut answer| answer.body_mut().read_to_string());
    let metrics = metrics.map_err(|error| unreadable(&url, &error.to_string()))?;
    CacheCounts::parse(&metrics).ok_or_else(|| unreadable(&url, "there is no count of the cache"))
}

/// Tokens of each text.
///
/// # Errors
/// When the server does not tell.
pub fn count_tokens(subject: &Subject, texts: &[String]) -> Result<Vec<u64>, Error> {
    let answer = ask(subject, &serde_json::json!({ "texts": texts }))?;
    let results = answer["results"].as_array();
    let tokens = results.map(|results| {
        results
            .iter()
            .map_while(|result| result["tokens"].as_u64())
            .collect()
    });
    tokens.ok_or_else(|| unreadable(subject.path(), "there are no tokens"))
}

/// The largest difference between the scores that the two servers give to a text.
///
/// # Errors
/// When one of them does not answer.
pub fn largest_difference(product: &Subject, baseline: &Subject, texts: &[String]) -> Result<f64, Error> {
    let mut largest = 0.0_f64;
    for text in texts {
        let question = serde_json::json!({ "text": text });
        let (ours, theirs) = (ask(product, &question)?, ask(baseline, &question)?);
        let scores = theirs["scores"].as_object();
        let scores = scores.ok_or_else(|| unreadable(baseline.path(), "there are no scores"))?;
        for (label, score) in scores {
            let pair = (ours["results"][0]["scores"][label].as_f64(), score.as_f64());
            let (Some(ours), Some(theirs)) = pair else {
                return Err(unreadable(
                    product.path(),
                    &format!("there is no score of \"{label}\""),
                ));
            };
            largest = largest.max((ours - theirs).abs());
        }
    }
    Ok(largest)
}

fn ask(subject: &Subject, question: &Value) -> Result<Value, Error> {
    let url = subject.url(subject.path());
    let answer = ureq::post(&url)
        .content_type("application/json")
        .send(question.to_string());
    let answer = answer.and_then(|mut answer| answer.body_mut().read_to_string());
    let answer = answer.map_err(|error| unreadable(&url, &error.to_string()))?;
    serde_json::from_str(&answer).map_err(|error| unreadable(&url, &error.to_string()))
}

fn unreadable(what: &str, message: &str) -> Error {
    Error::ReadMeasurement {
        command: what.to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_cache_is_of_what_came_in_between() {
        let counts = |hits: u32, misses: u32| {
            let metrics =
                format!("# HELP x\ntoxicity_cache_hits_total {hits}\ntoxicity_cache_misses_total {misses}\n");
            CacheCounts::parse(&metrics).unwrap()
        };
        let share = counts(195, 105).share_since(counts(100, 100));
        assert!((share - 0.95).abs() < 1e-9);
        assert_eq!(CacheCounts::parse("up 1\n"), None);
    }
}
