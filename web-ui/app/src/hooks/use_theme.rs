//! Light or dark, by the system or by choice. `theme.js` applies a stored choice before the first paint.

use yew::{Callback, hook, use_callback, use_state_eq};

const STORAGE_KEY: &str = "theme";
const ATTRIBUTE: &str = "data-theme";

/// Which theme was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// All themes, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The value in the storage and on the page.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The name people read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    fn current() -> Self {
        let root = web_sys::window().and_then(|window| window.document()?.document_element());
        match root.and_then(|root| root.get_attribute(ATTRIBUTE)).as_deref() {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    /// Shows the theme and remembers it. A browser without storage only shows it.
    fn apply(self) {
        let Some(window) = web_sys::window() else { return };
        if let Some(root) = window.document().and_then(|document| document.document_element()) {
            let _ = match self {
                Self::System => root.remove_attribute(ATTRIBUTE),
                Self::Light | Self::Dark => root.set_attribute(ATTRIBUTE, self.key()),
            };
        }
        if let Ok(Some(storage)) = window.local_storage() {
            let _ = match self {
                Self::System => storage.remove_item(STORAGE_KEY),
                Self::Light | Self::Dark => storage.set_item(STORAGE_KEY, self.key()),
            };
        }
    }
}

/// The chosen theme, and a way to choose another.
#[hook]
pub fn use_theme() -> (Theme, Callback<Theme>) {
    let theme = use_state_eq(Theme::current);
    let choose = use_callback(theme.setter(), |chosen: Theme, setter| {
        chosen.apply();
        setter.set(chosen);
    });
    (*theme, choose)
}
