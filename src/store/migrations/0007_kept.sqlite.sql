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
SELECT h.organization_id, substr(u.email, instr(u.email, '@') + 1), h.role_id, 0, COUNT(*) FROM (
    SELECT user_id, role_id, organization_id FROM organization_members
    UNION ALL SELECT m.user_id, m.role_id, t.organization_id FROM team_members m JOIN teams t ON t.id = m.team_id
    UNION ALL SELECT user_id, role_id, organization_id FROM role_assignments WHERE user_id IS NOT NULL
    UNION ALL SELECT m.user_id, a.role_id, a.organization_id FROM role_assignments a JOIN team_members m ON m.team_id = a.team_id
) h JOIN users u ON u.id = h.user_id GROUP BY h.organization_id, substr(u.email, instr(u.email, '@') + 1), h.role_id;

CREATE TRIGGER organization_members_in AFTER INSERT ON organization_members BEGIN
    INSERT INTO people_in (place_id, email, user_id, role_id) SELECT NEW.organization_id, u.email, u.id, NEW.role_id FROM users u WHERE u.id = NEW.user_id;
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.organization_id, 'members', 0, 1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT NEW.organization_id, substr(u.email, instr(u.email, '@') + 1), NEW.role_id, 0, COUNT(*) FROM users u WHERE u.id = NEW.user_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER organization_members_out AFTER DELETE ON organization_members BEGIN
    DELETE FROM people_in WHERE place_id = OLD.organization_id AND email = (SELECT email FROM users WHERE id = OLD.user_id);
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.organization_id, 'members', 0, -1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT OLD.organization_id, substr(u.email, instr(u.email, '@') + 1), OLD.role_id, 0, -COUNT(*) FROM users u WHERE u.id = OLD.user_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER organization_members_changed AFTER UPDATE OF role_id ON organization_members BEGIN
    DELETE FROM people_in WHERE place_id = OLD.organization_id AND email = (SELECT email FROM users WHERE id = OLD.user_id);
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.organization_id, 'members', 0, -1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT OLD.organization_id, substr(u.email, instr(u.email, '@') + 1), OLD.role_id, 0, -COUNT(*) FROM users u WHERE u.id = OLD.user_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO people_in (place_id, email, user_id, role_id) SELECT NEW.organization_id, u.email, u.id, NEW.role_id FROM users u WHERE u.id = NEW.user_id;
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.organization_id, 'members', 0, 1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT NEW.organization_id, substr(u.email, instr(u.email, '@') + 1), NEW.role_id, 0, COUNT(*) FROM users u WHERE u.id = NEW.user_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER team_members_in AFTER INSERT ON team_members BEGIN
    INSERT INTO people_in (place_id, email, user_id, role_id) SELECT NEW.team_id, u.email, u.id, NEW.role_id FROM users u WHERE u.id = NEW.user_id;
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.team_id, 'members', 0, 1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT t.organization_id, substr(u.email, instr(u.email, '@') + 1), NEW.role_id, 0, COUNT(*) FROM users u, teams t WHERE u.id = NEW.user_id AND t.id = NEW.team_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT a.organization_id, substr(u.email, instr(u.email, '@') + 1), a.role_id, 0, COUNT(*) FROM users u, role_assignments a WHERE u.id = NEW.user_id AND a.team_id = NEW.team_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER team_members_out AFTER DELETE ON team_members BEGIN
    DELETE FROM people_in WHERE place_id = OLD.team_id AND email = (SELECT email FROM users WHERE id = OLD.user_id);
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.team_id, 'members', 0, -1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT t.organization_id, substr(u.email, instr(u.email, '@') + 1), OLD.role_id, 0, -COUNT(*) FROM users u, teams t WHERE u.id = OLD.user_id AND t.id = OLD.team_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT a.organization_id, substr(u.email, instr(u.email, '@') + 1), a.role_id, 0, -COUNT(*) FROM users u, role_assignments a WHERE u.id = OLD.user_id AND a.team_id = OLD.team_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER team_members_changed AFTER UPDATE OF role_id ON team_members BEGIN
    DELETE FROM people_in WHERE place_id = OLD.team_id AND email = (SELECT email FROM users WHERE id = OLD.user_id);
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.team_id, 'members', 0, -1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT t.organization_id, substr(u.email, instr(u.email, '@') + 1), OLD.role_id, 0, -COUNT(*) FROM users u, teams t WHERE u.id = OLD.user_id AND t.id = OLD.team_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT a.organization_id, substr(u.email, instr(u.email, '@') + 1), a.role_id, 0, -COUNT(*) FROM users u, role_assignments a WHERE u.id = OLD.user_id AND a.team_id = OLD.team_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO people_in (place_id, email, user_id, role_id) SELECT NEW.team_id, u.email, u.id, NEW.role_id FROM users u WHERE u.id = NEW.user_id;
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.team_id, 'members', 0, 1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT t.organization_id, substr(u.email, instr(u.email, '@') + 1), NEW.role_id, 0, COUNT(*) FROM users u, teams t WHERE u.id = NEW.user_id AND t.id = NEW.team_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT a.organization_id, substr(u.email, instr(u.email, '@') + 1), a.role_id, 0, COUNT(*) FROM users u, role_assignments a WHERE u.id = NEW.user_id AND a.team_id = NEW.team_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER project_members_in AFTER INSERT ON project_members BEGIN
    INSERT INTO people_in (place_id, email, user_id, role_id) SELECT NEW.project_id, u.email, u.id, '' FROM users u WHERE u.id = NEW.user_id;
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.project_id, 'members', 0, 1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER project_members_out AFTER DELETE ON project_members BEGIN
    DELETE FROM people_in WHERE place_id = OLD.project_id AND email = (SELECT email FROM users WHERE id = OLD.user_id);
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.project_id, 'members', 0, -1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER role_assignments_in AFTER INSERT ON role_assignments BEGIN
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT NEW.organization_id, substr(u.email, instr(u.email, '@') + 1), NEW.role_id, 0, COUNT(*) FROM users u WHERE u.id = NEW.user_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT NEW.organization_id, substr(x.email, instr(x.email, '@') + 1), NEW.role_id, 0, COUNT(*) FROM people_in x WHERE x.place_id = NEW.team_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER role_assignments_out AFTER DELETE ON role_assignments BEGIN
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT OLD.organization_id, substr(u.email, instr(u.email, '@') + 1), OLD.role_id, 0, -COUNT(*) FROM users u WHERE u.id = OLD.user_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO domain_roles (organization_id, domain, role_id, shard, n) SELECT OLD.organization_id, substr(x.email, instr(x.email, '@') + 1), OLD.role_id, 0, -COUNT(*) FROM people_in x WHERE x.place_id = OLD.team_id GROUP BY 1, 2, 3 ON CONFLICT (organization_id, domain, role_id, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER teams_in AFTER INSERT ON teams BEGIN
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.organization_id, 'teams', 0, 1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER teams_out AFTER DELETE ON teams BEGIN
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.organization_id, 'teams', 0, -1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    DELETE FROM counters WHERE owner_id = OLD.id;
END;

CREATE TRIGGER projects_in AFTER INSERT ON projects BEGIN
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.organization_id, CASE WHEN NEW.status = 'active' THEN 'projects' ELSE 'archived' END, 0, 1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER projects_out AFTER DELETE ON projects BEGIN
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.organization_id, CASE WHEN OLD.status = 'active' THEN 'projects' ELSE 'archived' END, 0, -1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    DELETE FROM counters WHERE owner_id = OLD.id;
END;

CREATE TRIGGER projects_changed AFTER UPDATE OF status ON projects BEGIN
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.organization_id, CASE WHEN OLD.status = 'active' THEN 'projects' ELSE 'archived' END, 0, -1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.organization_id, CASE WHEN NEW.status = 'active' THEN 'projects' ELSE 'archived' END, 0, 1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER api_keys_in AFTER INSERT ON api_keys BEGIN
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.project_id, 'keys', 0, 1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.service_account_id, 'keys', 0, 1 WHERE NEW.service_account_id IS NOT NULL ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO counters (owner_id, what, shard, n) SELECT p.organization_id, 'keys', 0, 1 FROM projects p WHERE p.id = NEW.project_id AND NEW.status = 'active' ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER api_keys_out AFTER DELETE ON api_keys BEGIN
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.project_id, 'keys', 0, -1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.service_account_id, 'keys', 0, -1 WHERE OLD.service_account_id IS NOT NULL ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO counters (owner_id, what, shard, n) SELECT p.organization_id, 'keys', 0, -1 FROM projects p WHERE p.id = OLD.project_id AND OLD.status = 'active' ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER api_keys_changed AFTER UPDATE OF status, service_account_id ON api_keys BEGIN
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.project_id, 'keys', 0, -1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO counters (owner_id, what, shard, n) SELECT OLD.service_account_id, 'keys', 0, -1 WHERE OLD.service_account_id IS NOT NULL ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO counters (owner_id, what, shard, n) SELECT p.organization_id, 'keys', 0, -1 FROM projects p WHERE p.id = OLD.project_id AND OLD.status = 'active' ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.project_id, 'keys', 0, 1 WHERE TRUE ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO counters (owner_id, what, shard, n) SELECT NEW.service_account_id, 'keys', 0, 1 WHERE NEW.service_account_id IS NOT NULL ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
    INSERT INTO counters (owner_id, what, shard, n) SELECT p.organization_id, 'keys', 0, 1 FROM projects p WHERE p.id = NEW.project_id AND NEW.status = 'active' ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER service_accounts_out AFTER DELETE ON service_accounts BEGIN
    DELETE FROM counters WHERE owner_id = OLD.id;
END;

CREATE TRIGGER organizations_out AFTER DELETE ON organizations BEGIN
    DELETE FROM counters WHERE owner_id = OLD.id;
    DELETE FROM domain_roles WHERE organization_id = OLD.id;
END;
