//! Records are found, page by page and all at once.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use serde_json::Value;
use toxicity_records::{
    Decision, LabelFilter, MAX_PAGE_ITEMS, PageRequest, Protocol, QueryError, RecordFilter, Records, Review,
    Summary, TimeRange, Timeouts, VerdictRecord,
};

use crate::fixture::{self, Fixture, decision, id_at, texts, toxic, verdict};
use crate::over_both_databases;

over_both_databases!(
    a_verdict_comes_back_as_it_was_recorded,
    texts_of_every_kind_come_back,
    pages_are_stable_while_records_come_in,
    a_page_holds_no_more_than_its_cap,
    every_filter_lets_through_what_it_names,
    filters_join_and_hold_no_sql,
    a_summary_counts_what_the_filter_lets_through,
    an_export_holds_every_record_once,
    an_endless_read_is_stopped,
);

/// A time long ago.
const OLD: u64 = 1_600_000_000_000;

async fn a_verdict_comes_back_as_it_was_recorded(fixture: Fixture) {
    let record = VerdictRecord {
        id: id_at(1_750_000_000_123),
        tenant: Some("forum".to_owned()),
        protocol: Protocol::OpenInference,
        language: Some("pt-BR".to_owned()),
        scores: [("zeta", 0.1_f32), ("alpha", 0.999_999), ("mid", 1e-7)]
            .map(|(label, score)| (label.to_owned(), score))
            .into(),
        flags: vec!["alpha".to_owned()],
        tokens: 512,
        request_id: Some("req-1".to_owned()),
        ..verdict("Seu idiota!")
    };
    fixture.write([record.clone()]).await;
    let stored = fixture.records.get(record.id, None).await.unwrap().unwrap();
    assert_eq!(stored.created_at, 1_750_000_000_123);
    assert!(stored.flagged);
    assert_eq!((stored.review, stored.feedback), (Review::Open, 0));
    // The order of the labels too.
    assert!(stored.verdict.scores.iter().eq(record.scores.iter()));
    assert_eq!(stored.verdict, record);
}

async fn texts_of_every_kind_come_back(fixture: Fixture) {
    let long = "long ".repeat(40_000);
    let kinds = [
        "",
        "'; DROP TABLE records; --",
        "%_\\ \" $1 ?",
        "😀 e\u{301} \u{202e}right to left\u{202c} שלום",
        "\u{feff}\u{fffe}\u{10ffff}\r\n\t",
        long.as_str(),
    ];
    fixture.write(kinds.map(verdict)).await;
    let mut expected = kinds.map(str::to_owned);
    expected.reverse();
    assert_eq!(fixture.texts(RecordFilter::default()).await, expected);

    // PostgreSQL cannot hold this one character; it must not cost the record, nor those of its batch.
    let mut hostile = verdict("nul\0l");
    hostile.tenant = Some("\0".to_owned());
    hostile.scores.insert("la\0bel".to_owned(), 0.5);
    let id = hostile.id;
    fixture.write([hostile, verdict("its neighbour")]).await;
    let stored = fixture.records.get(id, None).await.unwrap().unwrap();
    assert_eq!(stored.verdict.text, "nul\u{fffd}l");
    assert!(stored.verdict.scores.contains_key("la\u{fffd}bel"));
}

async fn pages_are_stable_while_records_come_in(fixture: Fixture) {
    let texts_written: Vec<_> = (0..25).map(|number| format!("text {number}")).collect();
    fixture
        .write(texts_written.iter().map(|text| verdict(text)))
        .await;

    let mut seen = Vec::new();
    let mut request = PageRequest {
        limit: 10,
        after: None,
    };
    loop {
        let page = fixture
            .records
            .list(&RecordFilter::default(), request)
            .await
            .unwrap();
        seen.extend(texts(&page));
        fixture.write([verdict("comes in between")]).await;
        let Some(next) = page.next else { break };
        // As a client hands it back.
        request.after = Some(next.to_string().parse().unwrap());
    }
    assert!(seen.iter().eq(texts_written.iter().rev()), "{seen:?}");
}

async fn a_page_holds_no_more_than_its_cap(fixture: Fixture) {
    fixture.write((0..=MAX_PAGE_ITEMS).map(|_| verdict("text"))).await;
    let list = async |limit| {
        let request = PageRequest { limit, after: None };
        let page = fixture
            .records
            .list(&RecordFilter::default(), request)
            .await
            .unwrap();
        (page.items.len(), page.next.is_some())
    };
    assert_eq!(list(usize::MAX).await, (MAX_PAGE_ITEMS, true));
    assert_eq!(list(0).await, (1, true));
    assert_eq!(list(7).await, (7, true));
}

async fn every_filter_lets_through_what_it_names(fixture: Fixture) {
    let tenant = VerdictRecord {
        tenant: Some("forum".to_owned()),
        ..verdict("tenant")
    };
    let protocol = VerdictRecord {
        protocol: Protocol::Perspective,
        ..verdict("protocol")
    };
    let approved = verdict("approved");
    let old = VerdictRecord {
        id: id_at(OLD),
        ..verdict("OLD words")
    };
    let (flagged, approved_id) = (toxic("flagged"), approved.id);
    fixture.write([old, tenant, protocol, flagged, approved]).await;
    let feedback = decision(approved_id, Decision::Approve);
    fixture.records.add_feedback(feedback).await.unwrap();

    let cases: [Case; 19] = [
        (|filter| filter.flagged = Some(true), &["flagged"]),
        (
            |filter| filter.flagged = Some(false),
            &["approved", "protocol", "tenant", "OLD words"],
        ),
        (|filter| filter.label = Some(toxic_from(0.9)), &["flagged"]),
        (|filter| filter.label = Some(toxic_from(0.900_001)), &[]),
        (|filter| filter.tenant = Some("forum".to_owned()), &["tenant"]),
        (
            |filter| filter.protocol = Some(Protocol::Perspective),
            &["protocol"],
        ),
        (|filter| filter.review = Some(Review::Approved), &["approved"]),
        (|filter| filter.review = Some(Review::Rejected), &[]),
        (
            |filter| filter.review = Some(Review::Open),
            &["flagged", "protocol", "tenant", "OLD words"],
        ),
        (|filter| filter.with_feedback = Some(true), &["approved"]),
        (
            |filter| filter.with_feedback = Some(false),
            &["flagged", "protocol", "tenant", "OLD words"],
        ),
        (
            |filter| filter.contains = Some("old W".to_owned()),
            &["OLD words"],
        ),
        (|filter| filter.contains = Some("_".to_owned()), &[]),
        (|filter| filter.contains = Some("%".to_owned()), &[]),
        (|filter| filter.time.until = Some(OLD), &[]),
        (|filter| filter.time.until = Some(OLD + 1), &["OLD words"]),
        (
            |filter| filter.time.since = Some(OLD),
            &["flagged", "approved", "protocol", "tenant", "OLD words"],
        ),
        (
            |filter| filter.time.since = Some(OLD + 1),
            &["flagged", "approved", "protocol", "tenant"],
        ),
        (|filter| filter.time.since = Some(u64::MAX), &[]),
    ];
    for (set, expected) in cases {
        let mut filter = RecordFilter::default();
        set(&mut filter);
        assert_eq!(fixture.texts(filter.clone()).await, expected, "{filter:?}");
    }
}

/// What a filter is made to be, and the texts it then lets through.
type Case = (fn(&mut RecordFilter), &'static [&'static str]);

fn toxic_from(min_score: f64) -> LabelFilter {
    let label = "toxic".to_owned();
    LabelFilter { label, min_score }
}

async fn filters_join_and_hold_no_sql(fixture: Fixture) {
    fixture
        .write([toxic("one of two"), toxic("two of two"), verdict("one")])
        .await;
    let hostile = "toxic'; DROP TABLE records; --\" \\ \0 %".to_owned();
    let filter = RecordFilter {
        time: TimeRange {
            since: Some(0),
            until: Some(u64::MAX),
        },
        tenant: Some(hostile.clone()),
        protocol: Some(Protocol::Native),
        flagged: Some(true),
        label: Some(LabelFilter {
            label: hostile.clone(),
            min_score: f64::NAN,
        }),
        contains: Some(hostile.repeat(10_000)),
        review: Some(Review::Open),
        with_feedback: Some(false),
    };
    assert_eq!(fixture.texts(filter).await, Vec::<String>::new());
    for label in ["", "$", "$[", "$.toxic", "0", "#-1", "\"", "tox\0ic"] {
        let label = label.to_owned();
        let filter = RecordFilter {
            label: Some(LabelFilter {
                label,
                min_score: 0.0,
            }),
            ..RecordFilter::default()
        };
        assert_eq!(
            fixture.texts(filter.clone()).await,
            Vec::<String>::new(),
            "{filter:?}"
        );
    }
    let filter = RecordFilter {
        flagged: Some(true),
        contains: Some("one".to_owned()),
        review: Some(Review::Open),
        ..RecordFilter::default()
    };
    assert_eq!(fixture.texts(filter).await, ["one of two"]);
}

async fn a_summary_counts_what_the_filter_lets_through(fixture: Fixture) {
    let threat = VerdictRecord {
        flags: vec!["threat".to_owned(), "toxic".to_owned()],
        ..toxic("threat")
    };
    let rejected = toxic("rejected");
    let rejected_id = rejected.id;
    fixture.write([verdict("fine"), threat, rejected]).await;
    for verdict in [Decision::Approve, Decision::Reject] {
        let feedback = decision(rejected_id, verdict);
        fixture.records.add_feedback(feedback).await.unwrap();
    }

    let summary = fixture.records.summary(&RecordFilter::default()).await.unwrap();
    let expected = Summary {
        records: 3,
        flagged: 2,
        flagged_open: 1,
        rejected: 1,
        flags: [("toxic".to_owned(), 2), ("threat".to_owned(), 1)].into(),
        ..Summary::default()
    };
    assert_eq!(summary, expected);
    assert!(summary.flags.keys().eq(["toxic", "threat"]));

    let filter = RecordFilter {
        contains: Some("fine".to_owned()),
        ..RecordFilter::default()
    };
    let summary = fixture.records.summary(&filter).await.unwrap();
    assert_eq!((summary.records, summary.flagged), (1, 0));
}

async fn an_export_holds_every_record_once(fixture: Fixture) {
    let count = 2 * MAX_PAGE_ITEMS + 50;
    let records: Vec<_> = (0..count)
        .map(|number| verdict(&format!("text {number}\nin two lines")))
        .collect();
    let expected: HashSet<_> = records.iter().map(|record| record.id.to_string()).collect();
    fixture.write(records).await;

    let lines = fixture.records.export(RecordFilter::default());
    let mut lines = std::pin::pin!(lines);
    let first = lines.next().await.unwrap().unwrap();
    // Comes in too late.
    fixture.write([verdict("new")]).await;
    let mut lines: Vec<String> = lines.try_collect().await.unwrap();
    lines.push(first);

    assert_eq!(lines.len(), count);
    let exported = lines.iter().map(|line| {
        let line = line.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'));
        let record: Value = serde_json::from_str(line).unwrap();
        record["id"].as_str().unwrap().to_owned()
    });
    assert_eq!(exported.collect::<HashSet<_>>(), expected);
}

async fn an_endless_read_is_stopped(fixture: Fixture) {
    fixture.write([verdict("text")]).await;
    fixture
        .execute(
            "DROP VIEW decisions; CREATE VIEW decisions AS \
             WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT -number FROM numbers) \
             SELECT records.id AS record_id, records.protocol AS decision FROM numbers, records WHERE number > 1",
        )
        .await;
    let timeouts = Timeouts {
        read: Duration::from_millis(300),
        ..fixture::timeouts()
    };
    let records = Records::open(&fixture.url, timeouts).await.unwrap();
    // More often than there are connections: each must be free again.
    for _ in 0..8 {
        let page = records
            .list(&RecordFilter::default(), PageRequest::default())
            .await;
        assert!(matches!(page, Err(QueryError::TooSlow)), "{page:?}");
    }
    assert!(
        records
            .list_feedback(
                &toxicity_records::FeedbackFilter::default(),
                PageRequest::default()
            )
            .await
            .is_ok()
    );
}
