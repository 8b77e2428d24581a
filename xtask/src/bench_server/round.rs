//! One round over a scenario. A machine's own speed drifts, so what is compared is measured here side by side.

use std::time::Duration;

use super::bare::{Bare, Work};
use super::baseline::Baseline;
use super::load::{Load, closed_loop};
use super::plan::Scenario;
use super::product::{self, Product};
use super::subject::Subject;
use super::texts::{Requests, Texts};
use crate::error::Error;

/// Rates of the bare sessions in texts per second.
#[derive(Debug, Clone, Copy)]
pub struct BareRates {
    /// Sessions of the server.
    pub sessions: usize,
    /// One session.
    pub one: f64,
    /// One session that also makes the tokens.
    pub one_tokenizing: f64,
    /// As many sessions as the server has.
    pub all: f64,
    /// The same, and they also make the tokens.
    pub all_tokenizing: f64,
    /// Processor time of a text in milliseconds.
    pub cpu: f64,
    /// The same with making the tokens.
    pub cpu_tokenizing: f64,
}

impl BareRates {
    /// What the sessions do that so many connections can keep busy.
    pub fn at(&self, connections: usize, work: Work) -> f64 {
        let (one, all) = match work {
            Work::Passes => (self.one, self.all),
            Work::TokensAndPasses => (self.one_tokenizing, self.all_tokenizing),
        };
        if connections >= self.sessions {
            all
        } else {
            one * f64::from(u32::try_from(connections).unwrap_or(u32::MAX))
        }
    }
}

/// What was measured over HTTP. Times are in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Answers per second.
    pub per_second: f64,
    /// Mean time of an answer.
    pub mean: f64,
    /// Half of the answers came in this time.
    pub p50: f64,
    /// 99 of 100 answers came in this time.
    pub p99: f64,
    /// Processor time of the server for each request.
    pub server_cpu: f64,
    /// Share of one core that the load generator took.
    pub generator_share: f64,
    /// Requests that were not served.
    pub failures: u64,
    /// Share of the texts whose scores were known, where the server tells.
    pub known_share: Option<f64>,
}

impl Rate {
    fn of(load: &Load, known_share: Option<f64>) -> Self {
        let served = load.served();
        Self {
            per_second: load.rate(),
            mean: served.mean(),
            p50: served.percentile(50.0),
            p99: served.percentile(99.0),
            server_cpu: load.server_cpu_per_request(),
            generator_share: load.generator_cpu / load.seconds,
            failures: load.failures(),
            known_share,
        }
    }
}

/// What a server takes.
#[derive(Debug, Clone, Copy)]
pub struct Footprint {
    /// Milliseconds from its start until it was ready.
    pub ready_after: f64,
    /// Megabytes when it was ready.
    pub ready_memory: f64,
    /// Megabytes after the last request.
    pub loaded_memory: f64,
    /// Most megabytes it has taken.
    pub peak_memory: f64,
}

/// One of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// The model server.
    Product,
    /// The one in Python.
    Baseline,
}

impl Server {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Product, Self::Baseline];

    /// What the tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Product => "model server",
            Self::Baseline => "Flask",
        }
    }
}

/// What one round measured.
#[derive(Debug)]
pub struct Round {
    /// The bare sessions.
    pub bare: BareRates,
    /// The model server on texts that never come again, at each number of connections.
    pub fresh: Vec<Rate>,
    /// The model server for each share of repeated texts, at each number of connections.
    pub repeated: Vec<Vec<Rate>>,
    /// The baseline at each number of connections.
    pub baseline: Vec<Rate>,
    /// What the model server took.
    pub product_footprint: Footprint,
    /// What the baseline took.
    pub baseline_footprint: Footprint,
    /// The largest difference between the scores of the two.
    pub difference: f64,
    /// Tokens of each text.
    pub tokens: Vec<u64>,
}

impl Round {
    /// Rates on texts that never come again, at each number of connections.
    pub fn rates(&self, server: Server) -> &[Rate] {
        match server {
            Server::Product => &self.fresh,
            Server::Baseline => &self.baseline,
        }
    }

    /// What a server took.
    pub fn footprint(&self, server: Server) -> Footprint {
        match server {
            Server::Product => self.product_footprint,
            Server::Baseline => self.baseline_footprint,
        }
    }
}

/// What a round needs.
pub struct Measurer<'a> {
    /// What to start.
    pub product: &'a Product,
    /// What to start beside it.
    pub baseline: &'a Baseline,
    /// The bare sessions of the same model and texts.
    pub bare: Bare<'a>,
    /// The texts.
    pub texts: &'a Texts,
}

impl Measurer<'_> {
    /// Measures a scenario once.
    ///
    /// # Errors
    /// When one of the servers does not run.
    pub fn round(&self, scenario: &Scenario) -> Result<Round, Error> {
        let mut product = Client::new(self.product.start(self.bare.model)?, self.texts)?;
        let mut baseline = Client::new(self.baseline.start(self.bare.model)?, self.texts)?;
        let texts = self.texts.as_slice();
        let tokens = product::count_tokens(&product.subject, texts)?;
        let difference = product::largest_difference(&product.subject, &baseline.subject, texts)?;

        // What is compared with each other is measured soon after each other.
        let (few, many) = scenario.connections.split_at(1);
        let one = self.bare.rate(Some(1), Work::Passes)?;
        let mut fresh = self.product_rates(&mut product, few)?;
        let one_tokenizing = self.bare.rate(Some(1), Work::TokensAndPasses)?;
        let mut baseline_rates = self.baseline_rates(&mut baseline, few)?;
        let start = self.bare.start()?;
        let all = self.bare.rate(None, Work::Passes)?;
        fresh.extend(self.product_rates(&mut product, many)?);
        let all_tokenizing = self.bare.rate(None, Work::TokensAndPasses)?;
        baseline_rates.extend(self.baseline_rates(&mut baseline, many)?);
        let mut repeated = Vec::new();
        for &percent in scenario.repeated_percents {
            product.requests.set_repeated_percent(percent);
            repeated.push(self.product_rates(&mut product, scenario.connections)?);
        }
        Ok(Round {
            bare: BareRates {
                sessions: all.sessions,
                one: one.texts_per_second,
                one_tokenizing: one_tokenizing.texts_per_second,
                all: all.texts_per_second,
                all_tokenizing: all_tokenizing.texts_per_second,
                cpu: all.cpu_per_text(&start),
                cpu_tokenizing: all_tokenizing.cpu_per_text(&start),
            },
            fresh,
            repeated,
            baseline: baseline_rates,
            product_footprint: product.footprint()?,
            baseline_footprint: baseline.footprint()?,
            difference,
            tokens,
        })
    }

    fn product_rates(&self, client: &mut Client, connections: &[usize]) -> Result<Vec<Rate>, Error> {
        let rates = connections.iter().map(|&connections| {
            let before = product::cache_counts(&client.subject)?;
            let load = client.load(connections, self.bare.duration)?;
            let known_share = product::cache_counts(&client.subject)?.share_since(before);
            Ok(Rate::of(&load, Some(known_share)))
        });
        rates.collect()
    }

    fn baseline_rates(&self, client: &mut Client, connections: &[usize]) -> Result<Vec<Rate>, Error> {
        let rates = connections.iter().map(|&connections| {
            let load = client.load(connections, self.bare.duration)?;
            Ok(Rate::of(&load, None))
        });
        rates.collect()
    }
}

/// A running server with the row of requests that it gets.
struct Client {
    subject: Subject,
    requests: Requests,
    ready_memory: f64,
}

impl Client {
    fn new(subject: Subject, texts: &Texts) -> Result<Self, Error> {
        let ready_memory = subject.target().memory().map_err(failed)?.now;
        let requests = Requests::new(subject.path(), texts);
        Ok(Self {
            subject,
            requests,
            ready_memory,
        })
    }

    fn load(&mut self, connections: usize, duration: Duration) -> Result<Load, Error> {
        closed_loop(self.subject.target(), &mut self.requests, connections, duration).map_err(failed)
    }

    fn footprint(&self) -> Result<Footprint, Error> {
        let memory = self.subject.target().memory().map_err(failed)?;
        Ok(Footprint {
            ready_after: self.subject.ready_after().as_secs_f64() * 1e3,
            ready_memory: self.ready_memory,
            loaded_memory: memory.now,
            peak_memory: memory.peak,
        })
    }
}

fn failed(source: std::io::Error) -> Error {
    Error::Measure {
        what: "a server",
        source,
    }
}
