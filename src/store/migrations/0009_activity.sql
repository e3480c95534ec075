-- By which calls of the ledger are found, so that it costs the same however long the ledger is. The tables are derived from it: the
-- next migration fills them, and triggers keep them true. What a call was is read from the ledger alone.
CREATE TABLE calls (
    -- The row of the intent or the refusal.
    seq BIGINT PRIMARY KEY,
    call_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- The latest time so far: it never falls, whatever clocks do.
    latest BIGINT NOT NULL,
    tool TEXT NOT NULL,
    principal TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX calls_call ON calls (call_id);
CREATE INDEX calls_latest ON calls (latest, seq);
CREATE INDEX calls_tool ON calls (tool, seq);
CREATE INDEX calls_principal ON calls (principal, seq);
CREATE INDEX calls_outcome ON calls (outcome, seq);
CREATE INDEX calls_tool_outcome ON calls (tool, outcome, seq);

-- What the target and the arguments of a call name, in lower case.
CREATE TABLE call_words (
    word TEXT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (word, seq)
);
