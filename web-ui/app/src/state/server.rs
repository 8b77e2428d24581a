//! How the model server is.

use std::rc::Rc;

use toxicity_api::Info;
use yew::Reducible;

use crate::error::ClientError;

/// How the model server is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Server {
    /// Whether it takes texts.
    pub availability: Availability,
    /// What it last said of itself; kept while it is away, so that limits and labels stay known.
    pub info: Option<Rc<Info>>,
}

/// Whether the model server takes texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Availability {
    /// Not asked yet.
    #[default]
    Unknown,
    /// It takes texts.
    Ready,
    /// It answers, but its model does not yet.
    Starting,
    /// It answers, but its queue is full.
    Busy,
    /// It does not answer.
    NotReachable,
}

/// What asking for `/info` and `/readyz` brought.
#[derive(Debug)]
pub struct Inquiry {
    /// Answer to `/info`.
    pub info: Result<Info, ClientError>,
    /// Whether `/readyz` was answered with success.
    pub is_ready: bool,
}

impl Reducible for Server {
    type Action = Inquiry;

    fn reduce(self: Rc<Self>, inquiry: Inquiry) -> Rc<Self> {
        Rc::new(self.after(inquiry))
    }
}

impl Server {
    /// What is known after asking.
    #[must_use]
    pub fn after(&self, Inquiry { info, is_ready }: Inquiry) -> Self {
        match info {
            Ok(info) => {
                let availability = match (is_ready, info.runtime.queue_depth) {
                    (true, _) => Availability::Ready,
                    (false, 0) => Availability::Starting,
                    (false, _) => Availability::Busy,
                };
                // The same object while nothing changes spares drawing.
                let unchanged = self.info.as_ref().filter(|known| ***known == info).cloned();
                Self {
                    availability,
                    info: Some(unchanged.unwrap_or_else(|| Rc::new(info))),
                }
            }
            Err(error) => {
                let availability = match error {
                    ClientError::ReachModelServer { status: 503, .. } => Availability::Starting,
                    ClientError::GetPlace { .. } => Availability::Busy,
                    _ => Availability::NotReachable,
                };
                Self {
                    availability,
                    info: self.info.clone(),
                }
            }
        }
    }

    /// Characters that one text may have, once known.
    #[must_use]
    pub fn character_limit(&self) -> Option<usize> {
        self.info.as_ref().map(|info| info.limits.characters)
    }

    /// How many labels the model has, or what most models of this kind have.
    #[must_use]
    pub fn label_count(&self) -> usize {
        self.info.as_ref().map_or(6, |info| info.model.labels.len())
    }
}

#[cfg(test)]
mod tests {
    use toxicity_api::{Limits, ModelIdentity, ModelInfo, RuntimeInfo, Scores};

    use super::*;

    fn info(queue_depth: usize) -> Info {
        Info {
            version: "0.1.0".to_owned(),
            model: ModelInfo {
                identity: ModelIdentity {
                    name: "tiny".to_owned(),
                    revision: "abc".to_owned(),
                },
                labels: vec!["toxic".to_owned()],
                thresholds: Scores::from([("toxic".to_owned(), 0.5)]),
                languages: vec!["en".to_owned()],
                activation: "sigmoid".to_owned(),
                window_tokens: 192,
                spans: None,
            },
            runtime: RuntimeInfo {
                onnxruntime: String::new(),
                sessions: 2,
                cached_texts: 0,
                queue_depth,
            },
            limits: Limits {
                body_bytes: 1,
                texts: 1,
                characters: 20_000,
                concurrent_requests: 1,
            },
        }
    }

    #[test]
    fn a_full_queue_is_no_start() {
        let after = |queue_depth, is_ready| {
            Server::default()
                .after(Inquiry {
                    info: Ok(info(queue_depth)),
                    is_ready,
                })
                .availability
        };
        assert_eq!(after(0, true), Availability::Ready);
        assert_eq!(after(0, false), Availability::Starting);
        assert_eq!(after(9, false), Availability::Busy);
    }

    #[test]
    fn limits_stay_known_while_the_server_is_away() {
        let error = ClientError::ReachModelServer {
            status: 502,
            retry_after: None,
        };
        let server = Server::default()
            .after(Inquiry {
                info: Ok(info(0)),
                is_ready: true,
            })
            .after(Inquiry {
                info: Err(error),
                is_ready: false,
            });
        assert_eq!(server.availability, Availability::NotReachable);
        assert_eq!(server.character_limit(), Some(20_000));
    }
}
