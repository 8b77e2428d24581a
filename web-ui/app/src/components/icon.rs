//! Small drawings beside words. They are never the only thing that says something.

use yew::{Html, Properties, component, html};

/// Properties of [`Icon`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct IconProps {
    /// What is drawn.
    pub name: IconName,
}

/// What can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IconName {
    /// Lines of text under a magnifying glass.
    Analyze,
    /// Angle brackets.
    Api,
    /// A check mark.
    Check,
    /// Two sheets.
    Copy,
    /// A crescent.
    Dark,
    /// An arrow that leaves.
    External,
    /// A flag.
    Flag,
    /// A keyboard.
    Keyboard,
    /// A sun.
    Light,
    /// A cloud, crossed out.
    Offline,
    /// A screen.
    System,
    /// A triangle with an exclamation mark.
    Warning,
}

/// A drawing in the colour of its text.
#[component]
pub fn Icon(props: &IconProps) -> Html {
    let path = match props.name {
        IconName::Analyze => {
            "M4 5h16M4 10.5h6M4 16h5M18.6 17.6 21.5 20.5M16 18.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z"
        }
        IconName::Api => "m8 7-5 5 5 5M16 7l5 5-5 5",
        IconName::Check => "m5 12.8 4.4 4.4L19 7.6",
        IconName::Copy => "M9 9h11v11.5H9ZM6 15H4.5V3.5h10.5V6",
        IconName::Dark => "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5Z",
        IconName::External => "M8 16 16.5 7.5M9.5 7.5h7v7",
        IconName::Flag => "M6 21V4c3.5-2 7 2 12 0v9.5c-5 2-8.5-2-12 0",
        IconName::Keyboard => "M3 6h18v12H3ZM7 10h.01M12 10h.01M17 10h.01M8 14.5h8",
        IconName::Light => {
            "M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 \
             5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"
        }
        IconName::Offline => {
            "M3 3l18 18M9 6.2A6 6 0 0 1 17.6 10 4.5 4.5 0 0 1 20.5 16.8M6.5 9.5A5 5 0 0 0 7 19.5h9.5"
        }
        IconName::System => "M3 4.5h18v11.5H3ZM8.5 20h7M12 16v4",
        IconName::Warning => "M12 4 2.8 19.8h18.4ZM12 10v4.2M12 16.9v.1",
    };
    html! {
        <svg class="icon" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" focusable="false">
            <path d={path} />
        </svg>
    }
}
