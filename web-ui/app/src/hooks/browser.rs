//! Listening to the browser for as long as a component lives.

use gloo_events::{EventListener, EventListenerOptions};
use web_sys::{Event, EventTarget};

/// Listens until the listener is dropped. Handlers may prevent what the browser would do.
pub(super) fn listen(
    target: Option<&EventTarget>,
    event: &'static str,
    handler: impl FnMut(&Event) + 'static,
) -> Option<EventListener> {
    let options = EventListenerOptions::enable_prevent_default();
    target.map(|target| EventListener::new_with_options(target, event, options, handler))
}
