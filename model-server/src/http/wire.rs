//! Between the types of the database of records and those of the wire.

use toxicity_api::records as wire;
use toxicity_records as stored;

pub(super) fn protocol(protocol: wire::RecordProtocol) -> stored::Protocol {
    match protocol {
        wire::RecordProtocol::Native => stored::Protocol::Native,
        wire::RecordProtocol::Perspective => stored::Protocol::Perspective,
        wire::RecordProtocol::Openai => stored::Protocol::Openai,
        wire::RecordProtocol::OpenInference => stored::Protocol::OpenInference,
        wire::RecordProtocol::Tei => stored::Protocol::Tei,
    }
}

fn wire_protocol(protocol: stored::Protocol) -> wire::RecordProtocol {
    match protocol {
        stored::Protocol::Native => wire::RecordProtocol::Native,
        stored::Protocol::Perspective => wire::RecordProtocol::Perspective,
        stored::Protocol::Openai => wire::RecordProtocol::Openai,
        stored::Protocol::OpenInference => wire::RecordProtocol::OpenInference,
        stored::Protocol::Tei => wire::RecordProtocol::Tei,
    }
}

pub(super) fn review(review: wire::Review) -> stored::Review {
    match review {
        wire::Review::Open => stored::Review::Open,
        wire::Review::Approved => stored::Review::Approved,
        wire::Review::Rejected => stored::Review::Rejected,
        wire::Review::Relabelled => stored::Review::Relabelled,
    }
}

fn wire_review(review: stored::Review) -> wire::Review {
    match review {
        stored::Review::Open => wire::Review::Open,
        stored::Review::Approved => wire::Review::Approved,
        stored::Review::Rejected => wire::Review::Rejected,
        stored::Review::Relabelled => wire::Review::Relabelled,
    }
}

pub(super) fn decision(decision: wire::Decision) -> stored::Decision {
    match decision {
        wire::Decision::Approve => stored::Decision::Approve,
        wire::Decision::Reject => stored::Decision::Reject,
        wire::Decision::Relabel => stored::Decision::Relabel,
    }
}

fn wire_decision(decision: stored::Decision) -> wire::Decision {
    match decision {
        stored::Decision::Approve => wire::Decision::Approve,
        stored::Decision::Reject => wire::Decision::Reject,
        stored::Decision::Relabel => wire::Decision::Relabel,
    }
}

pub(super) fn record(record: stored::StoredRecord) -> wire::Record {
    let stored::VerdictRecord {
        id,
        tenant,
        protocol,
        model,
        text,
        language,
        scores,
        flags,
        tokens,
        request_id,
    } = record.verdict;
    wire::Record {
        id: id.to_string(),
        created_at: record.created_at,
        tenant,
        protocol: wire_protocol(protocol),
        model,
        text,
        language,
        flagged: record.flagged,
        flags,
        scores,
        tokens,
        request_id,
        review: wire_review(record.review),
        feedback: record.feedback,
    }
}

pub(super) fn summary(summary: stored::Summary) -> wire::RecordSummary {
    wire::RecordSummary {
        records: summary.records,
        flagged: summary.flagged,
        flagged_open: summary.flagged_open,
        approved: summary.approved,
        rejected: summary.rejected,
        relabelled: summary.relabelled,
        flags: summary.flags,
    }
}

pub(super) fn feedback(stored: stored::StoredFeedback) -> wire::Feedback {
    let feedback = stored.feedback;
    wire::Feedback {
        id: stored.id.to_string(),
        created_at: stored.created_at,
        tenant: feedback.tenant,
        source: match feedback.source {
            stored::Source::Suggestscore => wire::FeedbackSource::Suggestscore,
            stored::Source::Review => wire::FeedbackSource::Review,
            stored::Source::Api => wire::FeedbackSource::Api,
        },
        record_id: feedback.record_id.map(|id| id.to_string()),
        text: feedback.text.unwrap_or_default(),
        suggested: feedback.suggested,
        decision: feedback.decision.map(wire_decision),
        comment: feedback.comment,
        model: feedback.model.map(|model| wire::ModelVerdict {
            identity: model.identity,
            scores: model.scores,
            flags: model.flags,
        }),
    }
}
