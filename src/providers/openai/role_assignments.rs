//! Roles that people and groups hold: `…/users/{user_id}/roles` and `…/groups/{group_id}/roles`, below `/organization` and
//! below `/projects/{project_id}`.

use serde::Deserialize;
use serde_json::json;

use super::{
    Session,
    errors::found,
    held, lists,
    members::WireUser,
    power,
    projects::WireProject,
    roles::WireRole,
    team_members,
    teams::{self, WireGroup},
};
use crate::{
    domain::{
        Facts, Inverse, List, Losing, MemberRef, PageRequest, ProjectRef, ReferenceText, RoleRef, Target, TeamRef,
        access::{Grant, Via},
        roles::RoleAssignment,
    },
    error::ProviderError,
    providers::http::{Draft, Reading, Request, Sent, Writing},
    tools::roles::{AssignRole, ListRoleAssignments, UnassignRole},
};

/// A role that somebody holds; where it comes through groups too, `assignment_sources` names them.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireAssigned {
    #[serde(flatten)]
    pub(super) role: WireRole,
    assignment_sources: Option<Vec<WireSource>>,
}

#[derive(Debug, Clone, Deserialize)]
struct WireSource {
    #[serde(default)]
    principal_id: String,
    #[serde(default)]
    principal_type: String,
}

impl WireAssigned {
    /// The groups that hand it down to this person; none where it is the person's own.
    pub(super) fn groups(&self, holder_id: &str) -> Vec<&str> {
        let sources = self.assignment_sources.as_deref().unwrap_or_default();
        if sources.iter().any(|it| it.principal_id == holder_id) {
            return Vec::new();
        }
        self.all_groups()
    }

    /// The groups that hand it down, whether the person holds it beside them or not.
    pub(super) fn all_groups(&self) -> Vec<&str> {
        let sources = self.assignment_sources.as_deref().unwrap_or_default();
        sources.iter().filter(|it| it.principal_type.contains("group")).map(|it| it.principal_id.as_str()).collect()
    }

    pub(super) fn is_own(&self, holder_id: &str) -> bool {
        self.groups(holder_id).is_empty()
    }
}

/// Who holds roles.
#[derive(Clone)]
pub(super) enum Assignee {
    Person(WireUser),
    Team(WireGroup),
}

impl Assignee {
    async fn named(at: &Session, member: Option<&impl ReferenceText>, team: Option<&TeamRef>) -> Result<Self, ProviderError> {
        match (member, team) {
            (Some(member), None) => at.person(member).await.map(Self::Person),
            (None, Some(team)) => at.team(team).await.map(Self::Team),
            _ => Err(ProviderError::invalid("one of `member` and `team` is wanted", "give exactly one of them")),
        }
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Self::Person(it) => &it.id,
            Self::Team(it) => &it.id,
        }
    }

    fn label(&self) -> &str {
        match self {
            Self::Person(it) => it.label(),
            Self::Team(it) => &it.name,
        }
    }

    fn target(&self, at: &Session, project: Option<&WireProject>) -> Target {
        let kind = if matches!(self, Self::Person(_)) { "member" } else { "team" };
        let target = at.target(kind, self.label(), self.id());
        match project {
            Some(it) => target.within("project", it.name(), &it.id),
            None => target,
        }
    }

    /// References to the holder, as our tools take them.
    fn references(&self) -> (Option<MemberRef>, Option<TeamRef>) {
        match self {
            Self::Person(it) => (Some(MemberRef::read(&it.id)), None),
            Self::Team(it) => (None, Some(TeamRef::read(&it.id))),
        }
    }

    /// Where the roles lie.
    fn path(&self, project: Option<&WireProject>, one: bool) -> &'static str {
        match (self, project.is_some(), one) {
            (Self::Person(_), false, false) => "/organization/users/{id}/roles",
            (Self::Person(_), false, true) => "/organization/users/{id}/roles/{role_id}",
            (Self::Person(_), true, false) => "/projects/{project_id}/users/{id}/roles",
            (Self::Person(_), true, true) => "/projects/{project_id}/users/{id}/roles/{role_id}",
            (Self::Team(_), false, false) => "/organization/groups/{id}/roles",
            (Self::Team(_), false, true) => "/organization/groups/{id}/roles/{role_id}",
            (Self::Team(_), true, false) => "/projects/{project_id}/groups/{id}/roles",
            (Self::Team(_), true, true) => "/projects/{project_id}/groups/{id}/roles/{role_id}",
        }
    }
}

/// Fills the ids of a holder's roles in.
fn filled<K>(request: Request<K>, holder: &Assignee, project: Option<&WireProject>) -> Request<K> {
    let request = request.path("id", holder.id());
    match project {
        Some(it) => request.path("project_id", &it.id),
        None => request,
    }
}

fn listing(at: &Session, holder: &Assignee, project: Option<&WireProject>) -> Request<Reading> {
    filled(at.get(holder.path(project, false)), holder, project)
}

fn giving(at: &Session, holder: &Assignee, project: Option<&WireProject>, role_id: &str) -> Request<Writing> {
    filled(at.post(holder.path(project, false)), holder, project).json(json!({ "role_id": role_id }))
}

/// All roles that somebody holds, in the organization or in a project.
pub(super) async fn held(at: &Session, holder: &Assignee, project: Option<&WireProject>) -> Result<Vec<WireAssigned>, ProviderError> {
    lists::all(at, lists::BY_NEXT, |at| listing(at, holder, project)).await
}

/// All roles of a group in a project; none where it is not in it.
pub(super) async fn held_by_group(at: &Session, group_id: &str, project: &WireProject) -> Result<Vec<WireRole>, ProviderError> {
    let request = |at: &Session| at.get("/projects/{project_id}/groups/{id}/roles").path("project_id", &project.id).path("id", group_id);
    let held: Option<Vec<WireAssigned>> = found(lists::all(at, lists::BY_NEXT, request).await)?;
    Ok(held.unwrap_or_default().into_iter().map(|it| it.role).collect())
}

/// All roles of a group in the organization.
pub(super) async fn held_in_organization(at: &Session, group_id: &str) -> Result<Vec<WireRole>, ProviderError> {
    let held: Vec<WireAssigned> =
        lists::all(at, lists::BY_NEXT, |at| at.get("/organization/groups/{id}/roles").path("id", group_id)).await?;
    Ok(held.into_iter().map(|it| it.role).collect())
}

/// The request that gives a person one more role in a project.
pub(super) fn giving_person(at: &Session, person: &WireUser, project: &WireProject, role_id: &str) -> Request<Writing> {
    giving(at, &Assignee::Person(person.clone()), Some(project), role_id)
}

async fn scope(at: &Session, named: Option<&ProjectRef>) -> Result<Option<WireProject>, ProviderError> {
    match named {
        Some(named) => at.active_project(named).await.map(Some),
        None => Ok(None),
    }
}

/// `GET …/roles` of a person or a group
pub(super) async fn list(at: &Session, op: &ListRoleAssignments) -> Result<List<RoleAssignment>, ProviderError> {
    let holder = Assignee::named(at, op.member.as_ref(), op.team.as_ref()).await?;
    let project = scope(at, op.project.as_ref()).await?;
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let request = listing(at, &holder, project.as_ref());
    let answer: Option<List<WireAssigned>> = found(lists::page(request, &page, |it| it).await)?;
    let assigned = answer.ok_or_else(|| not_in_project(&holder, project.as_ref()))?;
    // Groups are named only where a role came through one.
    let inherits = assigned.items.iter().any(|it| !it.is_own(holder.id()));
    let groups = if inherits { teams::all(at).await? } else { Vec::new() };
    let view = |it: WireAssigned| {
        let through = it.groups(holder.id());
        let name = |id: &str| groups.iter().find(|it| it.id == id).map_or_else(|| id.to_owned(), |it| it.name.clone());
        let via_team = Some(through.into_iter().map(name).collect::<Vec<_>>().join(", ")).filter(|it| !it.is_empty());
        RoleAssignment { via_team, ..assignment(at, &holder, &it.role, project.as_ref()) }
    };
    Ok(assigned.map(view))
}

fn assignment(at: &Session, holder: &Assignee, role: &WireRole, project: Option<&WireProject>) -> RoleAssignment {
    let (member, team) = match holder {
        Assignee::Person(it) => (Some(it.label().to_owned()), None),
        Assignee::Team(it) => (None, Some(it.name.clone())),
    };
    RoleAssignment {
        role: role.name.clone(),
        role_id: role.id.clone(),
        member,
        team,
        organization: at.organization(),
        project: project.map(|it| it.name().to_owned()),
        via_team: None,
    }
}

fn not_in_project(holder: &Assignee, project: Option<&WireProject>) -> ProviderError {
    let Some(project) = project else {
        return ProviderError::conflict("not_found", format!("`{}` is no longer there", holder.label()), "look at the lists again");
    };
    let tool = if matches!(holder, Assignee::Person(_)) { "add_project_member" } else { "add_project_team" };
    let message = format!("`{}` is not in project `{}`", holder.label(), project.name());
    ProviderError::conflict("not_in_project", message, format!("use {tool} first"))
}

/// Somebody whose role in a project is to be taken, and who is not in it.
fn holds_nothing_in(holder: &Assignee, project: Option<&WireProject>) -> ProviderError {
    match project {
        Some(it) => ProviderError::gone(format!("`{}` is not in project `{}`", holder.label(), it.name()), "list_role_assignments"),
        None => not_in_project(holder, None),
    }
}

/// What is needed to give or take a role.
struct Seat {
    holder: Assignee,
    project: Option<WireProject>,
    role: WireRole,
    /// How the holder has it now.
    held: Option<WireAssigned>,
}

impl Seat {
    async fn of(
        at: &Session,
        role: &RoleRef,
        (member, team): (Option<&MemberRef>, Option<&TeamRef>),
        project: Option<&ProjectRef>,
        missing: fn(&Assignee, Option<&WireProject>) -> ProviderError,
    ) -> Result<Self, ProviderError> {
        let holder = Assignee::named(at, member, team).await?;
        let project = scope(at, project).await?;
        let role = at.role(role, project.as_ref()).await?;
        let all = found(held(at, &holder, project.as_ref()).await)?.ok_or_else(|| missing(&holder, project.as_ref()))?;
        let held = all.into_iter().find(|it| it.role.id == role.id);
        Ok(Self { holder, project, role, held })
    }

    fn place(&self) -> String {
        self.project.as_ref().map_or_else(|| "the organization".to_owned(), |it| format!("project `{}`", it.name()))
    }

    fn is_held(&self) -> bool {
        self.held.as_ref().is_some_and(|it| it.is_own(self.holder.id()))
    }

    /// What the holder gets: the role itself, and the people of a team by it.
    async fn given(&self, at: &Session) -> Result<Vec<Grant>, ProviderError> {
        let project = self.project.as_ref();
        let (role, here) = (power::of(&self.role, held::level(project)), held::place(at, project));
        match &self.holder {
            Assignee::Person(it) => Ok(vec![Grant::own(it.holder(), role, here)]),
            Assignee::Team(it) => {
                let people = team_members::all(at, &it.id).await?;
                Ok(held::through(&it.named(), &people, &role, &here).collect())
            }
        }
    }

    /// What is held where the role is, by the holder and by the people of a team, in every way that is told.
    async fn held_there(&self, at: &Session) -> Result<Vec<Grant>, ProviderError> {
        let project = self.project.as_ref();
        match (&self.holder, project) {
            (Assignee::Person(it), None) => held::of_person(at, it, None, it.role.as_deref()).await,
            (Assignee::Person(it), Some(_)) => held::of_person(at, it, project, None).await,
            (Assignee::Team(it), None) => held::of_team(at, it).await,
            (Assignee::Team(_), Some(project)) => Ok(held::of_project(at, project).await?.list),
        }
    }

    /// Whether a grant is what this holder has by the role.
    fn is_of(&self, grant: &Grant, role_id: &str) -> bool {
        let by = match &self.holder {
            Assignee::Person(_) => grant.via == Via::Own,
            Assignee::Team(it) => held::is_from(grant, &it.id),
        };
        by && grant.role.id == role_id
    }

    fn view(&self, at: &Session) -> RoleAssignment {
        assignment(at, &self.holder, &self.role, self.project.as_ref())
    }

    /// The call that gives the role to this very holder.
    fn giving(&self) -> AssignRole {
        let (member, team) = self.holder.references();
        let project = self.project.as_ref().map(|it| ProjectRef::read(&it.id));
        AssignRole { role: RoleRef::read(&self.role.id), member, team, project, organization: None }
    }
}

/// `POST …/roles`. The answer may name the role by another id than the one sent.
pub(super) async fn assign(at: &Session, op: &AssignRole) -> Result<Draft<RoleAssignment>, ProviderError> {
    let seat = Seat::of(at, &op.role, (op.member.as_ref(), op.team.as_ref()), op.project.as_ref(), not_in_project).await?;
    if seat.is_held() {
        return Err(ProviderError::conflict(
            "already_assigned",
            format!("`{}` holds role `{}` in {} already", seat.holder.label(), seat.role.name, seat.place()),
            "nothing needs to be done; see list_role_assignments",
        ));
    }
    let facts = seat.given(at).await?.into_iter().fold(Facts::none(), Facts::gives);
    let facts = held::around(at, facts).await?.undo("unassign_role with the same arguments");
    let AssignRole { role, member, team, project, organization } = seat.giving();
    let back = Inverse::of(&UnassignRole { role, member, team, project, organization });
    let request = giving(at, &seat.holder, seat.project.as_ref(), &seat.role.id);
    let takes = back.clone();
    let sent = move |view: RoleAssignment| Sent::after(view).inverse(back.clone());
    let (view, settled, again) = (seat.view(at), sent.clone(), at.afresh());
    let after = view.clone();
    let draft = Draft::new(seat.holder.target(at, seat.project.as_ref()), facts, move |permit| async move {
        request.send(&permit).await?;
        Ok(sent(after))
    });
    Ok(draft.taken_by(takes).read_back(move || {
        let (at, view, settled) = (again.afresh(), view.clone(), settled.clone());
        let (holder, project, role_id) = (seat.holder.clone(), seat.project.clone(), seat.role.id.clone());
        async move {
            let now = held(&at, &holder, project.as_ref()).await?;
            Ok(now.iter().any(|it| it.role.id == role_id && it.is_own(holder.id())).then(|| settled(view)))
        }
    }))
}

/// `DELETE …/roles/{role_id}`
pub(super) async fn unassign(at: &Session, op: &UnassignRole) -> Result<Draft<RoleAssignment>, ProviderError> {
    let seat = Seat::of(at, &op.role, (op.member.as_ref(), op.team.as_ref()), op.project.as_ref(), holds_nothing_in).await?;
    if !seat.is_held() {
        return Err(not_assigned(&seat));
    }
    let role_id = power::of(&seat.role, held::level(seat.project.as_ref())).id;
    let before = seat.held_there(at).await?;
    let after: Vec<Grant> = before.iter().filter(|it| !seat.is_of(it, &role_id)).cloned().collect();
    let mut facts = held::losses(Facts::none().note(format!("role `{}` in {}", seat.role.name, seat.place())), &before, &after);
    if facts.list.len() == 1 {
        // Nothing that only this role gave them.
        let people = seat.given(at).await?.into_iter().filter(|it| it.holder.is_people()).map(|it| it.holder.label().to_owned());
        facts = facts.lose(Losing::Role, people.collect::<Vec<_>>());
    }
    let facts = facts.about(held::called(at)).undo("assign_role with the same arguments");
    let back = Inverse::of(&seat.giving());
    let request = filled(at.delete(seat.holder.path(seat.project.as_ref(), true)), &seat.holder, seat.project.as_ref());
    let request = request.path("role_id", &seat.role.id);
    let sent = move || Sent::gone().inverse(back.clone());
    let (settled, again, before) = (sent.clone(), at.afresh(), seat.view(at));
    let draft = Draft::new(seat.holder.target(at, seat.project.as_ref()), facts, move |permit| async move {
        request.send(&permit).await?;
        Ok(sent())
    });
    Ok(draft.before(before).read_back(move || {
        let (at, settled) = (again.afresh(), settled.clone());
        let (holder, project, role_id) = (seat.holder.clone(), seat.project.clone(), seat.role.id.clone());
        async move {
            let now = held(&at, &holder, project.as_ref()).await?;
            Ok((!now.iter().any(|it| it.role.id == role_id && it.is_own(holder.id()))).then(settled))
        }
    }))
}

/// Why a role cannot be taken: it comes through a group, or not at all.
fn not_assigned(seat: &Seat) -> ProviderError {
    let (name, role) = (seat.holder.label(), &seat.role.name);
    match &seat.held {
        Some(_) => ProviderError::conflict(
            "inherited_role",
            format!("`{name}` has role `{role}` in {} through a team", seat.place()),
            "take it from the team with unassign_role, or the person out of the team with remove_team_member",
        ),
        None => ProviderError::gone(format!("`{name}` does not hold role `{role}` in {}", seat.place()), "list_role_assignments"),
    }
}
