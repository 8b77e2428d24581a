//! Records are forgotten: one of them, or what is old.

use std::path::Path;
use std::time::Duration;

use toxicity_records::{Decision, Expired, RecordFilter, Records, VerdictRecord};

use crate::fixture::{self, Fixture, PATIENCE, decision, id_at, verdict};
use crate::over_both_databases;

over_both_databases!(
    one_record_is_forgotten_with_its_feedback,
    what_is_old_is_forgotten,
    retention_forgets_without_being_asked,
);

const OLD: u64 = 1_600_000_000_000;

fn old(text: &str) -> VerdictRecord {
    VerdictRecord {
        id: id_at(OLD),
        ..verdict(text)
    }
}

async fn one_record_is_forgotten_with_its_feedback(fixture: Fixture) {
    let (gone, stays) = (
        VerdictRecord {
            tenant: Some("forum".to_owned()),
            ..verdict("gone")
        },
        verdict("stays"),
    );
    let (gone_id, stays_id) = (gone.id, stays.id);
    fixture.write([gone, stays]).await;
    let records = &fixture.records;
    records
        .add_feedback(decision(gone_id, Decision::Approve))
        .await
        .unwrap();
    let kept = records
        .add_feedback(decision(stays_id, Decision::Approve))
        .await
        .unwrap();

    assert!(!records.delete(gone_id, Some("other")).await.unwrap());
    assert_eq!(fixture.feedback_ids().await.len(), 2);
    assert!(records.delete(gone_id, Some("forum")).await.unwrap());
    assert!(!records.delete(gone_id, None).await.unwrap());
    assert_eq!(fixture.texts(RecordFilter::default()).await, ["stays"]);
    assert_eq!(fixture.feedback_ids().await, [kept]);
}

async fn what_is_old_is_forgotten(fixture: Fixture) {
    let record = verdict("new");
    let id = record.id;
    // More than one transaction takes away.
    fixture
        .write((0..1_234).map(|_| old("old")).chain([record]))
        .await;
    fixture
        .records
        .add_feedback(decision(id, Decision::Approve))
        .await
        .unwrap();

    let nothing = fixture.records.expire(OLD).await.unwrap();
    assert_eq!(nothing, Expired::default());
    let expired = fixture.records.expire(OLD + 1).await.unwrap();
    assert_eq!((expired.records, expired.feedback), (1_234, 0));
    assert_eq!(fixture.texts(RecordFilter::default()).await, ["new"]);

    let all = fixture.records.expire(u64::MAX).await.unwrap();
    assert_eq!((all.records, all.feedback), (1, 1));
}

async fn retention_forgets_without_being_asked(fixture: Fixture) {
    fixture.write([old("old"), verdict("new")]).await;
    let forgotten = async {
        while fixture.texts(RecordFilter::default()).await != ["new"] {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        never = fixture.records.enforce_retention(Duration::from_hours(24)) => match never {},
        forgotten = tokio::time::timeout(PATIENCE, forgotten) => forgotten.unwrap(),
    }
}

#[tokio::test]
async fn the_file_of_sqlite_shrinks_when_records_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.db");
    let url = format!("sqlite://{}", file.display());
    let records = Records::open(&url, fixture::timeouts()).await.unwrap();
    let size = |file: &Path| std::fs::metadata(file).unwrap().len();
    let recorder = toxicity_records::Recorder::start(
        records.clone(),
        toxicity_records::RecorderOptions::default(),
        std::sync::Arc::new(()),
    );
    let text = "long text ".repeat(1_000);
    for _ in 0..1_000 {
        recorder.record(old(&text));
    }
    recorder.close(PATIENCE).await;
    records.close().await;
    let full = size(&file);
    assert!(full > 10_000_000, "{full} bytes");

    let records = Records::open(&url, fixture::timeouts()).await.unwrap();
    records.expire(OLD + 1).await.unwrap();
    records.close().await;
    let empty = size(&file);
    assert!(empty < 1_000_000, "{empty} bytes");
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(9).any(|window| window == b"long text"));
}
