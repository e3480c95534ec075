-- Fills the tables by which calls are found, and keeps them true. See 0011.

INSERT INTO calls (seq, call_id, at, latest, tool, principal, outcome)
SELECT l.seq, l.call_id, l.at, MAX(l.at) OVER (ORDER BY l.seq),
    CASE WHEN json_valid(l.body) THEN COALESCE(json_extract(l.body, '$.tool'), '') ELSE '' END,
    CASE WHEN json_valid(l.body) THEN COALESCE(json_extract(l.body, '$.principal'), '') ELSE '' END,
    COALESCE(
        CASE WHEN l.entry = 'refusal' AND json_valid(l.body) THEN json_extract(l.body, '$.outcome') END,
        (SELECT CASE WHEN json_valid(o.body) THEN json_extract(o.body, '$.outcome') END FROM ledger o
         WHERE l.entry = 'intent' AND o.call_id = l.call_id AND o.entry = 'outcome' ORDER BY o.seq DESC LIMIT 1),
        'outcome_unknown')
FROM ledger l WHERE l.entry IN ('intent', 'refusal');

INSERT INTO call_words (word, seq)
SELECT DISTINCT lower(v.value), l.seq FROM ledger l, json_tree(CASE WHEN json_valid(l.body) THEN l.body ELSE '{}' END) v
WHERE l.entry IN ('intent', 'refusal') AND v.type = 'text' AND length(v.value) BETWEEN 1 AND 200
AND (v.path || '.' LIKE '$.target.%' OR v.path || '.' LIKE '$.arguments.%' OR v.path LIKE '$.arguments[%');

CREATE TRIGGER ledger_call AFTER INSERT ON ledger WHEN NEW.entry IN ('intent', 'refusal') BEGIN
    INSERT INTO calls (seq, call_id, at, latest, tool, principal, outcome)
    SELECT NEW.seq, NEW.call_id, NEW.at, MAX(NEW.at, COALESCE((SELECT latest FROM calls ORDER BY seq DESC LIMIT 1), NEW.at)),
        CASE WHEN json_valid(NEW.body) THEN COALESCE(json_extract(NEW.body, '$.tool'), '') ELSE '' END,
        CASE WHEN json_valid(NEW.body) THEN COALESCE(json_extract(NEW.body, '$.principal'), '') ELSE '' END,
        COALESCE(CASE WHEN NEW.entry = 'refusal' AND json_valid(NEW.body) THEN json_extract(NEW.body, '$.outcome') END, 'outcome_unknown');
    INSERT INTO call_words (word, seq)
    SELECT DISTINCT lower(v.value), NEW.seq FROM json_tree(CASE WHEN json_valid(NEW.body) THEN NEW.body ELSE '{}' END) v
    WHERE v.type = 'text' AND length(v.value) BETWEEN 1 AND 200
    AND (v.path || '.' LIKE '$.target.%' OR v.path || '.' LIKE '$.arguments.%' OR v.path LIKE '$.arguments[%');
END;

CREATE TRIGGER ledger_outcome AFTER INSERT ON ledger WHEN NEW.entry = 'outcome' BEGIN
    UPDATE calls SET outcome = COALESCE(CASE WHEN json_valid(NEW.body) THEN json_extract(NEW.body, '$.outcome') END, 'outcome_unknown')
    WHERE call_id = NEW.call_id;
END;

CREATE TRIGGER ledger_gone AFTER DELETE ON ledger BEGIN
    DELETE FROM calls WHERE seq = OLD.seq;
END;
