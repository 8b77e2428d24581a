//! Chooses between the theme of the system, light and dark.

use yew::{Html, component, html};

use super::{Icon, IconName};
use crate::hooks::{Theme, use_theme};

/// Three buttons of which one is pressed.
#[component]
pub fn ThemeSwitch() -> Html {
    let (current, choose) = use_theme();
    let option = |theme: Theme| {
        let choose = choose.reform(move |_| theme);
        let icon = match theme {
            Theme::System => IconName::System,
            Theme::Light => IconName::Light,
            Theme::Dark => IconName::Dark,
        };
        html! {
            <label class="theme-option" title={theme.name()}>
                <input
                    type="radio"
                    name="theme"
                    class="visually-hidden"
                    value={theme.key()}
                    data-testid={format!("theme-{}", theme.key())}
                    checked={theme == current}
                    onchange={choose}
                />
                <Icon name={icon} />
                <span class="visually-hidden">{ theme.name() }</span>
            </label>
        }
    };
    html! {
        <fieldset class="theme-switch" id="theme-switch" data-testid="theme-switch">
            <legend class="visually-hidden">{ "Theme" }</legend>
            { for Theme::ALL.into_iter().map(option) }
        </fieldset>
    }
}
