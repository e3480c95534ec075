-- Fills the derived tables, and keeps them true. Triggers are the one thing that the two databases write differently.

INSERT INTO people_in (place_id, email, user_id, role_id)
SELECT m.organization_id, u.email, u.id, m.role_id FROM organization_members m JOIN users u ON u.id = m.user_id;
INSERT INTO people_in (place_id, email, user_id, role_id)
SELECT m.team_id, u.email, u.id, m.role_id FROM team_members m JOIN users u ON u.id = m.user_id;
INSERT INTO people_in (place_id, email, user_id, role_id)
SELECT m.project_id, u.email, u.id, '' FROM project_members m JOIN users u ON u.id = m.user_id;

INSERT INTO counters (owner_id, what, shard, n) SELECT organization_id, 'members', 0, COUNT(*) FROM organization_members GROUP BY organization_id;
INSERT INTO counters (owner_id, what, shard, n) SELECT team_id, 'members', 0, COUNT(*) FROM team_members GROUP BY team_id;
INSERT INTO counters (owner_id, what, shard, n) SELECT project_id, 'members', 0, COUNT(*) FROM project_members GROUP BY project_id;
INSERT INTO counters (owner_id, what, shard, n) SELECT organization_id, 'teams', 0, COUNT(*) FROM teams GROUP BY organization_id;
INSERT INTO counters (owner_id, what, shard, n)
SELECT organization_id, CASE WHEN status = 'active' THEN 'projects' ELSE 'archived' END, 0, COUNT(*) FROM projects GROUP BY organization_id, status;
INSERT INTO counters (owner_id, what, shard, n) SELECT project_id, 'keys', 0, COUNT(*) FROM api_keys GROUP BY project_id;
INSERT INTO counters (owner_id, what, shard, n)
SELECT service_account_id, 'keys', 0, COUNT(*) FROM api_keys WHERE service_account_id IS NOT NULL GROUP BY service_account_id;
INSERT INTO counters (owner_id, what, shard, n)
SELECT p.organization_id, 'keys', 0, COUNT(*) FROM api_keys k JOIN projects p ON p.id = k.project_id WHERE k.status = 'active' GROUP BY p.organization_id;

INSERT INTO domain_roles (organization_id, domain, role_id, shard, n)
SELECT h.organization_id, split_part(u.email, '@', 2), h.role_id, 0, COUNT(*) FROM (
    SELECT user_id, role_id, organization_id FROM organization_members
    UNION ALL SELECT m.user_id, m.role_id, t.organization_id FROM team_members m JOIN teams t ON t.id = m.team_id
    UNION ALL SELECT user_id, role_id, organization_id FROM role_assignments WHERE user_id IS NOT NULL
    UNION ALL SELECT m.user_id, a.role_id, a.organization_id FROM role_assignments a JOIN team_members m ON m.team_id = a.team_id
) h JOIN users u ON u.id = h.user_id GROUP BY h.organization_id, split_part(u.email, '@', 2), h.role_id;

CREATE FUNCTION organization_members_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM people_in x USING gone r, users u WHERE u.id = r.user_id AND x.place_id = r.organization_id AND x.email = u.email;
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.organization_id, 'members', pg_backend_pid() % 16, -COUNT(*) FROM gone r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
        INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT r.organization_id, split_part(u.email, '@', 2), r.role_id, pg_backend_pid() % 16, -COUNT(*) FROM gone r JOIN users u ON u.id = r.user_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = domain_roles.n + excluded.n;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO people_in (place_id, email, user_id, role_id) SELECT r.organization_id, u.email, u.id, r.role_id FROM fresh r JOIN users u ON u.id = r.user_id;
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.organization_id, 'members', pg_backend_pid() % 16, COUNT(*) FROM fresh r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
        INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT r.organization_id, split_part(u.email, '@', 2), r.role_id, pg_backend_pid() % 16, COUNT(*) FROM fresh r JOIN users u ON u.id = r.user_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = domain_roles.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER organization_members_in AFTER INSERT ON organization_members REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION organization_members_kept();

CREATE TRIGGER organization_members_out AFTER DELETE ON organization_members REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION organization_members_kept();

CREATE TRIGGER organization_members_changed AFTER UPDATE ON organization_members REFERENCING OLD TABLE AS gone NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION organization_members_kept();

CREATE FUNCTION team_members_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM people_in x USING gone r, users u WHERE u.id = r.user_id AND x.place_id = r.team_id AND x.email = u.email;
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.team_id, 'members', pg_backend_pid() % 16, -COUNT(*) FROM gone r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
        INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT t.organization_id, split_part(u.email, '@', 2), r.role_id, pg_backend_pid() % 16, -COUNT(*) FROM gone r JOIN users u ON u.id = r.user_id JOIN teams t ON t.id = r.team_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = domain_roles.n + excluded.n;
        INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT a.organization_id, split_part(u.email, '@', 2), a.role_id, pg_backend_pid() % 16, -COUNT(*) FROM gone r JOIN users u ON u.id = r.user_id JOIN role_assignments a ON a.team_id = r.team_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = domain_roles.n + excluded.n;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO people_in (place_id, email, user_id, role_id) SELECT r.team_id, u.email, u.id, r.role_id FROM fresh r JOIN users u ON u.id = r.user_id;
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.team_id, 'members', pg_backend_pid() % 16, COUNT(*) FROM fresh r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
        INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT t.organization_id, split_part(u.email, '@', 2), r.role_id, pg_backend_pid() % 16, COUNT(*) FROM fresh r JOIN users u ON u.id = r.user_id JOIN teams t ON t.id = r.team_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = domain_roles.n + excluded.n;
        INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT a.organization_id, split_part(u.email, '@', 2), a.role_id, pg_backend_pid() % 16, COUNT(*) FROM fresh r JOIN users u ON u.id = r.user_id JOIN role_assignments a ON a.team_id = r.team_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = domain_roles.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER team_members_in AFTER INSERT ON team_members REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION team_members_kept();

CREATE TRIGGER team_members_out AFTER DELETE ON team_members REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION team_members_kept();

CREATE TRIGGER team_members_changed AFTER UPDATE ON team_members REFERENCING OLD TABLE AS gone NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION team_members_kept();

CREATE FUNCTION project_members_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM people_in x USING gone r, users u WHERE u.id = r.user_id AND x.place_id = r.project_id AND x.email = u.email;
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.project_id, 'members', pg_backend_pid() % 16, -COUNT(*) FROM gone r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO people_in (place_id, email, user_id, role_id) SELECT r.project_id, u.email, u.id, '' FROM fresh r JOIN users u ON u.id = r.user_id;
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.project_id, 'members', pg_backend_pid() % 16, COUNT(*) FROM fresh r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER project_members_in AFTER INSERT ON project_members REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION project_members_kept();

CREATE TRIGGER project_members_out AFTER DELETE ON project_members REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION project_members_kept();

CREATE FUNCTION role_assignments_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT r.organization_id, split_part(u.email, '@', 2), r.role_id, pg_backend_pid() % 16, -COUNT(*) FROM gone r JOIN users u ON u.id = r.user_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = domain_roles.n + excluded.n;
        INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT r.organization_id, split_part(x.email, '@', 2), r.role_id, pg_backend_pid() % 16, -COUNT(*) FROM gone r JOIN people_in x ON x.place_id = r.team_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = domain_roles.n + excluded.n;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT r.organization_id, split_part(u.email, '@', 2), r.role_id, pg_backend_pid() % 16, COUNT(*) FROM fresh r JOIN users u ON u.id = r.user_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = domain_roles.n + excluded.n;
        INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT r.organization_id, split_part(x.email, '@', 2), r.role_id, pg_backend_pid() % 16, COUNT(*) FROM fresh r JOIN people_in x ON x.place_id = r.team_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = domain_roles.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER role_assignments_in AFTER INSERT ON role_assignments REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION role_assignments_kept();

CREATE TRIGGER role_assignments_out AFTER DELETE ON role_assignments REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION role_assignments_kept();

CREATE FUNCTION teams_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.organization_id, 'teams', pg_backend_pid() % 16, -COUNT(*) FROM gone r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
    END IF;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM counters WHERE owner_id IN (SELECT id FROM gone);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.organization_id, 'teams', pg_backend_pid() % 16, COUNT(*) FROM fresh r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER teams_in AFTER INSERT ON teams REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION teams_kept();

CREATE TRIGGER teams_out AFTER DELETE ON teams REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION teams_kept();

CREATE FUNCTION projects_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.organization_id, CASE WHEN r.status = 'active' THEN 'projects' ELSE 'archived' END, pg_backend_pid() % 16, -COUNT(*) FROM gone r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
    END IF;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM counters WHERE owner_id IN (SELECT id FROM gone);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.organization_id, CASE WHEN r.status = 'active' THEN 'projects' ELSE 'archived' END, pg_backend_pid() % 16, COUNT(*) FROM fresh r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER projects_in AFTER INSERT ON projects REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION projects_kept();

CREATE TRIGGER projects_out AFTER DELETE ON projects REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION projects_kept();

CREATE TRIGGER projects_changed AFTER UPDATE ON projects REFERENCING OLD TABLE AS gone NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION projects_kept();

CREATE FUNCTION api_keys_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.project_id, 'keys', pg_backend_pid() % 16, -COUNT(*) FROM gone r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.service_account_id, 'keys', pg_backend_pid() % 16, -COUNT(*) FROM gone r WHERE r.service_account_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
        INSERT INTO counters (owner_id, what, shard, n) SELECT p.organization_id, 'keys', pg_backend_pid() % 16, -COUNT(*) FROM gone r JOIN projects p ON p.id = r.project_id WHERE r.status = 'active' GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.project_id, 'keys', pg_backend_pid() % 16, COUNT(*) FROM fresh r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.service_account_id, 'keys', pg_backend_pid() % 16, COUNT(*) FROM fresh r WHERE r.service_account_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
        INSERT INTO counters (owner_id, what, shard, n) SELECT p.organization_id, 'keys', pg_backend_pid() % 16, COUNT(*) FROM fresh r JOIN projects p ON p.id = r.project_id WHERE r.status = 'active' GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER api_keys_in AFTER INSERT ON api_keys REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION api_keys_kept();

CREATE TRIGGER api_keys_out AFTER DELETE ON api_keys REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION api_keys_kept();

CREATE TRIGGER api_keys_changed AFTER UPDATE ON api_keys REFERENCING OLD TABLE AS gone NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION api_keys_kept();

CREATE FUNCTION service_accounts_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM counters WHERE owner_id IN (SELECT id FROM gone);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER service_accounts_out AFTER DELETE ON service_accounts REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION service_accounts_kept();

CREATE FUNCTION organizations_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM counters WHERE owner_id IN (SELECT id FROM gone);
        DELETE FROM domain_roles WHERE organization_id IN (SELECT id FROM gone);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER organizations_out AFTER DELETE ON organizations REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION organizations_kept();
