-- A row may find what it asks for in place in another way, such as somebody with another role: `differs`. What a row may say stands in
-- a check, and no statement changes one in both databases, so the table is made anew.
CREATE TABLE job_rows_new (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    idx BIGINT NOT NULL,
    name TEXT NOT NULL,
    connection TEXT NOT NULL,
    tool TEXT NOT NULL,
    arguments TEXT NOT NULL,
    told TEXT,
    target TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'done', 'skipped', 'differs', 'failed', 'unknown', 'refused', 'cancelled')),
    call_id TEXT,
    reason TEXT,
    receipt TEXT,
    inverse TEXT,
    PRIMARY KEY (job_id, idx)
);
INSERT INTO job_rows_new (job_id, idx, name, connection, tool, arguments, told, target, state, call_id, reason, receipt, inverse)
SELECT job_id, idx, name, connection, tool, arguments, told, target, state, call_id, reason, receipt, inverse FROM job_rows;
DROP TABLE job_rows;
ALTER TABLE job_rows_new RENAME TO job_rows;
CREATE INDEX job_rows_state ON job_rows (job_id, state);
