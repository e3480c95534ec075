//! People of a project.

use serde_json::json;

use super::{
    Session,
    people::{in_project, is_external, person},
    power,
    roles::KnownRole,
    wire::{Answered as _, WireProject, WireSeat, WireUser},
};
use crate::{
    domain::{
        Facts, Inverse, List, MemberRef, PageRequest, PersonRef, ProjectRef, ReferenceText as _, RoleRef, Target,
        access::{Grant, Power},
        fold,
        members::Member,
        roles::RoleLevel,
    },
    error::ProviderError,
    providers::{
        ALREADY_MEMBER,
        http::{Draft, Sent, cut},
        meant::the_same,
        people::hint,
    },
    tools::project_members::{AddProjectMember, GetProjectMember, ListProjectMembers, RemoveProjectMember},
};

const LIST: &str = "list_project_members";

/// GET projects/{id}/users.
pub(super) async fn list(at: &Session, op: &ListProjectMembers) -> Result<List<Member>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let project = at.project(&op.project).await?;
    let mut seats = at.seats_of(&project).await?;
    if let Some(named) = &op.role {
        let role = at.role(RoleLevel::Project, Some(named)).await?;
        seats.retain(|it| role.is_named(&it.role));
    }
    if let Some(query) = &op.query {
        seats.retain(|it| query.is_in(&it.user.email) || query.is_in(&it.user.display_name));
    }
    let key = |it: &Member| format!("{} {}", fold(&it.member), it.id.as_deref().unwrap_or_default());
    cut(seats.iter().map(|it| in_project(it, &project)).collect(), &page, key)
}

/// GET projects/{id}/users/{user_id}.
pub(super) async fn get(at: &Session, op: &GetProjectMember) -> Result<Member, ProviderError> {
    let project = at.project(&op.project).await?;
    let listed = person(&at.seats_of(&project).await?, &op.member, &project.name, LIST)?;
    let path = at.settings.path("project_user");
    let seat: WireSeat = at.get(path).path("id", &project.id).path("user_id", &listed.user.id).send().await?;
    let seat = the_same(seat, &listed.user.id, |it| &it.user.id)?;
    Ok(in_project(&WireSeat { external: listed.external, ..seat }, &project))
}

/// POST projects/{id}/users. Whoever is not a member of the organization becomes an external user, who cannot own.
pub(super) async fn add(at: &Session, op: &AddProjectMember) -> Result<Draft<Member>, ProviderError> {
    let project = at.project(&op.project).await?;
    let role = only_role(at, &op.roles).await?;
    let people = at.people(&project.org.id).await?;
    let (user, external) = newcomer(at, &people, &op.member, &project.org.name).await?;
    if let Some(seat) = at.project_people(&project.id).await?.iter().find(|it| it.user.id == user.id) {
        let held = at.role(RoleLevel::Project, Some(&RoleRef::read(&seat.role))).await;
        return Err(ProviderError::already(
            ALREADY_MEMBER,
            held.is_ok_and(|it| it.id == role.id),
            format!("`{}` is in project `{}` already, as {}", user.email, project.name, seat.role),
            "for another role remove_project_member and add_project_member",
        ));
    }
    let given = power::held(&role, RoleLevel::Project);
    if external && given.owns {
        return Err(ProviderError::conflict(
            "external_owner",
            format!("`{}` is not a member of `{}`, and external users cannot own a project", user.email, project.org.name),
            "make them a member with add_organization_member first, or give the role of editor or viewer",
        ));
    }
    let about = at.surroundings_of(&project.org, &given).await?;
    let mut facts = Facts::none().gives(Grant::own(user.holder(), given, project.place())).about(about).undo("remove_project_member");
    if external {
        // What the organization shows to its external users is not documented, so a person is asked.
        facts = facts.unseen(format!("comes in from outside of {}, as an external user", project.org.name));
    }
    let target = target(&user, &project);
    let takes = leaving(&user.id, &project);
    let (sending, looking, found, within) = (at.clone(), at.clone(), user.id.clone(), project.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let body = json!({ "user_id": user.id, "role_id": role.id });
        let request = sending.post(sending.settings.path("project_users")).path("id", &project.id).json(body);
        let seat = WireSeat::read(&request.send(&permit).await?, "look with get_project_member")?;
        Ok(joined(&WireSeat { external: Some(external), ..seat }, &project))
    });
    Ok(draft.taken_by(takes).read_back(move || {
        let (looking, project, user_id) = (looking.afresh(), within.clone(), found.clone());
        async move {
            let seat = looking.project_people(&project.id).await?.iter().find(|it| it.user.id == user_id).cloned();
            Ok(seat.map(|it| joined(&WireSeat { external: Some(external), ..it }, &project)))
        }
    }))
}

/// DELETE projects/{id}/users/{user_id}.
pub(super) async fn remove(at: &Session, op: &RemoveProjectMember) -> Result<Draft<Member>, ProviderError> {
    let project = at.project(&op.project).await?;
    let seats = at.seats_of(&project).await?;
    let seat = match person(&seats, &op.member, &format!("project `{}`", project.name), LIST) {
        Err(error @ ProviderError::NotFound { .. }) => {
            let gone = |it: &WireSeat| ProviderError::gone(format!("`{}` is not in project `{}`", it.user.email, project.name), LIST);
            return Err(person(&at.people(&project.org.id).await?, &op.member, &project.org.name, LIST).map_or(error, |it| gone(&it)));
        }
        found => found?,
    };
    let known = at.known_roles().await?;
    let role = power::named(&known, &seat.role, RoleLevel::Project);
    let stays_owned = power::is_owned_without(&seat, &seats, &known, RoleLevel::Project);
    if role.owns && !stays_owned {
        return Err(ProviderError::conflict(
            "last_owner",
            format!("`{}` is the last owner of project `{}`", seat.user.email, project.name),
            "make somebody else owner first: add_project_member with role `ProjectOwner`",
        ));
    }
    let (may_own, codes) = (role.power == Power::Unknown, role.permissions.clone());
    // That members of the organization see the project without a place in it is nowhere written, so nothing surely stays.
    let mut facts = Facts::none()
        .takes(Grant::own(seat.user.holder(), role, project.place()), codes, Vec::new())
        .undo(format!("add_project_member with roles {}", seat.role));
    if may_own && !stays_owned {
        facts = facts.unseen(format!("Rolecall cannot see whether {} keeps an owner", project.name));
    }
    let inverse = rejoining(&seat, &project);
    let (sending, looking, user_id) = (at.clone(), at.clone(), seat.user.id.clone());
    let (left, left_id, left_inverse) = (project.id.clone(), user_id.clone(), inverse.clone());
    let (target, before) = (target(&seat.user, &project), in_project(&seat, &project));
    let draft = Draft::new(target, facts, move |permit| async move {
        let request = sending.delete(sending.settings.path("project_user")).path("id", &project.id).path("user_id", &user_id);
        request.send(&permit).await?;
        Ok(Sent::gone().inverse(inverse))
    });
    Ok(draft.before(before).read_back(move || {
        let (looking, project_id, user_id, inverse) = (looking.afresh(), left.clone(), left_id.clone(), left_inverse.clone());
        async move {
            let there = looking.project_people(&project_id).await?.iter().any(|it| it.user.id == user_id);
            Ok((!there).then(|| Sent::gone().inverse(inverse)))
        }
    }))
}

/// The one role that a place in a project has.
async fn only_role(at: &Session, named: &[RoleRef]) -> Result<KnownRole, ProviderError> {
    let mut roles: Vec<KnownRole> = Vec::new();
    for it in named {
        let role = at.role(RoleLevel::Project, Some(it)).await?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    match roles.len() {
        1 => Ok(roles.remove(0)),
        0 => Err(ProviderError::invalid("`roles` is empty", "name one role; see list_roles")),
        _ => {
            let names: Vec<&str> = roles.iter().map(|it| it.name.as_str()).collect();
            let fix = "name the one that allows most";
            Err(ProviderError::invalid(format!("a place in a project has one role here, not {}", names.join(" and ")), fix))
        }
    }
}

/// Somebody who is to come in, and whether that makes them an external user: by e-mail anybody with an account, by id
/// somebody who is known in the organization.
async fn newcomer(at: &Session, people: &[WireSeat], member: &PersonRef, scope: &str) -> Result<(WireUser, bool), ProviderError> {
    let named = member.text();
    let missing = match person(people, member, scope, "list_organization_members") {
        Ok(seat) => return Ok((seat.user.clone(), is_external(&seat))),
        Err(error @ ProviderError::NotFound { .. }) => error,
        Err(other) => return Err(other),
    };
    let account = if named.contains('@') { at.account(named).await? } else { None };
    account.map(|it| (it, true)).ok_or_else(|| ProviderError::NotFound {
        kind: "user",
        name: named.to_owned(),
        scope: "this service".into(),
        fix: hint(&missing).unwrap_or_else(|| "give the e-mail of an account, or make one with create_user".into()),
    })
}

fn joined(seat: &WireSeat, project: &WireProject) -> Sent<Member> {
    Sent::after(in_project(seat, project)).inverse(leaving(&seat.user.id, project))
}

fn leaving(user_id: &str, project: &WireProject) -> Inverse {
    Inverse::of(&RemoveProjectMember { project: ProjectRef::read(&project.id), member: MemberRef::read(user_id) })
}

fn rejoining(seat: &WireSeat, project: &WireProject) -> Inverse {
    let (project, member) = (ProjectRef::read(&project.id), PersonRef::read(&seat.user.email));
    Inverse::of(&AddProjectMember { project, member, roles: vec![RoleRef::read(&seat.role)] })
}

fn target(user: &WireUser, project: &WireProject) -> Target {
    Target::new("member", user.label(), &user.id, &project.org.name).within("project", &project.name, &project.id)
}
