-- Fills the tables by which calls are found, and keeps them true. See 0011.

-- The body of a row; nothing where it is no JSON.
CREATE FUNCTION ledger_json(body TEXT) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN body::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

-- What a target and arguments name.
CREATE FUNCTION ledger_words(body jsonb) RETURNS SETOF TEXT LANGUAGE sql IMMUTABLE AS $$
    SELECT DISTINCT lower(v #>> '{}') FROM (
        SELECT jsonb_path_query(body, 'lax $.target.**') AS v UNION ALL SELECT jsonb_path_query(body, 'lax $.arguments.**')
    ) named WHERE jsonb_typeof(v) = 'string' AND length(v #>> '{}') BETWEEN 1 AND 200
$$;

INSERT INTO calls (seq, call_id, at, latest, tool, principal, outcome)
SELECT l.seq, l.call_id, l.at, MAX(l.at) OVER (ORDER BY l.seq), COALESCE(ledger_json(l.body) ->> 'tool', ''), COALESCE(ledger_json(l.body) ->> 'principal', ''),
    COALESCE(
        CASE WHEN l.entry = 'refusal' THEN ledger_json(l.body) ->> 'outcome' END,
        (SELECT ledger_json(o.body) ->> 'outcome' FROM ledger o
         WHERE l.entry = 'intent' AND o.call_id = l.call_id AND o.entry = 'outcome' ORDER BY o.seq DESC LIMIT 1),
        'outcome_unknown')
FROM ledger l WHERE l.entry IN ('intent', 'refusal');

INSERT INTO call_words (word, seq)
SELECT w, l.seq FROM ledger l, ledger_words(ledger_json(l.body)) w WHERE l.entry IN ('intent', 'refusal');

CREATE FUNCTION ledger_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM calls WHERE seq IN (SELECT seq FROM gone);
        RETURN NULL;
    END IF;
    INSERT INTO calls (seq, call_id, at, latest, tool, principal, outcome)
    SELECT r.seq, r.call_id, r.at,
        GREATEST(MAX(r.at) OVER (ORDER BY r.seq), COALESCE((SELECT latest FROM calls ORDER BY seq DESC LIMIT 1), r.at)),
        COALESCE(ledger_json(r.body) ->> 'tool', ''), COALESCE(ledger_json(r.body) ->> 'principal', ''),
        COALESCE(CASE WHEN r.entry = 'refusal' THEN ledger_json(r.body) ->> 'outcome' END, 'outcome_unknown')
    FROM fresh r WHERE r.entry IN ('intent', 'refusal');
    INSERT INTO call_words (word, seq)
    SELECT w, r.seq FROM fresh r, ledger_words(ledger_json(r.body)) w WHERE r.entry IN ('intent', 'refusal');
    UPDATE calls c SET outcome = COALESCE(ledger_json(r.body) ->> 'outcome', 'outcome_unknown')
    FROM (SELECT DISTINCT ON (call_id) call_id, body FROM fresh WHERE entry = 'outcome' ORDER BY call_id, seq DESC) r
    WHERE c.call_id = r.call_id;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_in AFTER INSERT ON ledger REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger_kept();

CREATE TRIGGER ledger_out AFTER DELETE ON ledger REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ledger_kept();
