//! Who can be let into a team or a project, and the rule that the last owner stays.
//!
//! A person reaches a project as its member, or through a team that is on it. Taking one way away takes access only
//! where there is no other.

use super::{
    Session,
    members::{OWNER, role_by_id},
    resolve::{MEMBERS, ProjectRow, RoleRow, TeamRow, UserRow, only},
};
use crate::{
    domain::{ReferenceText as _, TeamRef},
    error::ProviderError,
    providers::people::{Sought, hint},
    store::{Val, args},
};

/// The role that makes somebody the owner of a project.
pub(super) const PROJECT_OWNER: &str = "role_project_owner";

/// One project, and more.
pub(super) const PROJECTS: (&str, &str) = ("project", "projects");

impl Session {
    /// Somebody who can be let into a team or a project: a member of its organization.
    pub(super) async fn candidate(&mut self, organization_id: &str, organization: &str, wanted: &str) -> Result<UserRow, ProviderError> {
        let sought = Sought { text: wanted, by_part: false, scope: organization, list_tool: "list_organization_members" };
        let error = match self.person_among(MEMBERS, &args![organization_id], &sought).await {
            Err(error @ ProviderError::NotFound { .. }) => error,
            other => return other,
        };
        let fix = if self.is_invited(organization_id, &wanted.to_lowercase()).await? {
            "an invitation is pending: wait until it is accepted, or make them a member at once with add_organization_member".to_owned()
        } else {
            // Who nearly has the name of a member is more likely that member than somebody to be invited.
            hint(&error).unwrap_or_else(|| "bring them in first with invite_organization_member or add_organization_member".to_owned())
        };
        Err(ProviderError::conflict("not_a_member", format!("`{wanted}` is not a member of `{organization}`"), fix))
    }

    /// What is to be said of somebody who is to be taken out of a place and is not in it: they are gone already where the organization
    /// (its id and name) knows them, else it is as `error` says.
    pub(super) async fn gone_or(
        &mut self,
        error: ProviderError,
        (organization_id, organization): (&str, &str),
        wanted: &str,
        (place, look): (&str, &str),
    ) -> ProviderError {
        match self.candidate(organization_id, organization, wanted).await {
            Ok(user) => ProviderError::gone(format!("`{}` is not in {place}", user.email), look),
            Err(failed @ (ProviderError::Store(_) | ProviderError::StoreBusy)) => failed,
            Err(_) => error,
        }
    }

    /// The team that is named, among those of one organization.
    pub(super) async fn team_in(&mut self, organization_id: &str, organization: &str, named: &TeamRef) -> Result<TeamRow, ProviderError> {
        let found = self.teams_named(named.text(), Some(organization_id.to_owned())).await?;
        only(found, "team", named.text(), organization, "list_teams", |it: &TeamRow| &it.id, |it| format!("{} ({})", it.id, it.name))
    }

    /// The teams through which a person reaches a project, by name.
    pub(super) async fn teams_between(&mut self, project_id: &str, user_id: &str) -> Result<Vec<String>, ProviderError> {
        let sql = "SELECT t.name FROM project_teams pt JOIN teams t ON t.id = pt.team_id JOIN team_members tm ON tm.team_id = t.id \
                   WHERE pt.project_id = $1 AND tm.user_id = $2 ORDER BY t.name";
        Ok(self.db.texts(sql, &args![project_id, user_id]).await?)
    }

    pub(super) async fn project_owner_role(&mut self) -> Result<RoleRow, ProviderError> {
        role_by_id(self, PROJECT_OWNER).await
    }

    /// Refuses to take the last owner away from an organization by ending what a team hands down: to all its people or to one.
    pub(super) async fn keep_an_owner_without_team(&mut self, team: &TeamRow, user_id: Option<&str>) -> Result<(), ProviderError> {
        let owns = "SELECT COUNT(*) FROM (SELECT 1 FROM role_assignments a CROSS JOIN team_members m WHERE a.team_id = $1 AND a.role_id = $2 \
                    AND a.project_id IS NULL AND m.team_id = a.team_id LIMIT 1) one";
        if self.db.number(owns, &args![&team.id, OWNER]).await? == 0 {
            return Ok(());
        }
        let is_in = "SELECT COUNT(*) FROM team_members WHERE team_id = $1 AND user_id = $2";
        if let Some(user) = user_id
            && self.db.number(is_in, &args![&team.id, user]).await? == 0
        {
            return Ok(());
        }
        // Another owner: by the membership, by an assignment, or through a team; of this team it is whoever stays in it.
        let own = [
            "SELECT COUNT(*) FROM (SELECT 1 FROM people_in WHERE place_id = $1 AND role_id = $2 LIMIT 1) one",
            "SELECT COUNT(*) FROM (SELECT 1 FROM role_assignments WHERE organization_id = $1 AND role_id = $2 AND project_id IS NULL \
             AND user_id IS NOT NULL LIMIT 1) one",
        ];
        for sql in own {
            if self.db.number(sql, &args![&team.organization_id, OWNER]).await? > 0 {
                return Ok(());
            }
        }
        let mut values = args![&team.organization_id, OWNER, &team.id].to_vec();
        let stays = if user_id.is_some() { " OR m.user_id <> $4" } else { "" };
        values.extend(user_id.map(Val::from));
        let through = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM role_assignments a CROSS JOIN team_members m WHERE a.organization_id = $1 AND a.role_id = $2 \
             AND a.project_id IS NULL AND m.team_id = a.team_id AND (m.team_id <> $3{stays}) LIMIT 1) one"
        );
        if self.db.number(&through, &values).await? > 0 {
            return Ok(());
        }
        Err(ProviderError::conflict(
            "last_owner",
            format!("`{}` has its last owner through team `{}`", team.organization, team.name),
            "make somebody else owner first: update_organization_member with role `owner`",
        ))
    }

    /// Refuses to take the last owner away from a project by taking a team off it.
    pub(super) async fn keep_an_owner_beside(&mut self, team: &TeamRow, project: &ProjectRow) -> Result<(), ProviderError> {
        let owns = "SELECT COUNT(*) FROM role_assignments a WHERE a.project_id = $1 AND a.role_id = $3 AND a.team_id = $2 \
                    AND EXISTS (SELECT 1 FROM team_members m WHERE m.team_id = a.team_id)";
        let others = "SELECT COUNT(*) FROM (SELECT 1 FROM role_assignments a WHERE a.project_id = $1 AND a.role_id = $3 AND (a.user_id IS NOT NULL \
                      OR (a.team_id <> $2 AND EXISTS (SELECT 1 FROM team_members m WHERE m.team_id = a.team_id))) LIMIT 1) one";
        let values = args![&project.id, &team.id, PROJECT_OWNER];
        if self.db.number(owns, &values).await? == 0 || self.db.number(others, &values).await? > 0 {
            return Ok(());
        }
        Err(ProviderError::conflict(
            "last_owner",
            format!("nobody but team `{}` owns project `{}`", team.name, project.name),
            "make somebody an owner first with add_project_member, update_project_member or assign_role",
        ))
    }

    /// Refuses to take the ownership of a project from its last owner; an owner team that has people counts.
    pub(super) async fn keep_an_owner(&mut self, project: &ProjectRow, user: &UserRow) -> Result<(), ProviderError> {
        let owns = "SELECT COUNT(*) FROM role_assignments WHERE project_id = $1 AND role_id = $3 AND user_id = $2";
        let others = "SELECT COUNT(*) FROM (SELECT 1 FROM role_assignments a WHERE a.project_id = $1 AND a.role_id = $3 AND (a.user_id <> $2 \
                      OR EXISTS (SELECT 1 FROM team_members m WHERE m.team_id = a.team_id)) LIMIT 1) one";
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

/// A number, a noun and the first few names: `2 projects: Atlas, Borealis`.
pub(super) fn counted(count: u64, (one, many): (&str, &str), names: &[String]) -> String {
    let noun = if count == 1 { one } else { many };
    let more = if count > 5 { ", …" } else { "" };
    format!("{count} {noun}: {}{more}", names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", "))
}
