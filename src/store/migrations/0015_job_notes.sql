-- What was said with a job's question besides what its rows do, such as what stays behind: a JSON array of sentences.
ALTER TABLE jobs ADD COLUMN notes TEXT;
