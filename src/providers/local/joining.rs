//! How people become members of an organization at once, with an account or with a new one.

use secrecy::SecretString;

use serde_json::json;

use super::{
    Session,
    compared::{Look, newcomer},
    invitations, members,
    resolve::{OrganizationRow, RoleRow, UserRow},
};
use crate::{
    domain::{Change, Email, Facts, Inverse, RoleRef, Secret, Target, Timestamp, fold_accents, members::Member},
    error::ProviderError,
    store::{args, new_id, sha256},
    tools::members::{AddOrganizationMember, CreateUser, RemoveOrganizationMember},
};

pub(super) async fn add(at: &mut Session, op: &AddOrganizationMember) -> Result<Change<Member>, ProviderError> {
    let organization = at.organization(op.organization.as_ref()).await?;
    if let Some(held) = members::role_of(at, &organization.id, &op.email).await? {
        return Err(invitations::already_member(at, &op.email, &organization, &held, op.role.as_ref(), false).await?);
    }
    let user = members::user_with(at, &op.email).await?.ok_or_else(|| ProviderError::NotFound {
        kind: "user",
        name: op.email.to_string(),
        scope: "this directory".to_owned(),
        fix: "make the account with create_user, or use invite_organization_member".to_owned(),
    })?;
    let joining = Joining::of(at, &organization, &op.email, op.role.as_ref()).await?;
    let facts = joining.join(at, &organization, &user.id).await?;
    let after = members::by_id(at, &organization, &user.id).await?;
    let inverse = Inverse::call::<RemoveOrganizationMember>(json!({ "member": user.id, "organization": organization.id }));
    Ok(Change::created(members::target(&user, &organization), facts.undo("remove_organization_member"), after).inverse(inverse))
}

pub(super) async fn create_user(at: &mut Session, op: &CreateUser) -> Result<Change<Member>, ProviderError> {
    let organization = at.organization(op.organization.as_ref()).await?;
    if let Some(UserRow { email, .. }) = members::user_with(at, &op.email).await? {
        return Err(ProviderError::conflict(
            "user_exists",
            format!("`{email}` has an account already"),
            "make that account a member with add_organization_member",
        ));
    }
    let joining = Joining::of(at, &organization, &op.email, op.role.as_ref()).await?;
    let (id, password) = (new_id("usr"), password());
    let sql = "INSERT INTO users (id, email, name, name_key, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    at.db
        .run(sql, &args![&id, op.email.as_str(), op.name.as_str(), fold_accents(op.name.as_str()), sha256(&password), Timestamp::now().0])
        .await?;
    let facts = newcomer(joining.join(at, &organization, &id).await?);
    let after = members::by_id(at, &organization, &id).await?;
    let target = Target::new_one("member", op.email.as_str(), &organization.name);
    let secret = Secret { what: format!("first password of {}", op.email), value: SecretString::from(password) };
    let facts = facts.undo("remove_organization_member; the account stays");
    let inverse = Inverse::call::<RemoveOrganizationMember>(json!({ "member": op.email, "organization": organization.id }));
    Ok(Change::created(target, facts, after).with_secret(secret).inverse(inverse))
}

/// With which role somebody joins, and the invitation that this accepts.
struct Joining {
    role: RoleRow,
    invitation: Option<invitations::InvitationRow>,
}

impl Joining {
    /// The role that is named counts, else the invitation's, else the usual one.
    async fn of(at: &mut Session, organization: &OrganizationRow, email: &Email, role: Option<&RoleRef>) -> Result<Self, ProviderError> {
        let invitation = invitations::pending(at, &organization.id, email).await?;
        let role = match (&invitation, role) {
            (Some(invitation), None) => members::role_by_id(at, &invitation.role_id).await?,
            (_, named) => members::role_or_default(at, named, organization).await?,
        };
        Ok(Self { role, invitation })
    }

    async fn join(self, at: &mut Session, organization: &OrganizationRow, user_id: &str) -> Result<Facts, ProviderError> {
        let look = Look::at(at, &organization.id, vec![user_id.to_owned()]).await?;
        members::enroll(at, &organization.id, user_id, &self.role.id).await?;
        if let Some(invitation) = &self.invitation {
            invitations::accept(at, &organization.id, invitation, user_id).await?;
        }
        let facts = look.facts(at).await?;
        Ok(match &self.invitation {
            Some(invitation) => facts.note(format!("settles the pending invitation as `{}`", invitation.role())),
            None => facts,
        })
    }
}

/// A password of 120 random bits in an alphabet that can be read out.
fn password() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let (one, two) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    // Bytes 6 and 8 of such a UUID tell what kind it is; the others are chance.
    let chance = one.as_bytes().iter().chain(two.as_bytes()).enumerate().filter(|(at, _)| !matches!(at % 16, 6 | 8)).map(|(_, byte)| *byte);
    let letters: Vec<char> = chance.take(24).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    letters.chunks(6).map(|it| it.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}
