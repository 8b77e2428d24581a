//! A score as a bar with the threshold drawn into it.

use yew::{Html, Properties, component, html};

/// Properties of [`ScoreBar`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct ScoreBarProps {
    /// Score, 0 to 1.
    pub score: f32,
    /// Threshold, 0 to 1.
    pub threshold: Option<f32>,
}

/// Drawn as SVG: lengths are attributes there, and the policy of the page forbids style attributes.
#[component]
pub fn ScoreBar(props: &ScoreBarProps) -> Html {
    let percent = |part: f32| format!("{:.2}%", part.clamp(0.0, 1.0) * 100.0);
    html! {
        <svg class="bar" width="100%" height="18" aria-hidden="true" focusable="false">
            <rect class="bar-track" y="5" width="100%" height="8" rx="4" />
            <rect class="bar-fill" y="5" width={percent(props.score)} height="8" rx="4" />
            if let Some(threshold) = props.threshold {
                <rect class="bar-tick" x={percent(threshold)} y="1" width="2" height="16" rx="1" />
            }
        </svg>
    }
}
