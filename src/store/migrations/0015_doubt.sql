-- Since when nobody can be sending a row that was being sent: the store's time at which its worker was gone. It is kept, so that workers
-- who are killed one after the other do not each begin to wait anew.
ALTER TABLE job_rows ADD COLUMN doubtful_since BIGINT;
