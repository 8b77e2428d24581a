//! One text and its verdict.

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent, ScrollIntoViewOptions, ScrollLogicalPosition};
use yew::{AttrValue, Callback, Html, component, html, use_callback, use_context, use_effect_with};

use crate::{
    components::{
        Announcer, Composer, ErrorBox, Examples, FirstVisit, MarkedText, ResultCard, ResultSkeleton,
    },
    hooks::{ServerHandle, is_typing, use_analysis, use_delayed, use_shortcut},
    presentation::Obstacle,
    state::Action,
};

/// What is over sooner is shown without a stage in between.
const SKELETON_AFTER_MILLISECONDS: u32 = 200;

/// Below this width the verdict stands under the text instead of beside it.
const ONE_COLUMN_WIDTH: f64 = 1_000.0;

/// One text and its verdict.
#[component]
pub fn AnalyzePage() -> Html {
    let analysis = use_analysis();
    let handle = use_context::<ServerHandle>();
    let server = handle
        .as_ref()
        .map(|handle| handle.server.clone())
        .unwrap_or_default();
    let characters = analysis.text.chars().count();
    let obstacle = Obstacle::of(&analysis.text, characters, server.character_limit());
    let is_slow = use_delayed(analysis.submission().is_some(), SKELETON_AFTER_MILLISECONDS);

    let on_edit = use_callback(analysis.dispatcher(), |text: AttrValue, dispatcher| {
        dispatcher.dispatch(Action::Edit(text));
    });
    let on_submit = use_callback((analysis.dispatcher(), obstacle), |(), (dispatcher, obstacle)| {
        if obstacle.is_none() {
            dispatcher.dispatch(Action::Submit);
        }
    });
    let on_clear = use_callback(analysis.dispatcher(), |(), dispatcher| {
        dispatcher.dispatch(Action::Clear);
        focus_text();
    });
    let on_example = use_callback(analysis.dispatcher(), |text: AttrValue, dispatcher| {
        dispatcher.dispatch(Action::SubmitText(text));
    });
    let on_retry = use_callback(analysis.dispatcher(), |(), dispatcher| {
        dispatcher.dispatch(Action::RetryNow);
    });
    let on_cancel = use_callback(analysis.dispatcher(), |(), dispatcher| {
        dispatcher.dispatch(Action::Cancel);
        focus_text();
    });

    let (submit_by_key, cancel_by_key) = (on_submit.clone(), on_cancel.clone());
    let is_busy = analysis.submission().is_some() || analysis.failure().is_some();
    use_shortcut(Callback::from(move |event: KeyboardEvent| {
        let dialog_is_open =
            document().is_some_and(|page| matches!(page.query_selector("dialog[open]"), Ok(Some(_))));
        match event.key().as_str() {
            _ if dialog_is_open || event.is_composing() => {}
            "Enter" if event.ctrl_key() || event.meta_key() => {
                event.prevent_default();
                submit_by_key.emit(());
            }
            "Escape" if is_busy => cancel_by_key.emit(()),
            "/" if !is_typing(&event) => {
                event.prevent_default();
                focus_text();
            }
            _ => {}
        }
    }));

    let refresh = handle.map(|handle| handle.refresh);
    use_effect_with(
        analysis.failure().map(|failure| failure.submission.sequence),
        move |failed| {
            if failed.is_some() {
                show("error");
                // A failure says something about the server; its status in the corner should not say otherwise.
                if let Some(refresh) = refresh {
                    refresh.emit(());
                }
            }
        },
    );
    use_effect_with(analysis.verdict.clone(), |verdict| {
        if verdict.is_some() {
            show("result");
        }
    });

    let result = match (&analysis.verdict, analysis.trouble()) {
        (Some(verdict), _) => html! {
            <ResultCard
                verdict={verdict.clone()}
                is_stale={analysis.is_stale()}
                is_pending={analysis.submission().is_some()}
            />
        },
        (None, Some(_)) => Html::default(),
        (None, None) if is_slow => html! { <ResultSkeleton rows={server.label_count()} /> },
        (None, None) => html! { <FirstVisit /> },
    };

    html! {
        <div class="page">
            <h1>{ "Analyze" }</h1>
            <p class="lead">{ "Paste a comment to see how toxic it reads, label by label, and which words say so." }</p>
            <div class="columns">
                <section class="column-text" aria-label="Text">
                    <Composer
                        text={analysis.text.clone()}
                        {characters}
                        limit={server.character_limit()}
                        {obstacle}
                        {on_edit}
                        {on_submit}
                        {on_clear}
                    />
                    <Examples on_choose={on_example} />
                </section>
                <section class="column-result" aria-label="Verdict" aria-busy={is_slow.to_string()}>
                    if let Some((error, retry)) = analysis.trouble() {
                        <ErrorBox
                            error={error.clone()}
                            {retry}
                            fills={analysis.verdict.is_none()}
                            {on_retry}
                            on_cancel={on_cancel.clone()}
                        />
                    }
                    { result }
                </section>
                if let Some(verdict) = &analysis.verdict {
                    <section class="column-words" aria-label="Words that carry the verdict">
                        <MarkedText verdict={verdict.clone()} is_stale={analysis.is_stale()} />
                    </section>
                }
            </div>
            <Announcer verdict={analysis.verdict.clone()} is_pending={analysis.submission().is_some()} />
        </div>
    }
}

fn document() -> Option<web_sys::Document> {
    web_sys::window()?.document()
}

fn focus_text() {
    let field = document().and_then(|document| document.get_element_by_id("text"));
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
        // Only an element that is not shown cannot be focused.
        let _ = field.focus();
    }
}

/// In one column an answer may be below the screen, and a tap would seem to do nothing.
fn show(id: &str) {
    let width = web_sys::window().and_then(|window| window.inner_width().ok()?.as_f64());
    if width.is_none_or(|width| width > ONE_COLUMN_WIDTH) {
        return;
    }
    if let Some(element) = document().and_then(|document| document.get_element_by_id(id)) {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Start);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}
