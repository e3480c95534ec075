//! Who can use a project of the directory, and by which way.

use super::{Session, page::PageQuery, resolve::ProjectRow};
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

const WAYS: &str = "FROM (SELECT pm.user_id, '' AS slug, CAST(NULL AS TEXT) AS team_id, CAST(NULL AS TEXT) AS team, pm.joined_at \
       FROM project_members pm WHERE pm.project_id = $1 \
     UNION ALL SELECT tm.user_id, t.slug, t.id AS team_id, t.name AS team, \
       CASE WHEN tm.joined_at > pt.joined_at THEN tm.joined_at ELSE pt.joined_at END AS joined_at \
       FROM project_teams pt JOIN teams t ON t.id = pt.team_id JOIN team_members tm ON tm.team_id = t.id WHERE pt.project_id = $1\
     ) w JOIN users u ON u.id = w.user_id \
     WHERE ($2 IS NULL OR u.email LIKE $2 ESCAPE '\\' OR u.name_key LIKE $2 ESCAPE '\\') \
     AND ($3 IS NULL OR EXISTS (SELECT 1 FROM role_assignments a WHERE a.project_id = $1 AND a.role_id = $3 \
       AND ((w.team_id IS NULL AND a.user_id = w.user_id) OR a.team_id = w.team_id))) \
     AND ($4 OR ($5 AND w.team_id IS NOT NULL) OR ($6 AND EXISTS (SELECT 1 FROM role_assignments a WHERE a.project_id = $1 \
       AND ((w.team_id IS NULL AND a.user_id = w.user_id) OR a.team_id = w.team_id))))";

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
    let mut values = args![&project.id, op.query.as_ref().map(Query::like), role, everybody, levels.team, levels.project].to_vec();
    let total = at.db.number(&format!("SELECT COUNT(*) {WAYS}"), &values).await?;
    values.extend(args![&page.after, page.rows()]);
    let sql = format!(
        "SELECT u.email, u.name, u.id, w.slug, w.team_id, w.team, w.joined_at {WAYS} \
         AND ($7 IS NULL OR u.email || ' ' || w.slug > $7) ORDER BY u.email || ' ' || w.slug LIMIT $8"
    );
    let ways: Vec<Way> = at.db.all(&sql, &values).await?;
    let held = held(at, &project, &ways, levels).await?;
    Ok(page.page(ways, Some(total), Way::key, |it| view(it, &held)))
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
             WHERE a.project_id = $1 AND (a.team_id IS NOT NULL OR a.user_id IN ({people})) ORDER BY r.name"
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
