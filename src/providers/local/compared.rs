//! What a change does to who holds what: grants are read before it and after it, and the difference is told.

use std::collections::HashMap;

use super::{
    Session,
    access::{Whose, read},
    api_keys::OWNED,
    permissions,
    reach::{PROJECT_OWNER, counted},
};
use crate::{
    access::{difference, lost, ways},
    domain::{
        Fact, Facts, Losing, Surroundings, Thing,
        access::{Grant, Holder, Person, Place},
    },
    error::ProviderError,
    store::{args, row},
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
        notes.push(format!("no longer in {}", counted(teams.len(), ("team", "teams"), &teams)));
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
        facts = facts.note(format!("{} gain: {}", counted(gaining.len(), ("person", "people"), &gaining), gained.join(", ")));
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

/// What an organization leaves alone: active projects that nobody owns, and working keys that nobody in their project stands for.
pub(super) struct Alone {
    organization_id: String,
    projects: Vec<Lone>,
    keys: Vec<Lone>,
}

row! {
    struct Lone { id: String, name: String }
}

impl Alone {
    pub(super) async fn at(at: &mut Session, organization_id: &str) -> Result<Self, ProviderError> {
        // A team owns a project as far as people are in it.
        let projects = "SELECT p.id, p.name FROM projects p WHERE p.organization_id = $1 AND p.status = 'active' \
                        AND NOT EXISTS (SELECT 1 FROM role_assignments a WHERE a.project_id = p.id AND a.role_id = $2 \
                        AND (a.user_id IS NOT NULL OR EXISTS (SELECT 1 FROM team_members t WHERE t.team_id = a.team_id))) ORDER BY p.slug, p.id";
        let projects = at.db.all(projects, &args![organization_id, PROJECT_OWNER]).await?;
        let keys = format!(
            "SELECT k.id, k.name FROM api_keys k JOIN projects p ON p.id = k.project_id WHERE p.organization_id = $1 \
             AND p.status = 'active' AND k.status = 'active' AND NOT {OWNED} ORDER BY k.name, k.id"
        );
        let keys = at.db.all(&keys, &args![organization_id]).await?;
        Ok(Self { organization_id: organization_id.to_owned(), projects, keys })
    }

    /// Adds what is alone since.
    pub(super) async fn since(self, at: &mut Session, facts: Facts) -> Result<Facts, ProviderError> {
        let now = Self::at(at, &self.organization_id).await?;
        let fresh = |now: Vec<Lone>, before: &[Lone]| -> Vec<String> {
            now.into_iter().filter(|it| !before.iter().any(|old| old.id == it.id)).map(|it| it.name).collect()
        };
        let keys = fresh(now.keys, &self.keys);
        let left = !keys.is_empty();
        let facts = facts.ownerless(Thing::Project, fresh(now.projects, &self.projects)).leaves(Thing::Key, keys, "an owner");
        Ok(if left { facts.note("keys without an owner go on working until delete_api_key") } else { facts })
    }
}
