-- By which keys, approvals, jobs, ends and holders of roles are found, however many others there are.
CREATE INDEX repeatable_calls_call ON repeatable_calls (call_id);
CREATE INDEX repeatable_calls_old ON repeatable_calls (created_at);
CREATE INDEX burnt_consents_old ON burnt_consents (expires_at);
CREATE INDEX approvals_call ON approvals (call, principal);
CREATE INDEX approvals_old ON approvals (expires_at);
CREATE INDEX jobs_listed ON jobs (created_at, id);
CREATE INDEX jobs_principal ON jobs (principal, created_at, id);
CREATE INDEX jobs_in_status ON jobs (status, created_at, id);
CREATE INDEX jobs_ended ON jobs (ended_at);
DROP INDEX jobs_status;
CREATE INDEX job_rows_in_state ON job_rows (job_id, state, idx);
DROP INDEX job_rows_state;
CREATE INDEX job_rows_named ON job_rows (job_id, name);
CREATE INDEX job_rows_call ON job_rows (call_id);
CREATE INDEX ends_listed ON ends (ends_at, call_id) WHERE state IN ('waiting', 'taking', 'failed', 'left');
CREATE INDEX ends_open_of_principal ON ends (principal, ends_at, call_id) WHERE state IN ('waiting', 'taking', 'failed', 'left');
CREATE INDEX ends_of_principal ON ends (principal, ends_at, call_id);
CREATE INDEX users_named ON users (name_key);
-- Those who hold one role in a project, of whom there may be few among many; and the invitations that come with projects.
CREATE INDEX role_assignments_holding ON role_assignments (project_id, role_id, user_id);
CREATE INDEX invitations_with_projects ON invitations (organization_id, status, email) WHERE projects <> '[]';
CREATE INDEX applied_calls_old ON applied_calls (at);
