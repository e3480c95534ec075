-- In which history of the database an approval was asked for: where a standby has taken over since, it may have lost that the approval
-- was used.
ALTER TABLE approvals ADD COLUMN timeline TEXT NOT NULL DEFAULT '';
