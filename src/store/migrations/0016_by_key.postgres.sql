-- Who leaves a place is found by their key there. The planner knew no better than to look through everybody in the place, since it takes a
-- place for smaller than some are; what is left of a statement behind OFFSET 0 is planned by itself.

CREATE OR REPLACE FUNCTION organization_members_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM people_in x USING (SELECT r.organization_id, u.email FROM gone r JOIN users u ON u.id = r.user_id OFFSET 0) g
        WHERE x.place_id = g.organization_id AND x.email = g.email;
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

CREATE OR REPLACE FUNCTION team_members_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM people_in x USING (SELECT r.team_id, u.email FROM gone r JOIN users u ON u.id = r.user_id OFFSET 0) g
        WHERE x.place_id = g.team_id AND x.email = g.email;
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

CREATE OR REPLACE FUNCTION project_members_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM people_in x USING (SELECT r.project_id, u.email FROM gone r JOIN users u ON u.id = r.user_id OFFSET 0) g
        WHERE x.place_id = g.project_id AND x.email = g.email;
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.project_id, 'members', pg_backend_pid() % 16, -COUNT(*) FROM gone r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO people_in (place_id, email, user_id, role_id) SELECT r.project_id, u.email, u.id, '' FROM fresh r JOIN users u ON u.id = r.user_id;
        INSERT INTO counters (owner_id, what, shard, n) SELECT r.project_id, 'members', pg_backend_pid() % 16, COUNT(*) FROM fresh r GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (owner_id, what, shard) DO UPDATE SET n = counters.n + excluded.n;
    END IF;
    RETURN NULL;
END $$;
