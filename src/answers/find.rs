//! `find_person`: all that one person has, in every account.

use std::time::Duration;

use tokio::time::timeout_at;

use super::{Ask, Looked, Somebody, gather::Look, words};
use crate::{
    access::only_owner,
    domain::{
        MemberRef, OrganizationRef, ProjectRef, ReferenceText as _,
        access::{Grant, GrantScope, Holder, Named, Place, State},
    },
    error::{CallError, ProviderError},
    providers::Reader,
    tools::access::{FindPerson, FoundPerson, KnownPerson},
};

/// What is left for the rest of the answer once the roles of a person are known.
const REST: Duration = Duration::from_millis(500);

pub(super) async fn find(ask: Ask<'_>, op: FindPerson) -> Result<FoundPerson, CallError> {
    let looked = ask.person(&op.query).await;
    if looked.found.len() > 1 {
        return Ok(several(ask, op.query.text(), &looked));
    }
    let person = looked.one(op.query.text())?;
    let mut gaps = looked.gaps.clone();
    let has = ask.gather(person.readers(), |reader| all_of(ask, reader, person)).await;
    gaps.extend(has.all_gaps());
    let mut found = FoundPerson {
        answer: String::new(),
        people: person.views(ask, None),
        access: Vec::new(),
        invitations: Vec::new(),
        keys: Vec::new(),
        owns_alone: Vec::new(),
        probably_same: looked.probably_same.iter().flat_map(|(it, why)| it.views(ask, Some(why))).collect(),
        gaps,
    };
    for (reader, (grants, alone)) in &has.found {
        let connection = ask.from(&reader.connection);
        let mut grants: Vec<&Grant> = grants.iter().collect();
        grants.sort_by_key(|it| rank(&it.place));
        for grant in grants {
            let row = words::held(grant, connection.clone());
            match (&grant.holder, grant.state) {
                (Holder::Key(_), _) => found.keys.push(row),
                (_, State::Pending) => found.invitations.push(row),
                _ => found.access.push(row),
            }
        }
        found.owns_alone.extend(alone.iter().map(|it| words::owned(it, connection.clone())));
    }
    found.answer = sentence(person, &found);
    Ok(found)
}

fn rank(place: &Place) -> u8 {
    match place {
        Place::Organization(_) => 0,
        Place::Project { .. } => 1,
        Place::Team { .. } => 2,
    }
}

/// What somebody holds at one connection, and of which places they are the only owner.
async fn all_of(ask: Ask<'_>, reader: Reader, person: &Somebody) -> Look<(Vec<Grant>, Vec<Place>)> {
    let mut unseen = Vec::new();
    let mut grants: Vec<Grant> = Vec::new();
    for named in person.named_at(&reader) {
        match reader.grants(GrantScope::Person(named)).await {
            Ok(Some(told)) => {
                grants.extend(told.list.into_iter().filter(|it| !grants.contains(it)).collect::<Vec<_>>());
                unseen.extend(told.unseen);
            }
            Ok(None) => return Ok(None),
            // Whoever is known and holds nothing is nobody to some services.
            Err(ProviderError::NotFound { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    let owned: Vec<Place> = grants.iter().filter(|it| it.role.owns && it.state == State::Active).map(|it| it.place.clone()).collect();
    let alone = match timeout_at(ask.deadline - REST, alone(&reader, &owned)).await {
        Ok(Ok(Some(alone))) => alone,
        Ok(Ok(None)) => {
            unseen.push("what they alone own: who else owns it was not read to the end".to_owned());
            Vec::new()
        }
        Ok(Err(error)) => {
            unseen.push(format!("what they alone own: {error}"));
            Vec::new()
        }
        Err(_) => {
            unseen.push("what they alone own, for want of time".to_owned());
            Vec::new()
        }
    };
    Ok(Some(((grants, alone), unseen)))
}

/// Those of some places that have one owner; `None` where not all owners could be read.
async fn alone(reader: &Reader, owned: &[Place]) -> Result<Option<Vec<Place>>, ProviderError> {
    let mut organizations: Vec<&Named> = Vec::new();
    for it in owned.iter().map(Place::organization) {
        if !organizations.iter().any(|known| known.id == it.id) {
            organizations.push(it);
        }
    }
    let mut alone: Vec<Place> = Vec::new();
    for organization in organizations {
        let projects = owned.iter().filter_map(|it| match it {
            Place::Project { project, organization: of } if of.id == organization.id => Some(ProjectRef::read(&project.id)),
            _ => None,
        });
        let scope = GrantScope::Owners(Some(OrganizationRef::read(&organization.id)), projects.collect());
        let Some(all) = reader.grants(scope).await? else { continue };
        if all.is_unfinished() {
            return Ok(None);
        }
        for place in owned.iter().filter(|it| it.organization().id == organization.id) {
            if only_owner(&all.list, place).is_some() && !alone.iter().any(|it| it.is_same(place)) {
                alone.push(place.clone());
            }
        }
    }
    Ok(Some(alone))
}

fn sentence(person: &Somebody, found: &FoundPerson) -> String {
    let accounts: Vec<String> = person.readers().iter().map(|it| it.connection.name.clone()).collect();
    let counted = |count: usize, one: &str, many: &str| (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }));
    let has = [
        counted(found.access.len(), "role", "roles"),
        counted(found.keys.len(), "key", "keys"),
        counted(found.invitations.len(), "pending invitation", "pending invitations"),
        counted(found.owns_alone.len(), "place that nobody else owns", "places that nobody else owns"),
    ];
    let has: Vec<String> = has.into_iter().flatten().collect();
    let has = if has.is_empty() { "no reported role, key or invitation".to_owned() } else { has.join(", ") };
    let same = if found.probably_same.is_empty() { "" } else { "; others listed are probably the same person, and are not counted here" };
    format!("{} is known in {}: {has}{same}.", person.label(), accounts.join(", "))
}

/// Several people, of whom nothing else is told: one of them has to be named.
fn several(ask: Ask<'_>, named: &str, looked: &Looked) -> FoundPerson {
    let found = &looked.found;
    FoundPerson {
        answer: format!("{} people are called `{named}`: call again with the address of one of them.", found.len()),
        people: found.iter().flat_map(|it| it.views(ask, None)).collect(),
        access: Vec::new(),
        invitations: Vec::new(),
        keys: Vec::new(),
        owns_alone: Vec::new(),
        probably_same: Vec::new(),
        gaps: looked.gaps.clone(),
    }
}

impl Somebody {
    /// The accounts that know them, each once.
    pub(super) fn readers(&self) -> Vec<Reader> {
        let mut readers: Vec<Reader> = Vec::new();
        for (reader, _) in &self.seen {
            if !readers.iter().any(|it| it.connection.name == reader.connection.name) {
                readers.push(reader.clone());
            }
        }
        readers
    }

    /// By what one account knows them.
    pub(crate) fn named_at(&self, reader: &Reader) -> Vec<MemberRef> {
        let mut named: Vec<MemberRef> = Vec::new();
        let here = || self.seen.iter().filter(|it| it.0.connection.name == reader.connection.name).map(|it| &it.1);
        for it in here() {
            if let Holder::Person(person) = it {
                named.extend(person.id.as_ref().or(person.email.as_ref()).or(person.name.as_ref()).map(MemberRef::read));
            }
        }
        // An invitation is found with the person who has the address.
        if named.is_empty() {
            named.extend(here().find_map(|it| if let Holder::Invitation(email) = it { Some(MemberRef::read(email)) } else { None }));
        }
        named
    }

    fn views(&self, ask: Ask<'_>, why: Option<&str>) -> Vec<KnownPerson> {
        let view = |(reader, holder): &(Reader, Holder)| {
            let (name, id) = match holder {
                Holder::Person(it) => (it.name.clone().filter(|it| !it.is_empty()), it.id.clone()),
                _ => (None, None),
            };
            KnownPerson {
                person: holder.label().to_owned(),
                name,
                id,
                connection: ask.from(&reader.connection),
                status: matches!(holder, Holder::Invitation(_)).then(|| "invited".to_owned()),
                why: why.map(str::to_owned),
            }
        };
        self.seen.iter().map(view).collect()
    }
}
