//! What a change does to who holds what: grants are read before it and after it, and the difference is told.

use std::collections::{HashMap, HashSet};

use super::{
    Session,
    access::{Whose, read},
    api_keys::OWNED,
    permissions,
    reach::{PROJECT_OWNER, counted},
    select::places,
};
use crate::{
    access::{difference, lost, ways},
    domain::{
        Fact, Facts, Losing, Surroundings, Thing,
        access::{Grant, Holder, Person, Place},
    },
    error::ProviderError,
    store::{Val, args, row},
};

/// People and teams whose grants a change may touch, as they are before it.
pub(super) struct Look {
    whose: Whose,
    before: Vec<Grant>,
    about: Surroundings,
}

impl Look {
    /// Looks at people, by their ids.
    pub(super) async fn at(at: &mut Session, organization_id: &str, people: Vec<String>) -> Result<Self, ProviderError> {
        Self::of(at, Whose { organization: Some(organization_id.to_owned()), people: Some(people), ..Whose::default() }).await
    }

    /// Looks at a team and at all who are in it.
    pub(super) async fn at_team(at: &mut Session, organization_id: &str, team_id: &str) -> Result<Self, ProviderError> {
        let people = at.db.texts("SELECT user_id FROM team_members WHERE team_id = $1", &args![team_id]).await?;
        let (organization, teams) = (Some(organization_id.to_owned()), vec![team_id.to_owned()]);
        Self::of(at, Whose { organization, people: Some(people), teams, ..Whose::default() }).await
    }

    /// Whether none of them holds anything.
    pub(super) fn is_nobody(&self) -> bool {
        self.before.is_empty()
    }

    /// Whether a role is held by one of them.
    pub(super) fn holds(&self, role_id: &str) -> bool {
        self.before.iter().any(|it| it.role.id == role_id)
    }

    /// Looks at those whose grants are read so.
    pub(super) async fn of(at: &mut Session, whose: Whose) -> Result<Self, ProviderError> {
        let before = read(at, &whose).await?;
        let about = match &whose.organization {
            Some(id) => at.surroundings(id).await?,
            None => Surroundings::default(),
        };
        Ok(Self { whose, before, about })
    }

    /// What became of them since, by the change that was made in between.
    pub(super) async fn facts(self, at: &mut Session) -> Result<Facts, ProviderError> {
        let after = read(at, &self.whose).await?;
        Ok(compared(&self.before, &after).about(self.about))
    }

    /// The same where the permissions of a role were changed, and not who holds it.
    pub(super) async fn facts_of_role(
        self,
        at: &mut Session,
        role_id: &str,
        gained: &[String],
        takes: bool,
    ) -> Result<Facts, ProviderError> {
        let after = read(at, &self.whose).await?;
        Ok(role_changed(&self.before, &after, role_id, gained, takes).about(self.about))
    }
}

/// Somebody who has no account before the change is told without the id, which is another one each time it is planned.
pub(super) fn newcomer(mut facts: Facts) -> Facts {
    for fact in &mut facts.list {
        if let Fact::Gives(grant) = fact
            && let Holder::Person(person) = &grant.holder
        {
            grant.holder = Holder::Person(Person { id: None, name: None, ..person.clone() });
        }
    }
    facts
}

/// What each gets and what each no longer has, and whether they go on seeing the place.
fn compared(before: &[Grant], after: &[Grant]) -> Facts {
    let (mut given, mut taken, mut notes, mut leaves, mut weaker) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (holder, before, after) in by_holder(before, after) {
        let (new, gone) = difference(&before, &after);
        // Who is left in a place without a role gets nothing by that.
        for grant in new.into_iter().filter(|it| !it.role.id.is_empty()) {
            let joins = !before.iter().any(|it| it.place.is_same(&grant.place));
            if joins || grant.role.power.counts() {
                given.push(grant.clone());
            } else {
                notes.push(format!("is then {} of {}: {}", grant.role.name, grant.place, holder.label()));
            }
        }
        let losses = lost(&before, &after);
        let replaced: Vec<&Place> = difference(&before, &after).0.iter().map(|it| &it.place).collect();
        for (at, grant) in gone.iter().enumerate() {
            let place = &grant.place;
            if !holder.is_people() {
                notes.push(format!("{} {} is no longer {} of {place}", sort(holder), holder.label(), grant.role.name));
                continue;
            }
            // A role that makes room for one that allows no less takes nothing away.
            if replaced.iter().any(|it| it.is_same(place)) && !losses.iter().any(|it| it.place.is_same(place)) {
                continue;
            }
            let is_there = after.iter().any(|it| it.place.is_same(place));
            let (saw, still) = (!ways(&before, holder, place).is_empty(), ways(&after, holder, place));
            if matches!(place, Place::Team { .. }) && !is_there {
                leaves.push((place.name().to_owned(), holder.label().to_owned()));
            } else if still.is_empty() && is_there && !saw {
                weaker.push(holder.label().to_owned());
                notes.push(format!("no longer {} of {place}: {}", grant.role.name, holder.label()));
            } else {
                let is_first = !gone[..at].iter().any(|it| it.place.is_same(place));
                let loss = losses.iter().find(|it| it.place.is_same(place));
                let codes = loss.filter(|_| is_first && is_there).map(|it| it.permissions.clone()).unwrap_or_default();
                taken.push(((*grant).clone(), codes, still));
            }
        }
    }
    given.sort_by_key(|it| it.holder.is_people());
    let facts = given.into_iter().fold(Facts::none(), Facts::gives);
    let facts = taken.into_iter().fold(facts, |facts, (grant, codes, still)| facts.takes(grant, codes, still));
    let mut people: Vec<String> = leaves.iter().map(|it| it.1.clone()).collect();
    people.dedup();
    let mut teams: Vec<String> = leaves.into_iter().map(|it| it.0).collect();
    teams.sort();
    teams.dedup();
    if !teams.is_empty() {
        notes.push(format!("no longer in {}", counted(teams.len() as u64, ("team", "teams"), &teams)));
    }
    let facts = facts.lose(Losing::Team, people).lose(Losing::Role, weaker);
    notes.into_iter().fold(facts, Facts::note)
}

fn sort(holder: &Holder) -> &'static str {
    match holder {
        Holder::Team(_) => "team",
        Holder::ServiceAccount(_) => "service account",
        Holder::Key(_) => "key",
        _ => "",
    }
}

/// What the holders of a role get and lose with its permissions; whoever is invited with it is a holder.
///
/// `takes`: the role allows less than before. Then all its holders are told, though some may keep what it allowed by other ways.
fn role_changed(before: &[Grant], after: &[Grant], role_id: &str, gained: &[String], takes: bool) -> Facts {
    let power = permissions::is_privileged(gained);
    let mut facts = Facts::none();
    let (mut gaining, mut access, mut organization, mut weaker, mut places) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (holder, before, after) in by_holder(before, after) {
        for grant in after.iter().filter(|it| it.role.id == role_id) {
            if power {
                facts = facts.gives(grant.clone());
            } else if !gained.is_empty() && holder.is_people() {
                gaining.push(holder.label().to_owned());
            }
        }
        if !takes || !holder.is_people() {
            continue;
        }
        let mut sees_all = true;
        for loss in lost(&before, &after).into_iter().filter(|it| it.still.is_empty() && matches!(holder, Holder::Person(_))) {
            let blind = match &loss.place {
                Place::Organization(_) => &mut organization,
                Place::Project { .. } => &mut access,
                Place::Team { .. } => continue,
            };
            if ways(&before, holder, &loss.place).is_empty() {
                continue;
            }
            sees_all = false;
            if blind.last().map(String::as_str) != Some(holder.label()) {
                blind.push(holder.label().to_owned());
            }
            let place = loss.place.to_string();
            if !places.contains(&place) {
                places.push(place);
            }
        }
        if sees_all {
            weaker.push(holder.label().to_owned());
        }
    }
    if !gaining.is_empty() {
        gaining.dedup();
        facts = facts.note(format!("{} gain: {}", counted(gaining.len() as u64, ("person", "people"), &gaining), gained.join(", ")));
    }
    facts = facts.lose(Losing::Organization, organization).lose(Losing::Access, access).lose(Losing::Permissions, weaker);
    if places.is_empty() { facts } else { facts.note(format!("can no longer be seen by them: {}", places.join(", "))) }
}

/// The grants of each holder before and after, in the order in which the holders come.
fn by_holder<'a>(before: &'a [Grant], after: &'a [Grant]) -> Vec<(&'a Holder, Vec<Grant>, Vec<Grant>)> {
    let mut found: Vec<(&Holder, Vec<Grant>, Vec<Grant>)> = Vec::new();
    let mut places: HashMap<(u8, &str), usize> = HashMap::new();
    for (grant, is_after) in before.iter().map(|it| (it, false)).chain(after.iter().map(|it| (it, true))) {
        let place = *places.entry(key(&grant.holder)).or_insert_with(|| {
            found.push((&grant.holder, Vec::new(), Vec::new()));
            found.len() - 1
        });
        let (_, before, after) = &mut found[place];
        if is_after { after } else { before }.push(grant.clone());
    }
    found
}

/// What tells holders apart. The directory knows everybody's id.
fn key(holder: &Holder) -> (u8, &str) {
    match holder {
        Holder::Person(it) => (0, it.id.as_deref().unwrap_or_default()),
        Holder::Team(it) => (1, &it.id),
        Holder::ServiceAccount(it) => (2, &it.id),
        Holder::Key(it) => (3, &it.id),
        Holder::Invitation(email) => (4, email),
        Holder::Everybody(domain) => (5, domain),
    }
}

/// What somebody or a team stands for, so that it may be left alone: active projects of which they are an owner, and working keys
/// whose owner is in their project by them.
pub(super) struct Alone {
    projects: Vec<String>,
    keys: Vec<String>,
}

row! {
    struct Lone { id: String, name: String }
}

/// How many are looked at in one statement.
const AT_ONCE: usize = 500;

impl Alone {
    /// What a person stands for in an organization, of their own and through teams.
    pub(super) async fn of_person(at: &mut Session, organization_id: &str, user_id: &str) -> Result<Self, ProviderError> {
        let projects = "SELECT a.project_id FROM role_assignments a WHERE a.user_id = $2 AND a.organization_id = $1 AND a.role_id = $3 \
                        AND a.project_id IS NOT NULL UNION SELECT a.project_id FROM team_members m CROSS JOIN role_assignments a \
                        WHERE m.user_id = $2 AND a.team_id = m.team_id AND a.organization_id = $1 AND a.role_id = $3 AND a.project_id IS NOT NULL";
        let keys =
            "SELECT k.id FROM api_keys k CROSS JOIN projects p WHERE k.user_id = $2 AND p.id = k.project_id AND p.organization_id = $1";
        let projects = at.db.texts(projects, &args![organization_id, user_id, PROJECT_OWNER]).await?;
        let keys = at.db.texts(keys, &args![organization_id, user_id]).await?;
        Self::known(at, projects, keys).await
    }

    /// What a team stands for.
    pub(super) async fn of_team(at: &mut Session, team_id: &str) -> Result<Self, ProviderError> {
        let projects = "SELECT project_id FROM role_assignments WHERE team_id = $1 AND role_id = $2 AND project_id IS NOT NULL";
        let keys = "SELECT k.id FROM project_teams t CROSS JOIN api_keys k CROSS JOIN team_members m WHERE t.team_id = $1 \
                    AND k.project_id = t.project_id AND m.team_id = t.team_id AND m.user_id = k.user_id";
        let projects = at.db.texts(projects, &args![team_id, PROJECT_OWNER]).await?;
        let keys = at.db.texts(keys, &args![team_id]).await?;
        Self::known(at, projects, keys).await
    }

    /// Of these, what is not alone yet.
    async fn known(at: &mut Session, projects: Vec<String>, keys: Vec<String>) -> Result<Self, ProviderError> {
        let it = Self { projects, keys };
        let (alone_projects, alone_keys) = it.alone(at).await?;
        let rest = |all: Vec<String>, alone: &[Lone]| -> Vec<String> {
            let alone: HashSet<&str> = alone.iter().map(|it| it.id.as_str()).collect();
            all.into_iter().filter(|it| !alone.contains(it.as_str())).collect()
        };
        Ok(Self { projects: rest(it.projects, &alone_projects), keys: rest(it.keys, &alone_keys) })
    }

    async fn alone(&self, at: &mut Session) -> Result<(Vec<Lone>, Vec<Lone>), ProviderError> {
        let (mut projects, mut keys): (Vec<(String, Lone)>, Vec<Lone>) = (Vec::new(), Vec::new());
        for some in self.projects.chunks(AT_ONCE) {
            // A team owns a project as far as people are in it.
            let sql = format!(
                "SELECT p.id, p.name, p.slug FROM projects p WHERE p.id IN ({}) AND p.status = 'active' \
                 AND NOT EXISTS (SELECT 1 FROM role_assignments a WHERE a.project_id = p.id AND a.role_id = $1 \
                 AND (a.user_id IS NOT NULL OR EXISTS (SELECT 1 FROM team_members t WHERE t.team_id = a.team_id)))",
                places(2, some.len())
            );
            let values: Vec<Val> = std::iter::once(PROJECT_OWNER).chain(some.iter().map(String::as_str)).map(Val::from).collect();
            let found: Vec<(String, String, String)> = at.db.all(&sql, &values).await?;
            projects.extend(found.into_iter().map(|(id, name, slug)| (slug, Lone { id, name })));
        }
        for some in self.keys.chunks(AT_ONCE) {
            let sql = format!(
                "SELECT k.id, k.name FROM api_keys k CROSS JOIN projects p WHERE k.id IN ({}) AND p.id = k.project_id \
                 AND p.status = 'active' AND k.status = 'active' AND NOT {OWNED}",
                places(1, some.len())
            );
            keys.extend(at.db.all::<Lone>(&sql, &some.iter().map(Val::from).collect::<Vec<_>>()).await?);
        }
        projects.sort_by(|(a, one), (b, other)| (a, &one.id).cmp(&(b, &other.id)));
        keys.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok((projects.into_iter().map(|it| it.1).collect(), keys))
    }

    /// Adds what is alone since.
    pub(super) async fn since(self, at: &mut Session, facts: Facts) -> Result<Facts, ProviderError> {
        let (projects, keys) = self.alone(at).await?;
        let names = |it: Vec<Lone>| -> Vec<String> { it.into_iter().map(|it| it.name).collect() };
        let left = !keys.is_empty();
        let facts = facts.ownerless(Thing::Project, names(projects)).leaves(Thing::Key, names(keys), "an owner");
        Ok(if left { facts.note("keys without an owner go on working until delete_api_key") } else { facts })
    }
}
