-- Work of many calls: a job, and a row for each call of it.

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    -- The job's own entry in the ledger: what was asked, and how consent came.
    call_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    -- The connection of all rows, or the server's own name where each row has its own.
    connection TEXT NOT NULL,
    principal TEXT NOT NULL,
    client TEXT NOT NULL,
    target TEXT NOT NULL,
    -- Whether the rows are made one after the other, and whether the first failure ends it.
    in_order BOOLEAN NOT NULL,
    stop_on_failure BOOLEAN NOT NULL,
    total BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'done', 'stopped', 'cancelled')),
    cancel BOOLEAN NOT NULL,
    -- Who works on it, and until when nobody else may. Each new worker raises the fence; one with a lower fence writes nothing.
    lease_owner TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX jobs_call ON jobs (call_id);
CREATE INDEX jobs_status ON jobs (status);

CREATE TABLE job_rows (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    idx BIGINT NOT NULL,
    -- The name that the caller gave it, or the line of the caller's file.
    name TEXT NOT NULL,
    connection TEXT NOT NULL,
    tool TEXT NOT NULL,
    arguments TEXT NOT NULL,
    -- What a person was told about it; absent where it could not be told before.
    told TEXT,
    target TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'done', 'skipped', 'failed', 'unknown', 'refused', 'cancelled')),
    -- Its own entry in the ledger.
    call_id TEXT,
    reason TEXT,
    receipt TEXT,
    inverse TEXT,
    PRIMARY KEY (job_id, idx)
);
CREATE INDEX job_rows_state ON job_rows (job_id, state);
