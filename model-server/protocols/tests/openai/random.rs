//! Whatever is sent, nothing panics.

use proptest::prelude::*;
use serde_json::{Value, json};
use toxicity_protocols::openai::ModerationRequest;

use crate::fixture::limits;
use crate::read;

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body: Vec<u8>) {
        if let Err(error) = ModerationRequest::read(&body, &limits()) {
            prop_assert!(error.status().is_client_error());
        }
    }

    #[test]
    fn any_input_is_read_or_refused(items in prop::collection::vec(any_item(), 0..8)) {
        match read(&json!({"input": items})) {
            Ok(request) => prop_assert_eq!(request.texts.len(), items.len()),
            Err(error) => prop_assert_eq!(error.status(), 400),
        }
    }
}

fn any_item() -> impl Strategy<Value = Value> {
    prop_oneof![
        "\\PC{0,9}".prop_map(Value::from),
        "\\PC{0,9}".prop_map(|text| json!({"type": "text", "text": text})),
        Just(json!({"type": "image_url", "image_url": {"url": "data:,"}})),
        Just(json!({"type": "text", "text": null})),
        any::<i32>().prop_map(Value::from),
        Just(json!([{}])),
    ]
}
