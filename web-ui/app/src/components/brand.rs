//! The mark and the name of the product.

use yew::{Html, component, html};

/// The mark and the name of the product.
#[component]
pub fn Brand() -> Html {
    html! {
        <div class="brand">
            <svg class="brand-mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
                <defs>
                    <linearGradient id="brand-gradient" x1="0" y1="0" x2="1" y2="1">
                        <stop offset="0" stop-color="#4f46e5" />
                        <stop offset="1" stop-color="#7c3aed" />
                    </linearGradient>
                </defs>
                <rect width="32" height="32" rx="8" fill="url(#brand-gradient)" />
                <path d="M16 8.5a7.5 7.5 0 1 0 7.5 7.5" class="brand-arc" />
            </svg>
            <span class="brand-name">{ "Toxicity Monitor" }</span>
        </div>
    }
}
