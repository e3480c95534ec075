//! People of projects. A membership knows two roles, `owner` and `member`; further ones are assigned beside it.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::json;

use super::{
    Session, api_keys,
    errors::found,
    held, lists,
    members::{self, WireUser},
    power,
    project_teams::{self, WireProjectGroup},
    projects::WireProject,
    resolve::{ONE_BY_ONE, Search},
    role_assignments::{self, Assignee},
    roles::{self, WireRole},
    team_members, time,
};
use crate::{
    domain::{
        Facts, Inverse, List, MemberRef, PageRequest, PersonRef, ProjectRef, ReferenceText as _, RoleRef, Target, Thing,
        access::{Grant, Via},
        fold,
        members::Member,
        roles::RoleLevel,
    },
    error::ProviderError,
    providers::{
        ALREADY_MEMBER,
        http::{Draft, Sent, cut},
        meant::the_same,
        people, role_types,
    },
    tools::project_members::{AddProjectMember, GetProjectMember, ListProjectMembers, RemoveProjectMember, UpdateProjectMember},
};

/// The roles that a membership knows.
const OF_MEMBERSHIP: [&str; 2] = ["owner", "member"];

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireProjectUser {
    pub(super) id: String,
    #[serde(default)]
    pub(super) role: String,
    name: Option<String>,
    email: Option<String>,
    added_at: Option<i64>,
}

impl WireProjectUser {
    pub(super) fn label(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.id)
    }

    pub(super) fn holder(&self) -> crate::domain::access::Holder {
        held::person(&self.id, self.email.as_deref())
    }

    fn view(&self, project: &WireProject) -> Member {
        Member {
            member: self.label().to_owned(),
            name: self.name.clone(),
            id: Some(self.id.clone()),
            roles: vec![self.role.clone()],
            project: Some(project.name().to_owned()),
            since: self.added_at.map(time),
            ..Member::default()
        }
    }
}

pub(super) async fn all(at: &Session, project_id: &str) -> Result<Arc<Vec<WireProjectUser>>, ProviderError> {
    lists::known(at, lists::BY_ID, |at| at.get("/organization/projects/{project_id}/users").path("project_id", project_id)).await
}

pub(super) async fn retrieve(at: &Session, project_id: &str, user_id: &str) -> Result<WireProjectUser, ProviderError> {
    let request = at.get("/organization/projects/{project_id}/users/{user_id}");
    let answer = request.path("project_id", project_id).path("user_id", user_id).send().await?;
    the_same(answer, user_id, |it: &WireProjectUser| &it.id)
}

/// A person's own place in a project: asked for alone the first few times, looked up in the whole list from then on.
async fn membership(at: &Session, project: &WireProject, user_id: &str) -> Result<Option<WireProjectUser>, ProviderError> {
    if at.asked_before(format!("member of {}", project.id)) < ONE_BY_ONE {
        return found(retrieve(at, &project.id, user_id).await);
    }
    Ok(all(at, &project.id).await?.iter().find(|it| it.id == user_id).cloned())
}

/// `GET /organization/projects/{project_id}/users`, and the people of the project's groups.
pub(super) async fn list(at: &Session, op: &ListProjectMembers) -> Result<List<Member>, ProviderError> {
    if !role_types::wants(&op.role_types, RoleLevel::Project)? {
        return Ok(List::whole(Vec::new()));
    }
    let project = at.active_project(&op.project).await?;
    let mut people: BTreeMap<String, Member> = all(at, &project.id).await?.iter().map(|it| (it.id.clone(), it.view(&project))).collect();
    for group in project_teams::all(at, &project.id).await? {
        come_with(at, &project, &group, &mut people).await?;
    }
    let role = op.role.as_ref().map(|it| fold(it.text()));
    let meant = |it: &Member| {
        let texts = [Some(it.member.as_str()), it.name.as_deref()];
        op.query.as_ref().is_none_or(|query| texts.into_iter().flatten().any(|it| query.is_in(it)))
            && role.as_ref().is_none_or(|role| it.roles.iter().any(|it| fold(it) == *role))
    };
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let found = people.into_values().filter(meant).collect();
    cut(found, &page, |it: &Member| format!("{} {}", it.member, it.id.as_deref().unwrap_or_default()))
}

/// Adds the people of a group, and to those who are there already what it gives them.
async fn come_with(
    at: &Session,
    project: &WireProject,
    group: &WireProjectGroup,
    people: &mut BTreeMap<String, Member>,
) -> Result<(), ProviderError> {
    let held = role_assignments::held_by_group(at, &group.group_id, project).await?;
    for person in team_members::all(at, &group.group_id).await? {
        let new = || Member {
            via_team: Some(group.group_name.clone()),
            team: None,
            project: Some(project.name().to_owned()),
            ..person.view(&group.group_name)
        };
        let known = people.contains_key(&person.id);
        let member = people.entry(person.id.clone()).or_insert_with(new);
        if known && let Some(via) = &mut member.via_team {
            *via = format!("{via}, {}", group.group_name);
        }
        for role in &held {
            if !member.roles.contains(&role.name) {
                member.roles.push(role.name.clone());
            }
        }
    }
    Ok(())
}

/// `GET /organization/projects/{project_id}/users/{user_id}`, with all roles of the person there.
pub(super) async fn get(at: &Session, op: &GetProjectMember) -> Result<Member, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let person = at.person(&op.member).await?;
    let own = found(retrieve(at, &project.id, &person.id).await)?;
    let holder = Assignee::Person(person.clone());
    let held = found(role_assignments::held(at, &holder, Some(&project)).await)?.unwrap_or_default();
    let via = if own.is_none() { held.iter().find_map(|it| it.groups(&person.id).first().map(|it| (*it).to_owned())) } else { None };
    let Some(mut member) = own.as_ref().map(|it| it.view(&project)).or_else(|| {
        let bare = Member { roles: Vec::new(), project: Some(project.name().to_owned()), since: None, ..person.view() };
        via.is_some().then_some(bare)
    }) else {
        return Err(not_in(&person, &project));
    };
    if let Some(group) = via {
        let groups = project_teams::all(at, &project.id).await?;
        member.via_team = Some(groups.into_iter().find(|it| it.group_id == group).map_or(group, |it| it.group_name));
    }
    for it in held {
        if !member.roles.contains(&it.role.name) {
            member.roles.push(it.role.name);
        }
    }
    Ok(member)
}

fn not_in(person: &WireUser, project: &WireProject) -> ProviderError {
    let scope = format!("project {}", project.name());
    Search { kind: "member", wanted: person.label(), scope: &scope, list_tool: "list_project_members" }.not_found(&[])
}

/// `POST /organization/projects/{project_id}/users`, then one request for each further role.
pub(super) async fn add(at: &Session, op: &AddProjectMember) -> Result<Draft<Member>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let (role, further) = chosen(at, &op.roles, &project).await?;
    let wanted = op.member.text();
    let person = match at.find_person(wanted).await? {
        Some(person) => person,
        None if wanted.contains('@') => return Err(outsider(at, wanted, &project).await),
        None => at.person_called(wanted, false).await?,
    };
    if let Some(there) = membership(at, &project, &person.id).await? {
        let mut held = vec![there.role.clone()];
        // What is held beside the membership is looked up only where it is asked for.
        if !further.is_empty() {
            let beside = found(role_assignments::held(at, &Assignee::Person(person.clone()), Some(&project)).await)?.unwrap_or_default();
            held.extend(beside.into_iter().flat_map(|it| [it.role.id, it.role.name]));
        }
        return Err(ProviderError::already(
            ALREADY_MEMBER,
            there.role == role && further.iter().all(|it| held.contains(&it.id) || held.contains(&it.name)),
            format!("`{}` is in project `{}` already, as {}", person.label(), project.name(), there.role),
            "give further roles with assign_role, or another one with update_project_member",
        ));
    }
    let given = |role| Grant::own(person.holder(), role, held::place(at, Some(&project)));
    let mut facts = Facts::none().gives(given(power::called(role, RoleLevel::Project)));
    if role != "owner" && person.is_owner() {
        facts = facts.note("as an owner of the organization, with the power of an owner");
    }
    for role in &further {
        facts = facts.gives(given(power::of(role, RoleLevel::Project)));
    }
    let facts = held::around(at, facts).await?.undo("remove_project_member");
    let body = json!({ "role": role, "user_id": person.id });
    let join = at.post("/organization/projects/{project_id}/users").path("project_id", &project.id).json(body);
    let give: Vec<_> = further.iter().map(|it| (it.name.clone(), role_assignments::giving_person(at, &person, &project, &it.id))).collect();
    let target = target(at, &project, person.label(), &person.id);
    let back = Inverse::of(&RemoveProjectMember { project: ProjectRef::read(&project.id), member: MemberRef::read(&person.id) });
    let (place, again, takes) = (project.clone(), at.afresh(), back.clone());
    let sent = move |it: &WireProjectUser, further: Vec<String>| {
        let mut after = it.view(&place);
        after.roles.extend(further);
        Sent::after(after).inverse(back.clone())
    };
    let settled = sent.clone();
    let draft = Draft::new(target, facts, move |permit| async move {
        let joined: WireProjectUser = join.send(&permit).await?.read("look with get_project_member")?;
        let mut given = Vec::new();
        for (name, request) in give {
            request.send(&permit).await.map_err(|source| {
                let got = if matches!(source, ProviderError::Unanswered { .. }) { "nobody knows whether they got" } else { "did not get" };
                ProviderError::Partly {
                    message: format!("joined the project as {}, and {got} role `{name}`", joined.role),
                    fix: "see list_role_assignments, then give the roles that lack with assign_role".to_owned(),
                    source: Box::new(source),
                }
            })?;
            given.push(name);
        }
        Ok(sent(&joined, given))
    });
    Ok(draft.taken_by(takes).read_back(move || {
        let (at, project, person, settled) = (again.afresh(), project.clone(), person.clone(), settled.clone());
        let further: Vec<String> = further.iter().map(|it| it.name.clone()).collect();
        async move {
            let Some(joined) = found(retrieve(&at, &project.id, &person.id).await)? else { return Ok(None) };
            // Where the first answer was lost, the roles beside the membership were not asked for.
            let held = role_assignments::held(&at, &Assignee::Person(person), Some(&project)).await?;
            let given = further.into_iter().filter(|name| held.iter().any(|it| it.role.name == *name)).collect();
            Ok(Some(settled(&joined, given)))
        }
    }))
}

/// The role of the membership, and those that are assigned beside it.
async fn chosen(at: &Session, named: &[RoleRef], project: &WireProject) -> Result<(&'static str, Vec<WireRole>), ProviderError> {
    let of_membership = |text: &str| OF_MEMBERSHIP.into_iter().find(|it| *it == text);
    let (mut further, mut memberships): (Vec<WireRole>, Vec<&str>) = (Vec::new(), Vec::new());
    for named in named {
        let plain = if named.text().starts_with("role-api-") { roles::short_of(named.text()) } else { fold(named.text()) };
        if let Some(role) = of_membership(&plain) {
            memberships.push(role);
            continue;
        }
        let role = at.role(named, Some(project)).await?;
        match role.short().and_then(of_membership) {
            Some(role) => memberships.push(role),
            None if further.iter().any(|it| it.id == role.id) => {}
            None => further.push(role),
        }
    }
    // An owner is more than a member.
    match OF_MEMBERSHIP.into_iter().find(|it| memberships.contains(it)) {
        Some(role) => Ok((role, further)),
        None => Err(ProviderError::invalid(
            "nobody can be in a project without being `owner` or `member` of it",
            "name `member` (or `owner`) among `roles`; the others are given beside it",
        )),
    }
}

/// Somebody who has to be invited before; who nearly has the address of a member is more likely that member.
async fn outsider(at: &Session, wanted: &str, project: &WireProject) -> ProviderError {
    let invited = at.invited(wanted).await;
    let near = match members::all(at).await {
        Ok(people) if invited.is_none() => people::near(&people, wanted, WireUser::known),
        _ => None,
    };
    let with_project = format!("invite_organization_member with email `{wanted}` and projects [`{}`]", project.name());
    ProviderError::conflict(
        "not_in_organization",
        format!("`{wanted}` is not a member of the organization, and only members can be added to projects"),
        invited.or(near).unwrap_or_else(|| format!("invite them with the project in it: {with_project}")),
    )
}

/// Somebody who is to be taken out and is not in: an owner of the organization reaches the project all the same.
fn gone_from(person: &WireUser, project: &WireProject) -> ProviderError {
    let gone = || ProviderError::gone(format!("`{}` is not in project `{}`", person.label(), project.name()), "list_project_members");
    not_of_owners(person, project).err().unwrap_or_else(gone)
}

/// What stands before a change of somebody's place: they are there themselves. `missing` says it of who is known and not there.
async fn place(
    at: &Session,
    project: &WireProject,
    named: &MemberRef,
    missing: fn(&WireUser, &WireProject) -> ProviderError,
) -> Result<(WireUser, WireProjectUser), ProviderError> {
    let person = at.person(named).await?;
    let Some(own) = found(retrieve(at, &project.id, &person.id).await)? else {
        let holder = Assignee::Person(person.clone());
        let held = found(role_assignments::held(at, &holder, Some(project)).await)?.unwrap_or_default();
        if held.is_empty() {
            return Err(missing(&person, project));
        }
        return Err(ProviderError::conflict(
            "access_through_team",
            format!("`{}` reaches project `{}` through a team only", person.label(), project.name()),
            "take the person out of the team with remove_team_member, or the team off the project with remove_project_team",
        ));
    };
    Ok((person, own))
}

fn not_of_owners(person: &WireUser, project: &WireProject) -> Result<(), ProviderError> {
    if !person.is_owner() {
        return Ok(());
    }
    Err(ProviderError::conflict(
        "organization_owner",
        format!("`{}` is an owner of the organization, and so of project `{}`", person.label(), project.name()),
        "make them a reader first: update_organization_member with role `reader`",
    ))
}

/// `POST /organization/projects/{project_id}/users/{user_id}`
pub(super) async fn update(at: &Session, op: &UpdateProjectMember) -> Result<Draft<Member>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let (role, _) = chosen(at, std::slice::from_ref(&op.role), &project).await.map_err(|error| match error {
        ProviderError::Invalid { .. } => ProviderError::invalid(
            format!("a membership is `owner` or `member`, and not `{}`", op.role),
            "use assign_role: roles of one's own making and `viewer` are held beside the membership",
        ),
        other => other,
    })?;
    let (person, own) = place(at, &project, &op.member, not_in).await?;
    not_of_owners(&person, &project)?;
    let mut facts = Facts::none().undo(format!("update_project_member with role `{}`", own.role));
    if role != own.role {
        let all = roles::all(at, Some(&project.id)).await?;
        let gets = Grant::own(person.holder(), power::named(&all, role, RoleLevel::Project), held::place(at, Some(&project)));
        let before = held::of_person(at, &person, Some(&project), Some(&own.role)).await?;
        let stays = before.iter().filter(|it| it.via != Via::Own || it.role.name != own.role).cloned();
        let after: Vec<Grant> = stays.chain([gets.clone()]).collect();
        facts = held::losses(facts.gives(gets), &before, &after);
    }
    let facts = held::around(at, facts).await?;
    let request = at.post("/organization/projects/{project_id}/users/{user_id}");
    let request = request.path("project_id", &project.id).path("user_id", &person.id).json(json!({ "role": role }));
    let back = Inverse::of(&UpdateProjectMember {
        project: ProjectRef::read(&project.id),
        member: MemberRef::read(&person.id),
        role: RoleRef::read(&own.role),
    });
    let place = project.clone();
    let sent = move |it: &WireProjectUser| Sent::after(it.view(&place)).inverse(back.clone());
    let (settled, again, before) = (sent.clone(), at.afresh(), own.view(&project));
    let draft = Draft::new(target(at, &project, person.label(), &person.id), facts, move |permit| async move {
        Ok(sent(&request.send(&permit).await?.read("look with get_project_member")?))
    });
    Ok(draft.before(before).read_back(move || {
        let (at, project, person, settled) = (again.afresh(), project.id.clone(), person.id.clone(), settled.clone());
        async move {
            let now = retrieve(&at, &project, &person).await?;
            Ok((now.role == role).then(|| settled(&now)))
        }
    }))
}

/// `DELETE /organization/projects/{project_id}/users/{user_id}`. Nobody can leave the default project: that is refused by the
/// service, since nothing tells which project it is.
pub(super) async fn remove(at: &Session, op: &RemoveProjectMember) -> Result<Draft<Member>, ProviderError> {
    let project = at.active_project(&op.project).await?;
    let (person, own) = place(at, &project, &op.member, gone_from).await?;
    not_of_owners(&person, &project)?;
    let held = role_assignments::held(at, &Assignee::Person(person.clone()), Some(&project)).await?;
    let before = held::of_person(at, &person, Some(&project), Some(&own.role)).await?;
    let after: Vec<Grant> = before.iter().filter(|it| it.via != Via::Own).cloned().collect();
    let mut facts = held::losses(Facts::none(), &before, &after);
    if facts.list.is_empty() {
        facts = facts.note(format!("leaves project {}; a team of theirs gives them the same there", project.name()));
    }
    if after.is_empty() {
        facts = facts.leaves(Thing::Key, api_keys::of_person(at, &project.id, &person.id).await?, "an owner");
    }
    let further: Vec<(String, String)> = held
        .iter()
        .filter(|it| it.groups(&person.id).is_empty() && !OF_MEMBERSHIP.iter().any(|own| it.role.is_called(own)))
        .map(|it| (it.role.id.clone(), it.role.name.clone()))
        .collect();
    let names: Vec<&str> = std::iter::once(own.role.as_str()).chain(further.iter().map(|it| it.1.as_str())).collect();
    if !further.is_empty() {
        facts = facts.note(format!("the roles beside the membership end: {}", names[1..].join(", ")));
    }
    let facts = facts.about(held::called(at)).undo(format!("add_project_member with roles {}", names.join(", ")));
    let back = Inverse::of(&AddProjectMember {
        project: ProjectRef::read(&project.id),
        member: PersonRef::read(&person.id),
        roles: std::iter::once(&own.role).chain(further.iter().map(|it| &it.0)).map(RoleRef::read).collect(),
    });
    let request = at.delete("/organization/projects/{project_id}/users/{user_id}");
    let request = request.path("project_id", &project.id).path("user_id", &person.id);
    let mut before = own.view(&project);
    before.roles.extend(further.into_iter().map(|it| it.1));
    let sent = move || Sent::gone().inverse(back.clone());
    let (settled, again) = (sent.clone(), at.afresh());
    let draft = Draft::new(target(at, &project, person.label(), &person.id), facts, move |permit| async move {
        request.send(&permit).await?;
        Ok(sent())
    });
    Ok(draft.before(before).read_back(move || {
        let (at, project, person, settled) = (again.afresh(), project.id.clone(), person.id.clone(), settled.clone());
        async move { Ok(found(retrieve(&at, &project, &person).await)?.is_none().then(settled)) }
    }))
}

fn target(at: &Session, project: &WireProject, label: &str, id: &str) -> Target {
    at.target("member", label, id).within("project", project.name(), &project.id)
}
