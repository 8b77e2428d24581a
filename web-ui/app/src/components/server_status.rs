//! How the model server is, in the corner of every page.

use yew::{Html, Properties, component, html};

use crate::{
    presentation::counted,
    state::{Availability, Server},
};

/// Properties of [`ServerStatus`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ServerStatusProps {
    /// How the model server is.
    pub server: Server,
}

/// A dot and a word; on a desk also what is loaded.
#[component]
pub fn ServerStatus(props: &ServerStatusProps) -> Html {
    let (kind, word) = match props.server.availability {
        Availability::Unknown => ("unknown", "Connecting"),
        Availability::Ready => ("ready", "Ready"),
        Availability::Starting => ("starting", "Starting"),
        Availability::Busy => ("starting", "Busy"),
        Availability::NotReachable => ("not-reachable", "Not reachable"),
    };
    let is_there = props.server.availability != Availability::NotReachable;
    html! {
        <div class="server-status" data-testid="server-status">
            <p id="status" class={format!("status {kind}")} role="status" aria-label={format!("Model server: {word}")}>
                <span class="status-dot" aria-hidden="true"></span>
                { word }
            </p>
            if let Some(info) = props.server.info.as_ref().filter(|_| is_there) {
                <div class="status-details">
                    <p title={format!("Revision {}", info.model.identity.revision)}>
                        { &info.model.identity.name }
                        { " · " }
                        <span class="numeric">{ short_revision(&info.model.identity.revision) }</span>
                    </p>
                    <p class="numeric">
                        { counted(info.runtime.sessions, "session") }
                        { format!(" · queue {}", info.runtime.queue_depth) }
                    </p>
                </div>
            }
        </div>
    }
}

/// As much of a revision as tells two apart at a glance.
pub(super) fn short_revision(revision: &str) -> &str {
    revision.get(..7).unwrap_or(revision)
}
