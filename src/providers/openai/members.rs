//! People of the organization. They come by invitation, single sign-on or SCIM, never through a call.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::{Session, errors::found, held, lists, power, reach, resolve::ONE_BY_ONE, roles, time};
use crate::{
    domain::{
        Facts, Inverse, List, MemberRef, PageRequest, RoleRef, Target,
        access::{self, Grant, Holder, Via},
        members::Member,
        roles::RoleLevel,
    },
    error::ProviderError,
    providers::{
        http::{Draft, Sent, cut},
        meant::the_same,
        people::{self, Known},
    },
    tools::members::{GetOrganizationMember, ListOrganizationMembers, RemoveOrganizationMember, UpdateOrganizationMember},
};

/// Only id and time are certain.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireUser {
    pub(super) id: String,
    name: Option<String>,
    email: Option<String>,
    pub(super) role: Option<String>,
    added_at: Option<i64>,
    user: Option<WireAccount>,
    pub(super) projects: Option<WirePlaces>,
}

#[derive(Debug, Clone, Deserialize)]
struct WireAccount {
    name: Option<String>,
    email: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct WirePlaces {
    #[serde(default)]
    pub(super) data: Vec<WirePlace>,
}

/// A project that the person is in.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WirePlace {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) role: Option<String>,
}

impl WireUser {
    pub(super) fn email(&self) -> Option<&str> {
        self.email.as_deref().or_else(|| self.user.as_ref()?.email.as_deref())
    }

    /// The e-mail; where there is none, the id.
    pub(super) fn label(&self) -> &str {
        self.email().unwrap_or(&self.id)
    }

    /// What they are found by.
    pub(super) fn known(&self) -> Known<'_> {
        let (email, name) = (self.email().unwrap_or_default(), self.name().unwrap_or_default());
        Known { id: &self.id, email, name, also: None }
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref().or_else(|| self.user.as_ref()?.name.as_deref())
    }

    pub(super) fn is_owner(&self) -> bool {
        self.role.as_deref() == Some("owner")
    }

    /// The role in a project that their entry tells.
    pub(super) fn role_in(&self, project_id: &str) -> Option<&str> {
        let places = &self.projects.as_ref()?.data;
        places.iter().find(|it| it.id.as_deref() == Some(project_id))?.role.as_deref()
    }

    pub(super) fn holder(&self) -> Holder {
        held::person(&self.id, self.email())
    }

    /// The same, with the name.
    pub(super) fn somebody(&self) -> Holder {
        let (email, name) = (self.email().map(str::to_lowercase), self.name().map(str::to_owned));
        Holder::Person(access::Person { email, name, id: Some(self.id.clone()) })
    }

    pub(super) fn view(&self) -> Member {
        Member {
            member: self.label().to_owned(),
            name: self.name().map(str::to_owned),
            id: Some(self.id.clone()),
            roles: self.role.iter().cloned().collect(),
            since: self.added_at.map(time),
            ..Member::default()
        }
    }

    fn target(&self, at: &Session) -> Target {
        at.target("member", self.label(), &self.id)
    }
}

pub(super) async fn all(at: &Session) -> Result<Arc<Vec<WireUser>>, ProviderError> {
    lists::known(at, lists::BY_ID, |at| at.get("/organization/users")).await
}

pub(super) async fn retrieve(at: &Session, id: &str) -> Result<WireUser, ProviderError> {
    the_same(at.get("/organization/users/{user_id}").path("user_id", id).send().await?, id, |it: &WireUser| &it.id)
}

/// `GET /organization/users?emails[]=…`. The service is not taken at its word that it has filtered: who has no address has not this
/// one. Where it tells no addresses at all, the one account that it answers with is taken only once it was seen to filter: it knows
/// nobody by an address that nobody has.
pub(super) async fn by_email(at: &Session, email: &str) -> Result<Option<WireUser>, ProviderError> {
    let found = filtered(at, &email.to_lowercase()).await?;
    if let [one] = found.as_slice()
        && one.email().is_none()
        && filtered(at, NOBODYS).await?.is_empty()
    {
        return Ok(Some(one.clone()));
    }
    Ok(people::with_address(&found, email, WireUser::known)?.cloned())
}

/// An address that nobody can have.
const NOBODYS: &str = "nobody@rolecall.invalid";

async fn filtered(at: &Session, email: &str) -> Result<Vec<WireUser>, ProviderError> {
    lists::all(at, lists::BY_ID, |at| at.get("/organization/users").query("emails[]", email)).await
}

/// `GET /organization/users`
pub(super) async fn list(at: &Session, op: &ListOrganizationMembers) -> Result<List<Member>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    if op.query.is_none() && op.role.is_none() {
        return lists::page(at.get("/organization/users"), &page, |it: WireUser| it.view()).await;
    }
    let role = match &op.role {
        Some(named) => Some(built_in(at, named).await?),
        None => None,
    };
    let meant = |it: &WireUser| {
        let texts = [Some(it.label()), it.name()];
        op.query.as_ref().is_none_or(|query| texts.into_iter().flatten().any(|it| query.is_in(it)))
            && role.is_none_or(|role| it.role.as_deref() == Some(role))
    };
    let found = all(at).await?.iter().filter(|it| meant(it)).map(WireUser::view).collect();
    cut(found, &page, |it: &Member| format!("{} {}", it.member, it.id.as_deref().unwrap_or_default()))
}

/// A list can be narrowed to a role that memberships tell; who holds a custom one, the service does not list.
async fn built_in(at: &Session, named: &RoleRef) -> Result<&'static str, ProviderError> {
    let role = at.role(named, None).await?;
    roles::OF_ORGANIZATION.into_iter().find(|it| role.is_called(it)).ok_or_else(|| {
        ProviderError::invalid(
            format!("who holds role `{}` is not listed by the service", role.name),
            "ask with role `owner` or `reader`, or look at one person with list_role_assignments",
        )
    })
}

/// `GET /organization/users/{user_id}`
pub(super) async fn get(at: &Session, op: &GetOrganizationMember) -> Result<Member, ProviderError> {
    let person = at.person(&op.member).await?;
    Ok(retrieve(at, &person.id).await?.view())
}

/// `POST /organization/users/{user_id}` with `role`, or `role_id` for a custom one.
pub(super) async fn update(at: &Session, op: &UpdateOrganizationMember) -> Result<Draft<Member>, ProviderError> {
    let person = at.person(&op.member).await?;
    let role = at.role(&op.role, None).await?;
    let built_in = roles::OF_ORGANIZATION.into_iter().find(|it| role.is_called(it));
    if built_in != Some("owner") {
        keep_an_owner(at, &person).await?;
    }
    let mut facts = Facts::none();
    if built_in.is_none() || person.role.as_deref() != built_in {
        let gets = Grant::own(person.holder(), power::of(&role, RoleLevel::Organization), held::place(at, None));
        facts = facts.gives(gets.clone());
        if built_in == Some("owner") {
            facts = facts.note("owners of the organization own every project");
        }
        // The new role comes in the place of all that the person holds themselves.
        let before = held::of_person(at, &person, None, person.role.as_deref()).await?;
        let stays = before.iter().filter(|it| it.via != Via::Own || it.role.id == gets.role.id).cloned();
        let after: Vec<Grant> = stays.chain([gets.clone()]).collect();
        facts = held::losses(facts, &before, &after);
    }
    let former = person.role.clone();
    if let Some(former) = &former {
        facts = facts.undo(format!("update_organization_member with role `{former}`"));
    }
    let facts = held::around(at, facts).await?;
    let body = built_in.map_or_else(|| json!({ "role_id": role.id }), |it| json!({ "role": it }));
    let request = at.post("/organization/users/{user_id}").path("user_id", &person.id).json(body);
    let back = former.map(|it| back_to(&person.id, it));
    let (before, again, id) = (person.view(), at.afresh(), person.id.clone());
    let undone = back.clone();
    let draft = Draft::new(person.target(at), facts, move |permit| async move {
        let after: WireUser = request.send(&permit).await?.read("look with get_organization_member")?;
        Ok(Sent::after(after.view()).undone_by(back))
    });
    let draft = draft.before(before);
    // Whether somebody holds a custom role, the person's own entry does not tell.
    if built_in.is_none() {
        return Ok(draft);
    }
    Ok(draft.read_back(move || {
        let (at, id, back) = (again.afresh(), id.clone(), undone.clone());
        async move {
            let now = retrieve(&at, &id).await?;
            let took = now.role.as_deref() == built_in;
            Ok(took.then(|| Sent::after(now.view()).undone_by(back)))
        }
    }))
}

fn back_to(id: &str, role: String) -> Inverse {
    Inverse::of(&UpdateOrganizationMember { member: MemberRef::read(id), role: RoleRef::read(role), organization: None })
}

/// `DELETE /organization/users/{user_id}`
pub(super) async fn remove(at: &Session, op: &RemoveOrganizationMember) -> Result<Draft<Member>, ProviderError> {
    let named = at.person(&op.member).await?;
    // A list may leave out the projects, which is what counts here.
    let person = retrieve(at, &named.id).await?;
    keep_an_owner(at, &person).await?;
    let facts = reach::leaving(at, &person).await?;
    let role = person.role.as_deref().unwrap_or("reader");
    let facts = facts.undo(format!("invite_organization_member with role `{role}`; projects, teams and roles are granted again"));
    let request = at.delete("/organization/users/{user_id}").path("user_id", &person.id);
    let (before, again, id) = (person.view(), at.afresh(), person.id.clone());
    let draft = Draft::new(person.target(at), facts, move |permit| async move {
        request.send(&permit).await?;
        Ok(Sent::gone())
    });
    Ok(draft.before(before).read_back(move || {
        let (at, id) = (again.afresh(), id.clone());
        async move { Ok(found(retrieve(&at, &id).await)?.is_none().then(Sent::gone)) }
    }))
}

/// Refuses to take the last owner away.
async fn keep_an_owner(at: &Session, person: &WireUser) -> Result<(), ProviderError> {
    if !person.is_owner() || all(at).await?.iter().any(|it| it.is_owner() && it.id != person.id) {
        return Ok(());
    }
    Err(ProviderError::conflict(
        "last_owner",
        format!("`{}` is the last owner of the organization", person.label()),
        "make somebody else owner first: update_organization_member with role `owner`",
    ))
}

/// How many people there are, where that costs one request: in a small organization, or where the whole list is read anyway.
pub(super) async fn count(at: &Session) -> Result<Option<u64>, ProviderError> {
    if at.asked_before("count of people") >= ONE_BY_ONE {
        return Ok(Some(all(at).await?.len() as u64));
    }
    lists::count_of_one_page::<WireUser>(at.get("/organization/users"), lists::BY_ID).await
}
