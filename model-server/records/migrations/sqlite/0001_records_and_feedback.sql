-- One row per verdict. The id is a UUID of version 7, so its order is the order of time; `created_at` repeats its time, in
-- milliseconds since 1970, for people who read the table.
CREATE TABLE records (
    id blob NOT NULL PRIMARY KEY,
    created_at integer NOT NULL,
    tenant text,
    protocol text NOT NULL,
    model_name text NOT NULL,
    model_revision text NOT NULL,
    text text NOT NULL,
    -- The first 8 bytes of the text's SHA-256: finds equal texts by a small index.
    text_key integer NOT NULL,
    language text,
    -- Score by label.
    scores text NOT NULL,
    flagged integer NOT NULL,
    -- The flagged labels, strongest first.
    flags text NOT NULL,
    tokens integer NOT NULL,
    request_id text
) STRICT;

CREATE INDEX records_flagged ON records (id) WHERE flagged;
CREATE INDEX records_by_tenant ON records (tenant, id) WHERE tenant IS NOT NULL;
CREATE INDEX records_by_text ON records (text_key, id);

-- One row per judgement of a person. It holds the text and what the model said of it, so that it outlives its record.
CREATE TABLE feedback (
    id blob NOT NULL PRIMARY KEY,
    created_at integer NOT NULL,
    tenant text,
    source text NOT NULL,
    record_id blob,
    text text NOT NULL,
    language text,
    -- Score by label, as the person wants it.
    suggested text NOT NULL,
    decision text,
    comment text,
    client_token text,
    community_id text,
    session_id text,
    model_name text,
    model_revision text,
    -- Score by label, as the model gave it; with it go `model_name`, `model_revision` and `flags`.
    scores text,
    flags text
) STRICT;

CREATE INDEX feedback_by_record ON feedback (record_id, id) WHERE record_id IS NOT NULL;
CREATE INDEX feedback_by_tenant ON feedback (tenant, id) WHERE tenant IS NOT NULL;

-- The newest decision on each record that has one.
CREATE VIEW decisions AS
SELECT feedback.record_id, feedback.decision
FROM feedback
WHERE feedback.record_id IS NOT NULL
    AND feedback.decision IS NOT NULL
    AND NOT EXISTS (
        SELECT 1
        FROM feedback AS later
        WHERE later.record_id = feedback.record_id AND later.decision IS NOT NULL AND later.id > feedback.id
    );
