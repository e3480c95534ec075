//! Invitations: how people come into the organization.

use serde::Deserialize;
use serde_json::json;

use super::{Session, errors::found, held, lists, members, power, projects, projects::WireProject, resolve::Search, roles, time};
use crate::{
    domain::{
        Counted, Facts, Inverse, InvitationRef, List, PageRequest, ReferenceText as _, Thing, Timestamp,
        access::{Grant, Holder},
        members::{Invitation, InvitationStatus},
        roles::RoleLevel,
    },
    error::ProviderError,
    providers::{
        http::{Draft, Sent, cut},
        meant::{has_address, the_same},
    },
    tools::members::{CancelInvitation, InviteOrganizationMember, ListInvitations},
};

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireInvite {
    pub(super) id: String,
    #[serde(default)]
    pub(super) email: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    status: String,
    created_at: Option<i64>,
    expires_at: Option<i64>,
    #[serde(default)]
    projects: Vec<WireInviteProject>,
}

#[derive(Debug, Clone, Deserialize)]
struct WireInviteProject {
    id: String,
    role: Option<String>,
}

impl WireInvite {
    /// A status that nobody has heard of is one in which nothing can be relied on: it is shown as expired.
    fn status(&self) -> InvitationStatus {
        match self.status.as_str() {
            // Not every deployment marks one whose time is over.
            "pending" if self.expires_at.is_none_or(|it| time(it) > Timestamp::now()) => InvitationStatus::Pending,
            "accepted" => InvitationStatus::Accepted,
            _ => InvitationStatus::Expired,
        }
    }

    pub(super) fn is_into(&self, project_id: &str) -> bool {
        self.projects.iter().any(|it| it.id == project_id)
    }

    /// What it gives whoever accepts it.
    pub(super) fn grants(&self, at: &Session, names: &[WireProject]) -> Vec<Grant> {
        let into = self.projects.iter().filter_map(|it| {
            let project = names.iter().find(|name| name.id == it.id)?;
            Some((project, it.role.as_deref().unwrap_or("member")))
        });
        grants(at, &self.email, &self.role, into)
    }

    /// As a line for people: whose it is, and as what.
    pub(super) fn told(&self) -> String {
        format!("{} as {} [{}]", self.email, self.role, self.id)
    }

    fn view(&self, organization: &str, names: &[WireProject]) -> Invitation {
        let name = |id: &str| names.iter().find(|it| it.id == id).map_or_else(|| id.to_owned(), |it| it.name().to_owned());
        Invitation {
            invitation: self.email.clone(),
            id: self.id.clone(),
            role: self.role.clone(),
            status: self.status(),
            organization: organization.to_owned(),
            projects: self.projects.iter().map(|it| name(&it.id)).collect(),
            invited_at: self.created_at.map(time),
            expires_at: self.expires_at.map(time),
        }
    }
}

/// A role in the organization and in projects that somebody can accept.
fn grants<'a>(at: &Session, email: &str, role: &str, projects: impl Iterator<Item = (&'a WireProject, &'a str)>) -> Vec<Grant> {
    let holder = || Holder::Invitation(email.to_owned());
    let whole = Grant::own(holder(), power::called(role, RoleLevel::Organization), held::place(at, None));
    let parts = projects.map(|(it, role)| Grant::own(holder(), power::called(role, RoleLevel::Project), held::place(at, Some(it))));
    std::iter::once(whole).chain(parts).map(Grant::pending).collect()
}

/// Those that can still be accepted.
pub(super) async fn pending(at: &Session) -> Result<Vec<WireInvite>, ProviderError> {
    let mut invites = all(at).await?;
    invites.retain(|it| it.status() == InvitationStatus::Pending);
    Ok(invites)
}

/// Those of one address that can still be accepted.
pub(super) async fn pending_of(at: &Session, email: &str) -> Result<Vec<WireInvite>, ProviderError> {
    Ok(pending(at).await?.into_iter().filter(|it| has_address(it.email.as_str(), email)).collect())
}

async fn all(at: &Session) -> Result<Vec<WireInvite>, ProviderError> {
    lists::all(at, lists::BY_ID, |at| at.get("/organization/invites")).await
}

async fn retrieve(at: &Session, id: &str) -> Result<WireInvite, ProviderError> {
    the_same(at.get("/organization/invites/{invite_id}").path("invite_id", id).send().await?, id, |it: &WireInvite| &it.id)
}

/// The projects, where invitations name any.
pub(super) async fn names(at: &Session, invites: &[WireInvite]) -> Result<Vec<WireProject>, ProviderError> {
    if invites.iter().all(|it| it.projects.is_empty()) { Ok(Vec::new()) } else { projects::all(at).await }
}

/// `GET /organization/invites`
pub(super) async fn list(at: &Session, op: &ListInvitations) -> Result<List<Invitation>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let organization = at.organization();
    if let Some(status) = op.status {
        let mut invites = all(at).await?;
        invites.retain(|it| it.status() == status);
        let names = names(at, &invites).await?;
        let views = invites.iter().map(|it| it.view(&organization, &names)).collect();
        return cut(views, &page, |it: &Invitation| format!("{} {}", it.invitation, it.id));
    }
    let invites = lists::page(at.get("/organization/invites"), &page, |it: WireInvite| it).await?;
    let names = names(at, &invites.items).await?;
    Ok(invites.map(|it| it.view(&organization, &names)))
}

/// `POST /organization/invites`. `projects` is always sent, also where it is empty: the service's documents say that an empty list
/// means no project, and that somebody who is invited without the field comes into the default project, which nobody asked for.
pub(super) async fn invite(at: &Session, op: &InviteOrganizationMember) -> Result<Draft<Invitation>, ProviderError> {
    let role = match op.role.as_ref().map(|it| roles::short_of(it.text())).as_deref() {
        None | Some("reader") => "reader",
        Some("owner") => "owner",
        Some(other) => {
            let message = format!("nobody can be invited as `{other}`");
            return Err(ProviderError::invalid(message, "use role `reader` or `owner`; further roles are given with assign_role later"));
        }
    };
    let email = op.email.as_str();
    if let Some(it) = members::by_email(at, email).await? {
        let held = it.role.as_deref().unwrap_or("unknown");
        return Err(ProviderError::already(
            "already_member",
            (op.role.is_none() || held == role) && op.projects.is_empty(),
            format!("`{email}` is a member of the organization already, as {held}"),
            "use add_project_member for a project, update_organization_member for another role",
        ));
    }
    let known = all(at).await?;
    let pending = |it: &&WireInvite| has_address(it.email.as_str(), email) && it.status() == InvitationStatus::Pending;
    let mut into: Vec<WireProject> = Vec::new();
    for named in &op.projects {
        let project = at.active_project(named).await?;
        if !into.iter().any(|it| it.id == project.id) {
            into.push(project);
        }
    }
    if let Some(it) = known.iter().find(pending) {
        return Err(ProviderError::already(
            "already_invited",
            (op.role.is_none() || it.role == role) && into.iter().all(|project| it.is_into(&project.id)),
            format!("`{email}` has a pending invitation [{}] as {}", it.id, it.role),
            "wait for it, or end it with cancel_invitation and invite again",
        ));
    }
    let given = grants(at, email, role, into.iter().map(|it| (it, "member")));
    let facts = held::around(at, given.into_iter().fold(Facts::none(), Facts::gives)).await?.undo("cancel_invitation");
    let projects: Vec<_> = into.iter().map(|it| json!({ "id": it.id, "role": "member" })).collect();
    let request = at.post("/organization/invites").json(json!({ "email": email, "role": role, "projects": projects }));
    let (by, again, email) = (at.clone(), at.afresh(), email.to_owned());
    let before: Vec<String> = known.into_iter().map(|it| it.id).collect();
    let places = into.clone();
    let draft = Draft::new(at.new_target("invitation", &email), facts, move |permit| async move {
        let invite: WireInvite = request.send(&permit).await?.read("look with list_invitations whether it is there")?;
        Ok(made(&by, &invite, &places))
    });
    Ok(draft.read_back(move || {
        let (at, email, before, into) = (again.afresh(), email.clone(), before.clone(), into.clone());
        async move {
            let found = all(&at).await?.into_iter().find(|it| has_address(it.email.as_str(), &email) && !before.contains(&it.id));
            Ok(found.map(|it| made(&at, &it, &into)))
        }
    }))
}

fn made(at: &Session, invite: &WireInvite, projects: &[WireProject]) -> Sent<Invitation> {
    let back = Inverse::of(&CancelInvitation { invitation: InvitationRef::read(&invite.id), organization: None });
    let target = at.target("invitation", &invite.email, &invite.id);
    Sent::after(invite.view(&at.organization(), projects)).target(target).inverse(back)
}

/// `DELETE /organization/invites/{invite_id}`: of several to one person the pending one is meant.
pub(super) async fn cancel(at: &Session, op: &CancelInvitation) -> Result<Draft<Invitation>, ProviderError> {
    let wanted = op.invitation.text();
    let mut invites = all(at).await?;
    if invites.iter().any(|it| it.status() == InvitationStatus::Pending && has_address(it.email.as_str(), wanted)) {
        invites.retain(|it| it.status() == InvitationStatus::Pending || it.id == wanted);
    }
    let search = Search { kind: "invitation", wanted, scope: "", list_tool: "list_invitations" };
    let invite = search.only(&invites, |it| &it.id, |it| &it.email)?;
    if invite.status() == InvitationStatus::Accepted {
        return Err(ProviderError::conflict(
            "not_pending",
            format!("the invitation of `{}` is accepted already", invite.email),
            "nothing is left to cancel; a member is removed with remove_organization_member",
        ));
    }
    let names = names(at, std::slice::from_ref(&invite)).await?;
    let facts = if invite.status() == InvitationStatus::Pending {
        invite.grants(at, &names).into_iter().fold(Facts::none(), |facts, it| facts.takes(it, Vec::new(), Vec::new()))
    } else {
        Facts::none().ends(Thing::Invitation, Counted::one(&invite.email))
    };
    let facts = facts.about(held::called(at)).undo("invite_organization_member with the same arguments");
    let request = at.delete("/organization/invites/{invite_id}").path("invite_id", &invite.id);
    let (before, again, id) = (invite.view(&at.organization(), &names), at.afresh(), invite.id.clone());
    let draft = Draft::new(at.target("invitation", &invite.email, &invite.id), facts, move |permit| async move {
        request.send(&permit).await?;
        Ok(Sent::gone())
    });
    Ok(draft.before(before).read_back(move || {
        let (at, id) = (again.afresh(), id.clone());
        async move { Ok(found(retrieve(&at, &id).await)?.is_none().then(Sent::gone)) }
    }))
}
