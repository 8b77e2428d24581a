//! Verdicts reach the database, or are counted as lost.

use std::time::Duration;

use toxicity_records::{LossReason, PageRequest, RecordFilter, RecorderOptions, VerdictRecord};

use crate::fixture::{Counts, Fixture, PATIENCE, verdict};
use crate::over_both_databases;

over_both_databases!(
    a_flush_waits_for_what_was_recorded,
    a_dropped_recorder_writes_what_is_queued,
    a_record_is_written_once,
    nothing_is_lost_while_the_database_is_away_for_a_while,
    a_full_queue_loses_and_counts,
    a_queue_is_full_of_bytes_too,
    closing_ends_in_time,
    a_record_that_is_refused_is_lost_alone,
);

async fn stored(fixture: &Fixture) -> u64 {
    fixture
        .records
        .summary(&RecordFilter::default())
        .await
        .unwrap()
        .records
}

async fn a_flush_waits_for_what_was_recorded(fixture: Fixture) {
    let counts = Counts::default();
    let recorder = fixture.recorder(RecorderOptions::default(), &counts);
    recorder.flush().await;
    for _ in 0..1_234 {
        recorder.record(verdict("text"));
    }
    recorder.flush().await;
    assert_eq!(stored(&fixture).await, 1_234);
    assert_eq!(counts.written(), 1_234);
    assert_eq!(recorder.queued(), (0, 0));

    recorder.close(PATIENCE).await;
    recorder.record(verdict("too late"));
    assert_eq!(counts.lost(LossReason::Stopped), 1);
    recorder.flush().await;
    assert_eq!(recorder.queued(), (0, 0));
}

async fn a_dropped_recorder_writes_what_is_queued(fixture: Fixture) {
    let recorder = fixture.recorder(RecorderOptions::default(), &Counts::default());
    recorder.record(verdict("text"));
    drop(recorder);
    let written = async {
        while stored(&fixture).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, written).await.unwrap();
}

async fn a_record_is_written_once(fixture: Fixture) {
    let record = verdict("first");
    let again = VerdictRecord {
        text: "second".to_owned(),
        ..record.clone()
    };
    fixture.write([record.clone(), record]).await;
    fixture.write([again]).await;
    assert_eq!(fixture.texts(RecordFilter::default()).await, ["first"]);
}

async fn nothing_is_lost_while_the_database_is_away_for_a_while(fixture: Fixture) {
    let counts = Counts::default();
    let recorder = fixture.recorder(RecorderOptions::default(), &counts);
    let away = fixture.take_away().await;
    for _ in 0..700 {
        recorder.record(verdict("text"));
    }
    counts.attempt_failed().await;
    assert_eq!(recorder.queued().0, 700);
    away.end().await;
    recorder.flush().await;
    assert_eq!(stored(&fixture).await, 700);
    assert_eq!(counts.written(), 700);
    recorder.close(PATIENCE).await;
}

async fn a_full_queue_loses_and_counts(fixture: Fixture) {
    let counts = Counts::default();
    let options = RecorderOptions {
        max_records: 100,
        batch_records: 30,
        ..RecorderOptions::default()
    };
    let recorder = fixture.recorder(options, &counts);
    let away = fixture.take_away().await;
    for _ in 0..250 {
        recorder.record(verdict("text"));
    }
    // What the writer holds counts too, so there is no room until something is written.
    counts.attempt_failed().await;
    recorder.record(verdict("one more"));
    assert_eq!(counts.lost(LossReason::QueueFull), 151);
    assert_eq!(recorder.queued().0, 100);
    away.end().await;
    recorder.flush().await;
    recorder.record(verdict("there is room again"));
    recorder.close(PATIENCE).await;
    assert_eq!(counts.written(), 101);
    assert_eq!(stored(&fixture).await, 101);
}

async fn a_queue_is_full_of_bytes_too(fixture: Fixture) {
    let counts = Counts::default();
    let options = RecorderOptions {
        max_bytes: 1_000_000,
        ..RecorderOptions::default()
    };
    let recorder = fixture.recorder(options, &counts);
    let text = "x".repeat(300_000);
    // The writer is another task of the same thread: it takes nothing before this one waits.
    for _ in 0..5 {
        recorder.record(verdict(&text));
    }
    recorder.record(verdict("a short one still fits"));
    assert_eq!(counts.lost(LossReason::QueueFull), 2);
    assert!(recorder.queued().1 <= 1_000_000);
    recorder.close(PATIENCE).await;
    assert_eq!(counts.written(), 4);
}

async fn closing_ends_in_time(fixture: Fixture) {
    let counts = Counts::default();
    let recorder = fixture.recorder(RecorderOptions::default(), &counts);
    let away = fixture.take_away().await;
    for _ in 0..10 {
        recorder.record(verdict("text"));
    }
    recorder.close(Duration::from_millis(100)).await;
    assert_eq!(counts.lost(LossReason::Stopped), 10);
    assert_eq!(recorder.queued(), (0, 0));
    recorder.close(PATIENCE).await;
    away.end().await;
}

async fn a_record_that_is_refused_is_lost_alone(fixture: Fixture) {
    fixture
        .execute("CREATE UNIQUE INDEX one_per_request ON records (request_id)")
        .await;
    let counts = Counts::default();
    let recorder = fixture.recorder(RecorderOptions::default(), &counts);
    for number in 0..300 {
        recorder.record(VerdictRecord {
            // 7 and 207 are there twice.
            request_id: Some(if number % 200 == 7 { 7 } else { number }.to_string()),
            ..verdict("text")
        });
    }
    recorder.close(PATIENCE).await;
    assert_eq!(counts.lost(LossReason::Refused), 1);
    assert_eq!(counts.written(), 299);
    let page = PageRequest {
        limit: 500,
        after: None,
    };
    let page = fixture
        .records
        .list(&RecordFilter::default(), page)
        .await
        .unwrap();
    assert_eq!(page.items.len(), 299);
}
