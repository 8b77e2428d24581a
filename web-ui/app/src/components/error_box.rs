//! A call that failed: what happened, what happens next, what can be done.

use yew::{Callback, Html, Properties, classes, component, html};

use super::{Icon, IconName};
use crate::{
    error::ClientError,
    presentation::{explain, retry_note},
    state::Retry,
};

/// Properties of [`ErrorBox`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ErrorBoxProps {
    /// Why it failed.
    pub error: ClientError,
    /// When it is sent again; nothing while it is.
    pub retry: Option<Retry>,
    /// Whether the box stands in the place of a verdict instead of above one.
    pub fills: bool,
    /// It is to be sent again now.
    pub on_retry: Callback<()>,
    /// It is given up.
    pub on_cancel: Callback<()>,
}

/// The remedy is next to the complaint.
#[component]
pub fn ErrorBox(props: &ErrorBoxProps) -> Html {
    let ErrorBoxProps { error, retry, .. } = props;
    let class = classes!("card", "error", props.fills.then_some("fills"));
    let note = match retry {
        Some(retry) => retry_note(*retry),
        None => Some("Trying again.".to_owned()),
    };
    html! {
        <div {class} id="error" data-testid="error">
            <span class="error-icon"><Icon name={IconName::Warning} /></span>
            <div class="error-text">
                <p role="alert" class="error-message">{ explain(error) }</p>
                // Outside of the alert: a voice that counts down would be a nuisance.
                if let Some(note) = note {
                    <p class="error-note numeric" id="retry-note">{ note }</p>
                }
            </div>
            <div class="error-actions">
                // The same text would be refused again.
                if !matches!(error, ClientError::PassCheck { .. }) {
                    <button
                        type="button"
                        id="retry"
                        class="button primary"
                        disabled={retry.is_none()}
                        onclick={props.on_retry.reform(|_| ())}
                    >
                        { "Try now" }
                    </button>
                }
                <button type="button" id="cancel" class="button" onclick={props.on_cancel.reform(|_| ())}>
                    { if *retry == Some(Retry::Never) { "Dismiss" } else { "Cancel" } }
                </button>
            </div>
        </div>
    }
}
