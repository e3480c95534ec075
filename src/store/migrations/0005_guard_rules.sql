-- The ledger's rows are numbered from 1, every one of them. What stood beside the chain until now is kept, where a check of the ledger
-- finds it.
CREATE TABLE ledger_strays (
    seq BIGINT,
    at BIGINT,
    call_id TEXT,
    entry TEXT,
    body TEXT,
    prev TEXT,
    hash TEXT
);
INSERT INTO ledger_strays (seq, at, call_id, entry, body, prev, hash)
SELECT seq, at, call_id, entry, body, prev, hash
FROM ledger
WHERE seq IS NULL OR NOT (seq > 0 AND seq = CAST(seq AS BIGINT));

CREATE TABLE numbered_ledger (
    seq BIGINT NOT NULL PRIMARY KEY CHECK (seq > 0 AND seq = CAST(seq AS BIGINT)),
    at BIGINT NOT NULL,
    call_id TEXT NOT NULL,
    entry TEXT NOT NULL,
    body TEXT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO numbered_ledger (seq, at, call_id, entry, body, prev, hash)
SELECT seq, at, call_id, entry, body, prev, hash
FROM ledger
WHERE seq > 0 AND seq = CAST(seq AS BIGINT)
ORDER BY seq;
DROP TABLE ledger;
ALTER TABLE numbered_ledger RENAME TO ledger;
CREATE INDEX ledger_call ON ledger (call_id);
CREATE INDEX ledger_at ON ledger (at);

-- The call that an approval is for, whatever was told about it, and when it was used, by the store's time; 0 for never.
ALTER TABLE approvals ADD COLUMN call TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX approvals_waiting ON approvals (principal, status, expires_at);
