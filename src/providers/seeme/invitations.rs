//! Invitations to organizations: members without a person.

use serde_json::{Map, Value, json};

use super::{
    Session, access,
    members::inviting_again,
    names::Wanted,
    people::{Seat, WireMember, seats},
    places::{self, Place},
    roles::{self, Role},
    seats::vacate,
};
use crate::{
    domain::{
        Facts, Inverse, InvitationRef, List, MemberRef, OrganizationRef, PageRequest, ReferenceText as _, Target,
        access::{Grant, Holder},
        members::Invitation,
    },
    error::ProviderError,
    providers::http::{Draft, Sent, cut},
    tools::members::{CancelInvitation, InviteOrganizationMember, ListInvitations, RemoveOrganizationMember},
};

/// Lists what waits to be accepted. The service forgets an invitation once it is accepted or taken back.
pub(super) async fn list(at: &Session, op: &ListInvitations) -> Result<List<Invitation>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    let seats = seats(at, &organization).await?;
    let pending = seats.iter().filter(|it| it.pending);
    let views = pending.map(|it| it.invitation(&organization)).filter(|it| op.status.is_none_or(|status| it.status == status));
    cut(views.collect(), &PageRequest::of(op.limit, op.cursor.as_ref()), |it| format!("{} {}", it.invitation, it.id))
}

pub(super) async fn invite(at: &Session, op: &InviteOrganizationMember) -> Result<Draft<Invitation>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    let role = match &op.role {
        Some(named) => Some(roles::role(at, named, &organization).await?),
        None => None,
    };
    let people = seats(at, &organization).await?;
    if let Some(seat) = people.iter().find(|it| it.has(op.email.as_str()) && !it.has_expired()) {
        return Err(already(seat, &organization, role.as_ref()));
    }
    let given = access::given(role.as_ref(), organization.kind);
    let facts = Facts::none()
        .gives(Grant::own(Holder::Invitation(op.email.to_string()), given, access::place(&organization)).pending())
        .note("who has an account at SeeMe.ai may be a member at once")
        .about(access::surroundings(at, &organization).await?)
        .undo("cancel_invitation");
    let target = Target::new_one("invitation", op.email.as_str(), organization.name());
    let (sending, looking) = (at.clone(), at.clone());
    let (email, within) = (op.email.to_string(), organization.clone());
    let mut body = Map::from_iter([("email".to_owned(), json!(op.email))]);
    if let Some(role) = &role {
        body.insert("role_id".to_owned(), json!(role.id));
    }
    let draft = Draft::new(target, facts, move |permit| async move {
        let reply = organization.post(&sending, "/members").json(Value::Object(body)).send(&permit).await?;
        let seat = Seat::from(reply.read::<WireMember>("see list_invitations and list_organization_members")?);
        Ok(invited(&organization, &seat.with_role(role.as_ref())))
    });
    Ok(draft.read_back(move || {
        let (at, organization, email) = (looking.afresh(), within.clone(), email.clone());
        async move {
            Ok(seats(&at, &organization).await?.iter().find(|it| it.has(&email) && !it.has_expired()).map(|it| invited(&organization, it)))
        }
    }))
}

/// What was made: an invitation, or a member at once.
fn invited(organization: &Place, seat: &Seat) -> Sent<Invitation> {
    let within = Some(OrganizationRef::read(organization.id()));
    let inverse = if seat.pending {
        Inverse::of(&CancelInvitation { invitation: InvitationRef::read(&seat.id), organization: within })
    } else {
        Inverse::of(&RemoveOrganizationMember { member: MemberRef::read(seat.called()), organization: within })
    };
    let target = Target::new("invitation", seat.called(), &seat.id, organization.name());
    let sent = Sent::after(seat.invitation(organization)).target(target);
    let sent = if seat.pending { sent } else { sent.undo("remove_organization_member") };
    sent.inverse(inverse)
}

fn already(seat: &Seat, organization: &Place, wanted: Option<&Role>) -> ProviderError {
    let (name, place) = (seat.called(), organization.name());
    let held = seat.role().map(|it| format!(", as {it}")).unwrap_or_default();
    let same = wanted.is_none_or(|it| seat.is_as(it));
    if seat.pending {
        return ProviderError::already(
            "already_invited",
            same,
            format!("`{name}` has a pending invitation to `{place}`{held}"),
            "wait for it, or end it with cancel_invitation and invite again",
        );
    }
    ProviderError::already(
        "already_member",
        same,
        format!("`{name}` is a member of `{place}` already{held}"),
        "change the role with update_organization_member",
    )
}

pub(super) async fn cancel(at: &Session, op: &CancelInvitation) -> Result<Draft<Invitation>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    let all = seats(at, &organization).await?;
    let text = op.invitation.text();
    let pending: Vec<Seat> = all.iter().filter(|it| it.pending).cloned().collect();
    let wanted = Wanted { kind: "invitation", text, scope: organization.name().to_owned(), list_tool: "list_invitations" };
    let before = match wanted.among(&pending) {
        Err(ProviderError::NotFound { .. }) if all.iter().any(|it| !it.pending && (it.has(&text.to_lowercase()) || it.id == text)) => {
            return Err(ProviderError::conflict(
                "not_pending",
                format!("`{text}` is a member of `{}`, not an invitation", organization.name()),
                "nothing is left to cancel; a member is removed with remove_organization_member",
            ));
        }
        found => found?,
    };
    let grant = access::grant(&organization, &before, &access::known(at, &organization).await?);
    let facts = Facts::none().takes(grant, Vec::new(), Vec::new()).undo("invite_organization_member with the same arguments");
    let target = Target::new("invitation", before.called(), &before.id, organization.name());
    let inverse = inviting_again(&organization, &before);
    let view = before.invitation(&organization);
    Ok(vacate(at, organization, before.id, (target, facts, inverse)).before(view))
}
