//! What people say is kept, and held against the model.

use futures_util::TryStreamExt;
use toxicity_api::ModelIdentity;
use toxicity_records::{
    Confusion, Decision, Feedback, FeedbackError, FeedbackFilter, InvalidFeedback, ModelVerdict, PageRequest,
    RecordFilter, Review, Source, StoredFeedback, TimeRange, VerdictRecord,
};
use uuid::Uuid;

use crate::fixture::{Fixture, decision, suggestion, toxic, verdict};
use crate::over_both_databases;

over_both_databases!(
    feedback_comes_back_as_it_was_given,
    feedback_takes_from_its_record_what_it_does_not_say,
    feedback_finds_the_newest_record_of_its_text,
    feedback_reaches_only_records_of_its_tenant,
    feedback_on_nothing_is_refused,
    the_newest_decision_counts_and_can_be_taken_back,
    agreement_holds_people_against_the_model,
    feedback_is_exported,
);

async fn only(fixture: &Fixture, id: Uuid) -> StoredFeedback {
    let filter = FeedbackFilter::default();
    let page = fixture
        .records
        .list_feedback(&filter, PageRequest::default())
        .await
        .unwrap();
    page.items.into_iter().find(|feedback| feedback.id == id).unwrap()
}

async fn review(fixture: &Fixture, id: Uuid) -> Review {
    fixture.records.get(id, None).await.unwrap().unwrap().review
}

async fn feedback_comes_back_as_it_was_given(fixture: Fixture) {
    let given = Feedback {
        tenant: Some("forum".to_owned()),
        source: Source::Suggestscore,
        text: Some("never seen before".to_owned()),
        language: Some("en".to_owned()),
        decision: Some(Decision::Relabel),
        comment: Some("irony".to_owned()),
        client_token: Some("comment:1".to_owned()),
        community_id: Some("Coral:1".to_owned()),
        session_id: Some("session".to_owned()),
        model: Some(ModelVerdict {
            identity: ModelIdentity {
                name: "other".to_owned(),
                revision: "1".to_owned(),
            },
            scores: [("toxic".to_owned(), 0.7)].into(),
            flags: vec!["toxic".to_owned()],
        }),
        ..suggestion(&[("threat", 0.0), ("insult", 1.0)])
    };
    let id = fixture.records.add_feedback(given.clone()).await.unwrap();
    let stored = only(&fixture, id).await;
    assert_eq!(stored.feedback, given);
    let age = Uuid::now_v7().get_timestamp().unwrap().to_unix().0 - stored.created_at / 1000;
    assert!(age < 600, "{age} s");
}

async fn feedback_takes_from_its_record_what_it_does_not_say(fixture: Fixture) {
    let record = VerdictRecord {
        language: Some("en".to_owned()),
        ..toxic("you idiot")
    };
    let id = record.id;
    let model = ModelVerdict {
        identity: record.model.clone(),
        scores: record.scores.clone(),
        flags: record.flags.clone(),
    };
    fixture.write([record]).await;
    let feedback = fixture
        .records
        .add_feedback(decision(id, Decision::Reject))
        .await
        .unwrap();
    let stored = only(&fixture, feedback).await.feedback;
    assert_eq!(stored.text.as_deref(), Some("you idiot"));
    assert_eq!(stored.language.as_deref(), Some("en"));
    assert_eq!(stored.model, Some(model));
    assert_eq!(fixture.records.get(id, None).await.unwrap().unwrap().feedback, 1);
}

async fn feedback_finds_the_newest_record_of_its_text(fixture: Fixture) {
    let newest = verdict("said\0twice");
    let id = newest.id;
    let older = VerdictRecord {
        id: crate::fixture::id_at(1_600_000_000_000),
        ..newest.clone()
    };
    fixture.write([older, newest, verdict("said once")]).await;
    let feedback = Feedback {
        text: Some("said\0twice".to_owned()),
        ..suggestion(&[("toxic", 1.0)])
    };
    let feedback = fixture.records.add_feedback(feedback).await.unwrap();
    assert_eq!(only(&fixture, feedback).await.feedback.record_id, Some(id));
}

async fn feedback_reaches_only_records_of_its_tenant(fixture: Fixture) {
    let theirs = VerdictRecord {
        tenant: Some("theirs".to_owned()),
        ..verdict("text")
    };
    let id = theirs.id;
    fixture.write([theirs]).await;
    let of = |tenant: &str, feedback: Feedback| Feedback {
        tenant: Some(tenant.to_owned()),
        ..feedback
    };
    let reject = || decision(id, Decision::Reject);
    let refused = fixture.records.add_feedback(of("ours", reject())).await;
    assert!(matches!(refused, Err(FeedbackError::UnknownRecord(unknown)) if unknown == id));
    assert!(fixture.records.get(id, Some("ours")).await.unwrap().is_none());

    let same_text = Feedback {
        text: Some("text".to_owned()),
        ..suggestion(&[("toxic", 1.0)])
    };
    let ours = fixture.records.add_feedback(of("ours", same_text)).await.unwrap();
    assert_eq!(only(&fixture, ours).await.feedback.record_id, None);

    let theirs = fixture
        .records
        .add_feedback(of("theirs", reject()))
        .await
        .unwrap();
    assert!(
        !fixture
            .records
            .delete_feedback(theirs, Some("ours"))
            .await
            .unwrap()
    );
    assert_eq!(review(&fixture, id).await, Review::Rejected);
    fixture
        .records
        .add_feedback(decision(id, Decision::Approve))
        .await
        .unwrap();
    assert_eq!(review(&fixture, id).await, Review::Approved);

    let filter = FeedbackFilter {
        tenant: Some("ours".to_owned()),
        ..FeedbackFilter::default()
    };
    let page = fixture
        .records
        .list_feedback(&filter, PageRequest::default())
        .await
        .unwrap();
    assert_eq!(page.items.iter().map(|item| item.id).collect::<Vec<_>>(), [ours]);
}

async fn feedback_on_nothing_is_refused(fixture: Fixture) {
    let id = Uuid::now_v7();
    let unknown = fixture
        .records
        .add_feedback(decision(id, Decision::Approve))
        .await;
    assert_eq!(
        unknown.unwrap_err().to_string(),
        format!("there is no record \"{id}\"")
    );
    let empty = fixture.records.add_feedback(suggestion(&[("toxic", 1.0)])).await;
    assert!(matches!(
        empty,
        Err(FeedbackError::Invalid(InvalidFeedback::NoText))
    ));
    assert!(fixture.feedback_ids().await.is_empty());
}

async fn the_newest_decision_counts_and_can_be_taken_back(fixture: Fixture) {
    let record = toxic("text");
    let id = record.id;
    fixture.write([record]).await;
    let records = &fixture.records;
    assert_eq!(review(&fixture, id).await, Review::Open);
    let approval = records
        .add_feedback(decision(id, Decision::Approve))
        .await
        .unwrap();
    let rejection = records
        .add_feedback(decision(id, Decision::Reject))
        .await
        .unwrap();
    assert_eq!(review(&fixture, id).await, Review::Rejected);

    // No decision, so it decides nothing.
    let suggestion = Feedback {
        record_id: Some(id),
        ..suggestion(&[("toxic", 1.0)])
    };
    records.add_feedback(suggestion).await.unwrap();
    assert_eq!(review(&fixture, id).await, Review::Rejected);

    assert!(records.delete_feedback(rejection, None).await.unwrap());
    assert_eq!(review(&fixture, id).await, Review::Approved);
    assert!(records.delete_feedback(approval, None).await.unwrap());
    assert_eq!(review(&fixture, id).await, Review::Open);
    assert!(!records.delete_feedback(approval, None).await.unwrap());
}

async fn agreement_holds_people_against_the_model(fixture: Fixture) {
    let (right, wrong, missed) = (toxic("right"), toxic("wrong"), verdict("missed"));
    let ids = [right.id, wrong.id, missed.id];
    fixture.write([right, wrong, missed]).await;
    let records = &fixture.records;
    records
        .add_feedback(decision(ids[0], Decision::Reject))
        .await
        .unwrap();
    // Thought better of.
    records
        .add_feedback(decision(ids[1], Decision::Reject))
        .await
        .unwrap();
    records
        .add_feedback(decision(ids[1], Decision::Approve))
        .await
        .unwrap();
    let threat = Feedback {
        text: Some("missed".to_owned()),
        ..suggestion(&[("threat", 1.0)])
    };
    records.add_feedback(threat).await.unwrap();
    // Nothing is known of what the model said.
    let unknown = Feedback {
        text: Some("unknown".to_owned()),
        ..suggestion(&[("threat", 1.0)])
    };
    records.add_feedback(unknown).await.unwrap();

    let agreement = records.agreement(TimeRange::default(), None).await.unwrap();
    let expected = Confusion {
        both: 1,
        model_only: 1,
        person_only: 1,
        neither: 0,
    };
    assert_eq!(agreement.overall, expected);
    assert_eq!(agreement.labels["threat"].person_only, 1);
    assert_eq!(agreement.labels["toxic"].model_only, 1);

    // The record may go; what was said of it stays.
    records.expire(u64::MAX >> 16).await.unwrap();
    let past = TimeRange {
        since: None,
        until: Some(1),
    };
    assert_eq!(
        records.agreement(past, None).await.unwrap().overall.judgements(),
        0
    );
    let elsewhere = records
        .agreement(TimeRange::default(), Some("other"))
        .await
        .unwrap();
    assert_eq!(elsewhere.overall.judgements(), 0);
}

async fn feedback_is_exported(fixture: Fixture) {
    fixture.write([toxic("text")]).await;
    for token in ["1", "2"] {
        let feedback = Feedback {
            text: Some("text".to_owned()),
            client_token: Some(token.to_owned()),
            ..suggestion(&[("toxic", 0.0)])
        };
        fixture.records.add_feedback(feedback).await.unwrap();
    }
    let lines = fixture.records.export_feedback(FeedbackFilter::default());
    let lines: Vec<String> = lines.try_collect().await.unwrap();
    let tokens = lines.iter().map(|line| {
        let stored: StoredFeedback = serde_json::from_str(line).unwrap();
        assert!(stored.feedback.model.is_some());
        stored.feedback.client_token.unwrap()
    });
    assert_eq!(tokens.collect::<Vec<_>>(), ["2", "1"]);
    let with_feedback = RecordFilter {
        with_feedback: Some(true),
        ..RecordFilter::default()
    };
    assert_eq!(fixture.texts(with_feedback).await, ["text"]);
}
