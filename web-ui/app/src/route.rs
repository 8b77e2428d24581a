//! The pages and their addresses.

use yew_router::Routable;

/// The pages and their addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Routable)]
pub enum Route {
    /// One text and its verdict.
    #[at("/")]
    Analyze,
    /// Everything else.
    #[not_found]
    #[at("/404")]
    NotFound,
}
