//! The outline of a verdict while the first one is on its way.

use yew::{Html, Properties, component, html};

/// Properties of [`ResultSkeleton`].
#[derive(Debug, Clone, PartialEq, Eq, Properties)]
pub struct ResultSkeletonProps {
    /// Rows the table will have.
    pub rows: usize,
}

/// As large as the card that replaces it.
#[component]
pub fn ResultSkeleton(props: &ResultSkeletonProps) -> Html {
    html! {
        <div class="card result skeleton" id="result-skeleton">
            <p class="visually-hidden">{ "Analyzing" }</p>
            <div class="result-head" aria-hidden="true">
                <span class="bone bone-badge"></span>
                <span class="bone bone-sentence"></span>
            </div>
            <div class="skeleton-caption" aria-hidden="true"></div>
            { for (0..props.rows).map(|_| html! {
                <div class="skeleton-row" aria-hidden="true">
                    <span class="bone bone-label"></span>
                    <span class="bone bone-bar"></span>
                    <span class="bone bone-score"></span>
                </div>
            }) }
            <div class="skeleton-foot" aria-hidden="true"></div>
        </div>
    }
}
