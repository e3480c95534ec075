//! Who can use a project of the directory, and by which way.

use super::{
    Session,
    page::PageQuery,
    resolve::ProjectRow,
    select::{COUNTED, Kept, Select},
};
use crate::{
    domain::{List, PageRequest, Query, Timestamp, members::Member, roles::RoleLevel},
    error::ProviderError,
    providers::role_types,
    store::{Val, args, row},
    tools::project_members::ListProjectMembers,
};

row! {
    /// One way by which one person reaches the project: of their own, or through a team.
    struct Way { email: String, name: String, id: String, slug: String, team_id: Option<String>, team: Option<String>, joined_at: i64 }
}

impl Way {
    /// What the list is sorted by: people, and of each person their own place before teams.
    fn key(&self) -> String {
        format!("{} {}", self.email, self.slug)
    }
}

row! {
    /// A team on the project: whether it comes after the slug at which the page begins, and which of the roles that are asked for it holds.
    struct OnProject { id: String, later: bool, any_role: bool, the_role: bool }
}

/// So many teams are read each by itself; where there are more, all their people are sorted.
const TEAMS: usize = 100;

/// What is asked for.
struct Asked<'a> {
    project: &'a str,
    query: Option<&'a Query>,
    role: Option<String>,
    /// Whether people count who hold no role in the project, or whose team holds none.
    everybody: bool,
    levels: Levels,
}

impl Asked<'_> {
    /// The ways in which people reach the project, the first of each behind a place in the list.
    fn ways(&self, teams: &[OnProject], after: Option<(&str, &str)>, rows: i64) -> Select {
        let mut found = Select::new("w.email, u.name, u.id, w.slug, w.team_id, w.team, w.joined_at", "");
        let project = found.bind(self.project);
        let email = after.map(|it| found.bind(it.0));
        let person = match self.query {
            Some(query) => format!(" AND u.id = x.user_id AND {}", found.part(&["x.email", "u.name_key"], query)),
            None => String::new(),
        };
        let users = if self.query.is_some() { " CROSS JOIN users u" } else { "" };
        let behind = |or_same: bool| match &email {
            Some(email) => format!(" AND x.email {} {email}", if or_same { ">=" } else { ">" }),
            None => String::new(),
        };
        let mut ways = Vec::new();
        if self.everybody || self.levels.project {
            let mut held = String::new();
            if let Some(role) = &self.role {
                held += &format!(
                    " AND EXISTS (SELECT 1 FROM role_assignments a WHERE a.project_id = {project} AND a.user_id = x.user_id AND a.role_id = {})",
                    found.bind(role)
                );
            }
            if !self.everybody {
                held += &format!(" AND EXISTS (SELECT 1 FROM role_assignments a WHERE a.project_id = {project} AND a.user_id = x.user_id)");
            }
            ways.push(format!(
                "SELECT x.email, x.user_id, '' AS slug, CAST(NULL AS TEXT) AS team_id, CAST(NULL AS TEXT) AS team, m.joined_at \
                 FROM people_in x CROSS JOIN project_members m{users} WHERE x.place_id = {project} AND m.project_id = x.place_id \
                 AND m.user_id = x.user_id{held}{person}{} ORDER BY x.email LIMIT {rows}",
                behind(false)
            ));
        }
        let counts = |it: &&OnProject| {
            (self.role.is_none() || it.the_role) && (self.everybody || self.levels.team || (self.levels.project && it.any_role))
        };
        let teams: Vec<&OnProject> = teams.iter().filter(counts).collect();
        let columns = "SELECT x.email, x.user_id, t.slug, t.id AS team_id, t.name AS team, \
                       CASE WHEN m.joined_at > pt.joined_at THEN m.joined_at ELSE pt.joined_at END AS joined_at";
        let joined = format!("CROSS JOIN people_in x CROSS JOIN team_members m{users} WHERE pt.project_id = {project}");
        let of_team = "t.id = pt.team_id AND x.place_id = t.id AND m.team_id = t.id AND m.user_id = x.user_id";
        if teams.len() <= TEAMS {
            for team in teams {
                let id = found.bind(&team.id);
                ways.push(format!(
                    "{columns} FROM project_teams pt CROSS JOIN teams t {joined} AND pt.team_id = {id} AND {of_team}{person}{} \
                     ORDER BY x.email LIMIT {rows}",
                    behind(team.later)
                ));
            }
        } else {
            let ids: Vec<String> = teams.iter().map(|it| found.bind(&it.id)).collect();
            let (slug, or) = match after {
                Some((_, slug)) => (found.bind(slug), email.clone().unwrap_or_default()),
                None => (String::new(), String::new()),
            };
            let behind = if after.is_some() { format!(" AND (x.email, t.slug) > ({or}, {slug})") } else { String::new() };
            ways.push(format!(
                "{columns} FROM project_teams pt CROSS JOIN teams t {joined} AND pt.team_id IN ({}) AND {of_team}{person}{behind} \
                 ORDER BY x.email, t.slug LIMIT {rows}",
                ids.join(", ")
            ));
        }
        let ways: Vec<String> = ways.into_iter().map(|it| format!("SELECT * FROM ({it}) way")).collect();
        if ways.is_empty() {
            found.reads("users u CROSS JOIN (SELECT '' AS email, '' AS slug) w");
            found.and(format!("{project} IS NULL"));
        } else {
            found.reads(format!("({}) w CROSS JOIN users u", ways.join(" UNION ALL ")));
            found.and("u.id = w.user_id");
        }
        found
    }
}

/// The levels of roles that are told; without a word those of the project.
#[derive(Clone, Copy)]
struct Levels {
    organization: bool,
    team: bool,
    project: bool,
}

pub(super) async fn list(at: &mut Session, op: &ListProjectMembers) -> Result<List<Member>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let project = at.project(&op.project).await?;
    let role = match &op.role {
        Some(named) => Some(at.role(named, RoleLevel::Project, &project.organization_id, Some(&project.id)).await?.id),
        None => None,
    };
    let wanted = role_types::levels(&op.role_types)?;
    let asked = |level| wanted.contains(&level);
    let levels = Levels {
        organization: asked(RoleLevel::Organization),
        team: asked(RoleLevel::Team),
        project: wanted.is_empty() || asked(RoleLevel::Project),
    };
    // Everybody in a project holds a role in its organization.
    let everybody = wanted.is_empty() || levels.organization;
    let after = page.after.as_ref().map(|it| it.rsplit_once(' ').unwrap_or((it, "")));
    let teams = teams(at, &project.id, after.map(|it| it.1), role.as_deref()).await?;
    let own = at.kept_of(Kept::Members, &project.id).await?;
    let all = own + at.kept(Kept::Members, teams.iter().map(|it| it.id.as_str())).await?.values().sum::<i64>();
    let is_whole = everybody && role.is_none() && op.query.is_none();
    let asked = Asked { project: &project.id, query: op.query.as_ref(), role, everybody, levels };
    let total = if is_whole { Some(all) } else { asked.ways(&teams, None, COUNTED + 1).total(at, all).await? };
    let ways = asked.ways(&teams, after, page.rows());
    let ways: Vec<Way> = ways.first_rows(at, "w.email, w.slug", page.rows()).await?;
    let held = held(at, &project, &ways, levels).await?;
    Ok(page.page(ways, total, Way::key, |it| view(it, &held)))
}

/// The teams on a project.
async fn teams(at: &mut Session, project_id: &str, after: Option<&str>, role: Option<&str>) -> Result<Vec<OnProject>, ProviderError> {
    let sql = "SELECT t.id, t.slug > $2 AS later, \
               EXISTS (SELECT 1 FROM role_assignments a WHERE a.project_id = $1 AND a.team_id = t.id) AS any_role, \
               EXISTS (SELECT 1 FROM role_assignments a WHERE a.project_id = $1 AND a.team_id = t.id AND a.role_id = $3) AS the_role \
               FROM project_teams pt CROSS JOIN teams t WHERE pt.project_id = $1 AND t.id = pt.team_id";
    Ok(at.db.all(sql, &args![project_id, after.unwrap_or_default(), role.unwrap_or_default()]).await?)
}

row! {
    /// A role, and the person or the team that holds it; both, where a person holds it in the team.
    struct Held { user_id: Option<String>, team_id: Option<String>, level: String, role: String }
}

/// The roles that the people and teams of a page hold.
async fn held(at: &mut Session, project: &ProjectRow, ways: &[Way], levels: Levels) -> Result<Vec<Held>, ProviderError> {
    let mut held = Vec::new();
    if ways.is_empty() {
        return Ok(held);
    }
    // A list of values and not a range: what lies between two e-mails depends on the database's collation.
    let values = |first: &str| -> Vec<Val> { std::iter::once(first).chain(ways.iter().map(|it| it.id.as_str())).map(Val::from).collect() };
    let people = (2..ways.len() + 2).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
    if levels.project {
        let sql = format!(
            "SELECT a.user_id, a.team_id, r.level, r.name AS role FROM role_assignments a JOIN roles r ON r.id = a.role_id \
             WHERE a.project_id = $1 AND a.user_id IN ({people}) \
             UNION ALL SELECT a.user_id, a.team_id, r.level, r.name AS role FROM role_assignments a JOIN roles r ON r.id = a.role_id \
             WHERE a.project_id = $1 AND a.team_id IN (SELECT team_id FROM project_teams WHERE project_id = $1) ORDER BY role"
        );
        held.extend(at.db.all::<Held>(&sql, &values(&project.id)).await?);
    }
    if levels.organization {
        let sql = format!(
            "SELECT m.user_id, CAST(NULL AS TEXT) AS team_id, r.level, r.name AS role FROM organization_members m \
             JOIN roles r ON r.id = m.role_id WHERE m.organization_id = $1 AND m.user_id IN ({people}) \
             UNION SELECT a.user_id, CAST(NULL AS TEXT) AS team_id, r.level, r.name AS role FROM role_assignments a \
             JOIN roles r ON r.id = a.role_id WHERE a.organization_id = $1 AND a.project_id IS NULL AND a.user_id IN ({people}) ORDER BY role"
        );
        held.extend(at.db.all::<Held>(&sql, &values(&project.organization_id)).await?);
    }
    if levels.team {
        let sql = format!(
            "SELECT m.user_id, m.team_id, r.level, r.name AS role FROM team_members m JOIN roles r ON r.id = m.role_id \
             JOIN project_teams pt ON pt.team_id = m.team_id WHERE pt.project_id = $1 AND m.user_id IN ({people}) ORDER BY r.name"
        );
        held.extend(at.db.all::<Held>(&sql, &values(&project.id)).await?);
    }
    Ok(held)
}

/// A way as it is told. Project roles stand as they are; those of other levels say where they are held.
fn view(it: Way, held: &[Held]) -> Member {
    let belongs = |held: &&Held| match (held.level.as_str(), &held.user_id, &held.team_id) {
        ("organization", Some(user), _) => *user == it.id,
        ("team", Some(user), Some(_)) => *user == it.id && held.team_id == it.team_id,
        ("project", Some(user), None) => *user == it.id && it.team_id.is_none(),
        ("project", None, Some(_)) => held.team_id == it.team_id,
        _ => false,
    };
    let told = |held: &Held| if held.level == "project" { held.role.clone() } else { format!("{} ({})", held.role, held.level) };
    Member {
        roles: held.iter().filter(belongs).map(told).collect(),
        member: it.email,
        name: Some(it.name),
        id: Some(it.id),
        via_team: it.team,
        since: Some(Timestamp(it.joined_at)),
        ..Member::default()
    }
}
