//! Who holds which role in the directory.

use serde_json::{Value, json};

use super::{
    Session,
    compared::Look,
    page::PageQuery,
    resolve::RoleRow,
    seats::{Assignee, RolePlace, Seat, one_of, reachable, seat_and_role},
    select::Select,
};
use crate::{
    domain::{Change, Inverse, List, PageRequest, Timestamp, roles::RoleAssignment},
    error::ProviderError,
    store::{args, new_id, row},
    tools::roles::{AssignRole, ListRoleAssignments, UnassignRole},
};

row! {
    /// One role of one holder. `key` sorts the list and is unique in it.
    struct AssignmentRow {
        key: String, role: String, role_id: String, member: Option<String>, team: Option<String>, organization: String,
        project: Option<String>, via_team: Option<String>,
    }
}

/// What is asked for: a person, a team, a project, and the organization that the connection is kept to.
struct Asked {
    user: Option<String>,
    team: Option<String>,
    project: Option<String>,
    pinned: Option<String>,
}

impl Asked {
    /// Three kinds: the role that a membership has anyway, the assignments, and what teams hand down to a person.
    fn found(&self) -> Select {
        let mut found = Select::new("x.*", "");
        let mut bind = |it: &Option<String>| it.as_ref().map(|it| found.bind(it));
        let (user, team, project, pinned) = (bind(&self.user), bind(&self.team), bind(&self.project), bind(&self.pinned));
        let is = |column: &str, value: &Option<String>| value.as_ref().map(|it| format!(" AND {column} = {it}")).unwrap_or_default();
        let mut kinds = Vec::new();
        if let (Some(user), None) = (&user, &project) {
            kinds.push(format!(
                "SELECT o.slug || ' 0 ' || u.email || ' ' || r.name_key AS key, r.name AS role, r.id AS role_id, u.email AS member, \
                 CAST(NULL AS TEXT) AS team, o.name AS organization, CAST(NULL AS TEXT) AS project, CAST(NULL AS TEXT) AS via_team \
                 FROM organization_members m JOIN users u ON u.id = m.user_id JOIN roles r ON r.id = m.role_id \
                 JOIN organizations o ON o.id = m.organization_id WHERE m.user_id = {user}{}",
                is("m.organization_id", &pinned)
            ));
        }
        kinds.push(format!(
            "SELECT o.slug || ' 1 ' || COALESCE(p.slug, '') || ' ' || COALESCE(u.email, t.slug) || ' ' || r.name_key || ' ' || a.id AS key, \
             r.name AS role, r.id AS role_id, u.email AS member, t.name AS team, o.name AS organization, p.name AS project, \
             CAST(NULL AS TEXT) AS via_team \
             FROM role_assignments a JOIN roles r ON r.id = a.role_id JOIN organizations o ON o.id = a.organization_id \
             LEFT JOIN users u ON u.id = a.user_id LEFT JOIN teams t ON t.id = a.team_id LEFT JOIN projects p ON p.id = a.project_id \
             WHERE 1 = 1{}{}{}{}",
            is("a.user_id", &user),
            is("a.team_id", &team),
            is("a.project_id", &project),
            is("a.organization_id", &pinned)
        ));
        if let Some(user) = &user {
            kinds.push(format!(
                "SELECT o.slug || ' 2 ' || COALESCE(p.slug, '') || ' ' || t.slug || ' ' || r.name_key || ' ' || a.id AS key, r.name AS role, \
                 r.id AS role_id, u.email AS member, CAST(NULL AS TEXT) AS team, o.name AS organization, p.name AS project, t.name AS via_team \
                 FROM team_members m CROSS JOIN role_assignments a JOIN roles r ON r.id = a.role_id \
                 JOIN organizations o ON o.id = a.organization_id JOIN teams t ON t.id = a.team_id JOIN users u ON u.id = m.user_id \
                 LEFT JOIN projects p ON p.id = a.project_id WHERE m.user_id = {user} AND a.team_id = m.team_id{}{}",
                is("a.project_id", &project),
                is("a.organization_id", &pinned)
            ));
        }
        found.reads(format!("({}) x", kinds.join(" UNION ALL ")));
        found
    }
}

pub(super) async fn list(at: &mut Session, op: &ListRoleAssignments) -> Result<List<RoleAssignment>, ProviderError> {
    let page = PageQuery::of(&PageRequest::of(op.limit, op.cursor.as_ref()))?;
    if (op.member.is_some() && op.team.is_some()) || (op.member.is_none() && op.team.is_none() && op.project.is_none()) {
        return Err(one_of("`member` or `team`, or `project` alone for all who hold roles in it"));
    }
    let place = match &op.project {
        Some(named) => {
            let project = at.project(named).await?;
            Some(RolePlace::of_project(at, project, None).await?)
        }
        None => None,
    };
    let user = match (&op.member, &place) {
        (None, _) => None,
        (Some(named), Some(place)) => Some(at.member(&place.organization, named).await?.id),
        (Some(named), None) => Some(reachable(at, named).await?.id),
    };
    let team = match (&op.team, &place) {
        (None, _) => None,
        (Some(named), Some(place)) => Some(at.team_in(&place.organization.id, &place.organization.name, named).await?.id),
        (Some(named), None) => Some(at.team(named).await?.id),
    };
    let pinned = at.pinned().await?.map(|it| it.id);
    let found = Asked { user, team, project: place.and_then(|it| it.project).map(|it| it.id), pinned }.found();
    let total = found.total(at, 0).await?;
    let rows: Vec<AssignmentRow> = found.page(at, &["x.key"], page.after_one(), &page).await?;
    Ok(page.page(
        rows,
        total,
        |it| it.key.clone(),
        |it| RoleAssignment {
            role: it.role,
            role_id: it.role_id,
            member: it.member,
            team: it.team,
            organization: it.organization,
            project: it.project,
            via_team: it.via_team,
        },
    ))
}

pub(super) async fn assign(at: &mut Session, op: &AssignRole) -> Result<Change<RoleAssignment>, ProviderError> {
    let (it, role) =
        seat_and_role(at, &op.role, (op.member.as_ref(), op.team.as_ref()), op.project.as_ref(), op.organization.as_ref()).await?;
    it.is_in_project(at).await?;
    if it.assignment(at, &role).await?.is_some() || it.is_base_role(at, &role).await? {
        return Err(ProviderError::conflict(
            "already_assigned",
            format!("`{}` holds role `{}` in {} already", it.holder.name(), role.name, it.place),
            "nothing needs to be done; see list_role_assignments",
        ));
    }
    let look = it.look(at).await?;
    let sql = "INSERT INTO role_assignments (id, organization_id, project_id, role_id, user_id, team_id, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (user, team) = it.holder.ids();
    let values = args![new_id("ra"), &it.place.organization.id, it.place.project_id(), &role.id, user, team, Timestamp::now().0];
    at.db.run(sql, &values).await?;
    let facts = look.facts(at).await?.undo("unassign_role with the same arguments");
    let inverse = Inverse::call::<UnassignRole>(it.named(&role));
    Ok(Change::created(it.target(), facts, it.view(role)).inverse(inverse))
}

pub(super) async fn unassign(at: &mut Session, op: &UnassignRole) -> Result<Change<RoleAssignment>, ProviderError> {
    let (it, role) =
        seat_and_role(at, &op.role, (op.member.as_ref(), op.team.as_ref()), op.project.as_ref(), op.organization.as_ref()).await?;
    let Some(assignment) = it.assignment(at, &role).await? else { return Err(it.not_assigned(at, &role).await?) };
    let still = it.still_with(at, &role, &assignment).await?;
    if role.built_in
        && role.name == "owner"
        && still.is_none()
        && it.is_somebody(at).await?
        && !it.place.has_another(at, &role, &assignment).await?
    {
        return Err(ProviderError::conflict(
            "last_owner",
            format!("nobody else owns {}; without `{}` it would have no owner", it.place, it.holder.name()),
            "give somebody else role `owner` with assign_role first",
        ));
    }
    it.keeps_a_role(at, &role).await?;

    let look = it.look(at).await?;
    at.db.run("DELETE FROM role_assignments WHERE id = $1", &args![assignment]).await?;
    let mut facts = look.facts(at).await?.undo("assign_role with the same arguments");
    if !still.is_none() {
        let more = still.count - still.names.len() as u64;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        facts = facts.note(format!("role `{}` is still held in another way by {}{more}", role.name, still.names.join(", ")));
    }
    let inverse = Inverse::call::<AssignRole>(it.named(&role));
    Ok(Change::removed(it.target(), facts, it.view(role)).inverse(inverse))
}

impl Seat {
    /// A role of this holder here, as the arguments of both operations name it.
    fn named(&self, role: &RoleRow) -> Value {
        let (member, team) = self.holder.ids();
        let organization = Some(&self.place.organization.id).filter(|_| self.place.project.is_none());
        json!({ "role": role.id, "member": member, "team": team, "project": self.place.project_id(), "organization": organization })
    }

    /// Roles in a project are for those who are in it.
    async fn is_in_project(&self, at: &mut Session) -> Result<(), ProviderError> {
        let Some(project) = &self.place.project else { return Ok(()) };
        let (id, sql, tool) = match &self.holder {
            Assignee::Person(it) => {
                (&it.id, "SELECT COUNT(*) FROM project_members WHERE project_id = $1 AND user_id = $2", "add_project_member")
            }
            Assignee::Team(it) => (&it.id, "SELECT COUNT(*) FROM project_teams WHERE project_id = $1 AND team_id = $2", "add_project_team"),
        };
        if at.db.number(sql, &args![&project.id, id]).await? > 0 {
            return Ok(());
        }
        let message = format!("`{}` is not in {}, or through a team only", self.holder.name(), self.place);
        Err(ProviderError::conflict("not_in_project", message, format!("use {tool} with the role instead")))
    }

    /// Looks at the holder, and at the people of a team.
    async fn look(&self, at: &mut Session) -> Result<Look, ProviderError> {
        match &self.holder {
            Assignee::Person(it) => Look::at(at, &self.place.organization.id, vec![it.id.clone()]).await,
            Assignee::Team(it) => Look::at_team(at, &self.place.organization.id, &it.id).await,
        }
    }

    /// Refuses to take away the last role in a project: a membership without a role is none.
    async fn keeps_a_role(&self, at: &mut Session, role: &RoleRow) -> Result<(), ProviderError> {
        let Some(project) = &self.place.project else { return Ok(()) };
        let (column, id) = match self.holder.ids() {
            (Some(user), _) => ("user_id", user),
            (None, team) => ("team_id", team.unwrap_or_default()),
        };
        let sql = format!("SELECT COUNT(*) FROM role_assignments WHERE project_id = $1 AND role_id <> $2 AND {column} = $3");
        if at.db.number(&sql, &args![&project.id, &role.id, id]).await? > 0 {
            return Ok(());
        }
        let (update, remove) = match &self.holder {
            Assignee::Person(_) => ("update_project_member to replace it", "remove_project_member"),
            Assignee::Team(_) => ("assign_role to give another one first", "remove_project_team"),
        };
        Err(ProviderError::conflict(
            "last_role",
            format!("role `{}` is the only one of `{}` in {}", role.name, self.holder.name(), self.place),
            format!("use {remove} to end the membership, or {update}"),
        ))
    }

    /// Why a role cannot be taken: the holder has it in another way, or not at all.
    async fn not_assigned(&self, at: &mut Session, role: &RoleRow) -> Result<ProviderError, ProviderError> {
        let name = self.holder.name();
        if self.is_base_role(at, role).await? {
            return Ok(ProviderError::conflict(
                "base_role",
                format!("role `{}` is the one that the membership of `{name}` in {} has", role.name, self.place),
                "replace it with update_organization_member, or end the membership with remove_organization_member",
            ));
        }
        if let Assignee::Person(person) = &self.holder {
            let sql = "SELECT t.name FROM teams t JOIN role_assignments a ON a.team_id = t.id JOIN team_members m ON m.team_id = t.id \
                       WHERE m.user_id = $1 AND a.role_id = $2 AND a.organization_id = $3 \
                       AND COALESCE(a.project_id, '') = COALESCE($4, '') ORDER BY t.name";
            let teams = at.db.texts(sql, &args![&person.id, &role.id, &self.place.organization.id, self.place.project_id()]).await?;
            if !teams.is_empty() {
                let teams = teams.join("`, `");
                return Ok(ProviderError::conflict(
                    "inherited",
                    format!("`{name}` holds role `{}` in {} through team `{teams}`", role.name, self.place),
                    format!("take the person out of team `{teams}` with remove_team_member, or take the role from the team"),
                ));
            }
        }
        Ok(ProviderError::gone(format!("`{name}` does not hold role `{}` in {}", role.name, self.place), "list_role_assignments"))
    }
}
