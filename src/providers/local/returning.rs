//! What brings somebody back who left an organization: the calls that give what they held of their own.

use serde_json::json;

use super::{
    Session,
    resolve::{OrganizationRow, UserRow},
};
use crate::{
    domain::Inverse,
    error::ProviderError,
    store::{args, row},
    tools::{members::AddOrganizationMember, project_members::AddProjectMember, roles::AssignRole, teams::AddTeamMember},
};

row! {
    struct Held { place: String, role_id: String }
}

/// The membership first, then teams, projects and further roles. What is gone for good is not among them: keys stay without an
/// owner, and archived projects take nobody in.
pub(super) async fn all(at: &mut Session, organization: &OrganizationRow, user: &UserRow) -> Result<Vec<Inverse>, ProviderError> {
    let values = args![&organization.id, &user.id];
    let mut calls = Vec::new();
    let sql = "SELECT organization_id AS place, role_id FROM organization_members WHERE organization_id = $1 AND user_id = $2";
    for it in at.db.all::<Held>(sql, &values).await? {
        let back = json!({ "email": user.email, "role": it.role_id, "organization": it.place });
        calls.push(Inverse::call::<AddOrganizationMember>(back));
    }
    let sql = "SELECT m.team_id AS place, m.role_id FROM team_members m JOIN teams t ON t.id = m.team_id \
               WHERE t.organization_id = $1 AND m.user_id = $2 ORDER BY t.slug";
    for it in at.db.all::<Held>(sql, &values).await? {
        calls.push(Inverse::call::<AddTeamMember>(json!({ "team": it.place, "member": user.id, "role": it.role_id })));
    }
    let sql = "SELECT a.project_id AS place, a.role_id FROM role_assignments a \
               JOIN project_members m ON m.project_id = a.project_id AND m.user_id = a.user_id JOIN projects p ON p.id = a.project_id \
               WHERE a.organization_id = $1 AND a.user_id = $2 AND p.status = 'active' ORDER BY p.slug, a.role_id";
    let mut held: Vec<(String, Vec<String>)> = Vec::new();
    for it in at.db.all::<Held>(sql, &values).await? {
        match held.last_mut().filter(|(project, _)| *project == it.place) {
            Some((_, roles)) => roles.push(it.role_id),
            None => held.push((it.place, vec![it.role_id])),
        }
    }
    calls.extend(
        held.into_iter()
            .map(|(project, roles)| Inverse::call::<AddProjectMember>(json!({ "project": project, "member": user.id, "roles": roles }))),
    );
    let sql = "SELECT a.organization_id AS place, a.role_id FROM role_assignments a \
               WHERE a.organization_id = $1 AND a.user_id = $2 AND a.project_id IS NULL ORDER BY a.role_id";
    for it in at.db.all::<Held>(sql, &values).await? {
        calls.push(Inverse::call::<AssignRole>(json!({ "role": it.role_id, "member": user.id, "organization": it.place })));
    }
    Ok(calls)
}
