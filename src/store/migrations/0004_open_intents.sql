-- Intents that no outcome was written for yet: what is under way, or was when its process died.
CREATE TABLE open_intents (
    call_id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    -- When somebody last tried to find out what became of it; 0 for never.
    looked_at BIGINT NOT NULL
);
CREATE INDEX open_intents_looked ON open_intents (looked_at, at);

INSERT INTO open_intents (call_id, at, looked_at)
SELECT i.call_id, MIN(i.at), 0
FROM ledger i
WHERE i.entry = 'intent' AND NOT EXISTS (SELECT 1 FROM ledger o WHERE o.call_id = i.call_id AND o.entry = 'outcome')
GROUP BY i.call_id;

CREATE INDEX ledger_at ON ledger (at);
