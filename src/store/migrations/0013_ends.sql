-- Access that ends at a time. What was given, and how it is taken away, stands in the ledger under the call; this is where it is found,
-- and what became of it.
CREATE TABLE ends (
    -- The call that gave it.
    call_id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    -- What the call was about, by name, in lower case.
    named TEXT NOT NULL,
    ends_at BIGINT NOT NULL,
    -- `waiting` also before it is known whether it was given; `failed` is tried again.
    state TEXT NOT NULL CHECK (state IN ('waiting', 'taking', 'failed', 'ended', 'left', 'cancelled')),
    reason TEXT,
    -- The job that takes it away.
    job TEXT,
    tries BIGINT NOT NULL,
    -- When it is looked at next.
    look_at BIGINT NOT NULL
);
CREATE INDEX ends_state ON ends (state, look_at);
CREATE INDEX ends_time ON ends (ends_at, call_id);
CREATE INDEX ends_named ON ends (connection, named);
