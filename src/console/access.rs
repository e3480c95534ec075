//! Who reaches what, from what a connection tells.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rolecall_console::{
    Able, AbleBy, By, Cell, Dossier, Finding, Findings, Level, Matrix, MatrixPerson, Mend, Reached, Scope, Trouble, Way,
};
use serde_json::{Value, json};

use super::{Program, provider_trouble};
use crate::{
    access,
    domain::{
        MemberRef, OrganizationRef, ProjectRef,
        access::{Action, Allows, Grant, GrantScope, Grants, Holder, Place, Power, Role, State, Via},
    },
    providers::Connection,
    tools::{
        Operation as _,
        access::{ExplainAccess, FindPerson},
        organizations::ListOrganizations,
    },
};

/// The tool that reviews access.
const REVIEW: &str = "review_access";

impl Program {
    /// The connection that is meant, or the first that tells who reaches what.
    fn telling(&self, scope: &Scope) -> Result<&Connection, Trouble> {
        let mut able = self.app.connections.iter().filter(|it| it.tells_grants());
        let found = if scope.connection.is_empty() { able.next() } else { able.find(|it| it.name == scope.connection) };
        found.map(AsRef::as_ref).ok_or_else(|| Trouble {
            message: "no connection of this name tells who reaches what".to_owned(),
            fix: "see Connections".to_owned(),
        })
    }

    /// The names of a connection's organizations, as far as it lists them.
    async fn organizations(&self, connection: &Connection) -> Vec<String> {
        if !connection.serves(ListOrganizations::NAME) {
            return Vec::new();
        }
        let mut arguments = json!({ "limit": 100 });
        if self.app.connections.len() > 1 {
            arguments["connection"] = connection.name.as_str().into();
        }
        let found = self.read(ListOrganizations::NAME, arguments).await.unwrap_or_default();
        let name = |it: &Value| it["organization"].as_str().or_else(|| it["name"].as_str()).map(str::to_owned);
        found["items"].as_array().into_iter().flatten().filter_map(name).collect()
    }

    pub(super) async fn whole_matrix(&self, scope: &Scope) -> Result<Matrix, Trouble> {
        let connection = self.telling(scope)?;
        let organizations = self.organizations(connection).await;
        let wanted = if scope.organization.is_empty() { organizations.first().cloned() } else { Some(scope.organization.clone()) };
        let named = wanted
            .as_ref()
            .map(|it| OrganizationRef::try_from(it.clone()))
            .transpose()
            .map_err(|error| Trouble { message: error.to_string(), fix: "choose an organization".to_owned() })?;
        let grants = connection.grants(GrantScope::Organization(named)).await.map_err(provider_trouble)?.unwrap_or_default();
        let scope = Scope { connection: connection.name.clone(), organization: wanted.unwrap_or_default() };
        let connections = self.app.connections.iter().filter(|it| it.tells_grants()).map(|it| it.name.clone()).collect();
        Ok(Matrix { connections, organizations, scope, ..matrix(grants) })
    }

    /// What a review of an organization finds, where the program has one.
    pub(super) async fn reviewed(&self, scope: &Scope) -> Result<Option<Findings>, Trouble> {
        if self.app.catalog.offer(REVIEW).is_err() {
            return Ok(None);
        }
        let mut arguments = json!({});
        if self.app.connections.len() > 1 && !scope.connection.is_empty() {
            arguments["connection"] = scope.connection.as_str().into();
        }
        if !scope.organization.is_empty() {
            arguments["organization"] = scope.organization.as_str().into();
        }
        let found = self.read(REVIEW, arguments).await?;
        let text = |it: &Value, name: &str| it[name].as_str().unwrap_or_default().to_owned();
        let finding = |it: &Value| Finding {
            rule: text(it, "rule"),
            weight: text(it, "weight"),
            subject: text(it, "subject"),
            place: text(it, "place"),
            evidence: text(it, "evidence"),
            mend: it["mend"]["tool"].as_str().map(|tool| Mend { tool: tool.to_owned(), arguments: it["mend"]["arguments"].to_string() }),
        };
        Ok(Some(Findings {
            list: found["items"].as_array().into_iter().flatten().map(finding).collect(),
            total: found["total"].as_u64().unwrap_or_default(),
            unseen: found["unseen"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        }))
    }

    pub(super) async fn about_person(&self, scope: &Scope, person: &str) -> Result<Dossier, Trouble> {
        let connection = self.telling(scope)?;
        let named = MemberRef::try_from(person.to_owned()).map_err(|error| nobody(&error.to_string()))?;
        let grants = connection.grants(GrantScope::Person(named)).await.map_err(provider_trouble)?.unwrap_or_default();
        let known = grants.list.iter().find_map(|it| if let Holder::Person(it) = &it.holder { Some(it.clone()) } else { None });
        let address = known.as_ref().and_then(|it| it.email.clone()).unwrap_or_else(|| person.to_owned());
        let name = known.as_ref().and_then(|it| it.name.clone()).unwrap_or_else(|| address.clone());
        let places = |wanted: fn(&Place) -> bool| {
            let names: BTreeSet<&str> = grants.list.iter().map(|it| &it.place).filter(|it| wanted(it)).map(Place::name).collect();
            names.into_iter().collect::<Vec<_>>().join(", ")
        };
        let powers: BTreeSet<String> = grants
            .list
            .iter()
            .filter(|it| it.role.power.counts() && it.holder.is_people())
            .map(|it| format!("{} of {}", it.role.name, it.place))
            .collect();
        let facts = [
            ("Organizations", places(|it| matches!(it, Place::Organization(_)))),
            ("Teams", places(|it| matches!(it, Place::Team { .. }))),
            ("Projects", places(|it| matches!(it, Place::Project { .. }))),
            ("Power over others", powers.into_iter().collect::<Vec<_>>().join(", ")),
        ];
        let mut facts: Vec<(String, String)> = facts.into_iter().filter(|it| !it.1.is_empty()).map(|it| (it.0.to_owned(), it.1)).collect();
        facts.extend(self.found_everywhere(&address).await);
        let organization = grants.list.first().map(|it| it.place.organization().name.clone()).unwrap_or_default();
        let suggestion = connection
            .serves("remove_organization_member")
            .then(|| format!("remove_organization_member {}", json!({ "organization": organization, "member": address })));
        let scope = Scope { connection: connection.name.clone(), organization };
        let reached = reached("What they reach".to_owned(), scope, grants, |_| true);
        let subtitle = format!("{address} · connection {}", connection.name);
        Ok(Dossier { subtitle, name, facts, reached, able: Vec::new(), suggestion })
    }

    /// What is known of a person over all accounts, besides what this one tells.
    async fn found_everywhere(&self, address: &str) -> Vec<(String, String)> {
        if self.app.catalog.offer(FindPerson::NAME).is_err() {
            return Vec::new();
        }
        let Ok(found) = self.read(FindPerson::NAME, json!({ "query": address })).await else { return Vec::new() };
        let named = |list: &str, field: &str| {
            let told = |it: &Value| {
                let on = it["connection"].as_str().map(|it| format!(" ({it})")).unwrap_or_default();
                it[field].as_str().map(|it| format!("{it}{on}"))
            };
            found[list].as_array().into_iter().flatten().filter_map(told).collect::<Vec<_>>().join(", ")
        };
        let unseen = found["unseen"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("; ");
        let facts = [
            ("Over all accounts", found["answer"].as_str().unwrap_or_default().to_owned()),
            ("Owns alone", named("owns_alone", "place")),
            ("Invited to", named("invitations", "place")),
            ("Probably also", named("probably_same", "person")),
            ("Not seen", unseen),
        ];
        facts.into_iter().filter(|it| !it.1.is_empty()).map(|it| (it.0.to_owned(), it.1)).collect()
    }

    pub(super) async fn about_project(&self, scope: &Scope, project: &str) -> Result<Dossier, Trouble> {
        let connection = self.telling(scope)?;
        let named = ProjectRef::try_from(project.to_owned()).map_err(|error| nobody(&error.to_string()))?;
        let grants = connection.grants(GrantScope::Project(named)).await.map_err(provider_trouble)?.unwrap_or_default();
        let place = grants.list.iter().find(|it| matches!(it.place, Place::Project { .. })).map(|it| it.place.clone());
        let organization = place.as_ref().map(|it| it.organization().name.clone()).unwrap_or_default();
        let name = place.as_ref().map_or_else(|| project.to_owned(), |it| it.name().to_owned());
        let subtitle = format!("{organization} · connection {}", connection.name);
        let scope = Scope { connection: connection.name.clone(), organization };
        let (answer, more, able) = self.explained(connection, project).await;
        let more = more.then(|| ("Shown here".to_owned(), "the first hundred of each kind; every grant stands below".to_owned()));
        let facts = answer.map(|it| ("In a sentence".to_owned(), it)).into_iter().chain(more).collect();
        let reached = reached("Every grant, one by one".to_owned(), scope, grants, |_| true);
        Ok(Dossier { name, subtitle, facts, reached, able, suggestion: None })
    }

    /// What the tool that explains access tells of a project: in a sentence, whether there are more than are listed, and who can do what by
    /// which ways, those with power first.
    async fn explained(&self, connection: &Connection, project: &str) -> (Option<String>, bool, Vec<Able>) {
        let mut arguments = json!({ "project": project });
        if self.app.connections.len() > 1 {
            arguments["connection"] = connection.name.as_str().into();
        }
        if self.app.catalog.offer(ExplainAccess::NAME).is_err() {
            return (None, false, Vec::new());
        }
        let Ok(found) = self.read(ExplainAccess::NAME, arguments).await else { return (None, false, Vec::new()) };
        let listed = |list: &str, perhaps: bool| {
            found[list].as_array().into_iter().flatten().map(move |it| Able { perhaps, ..able(it) }).collect::<Vec<_>>()
        };
        let mut all = [listed("people", false), listed("programs", false), listed("perhaps", true)].concat();
        all.sort_by_key(|it| !it.ways.iter().any(|it| it.power));
        (found["answer"].as_str().map(str::to_owned), !found["next_cursor"].is_null(), all)
    }
}

fn able(it: &Value) -> Able {
    let text = |it: &Value, name: &str| it[name].as_str().map(str::to_owned);
    let (who, kind) = (text(it, "who").unwrap_or_default(), text(it, "kind"));
    let way = |it: &Value| AbleBy {
        role: text(it, "role").unwrap_or_default(),
        through: text(it, "through").unwrap_or_default(),
        power: it["power"].as_str().is_some_and(|it| it != "none"),
        can: text(it, "can").unwrap_or_default(),
    };
    Able {
        person: Some(who.clone()).filter(|_| kind.is_none()),
        who: text(it, "name").unwrap_or(who),
        kind,
        invited: text(it, "status").is_some_and(|it| it == "invited" || it == "pending"),
        perhaps: false,
        ways: it["ways"].as_array().into_iter().flatten().map(way).collect(),
    }
}

fn nobody(why: &str) -> Trouble {
    Trouble { message: why.to_owned(), fix: "choose from the matrix".to_owned() }
}

/// Grants as a page shows them, those of `wanted` holders, people first.
pub(super) fn reached(title: String, scope: Scope, grants: Grants, wanted: impl Fn(&Holder) -> bool) -> Reached {
    let mut ways: Vec<Way> = grants.list.iter().filter(|it| wanted(&it.holder)).map(way).collect();
    ways.sort_by(|one, other| {
        let key = |it: &Way| (it.person.is_none(), it.holder.to_lowercase(), it.place.clone());
        key(one).cmp(&key(other))
    });
    Reached { title, scope, ways, unseen: grants.unseen }
}

fn way(it: &Grant) -> Way {
    let (holder, holder_kind, person) = match &it.holder {
        Holder::Person(person) => {
            let name = person.name.clone().or_else(|| person.email.clone()).or_else(|| person.id.clone()).unwrap_or_default();
            (name, "person", person.email.clone().or_else(|| person.id.clone()))
        }
        Holder::Invitation(email) => (email.clone(), "person", Some(email.clone())),
        Holder::Team(it) => (it.name.clone(), "team", None),
        Holder::ServiceAccount(it) => (it.name.clone(), "service account", None),
        Holder::Key(it) => (it.name.clone(), "key", None),
        Holder::Everybody(domain) => (format!("everybody at {domain}"), "mail domain", None),
    };
    Way {
        holder,
        holder_kind,
        person,
        role: it.role.name.clone(),
        level: level(&it.role, &it.role.allows),
        place: it.place.to_string(),
        project: if let Place::Project { project, .. } = &it.place { Some(project.name.clone()) } else { None },
        via: it.via.to_string(),
        pending: it.state == State::Pending,
        ends_at: it.ends_at.map(|it| it.0),
    }
}

/// What a role comes to, by what it allows in a place.
fn level(role: &Role, allows: &Allows) -> Level {
    match allows {
        Allows::Known(actions) if role.owns && actions.len() == Action::ALL.len() => Level::Owner,
        Allows::Known(actions) if actions.iter().any(|it| it.is_power()) => Level::Admin,
        Allows::Unknown => Level::Unknown,
        Allows::Known(_) if role.power == Power::Unknown => Level::Unknown,
        Allows::Known(actions) if actions.contains(&Action::Write) => Level::Member,
        Allows::Known(_) => Level::Viewer,
    }
}

/// A person on the way into the matrix.
#[derive(Default)]
struct Row {
    name: Option<String>,
    teams: BTreeSet<String>,
    organization: Option<Cell>,
    /// What their roles in the organization allow in each project.
    everywhere: Option<Cell>,
    cells: HashMap<String, Cell>,
    outsider: bool,
}

/// People and projects from all grants of an organization.
fn matrix(grants: Grants) -> Matrix {
    let trusted = access::domains_in_power(&grants.list);
    let mut projects: BTreeMap<String, String> = BTreeMap::new();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for grant in &grants.list {
        if let Place::Project { project, .. } = &grant.place {
            projects.entry(project.id.clone()).or_insert_with(|| project.name.clone());
        }
        let address = match &grant.holder {
            Holder::Person(it) => it.email.clone().or_else(|| it.id.clone()),
            Holder::Invitation(email) => Some(email.clone()),
            _ => None,
        };
        let Some(address) = address else { continue };
        let row = rows.entry(address).or_default();
        if let Holder::Person(it) = &grant.holder {
            row.name = row.name.take().or_else(|| it.name.clone());
        }
        row.outsider |= grant.holder.domain().is_some_and(|it| !trusted.contains(&it.to_lowercase()));
        row.takes(grant);
    }
    let mut projects: Vec<(String, String)> = projects.into_iter().collect();
    projects.sort_by_key(|it| it.1.to_lowercase());
    let number: HashMap<&str, usize> = projects.iter().enumerate().map(|(at, it)| (it.0.as_str(), at)).collect();
    let mut people: Vec<MatrixPerson> = rows.into_iter().map(|(address, row)| row.person(address, &number)).collect();
    people.sort_by_cached_key(|it| it.name.to_lowercase());
    Matrix { people, projects: projects.into_iter().map(|it| it.1).collect(), unseen: grants.unseen, ..Matrix::default() }
}

impl Row {
    fn takes(&mut self, grant: &Grant) {
        let by = match grant.via {
            Via::Own | Via::Inherited => By::Own,
            Via::Team(_) => By::Team,
            Via::OrganizationRole(_) => By::Organization,
        };
        let pending = grant.state == State::Pending;
        let cell = |allows: &Allows, by: By| Cell { level: level(&grant.role, allows), role: grant.role.name.clone(), by, pending };
        match &grant.place {
            Place::Organization(_) => {
                better(&mut self.organization, cell(&grant.role.allows, by));
                if grant.role.inside.has(Action::Read) {
                    better(&mut self.everywhere, cell(&grant.role.inside, By::Organization));
                }
            }
            Place::Project { project, .. } => {
                let mut known = self.cells.remove(&project.id);
                better(&mut known, cell(&grant.role.allows, by));
                self.cells.extend(known.map(|it| (project.id.clone(), it)));
            }
            Place::Team { team, .. } => drop(self.teams.insert(team.name.clone())),
        }
    }

    fn person(mut self, address: String, number: &HashMap<&str, usize>) -> MatrixPerson {
        let mut cells: Vec<(usize, Cell)> = Vec::with_capacity(self.cells.len());
        if let Some(everywhere) = &self.everywhere {
            for (id, at) in number {
                let mut known = self.cells.remove(*id);
                better(&mut known, everywhere.clone());
                cells.extend(known.map(|it| (*at, it)));
            }
        } else {
            cells.extend(self.cells.into_iter().filter_map(|(id, it)| Some((*number.get(id.as_str())?, it))));
        }
        cells.sort_by_key(|it| it.0);
        MatrixPerson {
            name: self.name.unwrap_or_else(|| address.clone()),
            address,
            team: self.teams.into_iter().collect::<Vec<_>>().join(", "),
            outsider: self.outsider,
            organization: self.organization,
            cells,
        }
    }
}

/// Keeps what comes to more: first what is held already, then the higher role, then the more direct way.
fn better(known: &mut Option<Cell>, cell: Cell) {
    let weight = |it: &Cell| (!it.pending, it.level, std::cmp::Reverse(it.by));
    if known.as_ref().is_none_or(|it| weight(it) < weight(&cell)) {
        *known = Some(cell);
    }
}
