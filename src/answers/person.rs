//! Who is meant by a name or an address, in all accounts at once.

use std::collections::HashMap;

use super::Ask;
use crate::{
    domain::{Gaps, ReferenceText, access::Holder, canonical, fold_accents},
    error::{CallError, ProviderError},
    providers::{
        Reader,
        people::{Known, Sought},
    },
};

/// One person: whoever has one address in all accounts, or one id in one of them.
#[derive(Clone)]
pub(crate) struct Somebody {
    /// As each account knows them: a person, or an invitation of theirs. Never empty.
    pub(crate) seen: Vec<(Reader, Holder)>,
}

/// What came of looking for somebody.
pub(crate) struct Looked {
    /// Who is meant; several are candidates.
    pub(crate) found: Vec<Somebody>,
    /// Others who are probably one of them, each with the reason. They are offered, and never taken for the same.
    pub(crate) probably_same: Vec<(Somebody, &'static str)>,
    /// Where nobody is meant: what is wrong, and who may be.
    nobody: Option<ProviderError>,
    pub(crate) gaps: Gaps,
}

impl Ask<'_> {
    /// Looks for somebody by name, address or id in all accounts where the caller may, and in all their organizations.
    pub(crate) async fn person<R: ReferenceText>(&self, named: &R) -> Looked {
        let (readers, mut gaps) = self.readers();
        let people = self.people(readers, named.text()).await;
        gaps.extend(people.gaps);
        let everybody: Vec<(Reader, Holder)> =
            people.found.into_iter().flat_map(|(reader, list)| list.into_iter().map(move |it| (reader.clone(), it))).collect();
        let sought = Sought::of(named, "", "find_person");
        let (named, nobody) = match sought.fitting(&everybody, |it| known(&it.1)) {
            Ok(fitting) => (fitting.into_iter().map(key).collect(), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let (mut found, others): (Vec<_>, Vec<_>) = grouped(everybody).into_iter().partition(|it| named.contains(&it.key()));
        found.sort_by_key(|it| named.iter().position(|key| *key == it.key()));
        let mut probably_same = Vec::new();
        // Who is named by a name may be known by several addresses: the plain one is meant, the others are offered.
        if let Some(at) =
            found.iter().position(|one| found.iter().all(|it| it.key() == one.key() || tagged(one, it))).filter(|_| found.len() > 1)
        {
            let one = found.remove(at);
            probably_same.extend(std::mem::replace(&mut found, vec![one]).into_iter().map(|it| (it, TAG)));
        }
        if let [one] = found.as_slice() {
            probably_same.extend(others.into_iter().filter_map(|it| Some((alike(one, &it)?, it))).map(|(why, it)| (it, why)));
        }
        Looked { found, probably_same, nobody, gaps }
    }
}

impl Looked {
    /// The one who is meant.
    ///
    /// # Errors
    ///
    /// Nobody, with who may be meant and which accounts did not answer; or the candidates.
    pub(crate) fn one(&self, named: &str) -> Result<&Somebody, CallError> {
        match self.found.as_slice() {
            [one] => Ok(one),
            [] => Err(self.nobody(named).into()),
            several => Err(ProviderError::Ambiguous {
                kind: "member",
                name: named.to_owned(),
                candidates: several.iter().map(Somebody::label).collect(),
            }
            .into()),
        }
    }

    fn nobody(&self, named: &str) -> ProviderError {
        // Whoever looks for somebody everywhere has to know where nobody looked.
        let mut scope: Vec<String> = Vec::new();
        for (names, why) in [
            (self.gaps.failed.iter().map(|it| it.connection.as_str()).collect::<Vec<_>>(), "no answer came from"),
            (self.gaps.not_asked.iter().map(String::as_str).collect(), "this caller may not ask"),
            (self.gaps.unseen.iter().map(String::as_str).collect(), "not seen:"),
        ] {
            scope.extend((!names.is_empty()).then(|| format!("{why} {}", names.join(", "))));
        }
        let scope = if scope.is_empty() { String::new() } else { format!("what was seen ({})", scope.join("; ")) };
        match &self.nobody {
            Some(ProviderError::NotFound { kind, name, fix, .. }) => {
                ProviderError::NotFound { kind, name: name.clone(), scope, fix: fix.clone() }
            }
            _ => ProviderError::NotFound {
                kind: "member",
                name: named.to_owned(),
                scope,
                fix: "give a whole name or an e-mail address".to_owned(),
            },
        }
    }
}

impl Somebody {
    pub(crate) fn email(&self) -> Option<&str> {
        self.seen.iter().find_map(|it| email(&it.1))
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.seen.iter().find_map(|it| name(&it.1))
    }

    /// What they are told apart by: `ana@acme.example (Ana Ruiz)`.
    pub(crate) fn label(&self) -> String {
        match (self.email(), self.name()) {
            (Some(email), Some(name)) => format!("{email} ({name})"),
            (Some(email), None) => email.to_owned(),
            (None, _) => format!("{} [{}] in {}", self.seen[0].1.label(), known(&self.seen[0].1).id, self.seen[0].0.connection.name),
        }
    }

    fn key(&self) -> Key {
        key(&self.seen[0])
    }
}

/// By what two sightings are of one person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(String),
    /// Where no address is told: the connection and the id, or else the name.
    Id(String, String),
}

fn key((reader, holder): &(Reader, Holder)) -> Key {
    match email(holder) {
        Some(email) => Key::Address(canonical(email)),
        None => {
            Key::Id(reader.connection.name.clone(), Some(known(holder).id).filter(|it| !it.is_empty()).unwrap_or(holder.label()).to_owned())
        }
    }
}

/// People in the order in which they were seen first.
fn grouped(everybody: Vec<(Reader, Holder)>) -> Vec<Somebody> {
    let (mut all, mut at): (Vec<Somebody>, HashMap<Key, usize>) = (Vec::new(), HashMap::new());
    for it in everybody.into_iter().filter(|it| !matches!(it.1, Holder::Everybody(_))) {
        let place = *at.entry(key(&it)).or_insert(all.len());
        match all.get_mut(place) {
            Some(known) => {
                let again = |(reader, holder): &(Reader, Holder)| reader.connection.name == it.0.connection.name && *holder == it.1;
                if !known.seen.iter().any(again) {
                    known.seen.push(it);
                }
            }
            None => all.push(Somebody { seen: vec![it] }),
        }
    }
    all
}

fn known(holder: &Holder) -> Known<'_> {
    let id = match holder {
        Holder::Person(it) => it.id.as_deref().unwrap_or_default(),
        _ => "",
    };
    Known { id, email: email(holder).unwrap_or_default(), name: name(holder).unwrap_or_default(), also: None }
}

fn email(holder: &Holder) -> Option<&str> {
    match holder {
        Holder::Person(it) => it.email.as_deref().filter(|it| !it.is_empty()),
        Holder::Invitation(email) => Some(email),
        _ => None,
    }
}

fn name(holder: &Holder) -> Option<&str> {
    match holder {
        Holder::Person(it) => it.name.as_deref().filter(|it| !it.is_empty()),
        _ => None,
    }
}

const TAG: &str = "the same address but for a tag";

/// Why somebody else is probably the same person; `None` where nothing says so.
fn alike(one: &Somebody, other: &Somebody) -> Option<&'static str> {
    let same_name = match (one.name(), other.name()) {
        (Some(one), Some(other)) => Some(words(one) == words(other)),
        _ => None,
    };
    let several_words = |name: Option<&str>| name.is_some_and(|it| words(it).len() > 1);
    match (one.email().and_then(parts), other.email().and_then(parts)) {
        (Some((local, domain)), Some((other_local, other_domain))) if local == other_local => {
            if domain == other_domain {
                return Some(TAG);
            }
            // Where a name is not told, an address that is made of several words stands for it.
            let by_name = same_name.unwrap_or_else(|| words(&local.replace(['.', '_', '-'], " ")).len() > 1);
            by_name.then_some("the same address at another domain")
        }
        (Some((_, domain)), Some((_, other_domain))) if domain == other_domain => None,
        _ => (same_name == Some(true) && several_words(one.name())).then_some("the same name under another address"),
    }
}

/// Whether the second is the first with a tag in the address.
fn tagged(plain: &Somebody, other: &Somebody) -> bool {
    let is_plain = plain.email().is_some_and(|it| !it.split('@').next().unwrap_or_default().contains('+'));
    is_plain && alike(plain, other) == Some(TAG)
}

/// The part of an address before the `@` without a tag and accents, and the domain.
fn parts(email: &str) -> Option<(String, String)> {
    let (local, domain) = email.rsplit_once('@')?;
    Some((fold_accents(local.split('+').next().unwrap_or_default()), domain.to_lowercase()))
}

/// The words of a name in any order.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> =
        fold_accents(name).split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    words.sort();
    words
}
