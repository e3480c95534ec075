//! People of a project: invited, listed, removed.

use serde_json::json;

use super::{
    Session, access,
    explain::is_bad_endpoint,
    organization_members::{listed, of_member},
    power::{addressed, granted, held},
    resolve::{FoundProject, in_project},
    wire::{WireMember, WireRole},
};
use crate::{
    domain::{
        Counted, Email, Facts, Inverse, List, MemberRef, PageRequest, PersonRef, ReferenceText as _, RoleRef, Target, Thing, fold,
        members::Member, roles::RoleLevel,
    },
    error::ProviderError,
    guard::Permit,
    providers::{
        ALREADY_MEMBER,
        http::{Draft, Sent},
    },
    tools::project_members::{AddProjectMember, GetProjectMember, ListProjectMembers, RemoveProjectMember},
};

/// `GET /v2/accessControl/projects/members`.
pub(super) async fn list(at: &Session, op: &ListProjectMembers) -> Result<List<Member>, ProviderError> {
    let project = at.project(&op.project).await?;
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let listing = in_project("/v2/accessControl/projects/members", "members", &project).of_types(&op.role_types)?;
    let found = listed(at, &listing, &page, op.query.as_ref(), op.role.as_ref()).await?;
    Ok(found.map(|it| view(it, &project)))
}

/// The service has no look-up of one person: everybody is read.
pub(super) async fn get(at: &Session, op: &GetProjectMember) -> Result<Member, ProviderError> {
    let project = at.project(&op.project).await?;
    Ok(view(at.member(&project, &op.member).await?, &project))
}

/// `POST /v2/accessControl/projects/members`: mails an invitation; access starts when it is accepted.
pub(super) async fn add(at: &Session, op: &AddProjectMember) -> Result<Draft<Member>, ProviderError> {
    let project = at.project(&op.project).await?;
    let email = address(at, &op.member).await?;
    let roles = roles(at, &project, &op.roles).await?;
    if let Some(member) = at.members(&project).await?.iter().find(|it| it.is(&email)) {
        let holds =
            |role: &WireRole| member.roles.iter().any(|it| (it.id == role.id && !it.id.is_empty()) || fold(&it.name) == fold(&role.name));
        return Err(ProviderError::already(
            ALREADY_MEMBER,
            roles.iter().all(holds),
            format!("`{email}` is in project `{}` already, as {}", project.name, member.role_names().join(", ")),
            "this provider changes no roles of a member: remove_project_member first, then invite with all roles",
        ));
    }
    let facts = giving(at, &project, &email, &roles).await?;
    let invited = Member {
        member: email.clone(),
        roles: roles.iter().map(|it| it.name.clone()).collect(),
        status: Some("invited".to_owned()),
        organization: project.organization.clone(),
        project: Some(project.name.clone()),
        ..Member::default()
    };
    let target = project.target("member", &email, None);
    let inverse = Inverse::of(&RemoveProjectMember { project: project.reference(), member: MemberRef::read(&email) });
    let (session, place, wanted) = (at.clone(), project.clone(), email.clone());
    let (again, settled, takes) = (invited.clone(), inverse.clone(), inverse.clone());
    let send = {
        let session = session.clone();
        move |permit: Permit| async move {
            let names: Vec<&str> = roles.iter().map(|it| it.name.as_str()).collect();
            let request = session.post("/v2/accessControl/projects/members").header("project-id", &project.id);
            // The answer repeats what was sent, or is empty.
            request.json(json!({ "userEmail": email, "roles": names })).send(&permit).await?;
            Ok(Sent::after(invited).inverse(inverse))
        }
    };
    Ok(Draft::new(target, facts, send).taken_by(takes).read_back(move || {
        let (session, place, wanted) = (session.afresh(), place.clone(), wanted.clone());
        let (again, settled) = (again.clone(), settled.clone());
        async move {
            if session.members(&place).await?.iter().any(|it| it.is(&wanted)) {
                return Ok(Some(Sent::after(again).inverse(settled)));
            }
            // An invitation that waits to be accepted is in no list: that it is not seen says nothing.
            Err(ProviderError::conflict("not_settled", "an open invitation cannot be seen", "ask the person, or look again later"))
        }
    }))
}

/// What it means that somebody is invited with these roles.
async fn giving(at: &Session, project: &FoundProject, email: &str, roles: &[WireRole]) -> Result<Facts, ProviderError> {
    let who = addressed(email);
    let grants = granted(&who, roles, RoleLevel::Project, &project.place());
    let power = grants.iter().any(|it| it.role.power.counts());
    let facts = grants.into_iter().fold(Facts::none(), |facts, it| facts.gives(it.pending()));
    let facts = facts.undo("remove_project_member, once the invitation is accepted");
    // Who is in power is worth requests only where it matters.
    if power { Ok(facts.about(access::in_power(at, Some(project), &who).await?)) } else { Ok(facts) }
}

/// `DELETE /v2/accessControl/projects/{project}/members/{member}`; descriptions have the path without its version, too.
pub(super) async fn remove(at: &Session, op: &RemoveProjectMember) -> Result<Draft<Member>, ProviderError> {
    let project = at.project(&op.project).await?;
    let member = match at.member(&project, &op.member).await {
        Err(error @ ProviderError::NotFound { .. }) => return Err(gone_or(at, error, &project, &op.member).await),
        found => found?,
    };
    let label = member.label();
    let facts = taking(&project, &member, &at.members(&project).await?);
    let target = Target { id: member.id.clone(), ..project.target("member", &label, None) };
    let before = view(member.clone(), &project);
    let inverse = member.email.as_ref().map(|email| invitation(&project, email, &member.roles));
    let who = member.id.clone().or(member.email.clone()).unwrap_or_else(|| label.clone());
    let (session, place) = (at.clone(), project);
    let again = inverse.clone();
    let send = {
        let (session, place, who) = (session.clone(), place.clone(), who.clone());
        move |permit: Permit| async move {
            delete(&session, &place, &who, &permit).await?;
            Ok(Sent::gone().undone_by(inverse))
        }
    };
    Ok(Draft::new(target, facts, send).before(before).read_back(move || {
        let (session, place, who, again) = (session.afresh(), place.clone(), who.clone(), again.clone());
        async move {
            let there = session.members(&place).await?.iter().any(|it| it.is(&who));
            Ok((!there).then(|| Sent::gone().undone_by(again)))
        }
    }))
}

/// Somebody who is to be taken out of a project and is not in it: gone already where the organization knows them, else as `error` says.
async fn gone_or(at: &Session, error: ProviderError, project: &FoundProject, wanted: &MemberRef) -> ProviderError {
    let Ok(own) = at.own().await else { return error };
    let Ok(person) = at.person(&own, wanted).await else { return error };
    let message = format!("`{}` is not in {}; whether an invitation to it is still open cannot be seen", person.label(), project.says());
    ProviderError::gone(message, "list_project_members")
}

/// What it means that somebody is taken out.
fn taking(project: &FoundProject, member: &WireMember, everybody: &[WireMember]) -> Facts {
    let place = project.place();
    let grants = held(member, RoleLevel::Project, &place);
    // A role that nobody explains may own the project, and is not taken for one that does.
    let may_own = grants.iter().any(|it| it.role.power.counts());
    let owns = |it: &WireMember| held(it, RoleLevel::Project, &place).iter().any(|it| it.role.owns);
    let others = everybody.iter().filter(|it| it.id != member.id || it.email != member.email);
    let ownerless = may_own && !others.into_iter().any(owns);
    let facts = grants.into_iter().fold(Facts::none(), |facts, it| facts.takes(it, Vec::new(), Vec::new()));
    let facts = if ownerless { facts.ownerless(Thing::Project, Counted::one(&project.name)) } else { facts };
    facts
        .unseen("whether an invitation of theirs is still open cannot be seen; accepted later, it would bring them back")
        .undo(format!("add_project_member with roles {}", member.role_names().join(", ")))
}

const REMOVALS: [&str; 2] = ["/v2/accessControl/projects/{project}/members/{member}", "/accessControl/projects/{project}/members/{member}"];

/// Takes the other path only where the service says that it has no such path: any other refusal is one.
async fn delete(at: &Session, project: &FoundProject, who: &str, permit: &Permit) -> Result<(), ProviderError> {
    let [versioned, unversioned] = REMOVALS;
    let paths = if at.settings.unversioned_removal { [unversioned, versioned] } else { [versioned, unversioned] };
    let send = |path| at.delete(path).path("project", &project.id).path("member", who).send(permit);
    match send(paths[0]).await {
        Err(ProviderError::Remote(error)) if is_bad_endpoint(&error.message) => send(paths[1]).await.map(drop),
        other => other.map(drop),
    }
}

/// An e-mail, given or of somebody in the organization whose id is given.
async fn address(at: &Session, named: &PersonRef) -> Result<String, ProviderError> {
    let text = named.text();
    if text.contains('@') {
        let email = Email::try_from(text.to_owned()).map_err(|error| ProviderError::invalid(error.to_string(), "correct the e-mail"))?;
        return Ok(email.to_string());
    }
    at.address(&at.own().await?, named).await
}

/// The roles that are named, each once.
async fn roles(at: &Session, project: &FoundProject, named: &[RoleRef]) -> Result<Vec<WireRole>, ProviderError> {
    let mut roles: Vec<WireRole> = Vec::new();
    for named in named {
        let role = at.role(project, named).await?;
        if !roles.iter().any(|it| it.id == role.id) {
            roles.push(role);
        }
    }
    if roles.is_empty() {
        return Err(ProviderError::invalid("`roles` is empty", "name at least one role; see list_roles"));
    }
    Ok(roles)
}

fn invitation(project: &FoundProject, email: &str, roles: &[WireRole]) -> Inverse {
    let roles = roles.iter().map(|it| RoleRef::read(&it.name)).collect();
    Inverse::of(&AddProjectMember { project: project.reference(), member: PersonRef::read(email), roles })
}

fn view(it: WireMember, project: &FoundProject) -> Member {
    Member { organization: project.organization.clone(), project: Some(project.name.clone()), ..of_member(it) }
}
