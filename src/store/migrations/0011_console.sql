-- Where an approval is answered: `anywhere`, or only in the `console` or at a `terminal`; and why it was turned down.
ALTER TABLE approvals ADD COLUMN answered_in TEXT NOT NULL DEFAULT 'anywhere';
ALTER TABLE approvals ADD COLUMN reason TEXT;
CREATE INDEX approvals_open ON approvals (status, expires_at);

-- The consoles that are open on this store; each says from time to time that it still is, by the store's time.
CREATE TABLE consoles (
    id TEXT PRIMARY KEY,
    address TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- Codes for signing in to a console, each good once: their digests, and for whom they were made.
CREATE TABLE sign_in_codes (
    digest TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
