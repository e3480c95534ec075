//! Invitations to organizations of the directory.

use std::collections::HashMap;

use serde_json::json;

use super::{
    Session, members,
    page::PageQuery,
    resolve::{OrganizationRow, ProjectRow, RoleRow, only},
    select::{Select, places},
};
use crate::{
    domain::{
        Change, Email, Facts, Inverse, List, PageRequest, ProjectRef, ReferenceText, RoleRef, Target, Timestamp,
        access::{Grant, Holder},
        members::{Invitation, InvitationStatus},
    },
    error::ProviderError,
    store::{StoreError, Val, args, new_id, row},
    tools::members::{CancelInvitation, InviteOrganizationMember, ListInvitations},
};

/// How long an invitation can be accepted.
const DAYS: i64 = 14;
/// The role in projects that come with an invitation.
pub(super) const PROJECT_MEMBER: &str = "role_project_member";

row! {
    /// An invitation; `status` is what it is now, `projects` a JSON array of ids.
    pub(super) struct InvitationRow {
        id: String, email: String, role_id: String, role: String, projects: String, status: String, created_at: i64, expires_at: i64,
    }
}

impl InvitationRow {
    fn project_ids(&self) -> Vec<String> {
        serde_json::from_str(&self.projects).unwrap_or_default()
    }

    pub(super) fn role(&self) -> &str {
        &self.role
    }

    fn is_pending(&self) -> bool {
        self.status == "pending"
    }
}

/// Invitations of organization `$1` at time `$2`: nobody marks one that has expired, time does.
const INVITATIONS: &str = "SELECT i.id, i.email, i.role_id, r.name AS role, i.projects, \
     CASE WHEN i.status = 'pending' AND i.expires_at <= $2 THEN 'expired' ELSE i.status END AS status, i.created_at, i.expires_at \
     FROM invitations i CROSS JOIN roles r WHERE i.organization_id = $1 AND r.id = i.role_id";

pub(super) async fn list(at: &mut Session, op: &ListInvitations) -> Result<List<Invitation>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    let organization = at.organization(op.organization.as_ref()).await?;
    let mut found = Select::new(
        "i.id, i.email, i.role_id, r.name AS role, i.projects, \
         CASE WHEN i.status = 'pending' AND i.expires_at <= $1 THEN 'expired' ELSE i.status END AS status, i.created_at, i.expires_at",
        "invitations i CROSS JOIN roles r",
    );
    let now = found.bind(Timestamp::now().0);
    // It counts, too, where the columns are not read; PostgreSQL wants every value used.
    found.and(format!("{now} = {now}"));
    found.with("i.organization_id = {}", &organization.id);
    found.and("r.id = i.role_id");
    match op.status {
        None => {}
        Some(InvitationStatus::Pending) => found.and(format!("i.status = 'pending' AND i.expires_at > {now}")),
        Some(InvitationStatus::Expired) => found.and(format!("i.status = 'pending' AND i.expires_at <= {now}")),
        Some(other) => found.with("i.status = {}", status_name(other)),
    }
    let total = found.total(at, 0).await?;
    let rows: Vec<InvitationRow> = found.page(at, &["i.email", "i.id"], page.after_two(), &page).await?;
    let projects = names(at, &rows).await?;
    Ok(page.page(rows, total, |it| format!("{} {}", it.email, it.id), |it| view(it, &projects, &organization.name)))
}

pub(super) async fn invite(at: &mut Session, op: &InviteOrganizationMember) -> Result<Change<Invitation>, ProviderError> {
    let organization = at.organization(op.organization.as_ref()).await?;
    let role = members::role_or_default(at, op.role.as_ref(), &organization).await?;
    if let Some(held) = members::role_of(at, &organization.id, &op.email).await? {
        return Err(already_member(at, &op.email, &organization, &held, op.role.as_ref(), !op.projects.is_empty()).await?);
    }
    let former = open(at, &organization.id, &op.email).await?;
    let mut projects: Vec<ProjectRow> = Vec::new();
    for named in &op.projects {
        let project = active_project(at, &organization, named).await?;
        if !projects.iter().any(|it| it.id == project.id) {
            projects.push(project);
        }
    }
    if let Some(it) = former.as_ref().filter(|it| it.is_pending()) {
        let into = it.project_ids();
        return Err(ProviderError::already(
            "already_invited",
            (op.role.is_none() || it.role_id == role.id) && projects.iter().all(|it| into.contains(&it.id)),
            format!("`{}` has a pending invitation to `{}` as {}", op.email, organization.name, it.role),
            "wait for it, or end it with cancel_invitation and invite again",
        ));
    }
    let invited = |role, place| Grant::own(Holder::Invitation(op.email.to_string()), role, place).pending();
    let mut facts = Facts::none().about(at.surroundings(&organization.id).await?).gives(invited(role.held(), organization.place()));
    if !projects.is_empty() {
        let role = members::role_by_id(at, PROJECT_MEMBER).await?;
        // The id tells which project it is, where several have the name.
        facts = projects.iter().fold(facts, |facts, it| {
            facts.gives(invited(role.held(), it.place())).note(format!("brings project {} [{}] with it", it.name, it.id))
        });
    }
    if former.is_some() {
        facts = facts.note("replaces an invitation that has expired");
    }
    let ids: Vec<String> = projects.into_iter().map(|it| it.id).collect();
    let id = insert(at, &organization.id, &op.email, &role.id, &ids).await?;
    let after = by_id(at, &organization, &id).await?;
    let target = Target::new_one("invitation", op.email.as_str(), &organization.name);
    let inverse = Inverse::call::<CancelInvitation>(json!({ "invitation": id, "organization": organization.id }));
    Ok(Change::created(target, facts.undo("cancel_invitation"), after).inverse(inverse))
}

pub(super) async fn cancel(at: &mut Session, op: &CancelInvitation) -> Result<Change<Invitation>, ProviderError> {
    let organization = at.organization(op.organization.as_ref()).await?;
    let wanted = op.invitation.text();
    let sql = format!("{INVITATIONS} AND (i.id = $3 OR i.email = $4) ORDER BY i.created_at DESC, i.id DESC");
    let values = args![&organization.id, Timestamp::now().0, wanted, wanted.to_lowercase()];
    let found: Vec<InvitationRow> = at.db.all(&sql, &values).await?;
    // Of several to one e-mail the pending one is meant, else the newest.
    let meant = found.iter().position(InvitationRow::is_pending).unwrap_or_default();
    let found = found.into_iter().skip(meant).take(1).collect();
    let row = only(found, "invitation", wanted, &organization.name, "list_invitations", |it| &it.id, |it: &InvitationRow| it.id.clone())?;
    if !row.is_pending() {
        if row.status != "accepted" {
            let message = format!("the invitation of `{}` is {} already", row.email, row.status);
            return Err(ProviderError::gone(message, "list_invitations"));
        }
        return Err(ProviderError::conflict(
            "not_pending",
            format!("the invitation of `{}` is {} already", row.email, row.status),
            "nothing is left to cancel; a member is removed with remove_organization_member",
        ));
    }
    let id = row.id.clone();
    let before = by_id(at, &organization, &id).await?;
    at.db.run("UPDATE invitations SET status = 'cancelled' WHERE id = $1", &args![&id]).await?;
    let after = by_id(at, &organization, &id).await?;
    let target = Target::new("invitation", &before.invitation, &id, &organization.name);
    let role = members::role_by_id(at, &row.role_id).await?;
    let grant = Grant::own(Holder::Invitation(row.email.clone()), role.held(), organization.place()).pending();
    let facts = Facts::none().takes(grant, Vec::new(), Vec::new()).undo("invite_organization_member with the same arguments");
    let back = json!({
        "email": row.email, "role": row.role_id, "organization": organization.id, "projects": row.project_ids(),
    });
    Ok(Change::updated(target, facts, before, after).inverse(Inverse::call::<InviteOrganizationMember>(back)))
}

/// Writes an invitation; one to the same person that has expired makes room for it.
pub(super) async fn insert(
    at: &mut Session,
    organization_id: &str,
    email: &Email,
    role_id: &str,
    projects: &[String],
) -> Result<String, ProviderError> {
    let now = Timestamp::now();
    let sql =
        "UPDATE invitations SET status = 'cancelled' WHERE organization_id = $1 AND email = $2 AND status = 'pending' AND expires_at <= $3";
    at.db.run(sql, &args![organization_id, email.as_str(), now.0]).await?;
    let id = new_id("inv");
    let sql = "INSERT INTO invitations (id, organization_id, email, role_id, projects, status, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7)";
    let projects = serde_json::Value::from(projects).to_string();
    let expires = now.plus_seconds(DAYS * 24 * 60 * 60);
    at.db.run(sql, &args![&id, organization_id, email.as_str(), role_id, projects, now.0, expires.0]).await?;
    Ok(id)
}

/// The invitation of a person that nobody has answered: pending, or expired.
async fn open(at: &mut Session, organization_id: &str, email: &Email) -> Result<Option<InvitationRow>, ProviderError> {
    let sql = format!("{INVITATIONS} AND i.email = $3 AND i.status = 'pending'");
    Ok(at.db.one(&sql, &args![organization_id, Timestamp::now().0, email.as_str()]).await?)
}

/// The invitation that a person could accept now.
pub(super) async fn pending(at: &mut Session, organization_id: &str, email: &Email) -> Result<Option<InvitationRow>, ProviderError> {
    Ok(open(at, organization_id, email).await?.filter(InvitationRow::is_pending))
}

/// Accepts an invitation for somebody who has just become a member. Projects that have ended or been archived since are left out.
pub(super) async fn accept(
    at: &mut Session,
    organization_id: &str,
    invitation: &InvitationRow,
    user_id: &str,
) -> Result<(), ProviderError> {
    let now = Timestamp::now().0;
    for id in invitation.project_ids() {
        let sql = "SELECT COUNT(*) FROM projects WHERE id = $1 AND organization_id = $2 AND status = 'active'";
        if at.db.number(sql, &args![&id, organization_id]).await? == 0 {
            continue;
        }
        let sql = "INSERT INTO project_members (project_id, user_id, joined_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        at.db.run(sql, &args![&id, user_id, now]).await?;
        let sql = "INSERT INTO role_assignments (id, organization_id, project_id, role_id, user_id, team_id, created_at) \
                   VALUES ($1, $2, $3, $4, $5, NULL, $6) ON CONFLICT DO NOTHING";
        at.db.run(sql, &args![new_id("asg"), organization_id, &id, PROJECT_MEMBER, user_id, now]).await?;
    }
    at.db.run("UPDATE invitations SET status = 'accepted' WHERE id = $1", &args![&invitation.id]).await?;
    Ok(())
}

/// That somebody is in the organization already, as asked for or not.
pub(super) async fn already_member(
    at: &mut Session,
    email: &Email,
    organization: &OrganizationRow,
    held: &RoleRow,
    wanted: Option<&RoleRef>,
    more: bool,
) -> Result<ProviderError, ProviderError> {
    let same = match wanted {
        Some(_) => members::role_or_default(at, wanted, organization).await?.id == held.id,
        None => true,
    };
    Ok(ProviderError::already(
        "already_member",
        same && !more,
        format!("`{email}` is a member of `{}` already, as {}", organization.name, held.name),
        "change the role with update_organization_member, or give a project with add_project_member",
    ))
}

/// The active project of an organization that is named.
async fn active_project(at: &mut Session, organization: &OrganizationRow, named: &ProjectRef) -> Result<ProjectRow, ProviderError> {
    let found = at.projects_named(named.text(), Some(organization.id.clone())).await?;
    let found = only(
        found,
        "project",
        named.text(),
        &organization.name,
        "list_projects",
        |it: &ProjectRow| &it.id,
        |it| format!("{} ({})", it.id, it.name),
    )?;
    // The rule that archived projects take no change is kept in one place.
    at.active_project(&ProjectRef::read(found.id)).await
}

async fn by_id(at: &mut Session, organization: &OrganizationRow, id: &str) -> Result<Invitation, ProviderError> {
    let row: Option<InvitationRow> =
        at.db.one(&format!("{INVITATIONS} AND i.id = $3"), &args![&organization.id, Timestamp::now().0, id]).await?;
    let rows = [row.ok_or_else(|| StoreError::Unreadable(format!("invitation {id} is missing")))?];
    let projects = names(at, &rows).await?;
    let [row] = rows;
    Ok(view(row, &projects, &organization.name))
}

/// The names of the projects that come with invitations, by id.
async fn names(at: &mut Session, rows: &[InvitationRow]) -> Result<HashMap<String, String>, ProviderError> {
    let mut ids: Vec<String> = rows.iter().flat_map(InvitationRow::project_ids).collect();
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("SELECT id, name FROM projects WHERE id IN ({})", places(1, ids.len()));
    let found: Vec<(String, String)> = at.db.all(&sql, &ids.iter().map(Val::from).collect::<Vec<_>>()).await?;
    Ok(found.into_iter().collect())
}

fn view(it: InvitationRow, projects: &HashMap<String, String>, organization: &str) -> Invitation {
    let projects = it.project_ids().iter().filter_map(|id| projects.get(id).cloned()).collect();
    Invitation {
        invitation: it.email,
        id: it.id,
        role: it.role,
        status: match it.status.as_str() {
            "accepted" => InvitationStatus::Accepted,
            "cancelled" => InvitationStatus::Cancelled,
            "expired" => InvitationStatus::Expired,
            _ => InvitationStatus::Pending,
        },
        organization: organization.to_owned(),
        projects,
        invited_at: Some(Timestamp(it.created_at)),
        expires_at: Some(Timestamp(it.expires_at)),
    }
}

fn status_name(status: InvitationStatus) -> &'static str {
    match status {
        InvitationStatus::Pending => "pending",
        InvitationStatus::Accepted => "accepted",
        InvitationStatus::Expired => "expired",
        InvitationStatus::Cancelled => "cancelled",
    }
}
