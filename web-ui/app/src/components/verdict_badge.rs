//! The verdict in one word.

use yew::{Html, Properties, component, html};

use super::{Icon, IconName};

/// Properties of [`VerdictBadge`].
#[derive(Debug, Clone, PartialEq, Eq, Properties)]
pub struct VerdictBadgeProps {
    /// Whether a label reached its threshold.
    pub is_flagged: bool,
}

/// Icon, word and colour say the same.
#[component]
pub fn VerdictBadge(props: &VerdictBadgeProps) -> Html {
    let (class, icon, word) = if props.is_flagged {
        ("badge flagged", IconName::Flag, "Flagged")
    } else {
        ("badge fine", IconName::Check, "Nothing flagged")
    };
    html! {
        <h2 {class} id="verdict" data-testid="verdict"><Icon name={icon} /><span>{ word }</span></h2>
    }
}
