//! Seats: one person or team in one organization or project, where roles are given and taken.

use super::{
    Session,
    resolve::{OrganizationRow, ProjectRow, RoleRow, TeamRow, UserRow},
    select::Kept,
};
use crate::{
    domain::{
        Counted, MemberRef, OrganizationRef, ProjectRef, ReferenceText, RoleRef, Target, TeamRef,
        roles::{RoleAssignment, RoleLevel},
    },
    error::ProviderError,
    providers::people::Sought,
    store::{StoreError, Val, args},
};

/// Where a role is held: in an organization, or in one of its projects.
pub(super) struct RolePlace {
    pub(super) organization: OrganizationRow,
    pub(super) project: Option<ProjectRow>,
}

impl RolePlace {
    /// A project and its organization, which has to be the one that is named, if one is.
    pub(super) async fn of_project(at: &mut Session, project: ProjectRow, named: Option<&OrganizationRef>) -> Result<Self, ProviderError> {
        if let Some(named) = named {
            let organization = at.organization(Some(named)).await?;
            if organization.id != project.organization_id {
                return Err(ProviderError::invalid(
                    format!("project `{}` is in organization `{}`, not in `{}`", project.name, project.organization, organization.name),
                    "leave `organization` out: the project settles it",
                ));
            }
            return Ok(Self { organization, project: Some(project) });
        }
        let sql = "SELECT id, name, slug, description, website, created_at FROM organizations WHERE id = $1";
        let organization: Option<OrganizationRow> = at.db.one(sql, &args![&project.organization_id]).await?;
        let missing = || StoreError::Unreadable(format!("organization {} is missing", project.organization_id));
        Ok(Self { organization: organization.ok_or_else(missing)?, project: Some(project) })
    }

    pub(super) fn project_id(&self) -> Option<&str> {
        self.project.as_ref().map(|it| it.id.as_str())
    }

    /// The ways in which a role is held here, but for one assignment. `$1` is the role, `$2` the assignment, `$3` the organization or
    /// the project.
    fn ways_but_one(&self) -> Vec<String> {
        let here = match self.project {
            Some(_) => "a.project_id = $3",
            None => "a.organization_id = $3 AND a.project_id IS NULL",
        };
        let here = format!("{here} AND a.role_id = $1 AND a.id <> $2");
        let mut ways = vec![
            format!("SELECT a.user_id FROM role_assignments a WHERE {here} AND a.user_id IS NOT NULL"),
            format!("SELECT m.user_id FROM role_assignments a CROSS JOIN team_members m WHERE {here} AND m.team_id = a.team_id"),
        ];
        if self.project.is_none() {
            // A membership is no assignment; PostgreSQL wants every value used.
            ways.push("SELECT user_id FROM people_in WHERE place_id = $3 AND role_id = $1 AND $2 <> ''".to_owned());
        }
        ways
    }

    fn id(&self) -> &str {
        self.project_id().unwrap_or(&self.organization.id)
    }

    /// Whether anybody holds a role here, in whichever way, but through the one assignment that is named.
    pub(super) async fn has_another(&self, at: &mut Session, role: &RoleRow, but: &str) -> Result<bool, ProviderError> {
        for way in self.ways_but_one() {
            let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM ({way} LIMIT 1) way) one");
            if at.db.number(&sql, &args![&role.id, but, self.id()]).await? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl std::fmt::Display for RolePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.project {
            Some(project) => write!(f, "project `{}`", project.name),
            None => write!(f, "organization `{}`", self.organization.name),
        }
    }
}

/// Who a role is given to or taken from.
pub(super) enum Assignee {
    Person(UserRow),
    Team(TeamRow),
}

impl Assignee {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Person(it) => &it.email,
            Self::Team(it) => &it.name,
        }
    }

    /// As the columns `user_id` and `team_id` have it.
    pub(super) fn ids(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Person(it) => (Some(&it.id), None),
            Self::Team(it) => (None, Some(&it.id)),
        }
    }
}

/// One holder in one place.
pub(super) struct Seat {
    pub(super) holder: Assignee,
    pub(super) place: RolePlace,
}

/// Resolves who, where and which role.
pub(super) async fn seat_and_role(
    at: &mut Session,
    role: &RoleRef,
    who: (Option<&MemberRef>, Option<&TeamRef>),
    project: Option<&ProjectRef>,
    organization: Option<&OrganizationRef>,
) -> Result<(Seat, RoleRow), ProviderError> {
    let project = match project {
        Some(named) if who.0.is_some() != who.1.is_some() => {
            let project = at.active_project(named).await?;
            Some(RolePlace::of_project(at, project, organization).await?)
        }
        _ => None,
    };
    let seat = match (who, project) {
        ((Some(member), None), place) => {
            let place = match (place, organization) {
                (Some(place), _) => place,
                (None, None) if at.settings.pin.is_none() => RolePlace { organization: home(at, member).await?, project: None },
                (None, named) => RolePlace { organization: at.organization(named).await?, project: None },
            };
            Seat { holder: Assignee::Person(at.member(&place.organization, member).await?), place }
        }
        ((None, Some(team)), Some(place)) => {
            Seat { holder: Assignee::Team(at.team_in(&place.organization.id, &place.organization.name, team).await?), place }
        }
        ((None, Some(team)), None) => {
            let (team, organization) = if let Some(named) = organization {
                let organization = at.organization(Some(named)).await?;
                (at.team_in(&organization.id, &organization.name, team).await?, organization)
            } else {
                let team = at.team(team).await?;
                let organization = at.organization(Some(&OrganizationRef::read(&team.organization_id))).await?;
                (team, organization)
            };
            Seat { holder: Assignee::Team(team), place: RolePlace { organization, project: None } }
        }
        _ => return Err(one_of("`member` or `team`")),
    };
    let level = if seat.place.project.is_some() { RoleLevel::Project } else { RoleLevel::Organization };
    let role = at.role(role, level, &seat.place.organization.id, seat.place.project_id()).await?;
    Ok((seat, role))
}

impl Seat {
    pub(super) fn target(&self) -> Target {
        let (kind, id) = match &self.holder {
            Assignee::Person(it) => ("member", &it.id),
            Assignee::Team(it) => ("team", &it.id),
        };
        let target = Target::new(kind, self.holder.name(), id, &self.place.organization.name);
        match &self.place.project {
            Some(project) => target.within("project", &project.name, &project.id),
            None => target,
        }
    }

    pub(super) fn view(&self, role: RoleRow) -> RoleAssignment {
        let (member, team) = match &self.holder {
            Assignee::Person(it) => (Some(it.email.clone()), None),
            Assignee::Team(it) => (None, Some(it.name.clone())),
        };
        RoleAssignment {
            role: role.name,
            role_id: role.id,
            member,
            team,
            organization: self.place.organization.name.clone(),
            project: self.place.project.as_ref().map(|it| it.name.clone()),
            via_team: None,
        }
    }

    /// Those of the holder, a person or the people of a team, who hold a role here in another way than by one assignment.
    pub(super) async fn still_with(&self, at: &mut Session, role: &RoleRow, but: &str) -> Result<Counted, ProviderError> {
        let who = match &self.holder {
            Assignee::Person(_) => "users u WHERE u.id = $4",
            Assignee::Team(_) => "team_members x CROSS JOIN users u WHERE x.team_id = $4 AND u.id = x.user_id",
        };
        let here = if self.place.project.is_some() { "a.project_id = $3" } else { "a.organization_id = $3 AND a.project_id IS NULL" };
        let here = format!("{here} AND a.role_id = $1 AND a.id <> $2");
        let by_membership = match self.place.project {
            Some(_) => "",
            None => {
                " OR EXISTS (SELECT 1 FROM organization_members m WHERE m.organization_id = $3 AND m.user_id = u.id AND m.role_id = $1)"
            }
        };
        let sql = format!(
            "SELECT u.email FROM {who} AND (EXISTS (SELECT 1 FROM role_assignments a WHERE a.user_id = u.id AND {here}) \
             OR EXISTS (SELECT 1 FROM team_members m CROSS JOIN role_assignments a WHERE m.user_id = u.id AND a.team_id = m.team_id AND {here})\
             {by_membership}) ORDER BY u.email"
        );
        let holder = self.holder.ids();
        Ok(at.counted(&sql, &args![&role.id, but, self.place.id(), holder.0.or(holder.1)]).await?)
    }

    /// Whether the holder is anybody: a team may have no people.
    pub(super) async fn is_somebody(&self, at: &mut Session) -> Result<bool, ProviderError> {
        match &self.holder {
            Assignee::Person(_) => Ok(true),
            Assignee::Team(it) => Ok(at.kept_of(Kept::Members, &it.id).await? > 0),
        }
    }

    /// The id of the holder's own assignment of a role.
    pub(super) async fn assignment(&self, at: &mut Session, role: &RoleRow) -> Result<Option<String>, ProviderError> {
        let (user, team) = self.holder.ids();
        let holder = if user.is_some() { "a.user_id = $3" } else { "a.team_id = $3" };
        let here = if self.place.project.is_some() { "a.project_id = $2" } else { "a.organization_id = $2 AND a.project_id IS NULL" };
        let sql = format!("SELECT a.id FROM role_assignments a WHERE a.role_id = $1 AND {here} AND {holder}");
        let found = at.db.texts(&sql, &args![&role.id, self.place.id(), user.or(team)]).await?;
        Ok(found.into_iter().next())
    }

    /// Whether it is the role that the person's membership of the organization has anyway.
    pub(super) async fn is_base_role(&self, at: &mut Session, role: &RoleRow) -> Result<bool, ProviderError> {
        let (Assignee::Person(person), None) = (&self.holder, &self.place.project) else { return Ok(false) };
        let sql = "SELECT COUNT(*) FROM organization_members WHERE organization_id = $1 AND user_id = $2 AND role_id = $3";
        Ok(at.db.number(sql, &args![&self.place.organization.id, &person.id, &role.id]).await? > 0)
    }
}

/// The one organization that a person is in.
async fn home(at: &mut Session, person: &MemberRef) -> Result<OrganizationRow, ProviderError> {
    let sql = "SELECT o.id, o.name, o.slug, o.description, o.website, o.created_at FROM organizations o \
               JOIN organization_members m ON m.organization_id = o.id WHERE m.user_id = $1 ORDER BY o.slug";
    let user = reachable(at, person).await?;
    let mut found: Vec<OrganizationRow> = at.db.all(sql, &args![&user.id]).await?;
    if found.len() == 1 {
        return Ok(found.remove(0));
    }
    let candidates = found.into_iter().map(|it| it.slug).collect();
    Err(ProviderError::Ambiguous { kind: "organization", name: person.to_string(), candidates })
}

/// A member of whichever organization is within reach.
pub(super) async fn reachable<R: ReferenceText>(at: &mut Session, person: &R) -> Result<UserRow, ProviderError> {
    let pinned: Vec<Val> = at.pinned().await?.map(|it| Val::from(it.id)).into_iter().collect();
    let within = if pinned.is_empty() { "" } else { " AND m.organization_id = $1" };
    let among = format!("users u WHERE EXISTS (SELECT 1 FROM organization_members m WHERE m.user_id = u.id{within})");
    at.person_among(&among, &pinned, &Sought::of(person, "", "list_organization_members")).await
}

pub(super) fn one_of(what: &str) -> ProviderError {
    ProviderError::invalid("exactly one holder is needed", format!("give {what}"))
}
