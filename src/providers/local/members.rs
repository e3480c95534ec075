//! People of an organization.

use std::collections::HashMap;

use serde_json::json;

use super::{
    Session,
    compared::{Alone, Look},
    page::PageQuery,
    resolve::{OrganizationRow, ROLE_COLUMNS, RoleRow, UserRow},
    returning,
    select::{COUNTED, Kept, Select, places},
};
use crate::{
    domain::{Change, Email, Inverse, List, PageRequest, RoleRef, Target, Timestamp, members::Member, roles::RoleLevel},
    error::ProviderError,
    store::{StoreError, Val, args, row},
    tools::members::{GetOrganizationMember, ListOrganizationMembers, RemoveOrganizationMember, UpdateOrganizationMember},
};

/// The role that owners of an organization hold.
pub(super) const OWNER: &str = "role_organization_owner";
/// The role of people for whom none is named.
const DEFAULT_ROLE: &str = "role_organization_member";

row! {
    struct MemberRow { id: String, email: String, name: String, role: String, joined_at: i64 }
}

const LISTED: &str = "u.id, u.email, u.name, r.name AS role, m.joined_at";
const PEOPLE: &str = "people_in x CROSS JOIN organization_members m CROSS JOIN users u CROSS JOIN roles r";
/// What belongs to somebody in `people_in x`.
const OF_PERSON: &str = "m.organization_id = x.place_id AND m.user_id = x.user_id AND u.id = x.user_id AND r.id = m.role_id";

const MEMBER_COLUMNS: &str = "SELECT u.id, u.email, u.name, r.name AS role, m.joined_at FROM organization_members m \
     JOIN users u ON u.id = m.user_id JOIN roles r ON r.id = m.role_id";

pub(super) async fn list(at: &mut Session, op: &ListOrganizationMembers) -> Result<List<Member>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let organization = at.organization(op.organization.as_ref()).await?;
    let role = match &op.role {
        Some(named) => Some(at.role(named, RoleLevel::Organization, &organization.id, None).await?.id),
        None => None,
    };
    let all = at.kept_of(Kept::Members, &organization.id).await?;
    let people = |after: Option<&String>, rows| {
        let mut found = match &role {
            None => Select::new(LISTED, PEOPLE),
            // A search looks through all who have the role.
            Some(role) => with_role(&organization.id, role, after, if op.query.is_some() { i64::MAX } else { rows }),
        };
        found.with("x.place_id = {}", &organization.id);
        found.and(OF_PERSON);
        if let Some(query) = &op.query {
            found.with_part(&["u.email", "u.name_key"], query);
        }
        found
    };
    let total = match (&role, &op.query) {
        (None, None) => Some(all),
        (Some(_), None) => people(None, COUNTED + 1).total(at, 0).await?,
        _ => people(None, 0).total(at, all).await?,
    };
    let found = people(page.after.as_ref(), page.rows());
    let rows: Vec<MemberRow> = found.page(at, &["x.email"], page.after_one(), &page).await?;
    let people: Vec<String> = rows.iter().map(|it| it.id.clone()).collect();
    let extra = extra_roles(at, &organization.id, &people).await?;
    Ok(page.page(
        rows,
        total,
        |it| it.email.clone(),
        |it| {
            let more = extra.get(&it.id).cloned().unwrap_or_default();
            view(it, more, &organization.name)
        },
    ))
}

/// Those whose membership has a role, the first behind an e-mail, and the few to whom it was assigned beside their own.
fn with_role(organization_id: &str, role_id: &str, after: Option<&String>, rows: i64) -> Select {
    let mut found = Select::new(LISTED, "");
    let (place, role) = (found.bind(organization_id), found.bind(role_id));
    let behind = after.map(|it| format!(" AND email > {}", found.bind(it))).unwrap_or_default();
    found.reads(format!(
        "(SELECT place_id, email, user_id FROM (SELECT place_id, email, user_id FROM people_in WHERE place_id = {place} \
         AND role_id = {role}{behind} ORDER BY email LIMIT {rows}) own \
         UNION SELECT a.organization_id, u.email, u.id FROM role_assignments a CROSS JOIN users u WHERE a.organization_id = {place} \
         AND a.role_id = {role} AND a.project_id IS NULL AND u.id = a.user_id) x \
         CROSS JOIN organization_members m CROSS JOIN users u CROSS JOIN roles r"
    ));
    found
}

pub(super) async fn get(at: &mut Session, op: &GetOrganizationMember) -> Result<Member, ProviderError> {
    let organization = at.organization(op.organization.as_ref()).await?;
    let user = at.member(&organization, &op.member).await?;
    by_id(at, &organization, &user.id).await
}

pub(super) async fn update(at: &mut Session, op: &UpdateOrganizationMember) -> Result<Change<Member>, ProviderError> {
    let organization = at.organization(op.organization.as_ref()).await?;
    let user = at.member(&organization, &op.member).await?;
    let new = at.role(&op.role, RoleLevel::Organization, &organization.id, None).await?;
    let old = held(at, &organization.id, &user.id).await?;
    let before = by_id(at, &organization, &user.id).await?;
    if new.id != old.id && old.id == OWNER {
        keep_an_owner(at, &organization, &user, false).await?;
    }
    let look = Look::at(at, &organization.id, vec![user.id.clone()]).await?;
    let sql = "UPDATE organization_members SET role_id = $3 WHERE organization_id = $1 AND user_id = $2";
    at.db.run(sql, &args![&organization.id, &user.id, &new.id]).await?;
    let after = by_id(at, &organization, &user.id).await?;
    let mut facts = look.facts(at).await?.undo(format!("update_organization_member with role `{}`", old.name));
    let extra: Vec<String> = before.roles.iter().skip(1).filter(|it| **it != new.name).cloned().collect();
    if !extra.is_empty() {
        facts = facts.note(format!("still holds {}, which unassign_role takes away", extra.join(", ")));
    }
    let back = json!({ "member": user.id, "role": old.id, "organization": organization.id });
    let inverse = Inverse::call::<UpdateOrganizationMember>(back);
    Ok(Change::updated(target(&user, &organization), facts, before, after).inverse(inverse))
}

pub(super) async fn remove(at: &mut Session, op: &RemoveOrganizationMember) -> Result<Change<Member>, ProviderError> {
    let organization = at.organization(op.organization.as_ref()).await?;
    let user = at.member(&organization, &op.member).await?;
    keep_an_owner(at, &organization, &user, true).await?;
    let before = by_id(at, &organization, &user.id).await?;
    let (look, alone) =
        (Look::at(at, &organization.id, vec![user.id.clone()]).await?, Alone::of_person(at, &organization.id, &user.id).await?);
    let inverse = returning::all(at, &organization, &user).await?;
    for sql in [
        "DELETE FROM project_members WHERE user_id = $1 AND EXISTS (SELECT 1 FROM projects it WHERE it.id = project_members.project_id AND it.organization_id = $2)",
        "DELETE FROM team_members WHERE user_id = $1 AND EXISTS (SELECT 1 FROM teams it WHERE it.id = team_members.team_id AND it.organization_id = $2)",
        "DELETE FROM role_assignments WHERE user_id = $1 AND organization_id = $2",
        "UPDATE api_keys SET user_id = NULL WHERE user_id = $1 AND EXISTS (SELECT 1 FROM projects it WHERE it.id = api_keys.project_id AND it.organization_id = $2)",
        "DELETE FROM organization_members WHERE user_id = $1 AND organization_id = $2",
    ] {
        at.db.run(sql, &args![&user.id, &organization.id]).await?;
    }
    let facts = look.facts(at).await?;
    let mut facts = alone.since(at, facts).await?;
    for invitation in invitations_elsewhere(at, &user.email).await? {
        facts = facts.note(format!("still invited to {invitation}, until cancel_invitation"));
    }
    let role = before.roles.first().map_or("member", String::as_str);
    let facts = facts.undo(format!("add_organization_member with role `{role}`; projects, teams and further roles are granted again"));
    Ok(Change::removed(target(&user, &organization), facts, before).inverses(inverse))
}

/// Organizations within reach in which somebody's invitation can still be accepted, each with its role.
async fn invitations_elsewhere(at: &mut Session, email: &str) -> Result<Vec<String>, ProviderError> {
    let mut values = args![email, Timestamp::now().0].to_vec();
    let pinned = at.pinned().await?.map(|it| Val::from(it.id));
    let within = if pinned.is_some() { " AND o.id = $3" } else { "" };
    values.extend(pinned);
    let sql = format!(
        "SELECT o.name || ' as ' || r.name FROM invitations i JOIN organizations o ON o.id = i.organization_id \
         JOIN roles r ON r.id = i.role_id WHERE i.email = $1 AND i.status = 'pending' AND i.expires_at > $2{within} ORDER BY o.slug"
    );
    Ok(at.db.texts(&sql, &values).await?)
}

/// Refuses to take the last owner away from an organization.
async fn keep_an_owner(at: &mut Session, organization: &OrganizationRow, user: &UserRow, leaves: bool) -> Result<(), ProviderError> {
    if !is_owner(at, &organization.id, &user.id).await? {
        return Ok(());
    }
    let others = owners_but(at, &organization.id, &user.id).await?;
    // Somebody who is demoted stays an owner by an assignment beside the role.
    let beside = format!("SELECT COUNT(*) FROM organization_members m WHERE m.organization_id = $1 AND m.user_id = $2 AND {OWNS}");
    let stays = !leaves && at.db.number(&beside, &args![&organization.id, &user.id, OWNER]).await? > 0;
    if others || stays {
        return Ok(());
    }
    Err(ProviderError::conflict(
        "last_owner",
        format!("`{}` is the last owner of `{}`", user.email, organization.name),
        "make somebody else owner first: update_organization_member with role `owner`",
    ))
}

/// Whether anybody but one person owns an organization: by the membership, or by an assignment to them or to a team that they are in.
async fn owners_but(at: &mut Session, organization_id: &str, user_id: &str) -> Result<bool, ProviderError> {
    let values = args![organization_id, user_id, OWNER];
    for sql in [
        "SELECT COUNT(*) FROM (SELECT 1 FROM people_in WHERE place_id = $1 AND role_id = $3 AND user_id <> $2 LIMIT 1) one",
        "SELECT COUNT(*) FROM (SELECT 1 FROM role_assignments a WHERE a.organization_id = $1 AND a.role_id = $3 AND a.project_id IS NULL \
         AND a.user_id <> $2 LIMIT 1) one",
        "SELECT COUNT(*) FROM (SELECT 1 FROM role_assignments a CROSS JOIN team_members t WHERE a.organization_id = $1 AND a.role_id = $3 \
         AND a.project_id IS NULL AND t.team_id = a.team_id AND t.user_id <> $2 LIMIT 1) one",
    ] {
        if at.db.number(sql, &values).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a membership `m` has role `$3` assigned beside its own, to the person or to one of their teams.
const OWNS: &str = "EXISTS (SELECT 1 FROM role_assignments a WHERE a.organization_id = m.organization_id AND a.project_id IS NULL \
     AND a.role_id = $3 AND (a.user_id = m.user_id OR a.team_id IN (SELECT t.team_id FROM team_members t WHERE t.user_id = m.user_id)))";

async fn is_owner(at: &mut Session, organization_id: &str, user_id: &str) -> Result<bool, ProviderError> {
    let sql = format!(
        "SELECT COUNT(*) FROM organization_members m WHERE m.organization_id = $1 AND m.user_id = $2 AND ({OWNS} OR m.role_id = $3)"
    );
    Ok(at.db.number(&sql, &args![organization_id, user_id, OWNER]).await? > 0)
}

/// The person who has an account with this e-mail.
pub(super) async fn user_with(at: &mut Session, email: &Email) -> Result<Option<UserRow>, ProviderError> {
    Ok(at.db.one("SELECT id, email, name, created_at FROM users WHERE email = $1", &args![email.as_str()]).await?)
}

/// The role that somebody has in an organization; none where they are no member of it.
pub(super) async fn role_of(at: &mut Session, organization_id: &str, email: &Email) -> Result<Option<RoleRow>, ProviderError> {
    let sql = "SELECT role_id FROM people_in WHERE place_id = $1 AND email = $2";
    match at.db.texts(sql, &args![organization_id, email.as_str()]).await?.pop() {
        Some(id) => role_by_id(at, &id).await.map(Some),
        None => Ok(None),
    }
}

/// The role that is named, or the one of people for whom none is named.
pub(super) async fn role_or_default(
    at: &mut Session,
    named: Option<&RoleRef>,
    organization: &OrganizationRow,
) -> Result<RoleRow, ProviderError> {
    match named {
        Some(named) => at.role(named, RoleLevel::Organization, &organization.id, None).await,
        None => role_by_id(at, DEFAULT_ROLE).await,
    }
}

pub(super) async fn role_by_id(at: &mut Session, id: &str) -> Result<RoleRow, ProviderError> {
    let role = at.db.one(&format!("{ROLE_COLUMNS} WHERE r.id = $1"), &args![id]).await?;
    role.ok_or_else(|| StoreError::Unreadable(format!("role {id} is missing")).into())
}

/// The role that a membership names.
async fn held(at: &mut Session, organization_id: &str, user_id: &str) -> Result<RoleRow, ProviderError> {
    let sql = format!("{ROLE_COLUMNS} JOIN organization_members m ON m.role_id = r.id WHERE m.organization_id = $1 AND m.user_id = $2");
    let role = at.db.one(&sql, &args![organization_id, user_id]).await?;
    role.ok_or_else(|| StoreError::Unreadable(format!("the role of {user_id} in {organization_id} is missing")).into())
}

/// Makes a person with an account a member.
pub(super) async fn enroll(at: &mut Session, organization_id: &str, user_id: &str, role_id: &str) -> Result<(), ProviderError> {
    let sql = "INSERT INTO organization_members (organization_id, user_id, role_id, joined_at) VALUES ($1, $2, $3, $4)";
    at.db.run(sql, &args![organization_id, user_id, role_id, Timestamp::now().0]).await?;
    Ok(())
}

pub(super) async fn by_id(at: &mut Session, organization: &OrganizationRow, user_id: &str) -> Result<Member, ProviderError> {
    let sql = format!("{MEMBER_COLUMNS} WHERE m.organization_id = $1 AND m.user_id = $2");
    let row: Option<MemberRow> = at.db.one(&sql, &args![&organization.id, user_id]).await?;
    let row = row.ok_or_else(|| StoreError::Unreadable(format!("member {user_id} of {} is missing", organization.id)))?;
    let extra = extra_roles(at, &organization.id, std::slice::from_ref(&row.id)).await?.remove(&row.id).unwrap_or_default();
    Ok(view(row, extra, &organization.name))
}

/// The organization roles that people hold beside the one of their membership.
async fn extra_roles(at: &mut Session, organization_id: &str, people: &[String]) -> Result<HashMap<String, Vec<String>>, ProviderError> {
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    if people.is_empty() {
        return Ok(found);
    }
    let sql = format!(
        "SELECT a.user_id, r.name FROM role_assignments a JOIN roles r ON r.id = a.role_id \
         WHERE a.organization_id = $1 AND a.project_id IS NULL AND a.user_id IN ({}) ORDER BY r.name",
        places(2, people.len())
    );
    let mut values = args![organization_id].to_vec();
    values.extend(people.iter().map(Val::from));
    let rows: Vec<(String, String)> = at.db.all(&sql, &values).await?;
    for (user, role) in rows {
        found.entry(user).or_default().push(role);
    }
    Ok(found)
}

pub(super) fn target(user: &UserRow, organization: &OrganizationRow) -> Target {
    Target::new("member", &user.email, &user.id, &organization.name)
}

fn view(it: MemberRow, extra: Vec<String>, organization: &str) -> Member {
    let mut roles = vec![it.role];
    for role in extra {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    Member {
        member: it.email,
        name: Some(it.name),
        id: Some(it.id),
        roles,
        status: Some("active".to_owned()),
        organization: Some(organization.to_owned()),
        since: Some(Timestamp(it.joined_at)),
        ..Member::default()
    }
}
