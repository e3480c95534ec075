//! Who is in an organization, team or project, and who is invited.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Detail, Invites, Kind, Place, Reply, Seeme, account::Caller, body::Body, refusal::Refusal};
use crate::{Answer, Call};

/// A place in an organization, team or project: taken, or offered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Member {
    /// Of the membership, not of the person.
    pub id: String,
    pub place_id: String,
    pub created_at: String,
    pub updated_at: Option<String>,
    /// `None` as long as an invitation waits.
    pub user_id: Option<String>,
    pub role_id: Option<String>,
    pub invitation: Option<Invitation>,
}

/// How somebody was asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invitation {
    pub email: String,
    pub invited_by: String,
    /// Who has it can accept.
    pub token: String,
    pub expires_at: String,
}

/// How many days an invitation is valid: long, since the sandbox has a clock of its own and its callers go by theirs.
const VALID: i64 = 36_500;

impl Seeme {
    pub(super) fn list_members(&self, caller: &Caller, kind: Kind, id: &str) -> Reply {
        let place = self.allowed(caller, kind, id, "read")?;
        let members = self.members.iter().filter(|it| it.place_id == place.id);
        Ok(self.list(&members.map(|it| self.member_json(it, &place)).collect::<Vec<_>>()))
    }

    pub(super) fn invite(&mut self, caller: &Caller, call: &Call, organization: &str) -> Reply {
        let organization = self.writable(caller, Kind::Organization, organization)?;
        let body = Body::read(call, &["email", "role_id"])?;
        let email = body.required("email")?;
        let role = self.role_for(&body, &organization)?;
        let known = self.user_with(&email).map(|it| it.id.clone());
        let member = match known.filter(|_| self.quirks.invites == Invites::Members) {
            Some(user) => self.newcomer(&organization, &user, role)?,
            None => self.invited(caller, &organization, &email, role)?,
        };
        let told = self.member_json(&member, &organization);
        Ok(Answer::json(201, &if self.quirks.invites == Invites::Members { told } else { self.invitation_json(&member) }))
    }

    /// Adds somebody to a team or project: a member of its organization by id, or anybody by e-mail.
    pub(super) fn add_member(&mut self, caller: &Caller, call: &Call, kind: Kind, id: &str) -> Reply {
        let place = self.writable(caller, kind, id)?;
        let body = Body::read(call, &["user_id", "email", "role_id"])?;
        let role = self.role_for(&body, &place)?;
        let organization = place.organization_id.clone().unwrap_or_default();
        let member = match (body.filled("user_id")?, body.filled("email")?) {
            (Some(_), None) if self.quirks.add_by_email_only => return Err(Refusal::malformed("`email` is required")),
            (Some(user), None) if self.holds(&organization, &user) => self.newcomer(&place, &user, role)?,
            (Some(user), None) => return Err(Refusal::invalid(format!("user `{user}` is not in the organization"))),
            (None, Some(email)) => {
                let known = self.user_with(&email).map(|it| it.id.clone()).filter(|it| self.holds(&organization, it));
                match known {
                    Some(user) => self.newcomer(&place, &user, role)?,
                    None => self.invited(caller, &place, &email, role)?,
                }
            }
            _ => return Err(Refusal::malformed("either `user_id` or `email` is required")),
        };
        Ok(Answer::json(201, &self.member_json(&member, &place)))
    }

    pub(super) fn update_member(&mut self, caller: &Caller, call: &Call, kind: Kind, id: &str, member: &str) -> Reply {
        let place = self.writable(caller, kind, id)?;
        let body = Body::read(call, &["role_id"])?;
        body.required("role_id")?;
        let role_id = self.role_for(&body, &place)?;
        let mut member = self.membership(&place, member)?;
        if is_owner(&place, &member) && role_id != member.role_id {
            return Err(Refusal::conflict("the owner of an organization keeps their role"));
        }
        member.role_id = role_id;
        member.updated_at = Some(self.now());
        if let Some(kept) = self.members.iter_mut().find(|it| it.id == member.id) {
            kept.clone_from(&member);
        }
        Ok(Answer::ok(&self.member_json(&member, &place)))
    }

    /// Takes somebody out, of an organization also out of what is in it; or takes an invitation back.
    pub(super) fn remove_member(&mut self, caller: &Caller, kind: Kind, id: &str, member: &str) -> Reply {
        let place = self.writable(caller, kind, id)?;
        let member = self.membership(&place, member)?;
        if is_owner(&place, &member) {
            return Err(Refusal::conflict("the owner of an organization cannot be removed"));
        }
        let inside = |it: &&Place| kind == Kind::Organization && it.organization_id.as_ref() == Some(&place.id);
        let inside: Vec<String> = self.places.iter().filter(inside).map(|it| it.id.clone()).collect();
        self.members.retain(|it| {
            let theirs = member.user_id.is_some() && it.user_id == member.user_id;
            it.id != member.id && !(theirs && inside.contains(&it.place_id))
        });
        Ok(self.nothing())
    }

    fn writable(&self, caller: &Caller, kind: Kind, id: &str) -> Result<Place, Refusal> {
        self.allowed(caller, kind, id, if kind == Kind::Organization { "manage_members" } else { "update" })
    }

    fn membership(&self, place: &Place, id: &str) -> Result<Member, Refusal> {
        let found = self.members.iter().find(|it| it.place_id == place.id && it.id == id);
        found.cloned().ok_or_else(|| Refusal::missing("member"))
    }

    fn holds(&self, place: &str, user: &str) -> bool {
        self.members.iter().any(|it| it.place_id == place && it.user_id.as_deref() == Some(user))
    }

    /// The role that a body names, or the one people get here.
    fn role_for(&self, body: &Body, place: &Place) -> Result<Option<String>, Refusal> {
        let organization = place.organization_id.as_ref().unwrap_or(&place.id);
        let Some(named) = body.filled("role_id")? else {
            let usual = match place.kind {
                Kind::Organization => "org_member",
                Kind::Team => "team_member",
                Kind::Project => "project_viewer",
            };
            return Ok(self.roles.iter().find(|it| it.slug == usual).map(|it| it.id.clone()));
        };
        let fits = self.role(&named).is_some_and(|it| it.organization_id.as_ref().is_none_or(|it| it == organization));
        if fits { Ok(Some(named)) } else { Err(Refusal::invalid(format!("no role `{named}`"))) }
    }

    fn newcomer(&mut self, place: &Place, user: &str, role_id: Option<String>) -> Result<Member, Refusal> {
        if self.holds(&place.id, user) {
            return Err(Refusal::conflict(format!("already a member of this {}", place.kind.noun())));
        }
        Ok(self.joined(&place.id, user, role_id))
    }

    /// Makes somebody a member.
    pub(super) fn joined(&mut self, place: &str, user: &str, role_id: Option<String>) -> Member {
        let id = self.fresh("member");
        self.kept(Member {
            id,
            place_id: place.to_owned(),
            created_at: self.now(),
            updated_at: None,
            user_id: Some(user.to_owned()),
            role_id,
            invitation: None,
        })
    }

    /// Offers a place to somebody who is no member yet.
    pub(super) fn invited(&mut self, caller: &Caller, place: &Place, email: &str, role_id: Option<String>) -> Result<Member, Refusal> {
        if !email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) {
            return Err(Refusal::invalid(format!("`{email}` is not an e-mail address")));
        }
        let asked = |it: &&Member| it.invitation.as_ref().is_some_and(|it| it.email.eq_ignore_ascii_case(email));
        let member = self.user_with(email).is_some_and(|it| self.holds(&place.id, &it.id));
        if member || self.members.iter().filter(|it| it.place_id == place.id).any(|it| asked(&it)) {
            return Err(Refusal::conflict(format!("`{email}` is a member or invited already")));
        }
        let id = self.fresh("invite");
        let invitation = Invitation {
            email: email.to_owned(),
            invited_by: caller.user_id.clone(),
            token: format!("seeme-test-token-{id}"),
            expires_at: self.in_days(VALID),
        };
        Ok(self.kept(Member {
            id,
            place_id: place.id.clone(),
            created_at: self.now(),
            updated_at: None,
            user_id: None,
            role_id,
            invitation: Some(invitation),
        }))
    }

    fn kept(&mut self, member: Member) -> Member {
        self.members.push(member.clone());
        member
    }

    fn member_json(&self, member: &Member, place: &Place) -> Value {
        let mut told = json!({
            "id": member.id,
            "created_at": member.created_at,
            "updated_at": self.quirks.time(member.updated_at.as_deref()),
            format!("{}_id", place.kind.noun()): place.id,
            "role_id": member.role_id,
        });
        if member.user_id.is_some() || self.quirks.invites == Invites::Members {
            told["user_id"] = json!(member.user_id.as_deref().unwrap_or_default());
        }
        let user = member.user_id.as_deref().and_then(|it| self.user(it));
        let role = member.role_id.as_deref().and_then(|it| self.role(it));
        if let Some(invitation) = &member.invitation {
            told["email"] = json!(invitation.email);
            told["invited_by"] = json!(invitation.invited_by);
            told["invited_at"] = json!(member.created_at);
            told["token"] = json!(invitation.token);
            told["expires_at"] = json!(invitation.expires_at);
            told["accepted_at"] = json!(self.quirks.time(None));
        }
        if self.quirks.detail == Detail::Nested {
            told["role"] = json!(role.map(|it| self.role_json(it)));
            told["user"] =
                json!(user.map(
                    |it| json!({ "id": it.id, "email": it.email, "username": it.username, "firstname": it.firstname, "name": it.name })
                ));
            return told;
        }
        told["role_name"] = json!(role.map(|it| &it.name));
        if let Some(user) = user {
            told["email"] = json!(user.email);
            told["username"] = json!(user.username);
            told["firstname"] = json!(user.firstname);
            told["name"] = json!(user.name);
        }
        told
    }

    fn invitation_json(&self, member: &Member) -> Value {
        let Some(invitation) = &member.invitation else { return Value::Null };
        json!({
            "id": member.id,
            "organization_id": member.place_id,
            "email": invitation.email,
            "role_id": member.role_id,
            "invited_by": invitation.invited_by,
            "token": invitation.token,
            "expires_at": invitation.expires_at,
            "accepted_at": self.quirks.time(None),
        })
    }
}

fn is_owner(place: &Place, member: &Member) -> bool {
    place.kind == Kind::Organization && member.user_id.as_ref() == Some(&place.user_id)
}
