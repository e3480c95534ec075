-- What lists and previews are read from, so that they cost the same however much there is. The tables below are derived: the next
-- migration fills them, and triggers keep them true whoever writes.

-- Everybody in an organization, a team or a project (place_id), in the order in which they are listed.
CREATE TABLE people_in (
    place_id TEXT NOT NULL,
    email TEXT NOT NULL,
    user_id TEXT NOT NULL,
    -- The role in an organization or a team; '' in a project, where there may be several.
    role_id TEXT NOT NULL,
    PRIMARY KEY (place_id, email)
);
CREATE INDEX people_in_role ON people_in (place_id, role_id, email);

-- How many of something there are. Writers at the same time write to different shards; their sum counts.
CREATE TABLE counters (
    owner_id TEXT NOT NULL,
    what TEXT NOT NULL,
    shard BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (owner_id, what, shard)
);

-- How many people of a mail domain hold a role in an organization, in whichever way; shards as above.
CREATE TABLE domain_roles (
    organization_id TEXT NOT NULL,
    domain TEXT NOT NULL,
    role_id TEXT NOT NULL,
    shard BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (organization_id, domain, role_id, shard)
);
CREATE INDEX domain_roles_domain ON domain_roles (domain, role_id);

CREATE INDEX projects_listed ON projects (slug, id);
CREATE INDEX projects_active ON projects (status, slug, id);
CREATE INDEX projects_of_organization ON projects (organization_id, status, slug, id);
CREATE INDEX projects_named ON projects (name_key);
CREATE INDEX projects_team ON projects (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX teams_listed ON teams (slug, id);
CREATE INDEX teams_named ON teams (name_key);
CREATE INDEX roles_listed ON roles (level, name_key, id) WHERE project_id IS NULL;
CREATE INDEX roles_named ON roles (level, name_key, id);
CREATE INDEX roles_built_in ON roles (level, name_key, id) WHERE built_in;
CREATE INDEX organization_members_role ON organization_members (role_id, organization_id);
CREATE INDEX team_members_role ON team_members (role_id, team_id);
DROP INDEX role_assignments_by_project;
CREATE INDEX role_assignments_in_project ON role_assignments (project_id, user_id);
CREATE INDEX role_assignments_in_project_team ON role_assignments (project_id, team_id);
CREATE INDEX role_assignments_of_user ON role_assignments (user_id, project_id, organization_id);
CREATE INDEX role_assignments_of_team ON role_assignments (team_id, project_id, organization_id);
CREATE INDEX role_assignments_of_organization ON role_assignments (organization_id, role_id);
CREATE INDEX service_accounts_role ON service_accounts (role_id);
CREATE INDEX api_keys_account ON api_keys (service_account_id);
CREATE INDEX api_keys_user ON api_keys (user_id, project_id);
CREATE INDEX api_keys_ending ON api_keys (expires_at) WHERE status = 'active' AND expires_at IS NOT NULL;
CREATE INDEX invitations_listed ON invitations (organization_id, email, id);
CREATE INDEX invitations_status ON invitations (organization_id, status, email, id);
CREATE INDEX invitations_email ON invitations (email);
CREATE INDEX invitations_role ON invitations (role_id);
CREATE INDEX resources_listed ON resources (project_id, resource_type, resource_id);
CREATE INDEX usage_limits_listed ON usage_limits (organization_id, project_id, active, created_at);
CREATE INDEX usage_limits_project ON usage_limits (project_id);
CREATE INDEX certificate_activations_project ON certificate_activations (project_id);
