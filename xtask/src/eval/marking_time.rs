//! What marking words adds to a request.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::error::Error;

/// Texts that are timed; more say nothing more.
const TEXTS: usize = 300;

/// Medians of the time of one request, one after the other over one connection.
#[derive(Debug, Clone, Copy)]
pub struct MarkingTime {
    /// For scores alone.
    pub without: Duration,
    /// With the words marked.
    pub with: Duration,
}

/// Times requests with and without words, in turns, at a server that keeps no scores.
///
/// # Errors
/// When it does not answer.
pub fn measure(url: &str, texts: &[String]) -> Result<MarkingTime, Error> {
    let agent = ureq::Agent::new_with_defaults();
    let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    for (number, text) in texts.iter().take(TEXTS).enumerate() {
        let turns = if number % 2 == 0 {
            [false, true]
        } else {
            [true, false]
        };
        for spans in turns {
            let started = Instant::now();
            let answer = agent
                .post(url)
                .content_type("application/json")
                .send(json!({"text": text, "spans": spans}).to_string())
                .and_then(|mut answer| answer.body_mut().read_to_string());
            answer.map_err(|error| Error::ReadMeasurement {
                command: format!("POST {url}"),
                message: error.to_string(),
            })?;
            times[usize::from(spans)].push(started.elapsed());
        }
    }
    let [without, with] = times.map(median);
    Ok(MarkingTime { without, with })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
