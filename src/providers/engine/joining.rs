//! How people become members of an organization: with an account, or with a new one.

use serde_json::{Value, json};

use super::{
    Session, members,
    people::{in_org, is_external, known},
    power,
    roles::KnownRole,
    wire::{Answered as _, WireOrg, WireSeat, WireUser},
};
use crate::{
    domain::{
        Email, Facts, Inverse, MemberRef, OrganizationRef, RoleRef, Surroundings, Target,
        access::{Grant, Holder, Role},
        members::Member,
        roles::RoleLevel,
    },
    error::ProviderError,
    guard::Permit,
    providers::{
        http::{Draft, Sent},
        people::with_address,
    },
    tools::members::{AddOrganizationMember, CreateUser, RemoveOrganizationMember},
};

/// GET users?email=…, then POST orgs/{id}/users.
pub(super) async fn add(at: &Session, op: &AddOrganizationMember) -> Result<Draft<Member>, ProviderError> {
    let joining = Joining::of(at, op.organization.as_ref(), &op.email, op.role.as_ref()).await?;
    let user = match &joining.external {
        Some(user) => user.clone(),
        None => at.account(op.email.as_str()).await?.ok_or_else(|| ProviderError::NotFound {
            kind: "user",
            name: op.email.to_string(),
            scope: "this service".to_owned(),
            fix: "make the account with create_user".to_owned(),
        })?,
    };
    let target = Target::new("member", &user.email, &user.id, &joining.org.name);
    let facts = joining.facts(user.holder()).undo("remove_organization_member");
    let (sending, looking, found) = (at.clone(), joining.reader(at), user.id.clone());
    let takes = leaving(&user.id, &joining.org);
    let draft = Draft::new(target, facts, move |permit| async move {
        let seat = joining.join(&sending, &user.id, &permit).await?;
        Ok(joined(&seat, &joining.org))
    });
    Ok(draft.taken_by(takes).read_back(move || {
        let (looking, user_id) = (looking.clone(), found.clone());
        async move { looking.membership(&user_id).await }
    }))
}

/// POST users, then POST orgs/{id}/users. No password is sent: the service makes the first one.
pub(super) async fn create_user(at: &Session, op: &CreateUser) -> Result<Draft<Member>, ProviderError> {
    let joining = Joining::of(at, op.organization.as_ref(), &op.email, op.role.as_ref()).await?;
    if joining.external.is_some() || at.account(op.email.as_str()).await?.is_some() {
        return Err(ProviderError::conflict(
            "user_exists",
            format!("`{}` has an account already", op.email),
            "make that account a member with add_organization_member",
        ));
    }
    let email = op.email.to_string();
    let target = Target::new_one("member", &email, &joining.org.name);
    let facts = joining
        .facts(Holder::person(&email, None))
        .note("the service makes the first password; it does not pass through here")
        .undo("remove_organization_member; the account stays");
    let body = json!({ "email": email, "name": op.name });
    let (sending, looking, found) = (at.clone(), joining.reader(at), email.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let user = made(&sending, &email, body, &permit).await?;
        let reader = joining.reader(&sending);
        let seat = match joining.join(&sending, &user.id, &permit).await {
            Ok(seat) => seat,
            Err(error) => return reader.half_made(&user, &email, error).await,
        };
        Ok(joined(&seat, &joining.org).target(members::target(&seat, &joining.org)))
    });
    Ok(draft.read_back(move || {
        let (looking, email) = (looking.clone(), found.clone());
        async move {
            let Some(user) = looking.at.afresh().account(&email).await? else { return Ok(None) };
            let member = looking.membership(&user.id).await?;
            // An account without a membership is neither: nobody knows what is still under way.
            member.map(Some).ok_or_else(|| looking.without_membership(&user, &email, "is not a member"))
        }
    }))
}

/// POST users. Where its answer is lost, the account may be there all the same.
async fn made(at: &Session, email: &str, body: Value, permit: &Permit) -> Result<WireUser, ProviderError> {
    let reply = at.post(at.settings.path("users")).json(body).send(permit).await;
    let fix = format!("look with get_organization_member, then use add_organization_member with `{email}`");
    match reply.and_then(|it| WireUser::read(&it, &fix)) {
        Err(error @ ProviderError::Unanswered { .. }) => at.afresh().account(email).await.ok().flatten().ok_or(error),
        answered => answered,
    }
}

/// Where somebody is to become a member, and as what.
struct Joining {
    org: WireOrg,
    role: KnownRole,
    given: Role,
    about: Surroundings,
    /// The person's account, where they are in one of the organization's projects already.
    external: Option<WireUser>,
}

impl Joining {
    async fn of(
        at: &Session,
        organization: Option<&OrganizationRef>,
        email: &Email,
        role: Option<&RoleRef>,
    ) -> Result<Self, ProviderError> {
        let org = at.organization(organization).await?;
        let people = at.people(&org.id).await?;
        let known = with_address(&people, email.as_str(), known)?;
        if let Some(seat) = known.filter(|it| !is_external(it)) {
            let wanted = match role {
                Some(_) => Some(at.role(RoleLevel::Organization, role).await?),
                None => None,
            };
            let held = at.role(RoleLevel::Organization, Some(&RoleRef::read(&seat.role))).await;
            return Err(ProviderError::already(
                "already_member",
                wanted.is_none_or(|wanted| held.is_ok_and(|it| it.id == wanted.id)),
                format!("`{email}` is a member of `{}` already, as {}", org.name, seat.role),
                "for another role remove_organization_member and add_organization_member, or give a project with add_project_member",
            ));
        }
        let role = at.role(RoleLevel::Organization, role).await?;
        let given = power::held(&role, RoleLevel::Organization);
        let about = at.surroundings_of(&org.named(), &given).await?;
        Ok(Self { role, given, about, external: known.map(|it| it.user.clone()), org })
    }

    fn facts(&self, holder: Holder) -> Facts {
        let facts = Facts::none().gives(Grant::own(holder, self.given.clone(), self.org.place())).about(self.about.clone());
        if self.external.is_some() { facts.note("is an external user so far") } else { facts }
    }

    /// POST orgs/{id}/users.
    async fn join(&self, at: &Session, user_id: &str, permit: &Permit) -> Result<WireSeat, ProviderError> {
        let body = json!({ "user_id": user_id, "role_id": self.role.id });
        let request = at.post(at.settings.path("org_users")).path("id", &self.org.id).json(body);
        WireSeat::read(&request.send(permit).await?, "look with get_organization_member")
    }

    fn reader(&self, at: &Session) -> Reader {
        Reader { at: at.clone(), org: self.org.clone() }
    }
}

/// Looks up what became of a change.
#[derive(Clone)]
struct Reader {
    at: Session,
    org: WireOrg,
}

impl Reader {
    async fn membership(&self, user_id: &str) -> Result<Option<Sent<Member>>, ProviderError> {
        let people = self.at.afresh().people(&self.org.id).await?;
        let seat = people.iter().find(|it| it.user.id == user_id && !is_external(it)).cloned();
        Ok(seat.map(|it| joined(&it, &self.org).target(members::target(&it, &self.org))))
    }

    /// The account was made and its membership refused, or not answered: tells which of both holds.
    async fn half_made(&self, user: &WireUser, email: &str, error: ProviderError) -> Result<Sent<Member>, ProviderError> {
        let unanswered = matches!(error, ProviderError::Unanswered { .. });
        let state = match self.membership(&user.id).await {
            Ok(Some(sent)) => return Ok(sent),
            Err(_) if unanswered => "may or may not be a member",
            Ok(None) | Err(_) => "is not a member",
        };
        match self.without_membership(user, email, state) {
            ProviderError::Conflict { message, fix, .. } => Err(ProviderError::Partly { message, fix, source: Box::new(error) }),
            other => Err(other),
        }
    }

    fn without_membership(&self, user: &WireUser, email: &str, state: &str) -> ProviderError {
        ProviderError::conflict(
            "account_without_membership",
            format!("the account of `{email}` was made [{}] and {state} of `{}`", user.id, self.org.name),
            format!(
                "make it a member with add_organization_member and `{email}`; do not create it again. \
                 The service made its first password and has it still: none passed through here"
            ),
        )
    }
}

fn joined(seat: &WireSeat, org: &WireOrg) -> Sent<Member> {
    Sent::after(in_org(seat, org)).inverse(leaving(&seat.user.id, org))
}

fn leaving(user_id: &str, org: &WireOrg) -> Inverse {
    let organization = Some(OrganizationRef::read(&org.id));
    Inverse::of(&RemoveOrganizationMember { member: MemberRef::read(user_id), organization })
}
