//! Sends what the state wants sent.

use gloo_events::EventListener;
use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;
use web_sys::AbortController;
use yew::{UseReducerHandle, hook, use_effect_with, use_reducer};

use crate::{
    services,
    state::{Action, Analysis, Submission},
};

/// The state of the Analyze page. A submission in it is sent, once; when it is replaced or given up, its call is
/// aborted. While a failure counts down, seconds pass.
#[hook]
pub fn use_analysis() -> UseReducerHandle<Analysis> {
    let analysis = use_reducer(Analysis::default);

    let dispatcher = analysis.dispatcher();
    use_effect_with(analysis.submission().cloned(), move |submission| {
        let controller = submission.clone().and_then(|submission: Submission| {
            let controller = AbortController::new().ok()?;
            let signal = controller.signal();
            spawn_local(async move {
                let result = services::analyze(&submission.text, &signal).await;
                dispatcher.dispatch(Action::Answer {
                    sequence: submission.sequence,
                    result,
                });
            });
            Some(controller)
        });
        move || {
            if let Some(controller) = controller {
                controller.abort();
            }
        }
    });

    let dispatcher = analysis.dispatcher();
    use_effect_with(analysis.is_counting_down(), move |counting| {
        let interval = counting.then(|| Interval::new(1_000, move || dispatcher.dispatch(Action::Tick)));
        move || drop(interval)
    });

    let dispatcher = analysis.dispatcher();
    use_effect_with((), move |()| {
        let listener = web_sys::window().map(|window| {
            EventListener::new(&window, "online", move |_| dispatcher.dispatch(Action::Online))
        });
        move || drop(listener)
    });

    analysis
}
