//! Who holds what in the directory: the one reader of grants, in one statement over whole sets.

use std::collections::HashMap;

use super::{
    Session,
    held::{key_role, no_role, role},
    invitations::PROJECT_MEMBER,
    members::OWNER,
    reach::PROJECT_OWNER,
    resolve::{ROLE_COLUMNS, RoleRow},
    seats::RolePlace,
};
use crate::{
    domain::{
        OrganizationRef, ReferenceText as _, Timestamp,
        access::{Allows, Grant, GrantScope, Grants, Holder, Named, Person, Place, Role, State, Via},
    },
    error::ProviderError,
    store::{Val, args, row},
};

/// All that the directory tells of a scope. It hides nothing, so nothing is unseen.
pub(super) async fn grants(at: &mut Session, scope: &GrantScope) -> Result<Grants, ProviderError> {
    let (whose, project) = match scope {
        GrantScope::Organization(named) => (whole(at, named.as_ref()).await?, None),
        GrantScope::Owners(named, projects) => {
            let owning = [OWNER, PROJECT_OWNER].map(str::to_owned).to_vec();
            let whose = Whose { roles: Some(owning), ..whole(at, named.as_ref()).await? };
            let mut list = read(at, &Whose { top: true, ..whose.clone() }).await?;
            // A statement takes only so many values.
            for some in projects.chunks(PEOPLE) {
                let projects = Some(some.iter().map(|it| it.text().to_owned()).collect());
                let inside = read(at, &Whose { projects, ..whose.clone() }).await?;
                list.extend(inside.into_iter().filter(|it| !matches!(it.place, Place::Organization(_))));
            }
            return Ok(Grants { list, unseen: Vec::new() });
        }
        GrantScope::Project(named) => {
            let project = at.project(named).await?;
            let place = RolePlace::of_project(at, project, None).await?;
            let project = place.project_id().map(str::to_owned);
            let above = Some(reaching_into_projects(at, &place.organization.id).await?);
            let projects = project.clone().map(|it| vec![it]);
            (Whose { organization: Some(place.organization.id), projects, above, ..Whose::default() }, project)
        }
        GrantScope::Top(named) => (Whose { top: true, ..whole(at, named.as_ref()).await? }, None),
        GrantScope::Team(named) => {
            let team = at.team(named).await?;
            let people = at.db.texts("SELECT user_id FROM team_members WHERE team_id = $1", &args![&team.id]).await?;
            let whose =
                Whose { organization: Some(team.organization_id), people: Some(people), teams: vec![team.id.clone()], ..Whose::default() };
            let mut list = read(at, &whose).await?;
            let is_of = |it: &Named| it.id == team.id;
            list.retain(|it| match (&it.holder, &it.via, &it.place) {
                (Holder::Team(_), _, _) => true,
                (_, Via::Team(via), _) => is_of(via),
                (_, _, Place::Team { team, .. }) => is_of(team),
                _ => false,
            });
            return Ok(Grants { list, unseen: Vec::new() });
        }
        GrantScope::Person(named) => (one(at, named.text()).await?, None),
    };
    let mut list = read(at, &whose).await?;
    if project.is_some() {
        // A role of the organization counts here as far as it reaches into projects.
        list.retain(|it| !matches!(it.place, Place::Organization(_)) || it.role.inside != Allows::nothing());
    }
    Ok(Grants { list, unseen: Vec::new() })
}

/// The roles of an organization that allow something in its projects: of all its people, these are few.
async fn reaching_into_projects(at: &mut Session, organization_id: &str) -> Result<Vec<String>, ProviderError> {
    let mut roles: Vec<RoleRow> = at.db.all(&format!("{ROLE_COLUMNS} WHERE r.level = 'organization' AND r.built_in"), &[]).await?;
    let own = format!("{ROLE_COLUMNS} WHERE r.organization_id = $1 AND r.level = 'organization' AND r.project_id IS NULL");
    roles.extend(at.db.all::<RoleRow>(&own, &args![organization_id]).await?);
    Ok(roles.into_iter().filter(|it| it.held().inside != Allows::nothing()).map(|it| it.id).collect())
}

async fn whole(at: &mut Session, named: Option<&OrganizationRef>) -> Result<Whose, ProviderError> {
    Ok(Whose { organization: Some(at.organization(named).await?.id), ..Whose::default() })
}

/// Somebody with an account, or who is invited and has none.
async fn one(at: &mut Session, named: &str) -> Result<Whose, ProviderError> {
    let email = named.to_lowercase();
    let organization = at.pinned().await?.map(|it| it.id);
    let found: Vec<(String, String)> = at.db.all("SELECT id, email FROM users WHERE id = $1 OR email = $2", &args![named, &email]).await?;
    let (people, emails) = match found.into_iter().next() {
        Some((id, email)) => (vec![id], vec![email]),
        None => (Vec::new(), vec![email]),
    };
    let is_nobody = people.is_empty();
    let whose = Whose { organization, people: Some(people), emails, keys: true, ..Whose::default() };
    if is_nobody && read(at, &whose).await?.is_empty() {
        return Err(ProviderError::NotFound {
            kind: "member",
            name: named.to_owned(),
            scope: String::new(),
            fix: "find the person with list_organization_members or list_invitations".into(),
        });
    }
    Ok(whose)
}

/// Whose grants are read, and where.
#[derive(Debug, Clone, Default)]
pub(super) struct Whose {
    /// `None`: in every organization.
    pub(super) organization: Option<String>,
    /// Only what reaches these projects.
    pub(super) projects: Option<Vec<String>>,
    /// Only what is held in organizations themselves.
    pub(super) top: bool,
    /// Only what is held with these roles; then keys are not meant.
    pub(super) roles: Option<Vec<String>>,
    /// Only these roles of the organization.
    pub(super) above: Option<Vec<String>>,
    /// Ids of people. `None`: everybody and everything, and what follows here is not checked.
    pub(super) people: Option<Vec<String>>,
    /// Pending invitations of these addresses.
    pub(super) emails: Vec<String>,
    /// Ids of teams that hold roles themselves.
    pub(super) teams: Vec<String>,
    /// Whether the keys of the people are meant too.
    pub(super) keys: bool,
}

row! {
    struct Held {
        kind: String, holder_id: String, holder: String, name: Option<String>,
        role_id: Option<String>, role: Option<String>, level: Option<String>, permissions: Option<String>, scopes: Option<String>,
        owner: Option<String>, organization_id: String, organization: String, project_id: Option<String>, project: Option<String>,
        team_id: Option<String>, team: Option<String>, handed_down: bool, ends_at: Option<i64>, since: Option<i64>,
    }
}

/// Reads grants in an order that stays the same: teams, service accounts, people, keys, invitations; each by place and name.
pub(super) async fn read(at: &mut Session, whose: &Whose) -> Result<Vec<Grant>, ProviderError> {
    let people = whose.people.as_deref().unwrap_or_default();
    if people.len() <= PEOPLE {
        return read_some(at, whose).await;
    }
    // A statement takes only so many values.
    let mut all = Vec::new();
    for (part, some) in people.chunks(PEOPLE).enumerate() {
        let (teams, emails) = if part == 0 { (whose.teams.clone(), whose.emails.clone()) } else { (Vec::new(), Vec::new()) };
        all.extend(read_some(at, &Whose { people: Some(some.to_vec()), teams, emails, ..whose.clone() }).await?);
    }
    Ok(all)
}

/// So many people are read at once.
const PEOPLE: usize = 1000;

async fn read_some(at: &mut Session, whose: &Whose) -> Result<Vec<Grant>, ProviderError> {
    let mut statement = Statement { whose, values: Vec::new() };
    let held = statement.held();
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT h.kind, h.holder_id, COALESCE(u.email, x.name, s.name, k.name, h.holder_id) AS holder, u.name, h.role_id, r.name AS role, \
         r.level, r.permissions, k.scopes, COALESCE(ks.name, ku.email) AS owner, o.id AS organization_id, o.name AS organization, \
         p.id AS project_id, p.name AS project, t.id AS team_id, t.name AS team, h.handed_down, h.ends_at, h.since FROM ({held}) h \
         JOIN organizations o ON o.id = h.organization_id LEFT JOIN projects p ON p.id = h.project_id \
         LEFT JOIN teams t ON t.id = h.team_id LEFT JOIN roles r ON r.id = h.role_id \
         LEFT JOIN users u ON h.kind = 'person' AND u.id = h.holder_id LEFT JOIN teams x ON h.kind = 'team' AND x.id = h.holder_id \
         LEFT JOIN service_accounts s ON h.kind = 'service_account' AND s.id = h.holder_id \
         LEFT JOIN api_keys k ON h.kind = 'key' AND k.id = h.holder_id \
         LEFT JOIN service_accounts ks ON ks.id = k.service_account_id LEFT JOIN users ku ON ku.id = k.user_id \
         ORDER BY h.kind DESC, o.slug, COALESCE(p.slug, ''), COALESCE(t.slug, ''), 3, h.holder_id, r.name, h.role_id"
    );
    let rows: Vec<Held> = at.db.all(&sql, &statement.values).await?;
    // Thousands of people hold a few roles.
    let mut roles = HashMap::new();
    Ok(rows.into_iter().map(|it| it.grant(&mut roles)).collect())
}

/// The statement that reads grants, with the values that it binds.
struct Statement<'a> {
    whose: &'a Whose,
    values: Vec<Val>,
}

impl Statement<'_> {
    fn bind(&mut self, value: &str) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn list(&mut self, values: &[String]) -> String {
        values.iter().map(|it| self.bind(it)).collect::<Vec<_>>().join(", ")
    }

    /// Every way by which something is held, one below the other. Memberships without a role are ways too: their role is empty.
    fn held(&mut self) -> String {
        let whose = self.whose;
        let at = Where {
            organization: whose.organization.as_deref().map(|it| self.bind(it)),
            project: whose.projects.as_deref().map(|it| self.list(it)),
            people: whose.people.as_deref().map(|it| self.list(it)),
            roles: whose.roles.as_deref().map(|it| self.list(it)),
            above: whose.above.as_deref().map(|it| self.list(it)),
        };
        let mut parts = if at.people.as_deref() == Some("") { Vec::new() } else { self.of_people(&at) };
        parts.extend(self.of_others(&at));
        let sql = parts.join(" UNION ALL ");
        if !sql.contains(NOW) {
            return sql;
        }
        self.values.push(Timestamp::now().0.into());
        sql.replace(NOW, &format!("${}", self.values.len()))
    }

    /// The ways of people, and of the keys that are theirs.
    fn of_people(&self, at: &Where) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        let who = |it: &str| among(it, at.people.as_ref());
        parts.extend([
            format!(
                "{} FROM organization_members m WHERE {} AND {} AND {}",
                ways("person", "m.user_id", "m.role_id", "m.organization_id", NONE, NONE, own("m.joined_at")),
                at.in_organization("m.organization_id"),
                at.above("m.role_id"),
                who("m.user_id")
            ),
            format!(
                "{} FROM role_assignments a WHERE a.project_id IS NULL AND a.user_id IS NOT NULL AND {} AND {} AND {}",
                ways("person", "a.user_id", "a.role_id", "a.organization_id", NONE, NONE, own("a.created_at")),
                at.in_organization("a.organization_id"),
                at.above("a.role_id"),
                who("a.user_id")
            ),
            format!(
                "{} FROM {} WHERE m.team_id = a.team_id AND a.project_id IS NULL AND {} AND {} AND {}",
                ways(
                    "person",
                    "m.user_id",
                    "a.role_id",
                    "a.organization_id",
                    NONE,
                    "a.team_id",
                    handed_down("m.joined_at", "a.created_at")
                ),
                // Where people are named, few rows are theirs; else few are the organization's.
                at.people_first("team_members m", "role_assignments a"),
                at.in_organization("a.organization_id"),
                at.above("a.role_id"),
                who("m.user_id")
            ),
        ]);
        if self.whose.top {
            return parts;
        }
        let by_role = at.people.is_none() && at.roles.is_some();
        let held_here = if by_role { " AND a.project_id = q.id AND a.user_id = m.user_id" } else { "" };
        let held_by_team = if by_role { " AND a.project_id = q.id AND a.team_id = w.team_id" } else { "" };
        parts.extend([
            format!(
                "{} FROM {} WHERE q.id = m.project_id{held_here} AND {} AND {} AND {} AND {}",
                ways("person", "m.user_id", "a.role_id", "q.organization_id", "q.id", NONE, own("COALESCE(a.created_at, m.joined_at)")),
                // Where roles are named, few hold them; else everybody is meant, also those without a role.
                match (&at.people, &at.roles) {
                    (Some(_), _) => format!("project_members m CROSS JOIN projects q {OWN_ROLES}"),
                    (None, None) => format!("projects q CROSS JOIN project_members m {OWN_ROLES}"),
                    (None, Some(_)) => "projects q CROSS JOIN role_assignments a CROSS JOIN project_members m".to_owned(),
                },
                at.in_organization("q.organization_id"),
                at.in_project("q.id"),
                at.with_role("a.role_id"),
                who("m.user_id")
            ),
            format!(
                "{} FROM {} WHERE w.team_id = m.team_id AND q.id = w.project_id{held_by_team} AND {} AND {} AND {} AND {}",
                ways(
                    "person",
                    "m.user_id",
                    "a.role_id",
                    "q.organization_id",
                    "q.id",
                    "w.team_id",
                    handed_down("m.joined_at", "COALESCE(a.created_at, w.joined_at)")
                ),
                match (&at.people, &at.roles) {
                    (Some(_), _) => format!("team_members m CROSS JOIN project_teams w CROSS JOIN projects q {TEAM_ROLES}"),
                    (None, None) => format!("projects q CROSS JOIN project_teams w CROSS JOIN team_members m {TEAM_ROLES}"),
                    (None, Some(_)) => {
                        "projects q CROSS JOIN role_assignments a CROSS JOIN project_teams w CROSS JOIN team_members m".to_owned()
                    }
                },
                at.in_organization("q.organization_id"),
                at.in_project("q.id"),
                at.with_role("a.role_id"),
                who("m.user_id")
            ),
        ]);
        if at.roles.is_none() && (self.whose.keys || at.people.is_none()) {
            parts.push(format!(
                "{} FROM api_keys k JOIN projects q ON q.id = k.project_id LEFT JOIN service_accounts v ON v.id = k.service_account_id \
                 WHERE k.status = 'active' AND q.status = 'active' AND (k.expires_at IS NULL OR k.expires_at > {}) AND {} AND {} AND {}",
                ways("key", "k.id", "v.role_id", "q.organization_id", "q.id", NONE, ("FALSE", "k.expires_at", "k.created_at".to_owned())),
                NOW,
                at.in_organization("q.organization_id"),
                at.in_project("q.id"),
                who("k.user_id")
            ));
        }
        if at.project.is_none() {
            parts.push(format!(
                "{} FROM {} WHERE w.id = m.team_id AND {} AND {} AND {}",
                ways("person", "m.user_id", "m.role_id", "w.organization_id", NONE, "w.id", own("m.joined_at")),
                at.people_first("team_members m", "teams w"),
                at.in_organization("w.organization_id"),
                at.with_role("m.role_id"),
                who("m.user_id")
            ));
        }
        parts
    }

    /// The ways of teams, service accounts and invitations.
    fn of_others(&mut self, at: &Where) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        let (whose, everything) = (self.whose, at.people.is_none());
        if everything || !whose.teams.is_empty() {
            let teams = (!everything).then(|| self.list(&whose.teams));
            parts.push(format!(
                "{} FROM role_assignments a WHERE a.project_id IS NULL AND a.team_id IS NOT NULL AND {} AND {} AND {}",
                ways("team", "a.team_id", "a.role_id", "a.organization_id", NONE, NONE, own("a.created_at")),
                at.in_organization("a.organization_id"),
                at.above("a.role_id"),
                among("a.team_id", teams.as_ref())
            ));
            if !whose.top {
                parts.push(format!(
                    "{} FROM project_teams w JOIN projects q ON q.id = w.project_id \
                     LEFT JOIN role_assignments a ON a.project_id = w.project_id AND a.team_id = w.team_id WHERE {} AND {} AND {} AND {}",
                    ways("team", "w.team_id", "a.role_id", "q.organization_id", "q.id", NONE, own("COALESCE(a.created_at, w.joined_at)")),
                    at.in_organization("q.organization_id"),
                    at.in_project("q.id"),
                    at.with_role("a.role_id"),
                    among("w.team_id", teams.as_ref())
                ));
            }
        }
        if everything && !whose.top {
            parts.push(format!(
                "{} FROM service_accounts v JOIN projects q ON q.id = v.project_id WHERE q.status = 'active' AND {} AND {} AND {}",
                ways("service_account", "v.id", "v.role_id", "q.organization_id", "q.id", NONE, own("v.created_at")),
                at.in_organization("q.organization_id"),
                at.in_project("q.id"),
                at.with_role("v.role_id")
            ));
        }
        if everything || !whose.emails.is_empty() {
            let emails = (!everything).then(|| self.list(&whose.emails));
            let waiting = format!(
                "i.status = 'pending' AND i.expires_at > {} AND {} AND {}",
                NOW,
                at.in_organization("i.organization_id"),
                among("i.email", emails.as_ref())
            );
            let until = || ("FALSE", "i.expires_at", "i.created_at".to_owned());
            parts.push(format!(
                "{} FROM invitations i WHERE {waiting} AND {}",
                ways("invitation", "i.email", "i.role_id", "i.organization_id", NONE, NONE, until()),
                at.above("i.role_id")
            ));
            if !whose.top {
                // The array of ids is JSON: an id is in it where its text in quotes is.
                parts.push(format!(
                    "{} FROM invitations i JOIN projects q ON q.organization_id = i.organization_id AND q.status = 'active' \
                     AND i.projects <> '[]' AND REPLACE(i.projects, '\"' || q.id || '\"', '') <> i.projects WHERE {waiting} AND {} AND {}",
                    ways("invitation", "i.email", &format!("'{PROJECT_MEMBER}'"), "q.organization_id", "q.id", NONE, until()),
                    at.in_project("q.id"),
                    at.with_role(&format!("'{PROJECT_MEMBER}'"))
                ));
            }
        }
        parts
    }
}

/// The values of the conditions, as they are bound.
struct Where {
    organization: Option<String>,
    project: Option<String>,
    people: Option<String>,
    roles: Option<String>,
    above: Option<String>,
}

impl Where {
    fn in_organization(&self, column: &str) -> String {
        among(column, self.organization.as_ref())
    }

    /// Two tables, that of people first where they are named. SQLite reads them in this order.
    fn people_first(&self, people: &str, other: &str) -> String {
        if self.people.is_some() { format!("{people} CROSS JOIN {other}") } else { format!("{other} CROSS JOIN {people}") }
    }

    /// That a role is one of those that are meant.
    fn with_role(&self, column: &str) -> String {
        among(column, self.roles.as_ref())
    }

    /// The same of a role of the organization.
    fn above(&self, column: &str) -> String {
        format!("{} AND {}", self.with_role(column), among(column, self.above.as_ref()))
    }

    fn in_project(&self, column: &str) -> String {
        among(column, self.project.as_ref())
    }
}

/// That a column is one of some values, where any are wanted.
fn among(column: &str, wanted: Option<&String>) -> String {
    wanted.map_or_else(|| "1 = 1".to_owned(), |it| format!("{column} IN ({it})"))
}

/// The roles that a member of a project has there, if any; and those that a team has.
const OWN_ROLES: &str = "LEFT JOIN role_assignments a ON a.project_id = m.project_id AND a.user_id = m.user_id";
const TEAM_ROLES: &str = "LEFT JOIN role_assignments a ON a.project_id = w.project_id AND a.team_id = w.team_id";

const NONE: &str = "CAST(NULL AS TEXT)";
/// Where the time stands, which few statements ask for; one that does not may not bind it.
const NOW: &str = "{now}";
/// A way that does not end by itself.
const ENDLESS: &str = "CAST(NULL AS BIGINT)";

/// A way of one's own, from some time on.
fn own(since: &str) -> (&'static str, &'static str, String) {
    ("FALSE", ENDLESS, since.to_owned())
}

/// A way through a team: from when both somebody was in it and it held the role.
fn handed_down(joined: &str, held: &str) -> (&'static str, &'static str, String) {
    ("TRUE", ENDLESS, format!("CASE WHEN {joined} > {held} THEN {joined} ELSE {held} END"))
}

/// The columns of one way. `team` is the team that it is held in, or that hands it down.
fn ways(
    kind: &str,
    holder: &str,
    role: &str,
    organization: &str,
    project: &str,
    team: &str,
    (handed_down, ends_at, since): (&str, &str, String),
) -> String {
    format!(
        "SELECT '{kind}' AS kind, {holder} AS holder_id, {role} AS role_id, {organization} AS organization_id, {project} AS project_id, \
         {team} AS team_id, {handed_down} AS handed_down, {ends_at} AS ends_at, {since} AS since"
    )
}

impl Held {
    fn grant(self, roles: &mut HashMap<String, Role>) -> Grant {
        let is_key = self.kind == "key";
        let owned = self.owner.is_some();
        let role = if is_key {
            let scopes: Vec<String> = self.scopes.as_deref().map(codes).unwrap_or_default();
            key_role(self.owner.as_deref(), &scopes)
        } else {
            match (&self.role_id, &self.role, &self.level) {
                (Some(id), Some(name), Some(level)) => {
                    let codes = || self.permissions.as_deref().map(codes).unwrap_or_default();
                    roles.entry(id.clone()).or_insert_with(|| role(id, name, level, &codes())).clone()
                }
                _ => no_role(),
            }
        };
        let organization = Named::new(self.organization, self.organization_id);
        let team = self.team_id.zip(self.team).map(|(id, name)| Named::new(name, id));
        let (place, via) = match (self.project_id.zip(self.project), team) {
            (Some((id, name)), team) => (Place::Project { project: Named::new(name, id), organization }, team.map_or(Via::Own, Via::Team)),
            (None, Some(team)) if self.handed_down => (Place::Organization(organization), Via::Team(team)),
            (None, Some(team)) => (Place::Team { team, organization }, Via::Own),
            (None, None) => (Place::Organization(organization), Via::Own),
        };
        let holder = match self.kind.as_str() {
            "person" => Holder::Person(Person { email: Some(self.holder), name: self.name, id: Some(self.holder_id) }),
            "team" => Holder::Team(Named::new(self.holder, self.holder_id)),
            "service_account" => Holder::ServiceAccount(Named::new(self.holder, self.holder_id)),
            "key" => Holder::Key(Named::new(self.holder, self.holder_id)),
            _ => Holder::Invitation(self.holder),
        };
        let state = if matches!(holder, Holder::Invitation(_)) { State::Pending } else { State::Active };
        let via = if is_key && owned { Via::Inherited } else { via };
        Grant { holder, role, place, via, state, ends_at: self.ends_at.map(Timestamp), since: self.since.map(Timestamp) }
    }
}

/// The codes of a role or key, which are kept as a JSON array.
pub(super) fn codes(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}
