-- The last review of each scope that somebody wanted kept: what it found, as JSON.
CREATE TABLE reviews (
    scope TEXT PRIMARY KEY,
    kept_at BIGINT NOT NULL,
    found TEXT NOT NULL
);
