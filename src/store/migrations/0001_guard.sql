-- What the guard remembers: the ledger, pending approvals, burnt consents, repeat-safe calls.
-- One text for SQLite and PostgreSQL: only TEXT, BIGINT, BOOLEAN and BYTEA; times are
-- milliseconds since 1970 in UTC; ids are made by the program.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Append-only; each row's hash covers the row and the hash before it.
CREATE TABLE ledger (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    call_id TEXT NOT NULL,
    entry TEXT NOT NULL,
    body TEXT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX ledger_call ON ledger (call_id);

CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    binding TEXT NOT NULL,
    principal TEXT NOT NULL,
    tool TEXT NOT NULL,
    connection TEXT NOT NULL,
    question TEXT NOT NULL,
    needed BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'refused', 'used')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX approvals_binding ON approvals (binding);

-- One row per person and approval: a second approval by the same person counts once.
CREATE TABLE approval_votes (
    approval_id TEXT NOT NULL REFERENCES approvals (id),
    person TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (approval_id, person)
);

-- A consent's number lands here before its change is sent; a second landing is a replay.
CREATE TABLE burnt_consents (
    nonce TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE TABLE repeatable_calls (
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    repeat_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    call_id TEXT NOT NULL,
    result TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (principal, connection, repeat_key)
);
