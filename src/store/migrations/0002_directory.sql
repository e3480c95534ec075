-- The embedded directory. E-mails, slugs and keys of uniqueness (…_key) are stored folded to lower case.

CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    slug TEXT NOT NULL UNIQUE,
    description TEXT,
    website TEXT,
    runtime_policies TEXT,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    password_hash TEXT,
    created_at BIGINT NOT NULL
);

-- Built-in roles have no organization. A role of a project has both.
CREATE TABLE roles (
    id TEXT PRIMARY KEY,
    organization_id TEXT REFERENCES organizations (id),
    project_id TEXT,
    level TEXT NOT NULL CHECK (level IN ('organization', 'team', 'project')),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    description TEXT,
    permissions TEXT NOT NULL,
    built_in BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX roles_organization ON roles (organization_id, level, name_key) WHERE project_id IS NULL;
CREATE UNIQUE INDEX roles_project ON roles (project_id, name_key) WHERE project_id IS NOT NULL;

CREATE TABLE organization_members (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role_id TEXT NOT NULL REFERENCES roles (id),
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX organization_members_user ON organization_members (user_id);

CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    email TEXT NOT NULL,
    role_id TEXT NOT NULL REFERENCES roles (id),
    projects TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'accepted', 'cancelled')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX invitations_pending ON invitations (organization_id, email) WHERE status = 'pending';

CREATE TABLE teams (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    slug TEXT NOT NULL,
    description TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, name_key),
    UNIQUE (organization_id, slug)
);

CREATE TABLE team_members (
    team_id TEXT NOT NULL REFERENCES teams (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role_id TEXT NOT NULL REFERENCES roles (id),
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_user ON team_members (user_id);

-- team_id is the team that the project belongs to, if any.
CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    team_id TEXT REFERENCES teams (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    slug TEXT NOT NULL,
    description TEXT,
    residency TEXT,
    external_key_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'archived')),
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    UNIQUE (organization_id, name_key),
    UNIQUE (organization_id, slug)
);

CREATE TABLE project_members (
    project_id TEXT NOT NULL REFERENCES projects (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX project_members_user ON project_members (user_id);

CREATE TABLE project_teams (
    project_id TEXT NOT NULL REFERENCES projects (id),
    team_id TEXT NOT NULL REFERENCES teams (id),
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, team_id)
);
CREATE INDEX project_teams_team ON project_teams (team_id);

-- Roles held in a project (by its members and teams), and organization roles held beside the
-- one that organization_members names. Exactly one of user_id and team_id is set.
CREATE TABLE role_assignments (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    project_id TEXT REFERENCES projects (id),
    role_id TEXT NOT NULL REFERENCES roles (id),
    user_id TEXT REFERENCES users (id),
    team_id TEXT REFERENCES teams (id),
    created_at BIGINT NOT NULL,
    CHECK ((user_id IS NULL) <> (team_id IS NULL))
);
CREATE UNIQUE INDEX role_assignments_user ON role_assignments (role_id, user_id, organization_id)
    WHERE user_id IS NOT NULL AND project_id IS NULL;
CREATE UNIQUE INDEX role_assignments_team ON role_assignments (role_id, team_id, organization_id)
    WHERE team_id IS NOT NULL AND project_id IS NULL;
CREATE UNIQUE INDEX role_assignments_project_user ON role_assignments (role_id, user_id, project_id)
    WHERE user_id IS NOT NULL AND project_id IS NOT NULL;
CREATE UNIQUE INDEX role_assignments_project_team ON role_assignments (role_id, team_id, project_id)
    WHERE team_id IS NOT NULL AND project_id IS NOT NULL;
CREATE INDEX role_assignments_by_project ON role_assignments (project_id);

CREATE TABLE service_accounts (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    role_id TEXT NOT NULL REFERENCES roles (id),
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, name_key)
);

-- The value of a key is shown once, outside the model's reach; here is only its SHA-256.
-- A key belongs to a service account, to a person, or to nobody: an orphan.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    service_account_id TEXT REFERENCES service_accounts (id),
    user_id TEXT REFERENCES users (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    description TEXT,
    hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'blocked')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    UNIQUE (project_id, name_key)
);

CREATE TABLE rate_limits (
    project_id TEXT NOT NULL REFERENCES projects (id),
    model TEXT NOT NULL,
    max_requests_per_1_minute BIGINT,
    max_tokens_per_1_minute BIGINT,
    max_images_per_1_minute BIGINT,
    max_audio_megabytes_per_1_minute BIGINT,
    max_requests_per_1_day BIGINT,
    batch_1_day_max_input_tokens BIGINT,
    PRIMARY KEY (project_id, model)
);

-- Amounts are kept in millionths of the unit, so that both databases hold them exactly.
CREATE TABLE usage_limits (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    project_id TEXT REFERENCES projects (id),
    subscription_type TEXT NOT NULL,
    usage_unit TEXT NOT NULL,
    soft_limit BIGINT NOT NULL,
    hard_limit BIGINT NOT NULL,
    renewal TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK (soft_limit <= hard_limit)
);

CREATE TABLE certificates (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    pem TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    valid_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, fingerprint)
);

-- project_id '' is the organization itself.
CREATE TABLE certificate_activations (
    certificate_id TEXT NOT NULL REFERENCES certificates (id),
    project_id TEXT NOT NULL,
    activated_at BIGINT NOT NULL,
    PRIMARY KEY (certificate_id, project_id)
);

CREATE TABLE resources (
    project_id TEXT NOT NULL REFERENCES projects (id),
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    assigned_at BIGINT NOT NULL,
    PRIMARY KEY (resource_type, resource_id)
);
CREATE INDEX resources_project ON resources (project_id);

CREATE TABLE logos (
    owner_kind TEXT NOT NULL CHECK (owner_kind IN ('organization', 'team', 'project')),
    owner_id TEXT NOT NULL,
    media_type TEXT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    content BYTEA NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (owner_kind, owner_id)
);

-- A change of the directory and this row are one transaction: it tells, after a crash, whether
-- the change of a call took effect. A row with given_up is written instead when a call is taken for
-- dead, so that its change can no longer take effect.
CREATE TABLE applied_calls (
    call_id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    given_up BOOLEAN NOT NULL
);

INSERT INTO roles (id, organization_id, project_id, level, name, name_key, description, permissions, built_in, created_at) VALUES
    ('role_organization_owner', NULL, NULL, 'organization', 'owner', 'owner', 'Everything, the organization itself included', '["*"]', TRUE, 0),
    ('role_organization_admin', NULL, NULL, 'organization', 'admin', 'admin', 'People, teams, projects and roles', '["members.*","teams.*","projects.*","roles.*","keys.*","limits.*","certificates.*","organization.read"]', TRUE, 0),
    ('role_organization_member', NULL, NULL, 'organization', 'member', 'member', 'Sees the organization, works in projects given to them', '["organization.read","members.read","teams.read","projects.read"]', TRUE, 0),
    ('role_organization_reader', NULL, NULL, 'organization', 'reader', 'reader', 'Sees the organization', '["organization.read"]', TRUE, 0),
    ('role_team_maintainer', NULL, NULL, 'team', 'maintainer', 'maintainer', 'Runs the team', '["teams.read","teams.write","teams.members"]', TRUE, 0),
    ('role_team_member', NULL, NULL, 'team', 'member', 'member', 'Belongs to the team', '["teams.read"]', TRUE, 0),
    ('role_project_owner', NULL, NULL, 'project', 'owner', 'owner', 'Everything in the project', '["project.*"]', TRUE, 0),
    ('role_project_member', NULL, NULL, 'project', 'member', 'member', 'Works in the project', '["project.read","project.write","project.keys.read"]', TRUE, 0),
    ('role_project_viewer', NULL, NULL, 'project', 'viewer', 'viewer', 'Sees the project', '["project.read"]', TRUE, 0);
