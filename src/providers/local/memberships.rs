//! Where a person belongs: organizations, and projects directly or through teams.

use std::collections::BTreeSet;

use super::{Session, members, page::PageQuery, resolve::UserRow, seats::reachable};
use crate::{
    domain::{Email, List, PageRequest, ReferenceText as _, SoughtRef, members::Membership, roles::RoleLevel},
    error::ProviderError,
    providers::{people::hint, role_types},
    store::{args, row},
    tools::members::{ListMemberships, ListProjectMemberships, Order},
};

/// Lists organizations. Without `role_types` the roles held in the organization itself are counted.
pub(super) async fn list(at: &mut Session, op: &ListMemberships) -> Result<List<Membership>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let Some(email) = &op.email else {
        return Err(ProviderError::conflict(
            "no_caller",
            "the local directory has no account for the caller",
            "name the person with `email`",
        ));
    };
    let levels = role_types::levels(&op.role_types)?;
    let user = account(at, email).await?;
    let pinned = at.pinned().await?.map(|it| it.id);
    let sql = "SELECT o.id, o.slug, o.name FROM organizations o JOIN organization_members m ON m.organization_id = o.id \
               WHERE m.user_id = $1";
    let mut organizations: Vec<(String, String, String)> = at.db.all(sql, &args![&user.id]).await?;
    organizations.retain(|it| pinned.as_ref().is_none_or(|pinned| *pinned == it.0));
    let held = held(at, &user).await?;
    let mut rows = Vec::new();
    for (id, slug, name) in organizations {
        let roles = match levels.as_slice() {
            [] => roles(&held, |it| it.organization_id == id && it.level == "organization"),
            levels => roles(&held, |it| it.organization_id == id && counts(levels, &it.level)),
        };
        if levels.is_empty() || !roles.is_empty() {
            let membership = Membership { member: user.email.clone(), organization: name, project: None, roles, via_team: None };
            rows.push((slug, membership));
        }
    }
    Ok(cut(&page, rows, Order::Asc))
}

/// Lists projects, one line for each way in. Without `role_types` the roles held in the project are counted.
pub(super) async fn list_projects(at: &mut Session, op: &ListProjectMemberships) -> Result<List<Membership>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let asked = role_types::levels(&op.role_types)?;
    let user = account(at, &op.email).await?;
    let organization = match (&op.organization, at.pinned().await?) {
        (None, pinned) => pinned.map(|it| it.id),
        (Some(named), _) => Some(at.organization(Some(named)).await?.id),
    };
    let sql = "SELECT p.id, p.slug, p.name, p.organization_id, o.name AS organization, CAST(NULL AS TEXT) AS team_id, CAST(NULL AS TEXT) AS team \
               FROM project_members m CROSS JOIN projects p CROSS JOIN organizations o \
               WHERE m.user_id = $1 AND p.id = m.project_id AND o.id = p.organization_id \
               UNION ALL \
               SELECT p.id, p.slug, p.name, p.organization_id, o.name AS organization, t.id AS team_id, t.name AS team \
               FROM team_members m CROSS JOIN teams t CROSS JOIN project_teams x CROSS JOIN projects p CROSS JOIN organizations o \
               WHERE m.user_id = $1 AND t.id = m.team_id AND x.team_id = t.id AND p.id = x.project_id AND o.id = p.organization_id";
    let mut ways: Vec<WayRow> = at.db.all(sql, &args![&user.id]).await?;
    ways.retain(|it| organization.as_ref().is_none_or(|wanted| *wanted == it.organization_id));
    let held = held(at, &user).await?;
    let mut rows = Vec::new();
    for way in ways {
        let levels = if asked.is_empty() { &[RoleLevel::Project][..] } else { &asked };
        let roles = roles(&held, |it| {
            counts(levels, &it.level)
                && match it.level.as_str() {
                    "project" => it.project_id.as_ref() == Some(&way.id) && it.team_id == way.team_id,
                    "team" => way.team_id.is_some() && it.team_id == way.team_id,
                    _ => it.organization_id == way.organization_id,
                }
        });
        if asked.is_empty() || !roles.is_empty() {
            let key = format!("{} {} {}", way.slug, way.id, way.team_id.as_deref().unwrap_or_default());
            let (organization, project) = (way.organization, Some(way.name));
            rows.push((key, Membership { member: user.email.clone(), organization, project, roles, via_team: way.team }));
        }
    }
    Ok(cut(&page, rows, op.order.unwrap_or(Order::Asc)))
}

row! {
    struct WayRow {
        id: String, slug: String, name: String, organization_id: String, organization: String, team_id: Option<String>, team: Option<String>,
    }
}

row! {
    /// A role that a person holds; `team_id` is the team that it is held in or comes through.
    struct HeldRow { organization_id: String, project_id: Option<String>, team_id: Option<String>, level: String, role: String }
}

/// Everything that a person holds, of every level.
async fn held(at: &mut Session, user: &UserRow) -> Result<Vec<HeldRow>, ProviderError> {
    let sql = "SELECT m.organization_id, CAST(NULL AS TEXT) AS project_id, CAST(NULL AS TEXT) AS team_id, r.level, r.name AS role \
               FROM organization_members m JOIN roles r ON r.id = m.role_id WHERE m.user_id = $1 \
               UNION ALL \
               SELECT t.organization_id, CAST(NULL AS TEXT) AS project_id, t.id AS team_id, r.level, r.name AS role \
               FROM team_members m JOIN teams t ON t.id = m.team_id JOIN roles r ON r.id = m.role_id WHERE m.user_id = $1 \
               UNION ALL \
               SELECT a.organization_id, a.project_id, a.team_id, r.level, r.name AS role FROM role_assignments a \
               JOIN roles r ON r.id = a.role_id WHERE a.user_id = $1 \
               UNION ALL \
               SELECT a.organization_id, a.project_id, a.team_id, r.level, r.name AS role FROM team_members m \
               CROSS JOIN role_assignments a JOIN roles r ON r.id = a.role_id WHERE m.user_id = $1 AND a.team_id = m.team_id";
    Ok(at.db.all(sql, &args![&user.id]).await?)
}

fn roles(held: &[HeldRow], counted: impl Fn(&HeldRow) -> bool) -> Vec<String> {
    held.iter().filter(|it| counted(it)).map(|it| it.role.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn counts(levels: &[RoleLevel], level: &str) -> bool {
    levels.iter().any(|it| super::resolve::level_name(*it) == level)
}

/// Cuts a page out of all rows: one person's are few, and their keys are put together here.
fn cut(page: &PageQuery, mut rows: Vec<(String, Membership)>, order: Order) -> List<Membership> {
    let total = i64::try_from(rows.len()).ok();
    rows.sort_by(|(a, _), (b, _)| match order {
        Order::Asc => a.cmp(b),
        Order::Desc => b.cmp(a),
    });
    if let Some(after) = &page.after {
        rows.retain(|(key, _)| match order {
            Order::Asc => key > after,
            Order::Desc => key < after,
        });
    }
    page.page(rows, total, |(key, _)| key.clone(), |(_, it)| it)
}

/// The account that is named: by its address wherever it is, by a name among those within reach.
pub(super) async fn account(at: &mut Session, named: &SoughtRef) -> Result<UserRow, ProviderError> {
    let missing = match reachable(at, named).await {
        Err(error @ ProviderError::NotFound { .. }) => error,
        other => return other,
    };
    let user = match Email::try_from(named.text().to_owned()) {
        Ok(email) => members::user_with(at, &email).await?,
        Err(_) => None,
    };
    user.ok_or_else(|| ProviderError::NotFound {
        kind: "user",
        name: named.to_string(),
        scope: "this directory".to_owned(),
        fix: hint(&missing).unwrap_or_else(|| "find the e-mail with list_organization_members or list_invitations".to_owned()),
    })
}
