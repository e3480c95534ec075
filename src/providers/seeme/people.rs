//! People: how the service tells who is where, and how one of them is found.
//!
//! A membership has an id of its own, which is not the person's. Somebody who is only invited sits among the members without
//! a person's id.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    Session,
    names::Named,
    places::{Kind, Place},
    roles::{self, Role},
    wire::{filled, listed, time},
};
use crate::{
    domain::{
        Query, ReferenceText, RoleRef, Timestamp, fold,
        members::{Invitation, InvitationStatus, Member},
    },
    error::ProviderError,
    providers::{
        meant::{has_address, has_id},
        people::{Known, Sought},
    },
};

/// A membership or an invitation. Details of role and person are flat in some deployments and nested in others.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireMember {
    id: String,
    user_id: Option<String>,
    role_id: Option<String>,
    role_name: Option<String>,
    email: Option<String>,
    username: Option<String>,
    firstname: Option<String>,
    name: Option<String>,
    created_at: Option<String>,
    invited_at: Option<String>,
    joined_at: Option<String>,
    accepted_at: Option<String>,
    expires_at: Option<String>,
    user: Option<WireUser>,
    role: Option<WireRoleName>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct WireUser {
    id: Option<String>,
    email: Option<String>,
    username: Option<String>,
    firstname: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct WireRoleName {
    id: Option<String>,
    name: Option<String>,
}

/// Somebody's seat in an organization, team or project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seat {
    /// Of the membership or invitation.
    pub(super) id: String,
    /// Of the person; `None` where nobody has taken the seat yet.
    pub(super) user_id: Option<String>,
    pub(super) email: Option<String>,
    username: Option<String>,
    /// First and last name.
    pub(super) name: Option<String>,
    pub(super) role_id: Option<String>,
    role: Option<String>,
    /// Whether it is an invitation that waits.
    pub(super) pending: bool,
    since: Option<Timestamp>,
    invited_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
}

impl From<WireMember> for Seat {
    fn from(it: WireMember) -> Self {
        let (user, role) = (it.user.unwrap_or_default(), it.role.unwrap_or_default());
        let either =
            |flat: &Option<String>, nested: &Option<String>| filled(flat.as_ref()).or_else(|| filled(nested.as_ref())).map(str::to_owned);
        let names = [either(&it.firstname, &user.firstname), either(&it.name, &user.name)];
        let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let user_id = either(&it.user_id, &user.id);
        let pending = user_id.is_none() && time(it.accepted_at.as_ref()).is_none();
        let created = time(it.created_at.as_ref());
        Self {
            id: it.id,
            user_id,
            email: either(&it.email, &user.email).map(|it| it.to_lowercase()),
            username: either(&it.username, &user.username),
            name: Some(name).filter(|it| !it.is_empty()),
            role_id: either(&it.role_id, &role.id),
            role: either(&it.role_name, &role.name),
            pending,
            since: time(it.joined_at.as_ref()).or_else(|| time(it.accepted_at.as_ref())).or(created),
            invited_at: time(it.invited_at.as_ref()).or(created),
            expires_at: time(it.expires_at.as_ref()),
        }
    }
}

impl Named for Seat {
    fn id(&self) -> &str {
        self.user_id.as_deref().unwrap_or(&self.id)
    }

    fn names(&self) -> Vec<&str> {
        let names = [self.email.as_deref(), self.name.as_deref(), self.username.as_deref(), Some(self.id.as_str())];
        names.into_iter().flatten().collect()
    }

    fn label(&self) -> String {
        format!("{} [{}]", self.called(), Named::id(self))
    }
}

impl Seat {
    /// What a person is called: the e-mail where it is known.
    pub(super) fn called(&self) -> &str {
        let known = self.email.as_deref().or(self.username.as_deref()).or(self.user_id.as_deref());
        known.unwrap_or(&self.id)
    }

    /// Since when it is taken, or waits.
    pub(super) fn began(&self) -> Option<Timestamp> {
        if self.pending { self.invited_at } else { self.since }
    }

    /// The role's name, or its id where the service does not tell the name.
    pub(super) fn role(&self) -> Option<&str> {
        self.role.as_deref().or(self.role_id.as_deref())
    }

    /// Whether it is the seat of somebody with this role, by its id or, where none is told, by its name.
    pub(super) fn is_as(&self, role: &Role) -> bool {
        let is = |held: &str| held == role.id || fold(held) == fold(&role.name) || role.slug.as_deref() == Some(held);
        self.role_id.as_deref().or(self.role.as_deref()).is_some_and(is)
    }

    /// The same, with the name of a role that is known.
    pub(super) fn with_role(mut self, role: Option<&Role>) -> Self {
        if let Some(role) = role.filter(|it| self.role.is_none() && self.role_id.as_ref().is_none_or(|id| *id == it.id)) {
            self.role = Some(role.name.clone());
        }
        self
    }

    /// The same, with what is known of the person: answers to changes do not always tell it.
    pub(super) fn with_person(self, known: &Self) -> Self {
        let (user_id, email) = (self.user_id.or_else(|| known.user_id.clone()), self.email.or_else(|| known.email.clone()));
        let (username, name) = (self.username.or_else(|| known.username.clone()), self.name.or_else(|| known.name.clone()));
        Self { user_id, email, username, name, pending: known.pending, ..self }
    }

    pub(super) fn is(&self, user_id: &str) -> bool {
        has_id(self.user_id.as_deref(), user_id)
    }

    /// Whether it is the seat of this address.
    pub(super) fn has(&self, email: &str) -> bool {
        has_address(self.email.as_deref(), email)
    }

    /// Whether it is an invitation that can no longer be accepted.
    pub(super) fn has_expired(&self) -> bool {
        self.pending && self.expires_at.is_some_and(|it| it <= Timestamp::now())
    }

    pub(super) fn holds(&self, role: &Role) -> bool {
        self.role_id.as_deref() == Some(role.id.as_str())
    }

    pub(super) fn matches(&self, query: &Query) -> bool {
        self.names().iter().take(3).any(|it| query.is_in(it))
    }

    /// What they are found by.
    pub(super) fn known(&self) -> Known<'_> {
        let [email, name] = [&self.email, &self.name].map(|it| it.as_deref().unwrap_or_default());
        Known { id: Named::id(self), email, name, also: self.username.as_deref() }
    }

    pub(super) fn member(&self, place: &Place) -> Member {
        let of = |kind: Kind| (place.kind == kind).then(|| place.name().to_owned());
        Member {
            member: self.called().to_owned(),
            name: self.name.clone(),
            id: Some(Named::id(self).to_owned()),
            roles: self.role().map(str::to_owned).into_iter().collect(),
            status: Some(
                if self.has_expired() {
                    "expired"
                } else if self.pending {
                    "invited"
                } else {
                    "active"
                }
                .to_owned(),
            ),
            via_team: None,
            organization: Some(place.organization.name.clone()),
            project: of(Kind::Project),
            team: of(Kind::Team),
            since: if self.pending { None } else { self.since },
        }
    }

    pub(super) fn invitation(&self, organization: &Place) -> Invitation {
        Invitation {
            invitation: self.called().to_owned(),
            id: self.id.clone(),
            role: self.role().unwrap_or_default().to_owned(),
            status: match (self.pending, self.has_expired()) {
                (false, _) => InvitationStatus::Accepted,
                (true, false) => InvitationStatus::Pending,
                (true, true) => InvitationStatus::Expired,
            },
            organization: organization.name().to_owned(),
            projects: Vec::new(),
            invited_at: self.invited_at,
            expires_at: self.expires_at,
        }
    }
}

/// Everybody in a place, invitations included.
pub(super) async fn seats(at: &Session, place: &Place) -> Result<Arc<Vec<Seat>>, ProviderError> {
    let request = place.get(at, "/members");
    let key = request.key()?;
    at.once(&key, || async {
        let told: Vec<WireMember> = listed(request).await?;
        Ok(told.into_iter().map(Seat::from).collect())
    })
    .await
}

/// Those who are in a place, invitations left out.
pub(super) async fn members(at: &Session, place: &Place) -> Result<Arc<Vec<Seat>>, ProviderError> {
    let key = format!("members\n{}", place.get(at, "/members").key()?);
    at.once(&key, || async { Ok(seats(at, place).await?.iter().filter(|it| !it.pending).cloned().collect()) }).await
}

/// The seat of somebody in a place who is named.
pub(super) async fn seat<R: ReferenceText>(at: &Session, place: &Place, named: &R) -> Result<Seat, ProviderError> {
    let (scope, list_tool) = match place.kind {
        Kind::Organization => (place.name().to_owned(), "list_organization_members"),
        Kind::Team => (place.says(), "list_team_members"),
        Kind::Project => (place.says(), "list_project_members"),
    };
    let seats = seats(at, place).await?;
    let found = among(&seats, &Sought::of(named, &scope, list_tool))?;
    if found.pending && place.kind == Kind::Organization {
        return Err(ProviderError::conflict(
            "invitation_pending",
            format!("`{}` is invited to `{}` and no member yet", found.called(), place.name()),
            "wait until the invitation is accepted, or end it with cancel_invitation",
        ));
    }
    Ok(found)
}

/// The one of these who is meant: by the id of the seat, too.
pub(super) fn among(seats: &[Seat], sought: &Sought<'_>) -> Result<Seat, ProviderError> {
    match seats.iter().find(|it| has_id(it.id.as_str(), sought.text)) {
        Some(found) => Ok(found.clone()),
        None => sought.among(seats, Seat::known).cloned(),
    }
}

/// Those of some people who hold a role, where one is named.
pub(super) async fn by_role(
    at: &Session,
    mut people: Vec<Seat>,
    named: Option<&RoleRef>,
    place: &Place,
) -> Result<Vec<Seat>, ProviderError> {
    if let Some(named) = named {
        let role = roles::role(at, named, place).await?;
        people.retain(|it| it.holds(&role));
    }
    Ok(people)
}

/// What lists of people are sorted by.
pub(super) fn key(it: &Member) -> String {
    format!("{} {}", fold(&it.member), it.id.as_deref().unwrap_or_default())
}
