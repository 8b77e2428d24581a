//! The web app of Toxicity Monitor.
//!
//! `state` and `presentation` are plain functions of plain data and are tested natively; `services` alone speaks
//! HTTP; `hooks` tie both to the browser; `components` and `pages` draw.

mod app;
pub mod components;
pub mod error;
pub mod hooks;
pub mod pages;
pub mod presentation;
pub mod route;
pub mod services;
pub mod state;

pub use app::App;

/// Draws the app into the element `app` of the page, or into its body where there is none.
pub fn start() {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("app"));
    match root {
        Some(root) => yew::Renderer::<App>::with_root(root).render(),
        None => yew::Renderer::<App>::new().render(),
    };
}
