//! Who reaches which project, by which way, and what ends when a way is closed.
//!
//! A person reaches a project as its member, or through a team that is on it. Taking one way away takes access only
//! where there is no other.

use std::collections::HashMap;

use super::{
    Session,
    members::OWNER,
    permissions::is_privileged,
    resolve::{ProjectRow, ROLE_COLUMNS, RoleRow, TEAM_COLUMNS, TeamRow, UserRow, only},
};
use crate::{
    domain::{Gravity, Impact, ReferenceText as _, TeamRef, fold},
    error::ProviderError,
    store::{StoreError, args, row},
};

/// The role that makes somebody the owner of a project.
pub(super) const PROJECT_OWNER: &str = "role_project_owner";

/// How many e-mails are written out where people get power.
const SHOWN: usize = 20;

/// One project, and more.
pub(super) const PROJECTS: (&str, &str) = ("project", "projects");

/// Pairs of person and project that only team `$1` holds together; of person `$2` and of project `$3`, where these are given.
const ONLY_THROUGH_TEAM: &str = "FROM project_teams pt JOIN team_members tm ON tm.team_id = pt.team_id \
     JOIN users u ON u.id = tm.user_id JOIN projects p ON p.id = pt.project_id \
     WHERE pt.team_id = $1 AND ($2 IS NULL OR tm.user_id = $2) AND ($3 IS NULL OR pt.project_id = $3) \
     AND NOT EXISTS (SELECT 1 FROM project_members d WHERE d.project_id = pt.project_id AND d.user_id = tm.user_id) \
     AND NOT EXISTS (SELECT 1 FROM project_teams o JOIN team_members om ON om.team_id = o.team_id \
                     WHERE o.project_id = pt.project_id AND om.user_id = tm.user_id AND o.team_id <> $1)";

row! {
    /// A role that a team holds; in the organization where there is no project.
    pub(super) struct TeamRole { role: String, permissions: String, project: Option<String> }
}

impl TeamRole {
    pub(super) fn is_privileged(&self) -> bool {
        is_privileged(&serde_json::from_str::<Vec<String>>(&self.permissions).unwrap_or_default())
    }

    /// The role and where it is held.
    pub(super) fn label(&self) -> String {
        match &self.project {
            Some(project) => format!("{} in project {project}", self.role),
            None => format!("{} in the organization", self.role),
        }
    }
}

impl Session {
    /// Somebody who can be let into a team or a project: a member of its organization.
    pub(super) async fn candidate(&mut self, organization_id: &str, organization: &str, wanted: &str) -> Result<UserRow, ProviderError> {
        let sql = "SELECT u.id, u.email, u.name, u.created_at FROM users u JOIN organization_members m ON m.user_id = u.id \
                   WHERE m.organization_id = $1 AND (u.id = $2 OR u.email = $3)";
        let email = wanted.to_lowercase();
        let found: Vec<UserRow> = self.db.all(sql, &args![organization_id, wanted, &email]).await?;
        if found.is_empty() {
            let invited = "SELECT COUNT(*) FROM invitations WHERE organization_id = $1 AND email = $2 AND status = 'pending'";
            let fix = if self.db.number(invited, &args![organization_id, &email]).await? > 0 {
                "an invitation is pending: wait until it is accepted, or make them a member at once with add_organization_member"
            } else {
                "bring them in first with invite_organization_member or add_organization_member"
            };
            return Err(ProviderError::conflict("not_a_member", format!("`{wanted}` is not a member of `{organization}`"), fix));
        }
        only(found, "member", wanted, organization, "list_organization_members", |it| &it.id, |it| it.email.clone())
    }

    /// The team that is named, among those of one organization.
    pub(super) async fn team_in(&mut self, organization_id: &str, organization: &str, named: &TeamRef) -> Result<TeamRow, ProviderError> {
        let sql =
            format!("{TEAM_COLUMNS} WHERE t.organization_id = $1 AND (t.id = $2 OR t.slug = $3 OR t.name_key = $3) ORDER BY t.slug, t.id");
        let found = self.db.all(&sql, &args![organization_id, named.text(), fold(named.text())]).await?;
        only(found, "team", named.text(), organization, "list_teams", |it: &TeamRow| &it.id, |it| format!("{} ({})", it.id, it.name))
    }

    /// The roles that a team hands down to its people, where they can be used.
    pub(super) async fn roles_of_team(&mut self, team_id: &str) -> Result<Vec<TeamRole>, ProviderError> {
        let sql = "SELECT r.name AS role, r.permissions, p.name AS project FROM role_assignments a JOIN roles r ON r.id = a.role_id \
                   LEFT JOIN projects p ON p.id = a.project_id WHERE a.team_id = $1 AND (p.id IS NULL OR p.status = 'active') \
                   ORDER BY p.name, r.name";
        Ok(self.db.all(sql, &args![team_id]).await?)
    }

    /// The teams through which a person reaches a project, by name.
    pub(super) async fn teams_between(&mut self, project_id: &str, user_id: &str) -> Result<Vec<String>, ProviderError> {
        let sql = "SELECT t.name FROM project_teams pt JOIN teams t ON t.id = pt.team_id JOIN team_members tm ON tm.team_id = t.id \
                   WHERE pt.project_id = $1 AND tm.user_id = $2 ORDER BY t.name";
        Ok(self.db.texts(sql, &args![project_id, user_id]).await?)
    }

    /// What ends when a team no longer hands anything down: to all its people or to one, in all its projects or in one.
    pub(super) async fn without_team(
        &mut self,
        team_id: &str,
        user_id: Option<&str>,
        project_id: Option<&str>,
    ) -> Result<Impact, ProviderError> {
        let values = args![team_id, user_id, project_id];
        let people = format!("SELECT DISTINCT u.email {ONLY_THROUGH_TEAM} ORDER BY u.email");
        let (people, emails) = self.count_and_name(&people, &values).await?;
        let projects = format!("SELECT DISTINCT p.name {ONLY_THROUGH_TEAM} ORDER BY p.name");
        let (projects, names) = self.count_and_name(&projects, &values).await?;
        let keys = format!(
            "SELECT k.name FROM api_keys k WHERE k.status = 'active' AND \
             EXISTS (SELECT 1 {ONLY_THROUGH_TEAM} AND tm.user_id = k.user_id AND pt.project_id = k.project_id) ORDER BY k.name"
        );
        let (keys, key_names) = self.count_and_name(&keys, &values).await?;
        let mut impact = Impact::of(if people > 0 { Gravity::High } else { Gravity::Low })
            .loses(people, ("person loses access", "people lose access"), emails)
            .loses(projects, ("project that they no longer reach", "projects that they no longer reach"), names)
            .loses(keys, ("key whose owner leaves", "keys whose owner leaves"), key_names);
        let ownerless = self.ownerless_without(team_id, user_id, project_id).await?;
        if !ownerless.is_empty() {
            impact =
                impact.at_least(Gravity::Critical).note(format!("no owner is left in {}", counted(ownerless.len(), PROJECTS, &ownerless)));
        }
        if project_id.is_none() {
            let sql = "SELECT r.name FROM role_assignments a JOIN roles r ON r.id = a.role_id WHERE a.team_id = $1 AND a.project_id IS NULL \
                       AND EXISTS (SELECT 1 FROM team_members tm WHERE tm.team_id = $1 AND ($2 IS NULL OR tm.user_id = $2)) ORDER BY r.name";
            let roles = self.db.texts(sql, &args![team_id, user_id]).await?;
            if !roles.is_empty() {
                let note = format!("ends what the team gives in the organization: {}", counted(roles.len(), ("role", "roles"), &roles));
                impact = impact.at_least(Gravity::High).note(note);
            }
        }
        Ok(impact)
    }

    /// Adds to an impact what it means that organization members get roles in a project.
    pub(super) async fn granting(
        &mut self,
        mut impact: Impact,
        project: &ProjectRow,
        emails: &[String],
        roles: &[RoleRow],
    ) -> Result<Impact, ProviderError> {
        let privileged: Vec<_> = roles.iter().filter(|it| is_privileged(&it.permissions())).map(|it| it.name.as_str()).collect();
        if privileged.is_empty() {
            return Ok(impact);
        }
        let shown = emails.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = emails.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let becomes = if emails.len() == 1 { "becomes" } else { "become" };
        let what = privileged.join(" and ");
        impact = impact.at_least(Gravity::Low).note(format!("{becomes} {what} of project {}: {shown}{more}", project.name));
        self.weighing_outsiders(impact, &project.organization_id, emails).await
    }

    /// Raises an impact where somebody who gets power is the only one in the organization with that mail domain, and not alone in it.
    pub(super) async fn weighing_outsiders(
        &mut self,
        impact: Impact,
        organization_id: &str,
        emails: &[String],
    ) -> Result<Impact, ProviderError> {
        // Two are enough to know: a batch asks this for each of its people, and an organization may have thousands.
        let two = "SELECT COUNT(*) FROM (SELECT 1 FROM organization_members WHERE organization_id = $1 LIMIT 2) two";
        let alike = "SELECT COUNT(*) FROM (SELECT 1 FROM organization_members m JOIN users u ON u.id = m.user_id \
                     WHERE m.organization_id = $1 AND SUBSTR(u.email, LENGTH(u.email) - LENGTH($2) + 1) = $2 LIMIT 2) alike";
        if self.db.number(two, &args![organization_id]).await? < 2 {
            return Ok(impact);
        }
        let (mut shared, mut outsiders) = (HashMap::new(), Vec::new());
        for email in emails {
            let domain = domain(email);
            let is_shared = match shared.get(domain) {
                Some(known) => *known,
                None => self.db.number(alike, &args![organization_id, format!("@{domain}")]).await? > 1,
            };
            shared.insert(domain, is_shared);
            if !is_shared {
                outsiders.push(email.clone());
            }
        }
        if outsiders.is_empty() {
            return Ok(impact);
        }
        let note = format!("nobody else in the organization has an e-mail of the same domain: {}", outsiders.join(", "));
        let impact = impact.at_least(Gravity::Critical);
        Ok(if impact.notes.contains(&note) { impact } else { impact.note(note) })
    }

    pub(super) async fn project_owner_role(&mut self) -> Result<RoleRow, ProviderError> {
        let role = self.db.one(&format!("{ROLE_COLUMNS} WHERE r.id = $1"), &args![PROJECT_OWNER]).await?;
        role.ok_or_else(|| StoreError::Unreadable(format!("role {PROJECT_OWNER} is missing")).into())
    }

    /// Active projects whose owners all own them through this team (or, where a person is given, are that person in this team).
    pub(super) async fn ownerless_without(
        &mut self,
        team_id: &str,
        user_id: Option<&str>,
        project_id: Option<&str>,
    ) -> Result<Vec<String>, ProviderError> {
        let sql = "SELECT DISTINCT p.name FROM role_assignments a JOIN projects p ON p.id = a.project_id \
                   JOIN team_members tm ON tm.team_id = a.team_id \
                   WHERE a.team_id = $1 AND a.role_id = $4 AND p.status = 'active' \
                   AND ($2 IS NULL OR tm.user_id = $2) AND ($3 IS NULL OR a.project_id = $3) \
                   AND NOT EXISTS (SELECT 1 FROM role_assignments d WHERE d.project_id = p.id AND d.role_id = $4 AND d.user_id IS NOT NULL) \
                   AND NOT EXISTS (SELECT 1 FROM role_assignments o JOIN team_members om ON om.team_id = o.team_id \
                                   WHERE o.project_id = p.id AND o.role_id = $4 \
                                   AND (o.team_id <> $1 OR ($2 IS NOT NULL AND om.user_id <> $2))) ORDER BY p.name";
        Ok(self.db.texts(sql, &args![team_id, user_id, project_id, PROJECT_OWNER]).await?)
    }

    /// Refuses to take the last owner away from an organization by ending what a team hands down: to all its people or to one.
    pub(super) async fn keep_an_owner_without_team(&mut self, team: &TeamRow, user_id: Option<&str>) -> Result<(), ProviderError> {
        let owns = "SELECT COUNT(*) FROM role_assignments a JOIN team_members tm ON tm.team_id = a.team_id \
                    WHERE a.team_id = $1 AND a.role_id = $3 AND a.project_id IS NULL AND ($2 IS NULL OR tm.user_id = $2)";
        let values = args![&team.id, user_id, OWNER];
        if self.db.number(owns, &values).await? == 0 {
            return Ok(());
        }
        let others = "SELECT COUNT(*) FROM organization_members m WHERE m.organization_id = $4 AND (m.role_id = $3 OR EXISTS \
                      (SELECT 1 FROM role_assignments a WHERE a.organization_id = m.organization_id AND a.project_id IS NULL \
                       AND a.role_id = $3 AND (a.user_id = m.user_id OR a.team_id IN (SELECT tm.team_id FROM team_members tm \
                       WHERE tm.user_id = m.user_id AND (tm.team_id <> $1 OR ($2 IS NOT NULL AND tm.user_id <> $2))))))";
        let values = args![&team.id, user_id, OWNER, &team.organization_id];
        if self.db.number(others, &values).await? > 0 {
            return Ok(());
        }
        Err(ProviderError::conflict(
            "last_owner",
            format!("`{}` has its last owner through team `{}`", team.organization, team.name),
            "make somebody else owner first: update_organization_member with role `owner`",
        ))
    }

    /// Refuses to take the ownership of a project from its last owner; an owner team that has people counts.
    pub(super) async fn keep_an_owner(&mut self, project: &ProjectRow, user: &UserRow) -> Result<(), ProviderError> {
        let owns = "SELECT COUNT(*) FROM role_assignments WHERE project_id = $1 AND role_id = $3 AND user_id = $2";
        let others = "SELECT (SELECT COUNT(*) FROM role_assignments WHERE project_id = $1 AND role_id = $3 AND user_id IS NOT NULL AND user_id <> $2) \
                      + (SELECT COUNT(*) FROM role_assignments a JOIN team_members tm ON tm.team_id = a.team_id \
                         WHERE a.project_id = $1 AND a.role_id = $3)";
        let values = args![&project.id, &user.id, PROJECT_OWNER];
        if self.db.number(owns, &values).await? == 0 || self.db.number(others, &values).await? > 0 {
            return Ok(());
        }
        Err(ProviderError::conflict(
            "last_owner",
            format!("`{}` is the last owner of project `{}`", user.email, project.name),
            "make somebody else an owner first with update_project_member or assign_role",
        ))
    }
}

fn domain(email: &str) -> &str {
    email.rsplit('@').next().unwrap_or_default()
}

/// A number, a noun and the first few names: `2 projects: Atlas, Borealis`.
pub(super) fn counted(count: usize, (one, many): (&str, &str), names: &[String]) -> String {
    let noun = if count == 1 { one } else { many };
    let more = if count > 5 { ", …" } else { "" };
    format!("{count} {noun}: {}{more}", names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", "))
}
