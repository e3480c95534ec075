//! Roles: the system's, and those that organizations made.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Session,
    changes::set,
    names::{Named, Wanted},
    permissions,
    places::{self, Kind, Place},
    role_holders::{change_of_permissions, holders, names},
    wire::{filled, is_missing, listed},
};
use crate::{
    domain::{
        Counted, Description, Facts, Inverse, List, Losing, Name, PageRequest, ReferenceText as _, RoleRef, Target, Thing, fold,
        roles::{Role as View, RoleLevel},
    },
    error::ProviderError,
    providers::{
        fields::named,
        http::{Draft, Sent, cut},
        role_types,
    },
    tools::roles::{CreateRole, DeleteRole, GetRole, ListRoles, RoleField, UpdateRole},
};

#[derive(Debug, Clone, Deserialize)]
struct WireRole {
    id: String,
    #[serde(default)]
    name: String,
    description: Option<String>,
    organization_id: Option<String>,
    scope: Option<String>,
    slug: Option<String>,
    permissions: Option<Vec<String>>,
    permission_list: Option<Vec<String>>,
    is_system: Option<bool>,
    is_system_role: Option<bool>,
}

/// A role, whichever way it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) id: String,
    pub(super) name: String,
    description: Option<String>,
    pub(super) slug: Option<String>,
    /// `None`: the system's.
    organization_id: Option<String>,
    level: Option<RoleLevel>,
    pub(super) built_in: bool,
    pub(super) permissions: Vec<String>,
    /// Whether the service tells what it allows. A role that comes with the service allows something.
    pub(super) told: bool,
}

impl From<WireRole> for Role {
    fn from(it: WireRole) -> Self {
        let owned = |text: &Option<String>| filled(text.as_ref()).map(str::to_owned);
        let organization_id = owned(&it.organization_id);
        let scope = owned(&it.scope);
        let by_scope = organization_id.is_none() && scope.as_deref() == Some("system");
        let built_in = it.is_system == Some(true) || it.is_system_role == Some(true) || by_scope;
        let is_empty = it.permissions.is_some() || it.permission_list.is_some();
        let codes = it.permissions.filter(|it| !it.is_empty()).or(it.permission_list).unwrap_or_default();
        Self {
            id: it.id,
            name: it.name,
            description: owned(&it.description),
            slug: owned(&it.slug),
            organization_id,
            level: match scope.as_deref() {
                Some("organization") => Some(RoleLevel::Organization),
                Some("team") => Some(RoleLevel::Team),
                Some("project") => Some(RoleLevel::Project),
                _ => None,
            },
            built_in,
            told: !codes.is_empty() || (is_empty && !built_in),
            permissions: codes,
        }
    }
}

impl Named for Role {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        [Some(self.name.as_str()), self.slug.as_deref()].into_iter().flatten().collect()
    }

    fn label(&self) -> String {
        format!("{} [{}]", self.name, self.id)
    }
}

impl Role {
    /// The same with other permissions.
    pub(super) fn allowing(self, permissions: &[String]) -> Self {
        Self { permissions: permissions.to_vec(), told: true, ..self }
    }

    /// Whether its holder owns the organization.
    pub(super) fn owns(&self) -> bool {
        self.permissions.iter().any(|it| it == "*") || self.slug.as_deref() == Some("org_owner")
    }

    fn view(&self, organization: Option<&str>) -> View {
        View {
            role: self.name.clone(),
            id: self.id.clone(),
            level: self.level,
            built_in: Some(self.built_in),
            description: self.description.clone(),
            permissions: self.permissions.clone(),
            organization: organization.map(str::to_owned),
            project: None,
        }
    }
}

/// Roles that can be held in an organization: its own and the system's, which some deployments list apart.
pub(super) async fn usable(at: &Session, organization: &Place) -> Result<Vec<Role>, ProviderError> {
    let within: Vec<WireRole> = listed(organization.get(at, "/roles")).await?;
    let mut roles: Vec<Role> = within.into_iter().map(Role::from).collect();
    if !roles.iter().any(|it| it.built_in) {
        let system = known(at).await?.into_iter().filter(|it| it.built_in);
        roles.extend(system.filter(|it| !roles.iter().any(|role| role.id == it.id)).collect::<Vec<_>>());
    }
    Ok(roles)
}

/// The names of the roles that an organization made.
pub(super) async fn own(at: &Session, organization: &Place) -> Result<Vec<String>, ProviderError> {
    Ok(usable(at, organization).await?.into_iter().filter(|it| !it.built_in).map(|it| it.name).collect())
}

async fn known(at: &Session) -> Result<Vec<Role>, ProviderError> {
    let known: Vec<WireRole> = listed(at.get("/roles")).await?;
    Ok(known.into_iter().map(Role::from).collect())
}

/// The role that is named, of those that can be held in a place. Where a name fits several, the one for such places is meant.
pub(super) async fn role(at: &Session, named: &RoleRef, place: &Place) -> Result<Role, ProviderError> {
    let organization = place.home();
    let level = match place.kind {
        Kind::Organization => RoleLevel::Organization,
        Kind::Team => RoleLevel::Team,
        Kind::Project => RoleLevel::Project,
    };
    let roles = usable(at, &organization).await?;
    let (here, elsewhere): (Vec<Role>, Vec<Role>) = roles.into_iter().partition(|it| it.level.is_none_or(|it| it == level));
    let text = named.text();
    let wanted = Wanted { kind: "role", text, scope: format!("the roles of a {}", place.kind.noun()), list_tool: "list_roles" };
    match wanted.among(&here) {
        Err(ProviderError::NotFound { kind, name, scope, .. }) => match wanted.among(&elsewhere) {
            // The service has no rule against it: roles of one's own have the scope `organization`, and are held in projects.
            Ok(role) => Ok(role),
            Err(ProviderError::NotFound { .. }) => {
                let names: Vec<&str> = here.iter().map(|it| it.name.as_str()).collect();
                Err(ProviderError::NotFound { kind, name, scope, fix: format!("use one of: {}", names.join(", ")) })
            }
            Err(other) => Err(other),
        },
        found => found,
    }
}

/// Lists the roles of an organization, or of all that the account is in.
pub(super) async fn list(at: &Session, op: &ListRoles) -> Result<List<View>, ProviderError> {
    let levels = role_types::levels(&op.role_types)?;
    let organization = match (&op.organization, places::pinned(at).await?) {
        (None, pinned) => pinned,
        (Some(named), _) => Some(places::organization(at, Some(named)).await?),
    };
    let roles = match &organization {
        Some(it) => usable(at, it).await?,
        None => known(at).await?,
    };
    let organizations = places::organizations(at).await?;
    let wanted = roles.into_iter().filter(|it| levels.is_empty() || it.level.is_some_and(|it| levels.contains(&it)));
    let views = wanted.map(|it| {
        let of = organizations.iter().find(|place| Some(&place.id) == it.organization_id.as_ref());
        it.view(of.map(|it| it.name.as_str()))
    });
    cut(views.collect(), &PageRequest::of(op.limit, op.cursor.as_ref()), |it| format!("{} {}", fold(&it.role), it.id))
}

/// Reads a role. Some deployments have roles in lists only.
pub(super) async fn get(at: &Session, op: &GetRole) -> Result<View, ProviderError> {
    let found = find(at, &op.role).await?;
    let role = match at.get("/roles/{id}").path("id", &found.role.id).send::<WireRole>().await {
        Ok(told) => Role::from(told),
        Err(error) if is_missing(&error) => found.role.clone(),
        Err(error) => return Err(error),
    };
    Ok(role.view(found.organization_name()))
}

/// A role, and the organization that made it.
struct Found {
    role: Role,
    organization: Option<Place>,
}

impl Found {
    fn organization_name(&self) -> Option<&str> {
        self.organization.as_ref().map(Place::name)
    }

    fn target(&self) -> Target {
        Target::new("role", &self.role.name, &self.role.id, self.organization_name().unwrap_or_default())
    }

    /// Refuses what nobody can change.
    fn changeable(self) -> Result<(Self, Place), ProviderError> {
        match (&self.organization, self.role.built_in) {
            (Some(organization), false) => {
                let organization = organization.clone();
                Ok((self, organization))
            }
            _ => Err(ProviderError::conflict(
                "built_in_role",
                format!("role `{}` is built in and stays as it is", self.role.name),
                "create a role of your own with create_role",
            )),
        }
    }
}

async fn find(at: &Session, named: &RoleRef) -> Result<Found, ProviderError> {
    let pinned = places::pinned(at).await?;
    let mut roles = known(at).await?;
    if let Some(pinned) = &pinned {
        roles.retain(|it| it.organization_id.as_deref().is_none_or(|it| it == pinned.id()));
    }
    let scope = pinned.as_ref().map(|it| it.name().to_owned()).unwrap_or_default();
    let role = Wanted { kind: "role", text: named.text(), scope, list_tool: "list_roles" }.among(&roles)?;
    let organization = places::organizations(at).await?.into_iter().find(|it| Some(&it.id) == role.organization_id.as_ref());
    let organization = organization.map(Place::of_organization);
    Ok(Found { role, organization })
}

pub(super) async fn create(at: &Session, op: &CreateRole) -> Result<Draft<View>, ProviderError> {
    let organization = places::organization(at, op.organization.as_ref()).await?;
    let codes = permissions::checked(&op.permissions)?;
    is_free(at, &op.name, &organization, None).await?;
    let mut facts = Facts::none().undo("delete_role");
    if permissions::power(&codes).counts() {
        facts = facts.unseen(format!("whoever is given it gets power over others: {}", codes.join(", ")));
    }
    facts = permissions::warnings(at, &codes).await.into_iter().fold(facts, Facts::note);
    let mut body = Map::from_iter([
        ("name".to_owned(), json!(op.name)),
        ("organization_id".to_owned(), json!(organization.id())),
        ("scope".to_owned(), json!("organization")),
        ("permissions".to_owned(), json!(codes)),
    ]);
    set(&mut body, [("description", op.description.as_ref().map(ToString::to_string))]);
    let target = Target::new_one("role", op.name.as_str(), organization.name());
    let (looking, name, within) = (at.clone(), op.name.clone(), organization.clone());
    let sending = at.clone();
    let draft = Draft::new(target, facts, move |permit| async move {
        let reply = sending.post("/roles").json(Value::Object(body)).send(&permit).await?;
        Ok(made(&reply.read::<WireRole>("see list_roles")?.into(), &organization))
    });
    Ok(draft.read_back(move || {
        let (at, name, organization) = (looking.afresh(), name.clone(), within.clone());
        async move {
            let roles = usable(&at, &organization).await?;
            Ok(roles.into_iter().find(|it| !it.built_in && it.name == name.as_str()).map(|it| made(&it, &organization)))
        }
    }))
}

fn made(role: &Role, organization: &Place) -> Sent<View> {
    let inverse = Inverse::of(&DeleteRole { role: RoleRef::read(&role.id), project: None });
    let target = Target::new("role", &role.name, &role.id, organization.name());
    Sent::after(role.view(Some(organization.name()))).target(target).inverse(inverse)
}

/// Refuses a name that another role of the organization goes by.
async fn is_free(at: &Session, name: &Name, organization: &Place, but: Option<&str>) -> Result<(), ProviderError> {
    let taken = usable(at, organization).await?.iter().any(|it| fold(&it.name) == fold(name.as_str()) && Some(it.id.as_str()) != but);
    if taken {
        let message = format!("a role here is called `{name}` already");
        return Err(ProviderError::conflict("name_taken", message, "choose another name; see list_roles"));
    }
    Ok(())
}

pub(super) async fn update(at: &Session, op: &UpdateRole) -> Result<Draft<View>, ProviderError> {
    let clears = op.clear.contains(&RoleField::Description);
    let given = [("name", op.name.is_some()), ("permissions", op.permissions.is_some()), ("description", op.description.is_some())];
    named(&given, if clears { &["description"] } else { &[] })?;
    let new = op.permissions.as_deref().map(permissions::checked).transpose()?;
    let (found, organization) = find(at, &op.role).await?.changeable()?;
    let role = &found.role;
    if let Some(name) = &op.name {
        is_free(at, name, &organization, Some(&role.id)).await?;
    }
    let mut whole = whole(at, role).await?;
    // The service tells the codes in two lists, and of a stale one beside a new one nobody knows which it takes.
    whole.shift_remove("permission_list");
    whole.insert("permissions".to_owned(), json!(new.as_ref().unwrap_or(&role.permissions)));
    let description = if clears { Some(String::new()) } else { op.description.as_ref().map(ToString::to_string) };
    set(&mut whole, [("name", op.name.as_ref().map(ToString::to_string)), ("description", description)]);
    let facts = match &new {
        Some(new) => change_of_permissions(at, role, &organization, new).await?,
        None => Facts::none(),
    };
    let warnings = permissions::warnings(at, new.as_deref().unwrap_or_default()).await;
    let facts = warnings.into_iter().fold(facts, Facts::note).undo("update_role with the values in `before`");
    let before = role.view(Some(organization.name()));
    let inverse = back_to(op, role);
    let target = found.target();
    let (sending, looking) = (at.clone(), at.clone());
    let (id, wanted) = (role.id.clone(), (op.name.clone(), new, organization.clone()));
    let back = (id.clone(), inverse.clone());
    let draft = Draft::new(target, facts, move |permit| async move {
        let reply = sending.put("/roles/{id}").path("id", &id).json(Value::Object(whole)).send(&permit).await?;
        let after = Role::from(reply.read::<WireRole>("see get_role")?);
        Ok(Sent::after(after.view(Some(organization.name()))).inverse(inverse))
    });
    Ok(draft.before(before).read_back(move || {
        let (at, (name, codes, organization), (id, inverse)) = (looking.afresh(), wanted.clone(), back.clone());
        async move {
            let role = known(&at).await?.into_iter().find(|it| it.id == id);
            let changed = role.filter(|it| {
                name.as_ref().is_none_or(|name| it.name == name.as_str()) && codes.as_ref().is_none_or(|codes| same(codes, &it.permissions))
            });
            Ok(changed.map(|it| Sent::after(it.view(Some(organization.name()))).inverse(inverse)))
        }
    }))
}

fn back_to(op: &UpdateRole, before: &Role) -> Inverse {
    let described = op.description.is_some() || op.clear.contains(&RoleField::Description);
    let description = filled(before.description.as_ref()).filter(|_| described).map(Description::read);
    Inverse::of(&UpdateRole {
        role: RoleRef::read(&before.id),
        name: op.name.as_ref().map(|_| Name::read(&before.name)),
        permissions: op.permissions.as_ref().map(|_| before.permissions.clone()),
        clear: if described && description.is_none() { vec![RoleField::Description] } else { Vec::new() },
        description,
        project: None,
    })
}

fn same(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().all(|it| b.contains(it))
}

/// All that the service tells of a role, to be sent back with changes.
async fn whole(at: &Session, role: &Role) -> Result<Map<String, Value>, ProviderError> {
    match at.get("/roles/{id}").path("id", &role.id).send().await {
        Err(error) if is_missing(&error) => {
            let all: Vec<Map<String, Value>> = listed(at.get("/roles")).await?;
            all.into_iter().find(|it| it.get("id").and_then(Value::as_str) == Some(&role.id)).ok_or(error)
        }
        told => told,
    }
}

pub(super) async fn delete(at: &Session, op: &DeleteRole) -> Result<Draft<View>, ProviderError> {
    let (found, organization) = find(at, &op.role).await?.changeable()?;
    let (held, note) = holders(at, &found.role, &organization).await?;
    // Whoever could not be checked may hold it.
    let is_free = held.is_empty() && note.is_none();
    let facts = Facts::none().ends(Thing::Role, Counted::one(&found.role.name)).lose(Losing::Role, names(held.iter()));
    let facts = note.into_iter().fold(facts, Facts::unseen);
    let facts = if is_free { facts.undo("create_role with the values in `before`") } else { facts };
    let before = found.role.view(Some(organization.name()));
    let target = found.target();
    let (sending, looking, id) = (at.clone(), at.clone(), found.role.id.clone());
    let gone = found.role.id;
    let draft = Draft::new(target, facts, move |permit| async move {
        sending.delete("/roles/{id}").path("id", &id).send(&permit).await?;
        Ok(Sent::gone())
    });
    Ok(draft.before(before).read_back(move || {
        let (at, id) = (looking.afresh(), gone.clone());
        async move { Ok((!known(&at).await?.iter().any(|it| it.id == id)).then(Sent::gone)) }
    }))
}
