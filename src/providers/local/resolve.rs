//! From names to rows: exactly one, or an error that says what to write instead.

use super::{Session, access::codes, held::role, known::beginning};
use crate::{
    domain::{
        OrganizationRef, ProjectRef, ReferenceText, RoleRef, TeamRef, Timestamp,
        access::{Holder, Named, Place, Role},
        fold, like_literal,
        roles::RoleLevel,
        spellings, written_address,
    },
    error::{ProviderError, unnamed},
    providers::{
        people::{Known, Sought},
        resolve::readings,
    },
    store::{Row, StoreError, Val, args, row},
};

row! {
    /// An organization, as resolved.
    pub(super) struct OrganizationRow {
        id: String, name: String, slug: String, description: Option<String>, website: Option<String>, created_at: i64,
    }
}

impl OrganizationRow {
    pub(super) fn place(&self) -> Place {
        Place::Organization(Named::new(&self.name, &self.id))
    }
}

row! {
    /// A project, as resolved.
    pub(super) struct ProjectRow {
        id: String, organization_id: String, organization: String, team: Option<String>, name: String,
        slug: String, description: Option<String>, residency: Option<String>, external_key_id: Option<String>, status: String,
        created_at: i64, archived_at: Option<i64>,
    }
}

impl ProjectRow {
    pub(super) fn place(&self) -> Place {
        Place::Project { project: Named::new(&self.name, &self.id), organization: Named::new(&self.organization, &self.organization_id) }
    }
}

row! {
    /// A team, as resolved.
    pub(super) struct TeamRow {
        id: String, organization_id: String, organization: String, name: String, slug: String, description: Option<String>, created_at: i64,
    }
}

/// The members of the organization `$1`.
pub(super) const MEMBERS: &str = "users u JOIN organization_members m ON m.user_id = u.id WHERE m.organization_id = $1";

pub(super) const TEAM_COLUMNS: &str = "SELECT t.id, t.organization_id, o.name AS organization, t.name, t.slug, t.description, t.created_at \
     FROM teams t JOIN organizations o ON o.id = t.organization_id";

row! {
    /// A person with an account, as resolved.
    pub(super) struct UserRow { id: String, email: String, name: String }
}

impl UserRow {
    pub(super) fn holder(&self) -> Holder {
        Holder::person(&self.email, Some(&self.id))
    }
}

row! {
    /// A role, as resolved. `permissions` is a JSON array.
    pub(super) struct RoleRow {
        id: String, name: String, level: String, permissions: String, built_in: bool,
    }
}

impl RoleRow {
    pub(super) fn permissions(&self) -> Vec<String> {
        codes(&self.permissions)
    }

    /// As it is held.
    pub(super) fn held(&self) -> Role {
        role(&self.id, &self.name, &self.level, &self.permissions())
    }
}

pub(super) const ROLE_COLUMNS: &str = "SELECT r.id, r.name, r.level, r.permissions, r.built_in FROM roles r";

pub(super) const PROJECT_SELECTED: &str = "p.id, p.organization_id, o.name AS organization, t.name AS team, \
     p.name, p.slug, p.description, p.residency, p.external_key_id, p.status, p.created_at, p.archived_at";
pub(super) const PROJECT_FROM: &str = "projects p JOIN organizations o ON o.id = p.organization_id LEFT JOIN teams t ON t.id = p.team_id";

pub(super) const PROJECT_COLUMNS: &str = "SELECT p.id, p.organization_id, o.name AS organization, t.name AS team, \
     p.name, p.slug, p.description, p.residency, p.external_key_id, p.status, p.created_at, p.archived_at \
     FROM projects p JOIN organizations o ON o.id = p.organization_id LEFT JOIN teams t ON t.id = p.team_id";

impl UserRow {
    /// What they are found by.
    pub(super) fn known(&self) -> Known<'_> {
        Known { id: &self.id, email: &self.email, name: &self.name, also: None }
    }
}

/// The ids of those that are named by id, slug or folded name, each way by its own index. `$1` is what was named, `$2` the same folded,
/// `$3` the organization where one is given.
fn named_in(table: &str, within: bool) -> String {
    let within = if within { "organization_id = $3 AND " } else { "" };
    let ways = ["id = $1", "slug = $2", "name_key = $2"];
    let ways: Vec<String> = ways.iter().map(|it| format!("SELECT id FROM {table} WHERE {within}{it}")).collect();
    format!("({}) named", ways.join(" UNION "))
}

/// The values of [`named_in`].
fn named_by(text: &str, organization_id: Option<String>) -> Vec<Val> {
    let mut values = args![text, fold(text)].to_vec();
    values.extend(organization_id.map(Val::from));
    values
}

/// Takes the only match; an id wins over names, so that a thing named like another's id can still be meant.
pub(super) fn only<T>(
    mut matches: Vec<T>,
    kind: &'static str,
    wanted: &str,
    scope: &str,
    list_tool: &str,
    id: impl Fn(&T) -> &str,
    label: impl Fn(&T) -> String,
) -> Result<T, ProviderError> {
    if let Some(at) = matches.iter().position(|it| id(it) == wanted) {
        return Ok(matches.swap_remove(at));
    }
    match matches.len() {
        1 => Ok(matches.remove(0)),
        0 => Err(ProviderError::NotFound {
            kind,
            name: wanted.to_owned(),
            scope: scope.to_owned(),
            fix: format!("find it with {list_tool}; names are matched whole"),
        }),
        _ => Err(ProviderError::Ambiguous { kind, name: wanted.to_owned(), candidates: matches.iter().map(label).collect() }),
    }
}

impl Session {
    /// The organization that is named, or pinned, or the only one.
    pub(super) async fn organization(&mut self, named: Option<&OrganizationRef>) -> Result<OrganizationRow, ProviderError> {
        let pin = self.settings.pin.clone();
        let Some(wanted) = named.map(|it| it.text().to_owned()).or_else(|| pin.clone()) else {
            let mut all = self.organizations_like(None).await?;
            return match all.len() {
                0 => Err(ProviderError::conflict("no_organization", "there is no organization yet", "create one with create_organization")),
                1 => Ok(all.remove(0)),
                _ => Err(unnamed("organization", all.iter().map(|it| it.slug.clone()).collect())),
            };
        };
        for reading in readings("organization", &wanted) {
            let found = self.organizations_like(Some(&reading.text)).await?;
            let found: Vec<OrganizationRow> = found.into_iter().filter(|it| reading.fits(&it.id, &[&it.name, &it.slug], &[])).collect();
            if found.is_empty() {
                continue;
            }
            let found = only(found, "organization", &reading.text, "", "list_organizations", |it| &it.id, |it| it.id.clone())?;
            self.within_pin(&found.id, &found.name).await?;
            return Ok(found);
        }
        let found = self.organizations_like(Some(&wanted)).await?;
        let found = match only(found, "organization", &wanted, "", "list_organizations", |it| &it.id, |it| it.id.clone()) {
            Err(nobody @ ProviderError::NotFound { .. }) if pin.is_none() => {
                return Err(self.hinted(nobody, "organizations", None).await?);
            }
            other => other?,
        };
        self.within_pin(&found.id, &found.name).await?;
        Ok(found)
    }

    /// The same error with the names that have what was written in them.
    async fn hinted(&mut self, error: ProviderError, table: &str, organization: Option<&str>) -> Result<ProviderError, ProviderError> {
        let ProviderError::NotFound { kind, name, scope, fix } = error else { return Ok(error) };
        let part = fold(&name);
        if part.chars().count() < 3 {
            return Ok(ProviderError::NotFound { kind, name, scope, fix });
        }
        let like = format!("%{}%", like_literal(&part));
        let mut sql = format!("SELECT name FROM {table} WHERE name_key LIKE $1 ESCAPE '\\'");
        let mut values = args![like].to_vec();
        if let Some(organization) = organization {
            sql += " AND organization_id = $2";
            values.push(organization.into());
        }
        let near = self.db.texts(&format!("{sql} ORDER BY name_key LIMIT 3"), &values).await?;
        let fix = match near.as_slice() {
            [] => fix,
            near => format!("did you mean `{}`? list_{kind}s has all of them; names are matched whole", near.join("` or `")),
        };
        Ok(ProviderError::NotFound { kind, name, scope, fix })
    }

    async fn organizations_like(&mut self, wanted: Option<&str>) -> Result<Vec<OrganizationRow>, ProviderError> {
        let columns = "SELECT id, name, slug, description, website, created_at FROM organizations";
        let Some(wanted) = wanted else {
            // Two are as many as there have to be to ask which one is meant; then all are named.
            let two = self.db.all(&format!("{columns} ORDER BY slug LIMIT 2"), &[]).await?;
            return Ok(if two.len() < 2 { two } else { self.db.all(&format!("{columns} ORDER BY slug"), &[]).await? });
        };
        let sql = format!("{columns} WHERE id = $1 OR slug = $2 OR name_key = $2 ORDER BY slug");
        Ok(self.db.all(&sql, &args![wanted, fold(wanted)]).await?)
    }

    /// Refuses what is outside the organization that the connection is kept to.
    pub(super) async fn within_pin(&mut self, organization_id: &str, name: &str) -> Result<(), ProviderError> {
        match self.pinned().await? {
            Some(pinned) if pinned.id != organization_id => Err(ProviderError::conflict(
                "outside_connection",
                format!("`{name}` is not the organization of this connection, which is kept to `{}`", pinned.name),
                "use another connection, or leave `organization` out",
            )),
            _ => Ok(()),
        }
    }

    /// The organization that the connection is kept to.
    pub(super) async fn pinned(&mut self) -> Result<Option<OrganizationRow>, ProviderError> {
        let Some(pin) = self.settings.pin.clone() else { return Ok(None) };
        let found = self.organizations_like(Some(&pin)).await?;
        only(found, "organization", &pin, "", "list_organizations", |it| &it.id, |it| it.id.clone()).map(Some)
    }

    /// The project that is named, whatever its status.
    pub(super) async fn project(&mut self, named: &ProjectRef) -> Result<ProjectRow, ProviderError> {
        let pinned = self.pinned().await?.map(|it| it.id);
        let found = self.projects_named(named.text(), pinned.clone()).await?;
        let label = |it: &ProjectRow| format!("{} ({} in {})", it.id, it.name, it.organization);
        match only(found, "project", named.text(), "", "list_projects", |it: &ProjectRow| &it.id, label) {
            Err(nobody @ ProviderError::NotFound { .. }) => Err(self.hinted(nobody, "projects", pinned.as_deref()).await?),
            other => other,
        }
    }

    /// The project that is named, if it can be changed.
    pub(super) async fn active_project(&mut self, named: &ProjectRef) -> Result<ProjectRow, ProviderError> {
        let project = self.project(named).await?;
        if project.status == "active" {
            return Ok(project);
        }
        Err(ProviderError::conflict(
            "project_archived",
            format!("project `{}` is archived and read-only", project.name),
            "create a new project, or choose an active one from list_projects",
        ))
    }

    /// The projects that are named so, in one organization or in all. They are sorted here, so that the database does not go by order.
    pub(super) async fn projects_named(&mut self, text: &str, within: Option<String>) -> Result<Vec<ProjectRow>, StoreError> {
        let sql = format!(
            "SELECT {PROJECT_SELECTED} FROM {} CROSS JOIN {PROJECT_FROM} WHERE p.id = named.id",
            named_in("projects", within.is_some())
        );
        self.first_read("project", text, &sql, within, |it: &ProjectRow| {
            [&it.id, &it.name, &it.slug, &it.organization, &it.organization_id]
        })
        .await
    }

    /// The same of teams.
    pub(super) async fn teams_named(&mut self, text: &str, within: Option<String>) -> Result<Vec<TeamRow>, StoreError> {
        let sql = format!(
            "SELECT t.id, t.organization_id, o.name AS organization, t.name, t.slug, t.description, t.created_at \
             FROM {} CROSS JOIN teams t JOIN organizations o ON o.id = t.organization_id WHERE t.id = named.id",
            named_in("teams", within.is_some())
        );
        self.first_read("team", text, &sql, within, |it: &TeamRow| [&it.id, &it.name, &it.slug, &it.organization, &it.organization_id])
            .await
    }

    /// What a name points at, by the first way to read it by which anything is found. `about` tells id, name, slug, and the name and the
    /// id of the organization.
    async fn first_read<T: Row>(
        &mut self,
        noun: &str,
        text: &str,
        sql: &str,
        within: Option<String>,
        about: fn(&T) -> [&str; 5],
    ) -> Result<Vec<T>, StoreError> {
        let mut found: Vec<T> = Vec::new();
        for reading in readings(noun, text) {
            found = self.db.all(sql, &named_by(&reading.text, within.clone())).await?;
            found.retain(|it| {
                let [id, name, slug, organization, organization_id] = about(it);
                reading.fits(id, &[name, slug], &[organization, organization_id])
            });
            if !found.is_empty() {
                break;
            }
        }
        found.sort_by(|a, b| {
            let ([a_id, _, a_slug, ..], [b_id, _, b_slug, ..]) = (about(a), about(b));
            (a_slug, a_id).cmp(&(b_slug, b_id))
        });
        Ok(found)
    }

    /// The team that is named.
    pub(super) async fn team(&mut self, named: &TeamRef) -> Result<TeamRow, ProviderError> {
        let pinned = self.pinned().await?.map(|it| it.id);
        let found = self.teams_named(named.text(), pinned).await?;
        only(
            found,
            "team",
            named.text(),
            "",
            "list_teams",
            |it: &TeamRow| &it.id,
            |it| format!("{} ({} in {})", it.id, it.name, it.organization),
        )
    }

    /// The member of an organization who is named.
    pub(super) async fn member<R: ReferenceText>(&mut self, organization: &OrganizationRow, named: &R) -> Result<UserRow, ProviderError> {
        let sought = Sought::of(named, &organization.name, "list_organization_members");
        let error = match self.person_among(MEMBERS, &args![&organization.id], &sought).await {
            Err(error @ ProviderError::NotFound { .. }) => error,
            other => return other,
        };
        let email = named.text().to_lowercase();
        if self.is_invited(&organization.id, &email).await? {
            return Err(ProviderError::NotFound {
                kind: "member",
                name: email,
                scope: organization.name.clone(),
                fix: "an invitation is pending: end it with cancel_invitation, or make them a member with add_organization_member"
                    .to_owned(),
            });
        }
        Err(error)
    }

    /// The one of some people who is meant. `among` selects them: what stands behind `FROM` with a condition, where a person is `u`.
    pub(super) async fn person_among(&mut self, among: &str, values: &[Val], sought: &Sought<'_>) -> Result<UserRow, ProviderError> {
        let (first, columns) = (values.len() + 1, "u.id, u.email, u.name, u.created_at");
        let sql = format!(
            "SELECT {columns} FROM {among} AND u.id IN (SELECT id FROM users WHERE id = ${first} OR email IN (${}, ${}))",
            first + 1,
            first + 2
        );
        let [machine, people] = spellings(&sought.text.to_lowercase());
        let mut found: Vec<UserRow> = self.db.all(&sql, &[values, &args![sought.text, machine, people]].concat()).await?;
        if found.is_empty() {
            // Whoever is named in another way is looked for among all of them. Nobody has an address that was not found: who may have been
            // meant is, among many, looked for among those who begin like it.
            let (mut sql, mut values) = (format!("SELECT {columns} FROM {among}"), values.to_vec());
            if let Some(address) = written_address(sought.text)
                && !self.are_few_of(among, &values).await?
            {
                sql += &format!(" AND u.email >= ${first} AND u.email < ${}", first + 1);
                values.extend(beginning(&address).map(Val::from));
            }
            found = self.db.all(&format!("{sql} ORDER BY u.email"), &values).await?;
        }
        sought.among(&found, UserRow::known).cloned()
    }

    /// Whether somebody has an invitation to the organization that can be accepted.
    pub(super) async fn is_invited(&mut self, organization_id: &str, email: &str) -> Result<bool, ProviderError> {
        let sql = "SELECT COUNT(*) FROM invitations WHERE organization_id = $1 AND email = $2 AND status = 'pending' AND expires_at > $3";
        Ok(self.db.number(sql, &args![organization_id, email, Timestamp::now().0]).await? > 0)
    }

    /// The role that is named, of those that can be held at a level of an organization (or of one of its projects).
    pub(super) async fn role(
        &mut self,
        named: &RoleRef,
        level: RoleLevel,
        organization_id: &str,
        project_id: Option<&str>,
    ) -> Result<RoleRow, ProviderError> {
        let level = level_name(level);
        let usable = "r.level = $1 AND (r.built_in OR (r.organization_id = $2 AND (r.project_id IS NULL OR r.project_id = $3)))";
        let named_so = "r.id IN (SELECT id FROM roles WHERE id = $4 UNION SELECT id FROM roles WHERE level = $1 AND name_key = $5)";
        let sql = format!("{ROLE_COLUMNS} WHERE {named_so} AND {usable} ORDER BY r.id");
        let mut found: Vec<RoleRow> = Vec::new();
        for reading in readings("role", named.text()) {
            found = self.db.all(&sql, &args![level, organization_id, project_id, &reading.text, fold(&reading.text)]).await?;
            found.retain(|it| reading.fits(&it.id, &[&it.name], &[]));
            if !found.is_empty() {
                break;
            }
        }
        if found.is_empty() {
            let sql = format!("SELECT r.name FROM roles r WHERE {usable} ORDER BY r.built_in DESC, r.name");
            let usable = self.db.texts(&sql, &args![level, organization_id, project_id]).await?;
            return Err(ProviderError::NotFound {
                kind: "role",
                name: named.text().to_owned(),
                scope: format!("the roles of a {level}"),
                fix: format!("use one of: {}", usable.join(", ")),
            });
        }
        only(found, "role", named.text(), "", "list_roles", |it| &it.id, |it| it.id.clone())
    }
}

pub(super) fn level_name(level: RoleLevel) -> &'static str {
    match level {
        RoleLevel::Organization => "organization",
        RoleLevel::Team => "team",
        RoleLevel::Project => "project",
    }
}
