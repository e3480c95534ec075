//! What a change would make of the world. Providers report facts; how grave they are, `guard/weigh.rs` alone decides.

use std::collections::BTreeSet;

use serde::Serialize;

use super::access::{Grant, Via};

/// A sort of thing, with the words for one and for many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    Organization,
    Project,
    Team,
    Role,
    Key,
    ServiceAccount,
    Certificate,
    Invitation,
    UsageLimit,
    Resource,
    Logo,
    Person,
}

impl Thing {
    /// `project`, `projects`.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Organization => ("organization", "organizations"),
            Self::Project => ("project", "projects"),
            Self::Team => ("team", "teams"),
            Self::Role => ("role", "roles"),
            Self::Key => ("key", "keys"),
            Self::ServiceAccount => ("service account", "service accounts"),
            Self::Certificate => ("certificate", "certificates"),
            Self::Invitation => ("invitation", "invitations"),
            Self::UsageLimit => ("usage limit", "usage limits"),
            Self::Resource => ("resource", "resources"),
            Self::Logo => ("logo", "logos"),
            Self::Person => ("person", "people"),
        }
    }
}

/// Things counted, with the first few by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    pub count: u64,
    pub names: Vec<String>,
    /// Where there are more, all of them, as far as they are kept: for pages that show each. Nothing is judged or compared by it.
    #[serde(skip)]
    pub all: Vec<String>,
}

impl Counted {
    /// How many names are told.
    pub const NAMED: usize = 5;
    /// How many are kept to be shown one by one.
    pub const KEPT: usize = 1_000;

    /// `names` may be the first few only.
    pub fn new(count: u64, names: impl IntoIterator<Item = String>) -> Self {
        let all: Vec<String> = names.into_iter().take(Self::KEPT).collect();
        let names = all.iter().take(Self::NAMED).cloned().collect();
        Self { count, names, all: if all.len() > Self::NAMED { all } else { Vec::new() } }
    }

    pub fn one(name: impl Into<String>) -> Self {
        Self { count: 1, names: vec![name.into()], all: Vec::new() }
    }

    pub fn is_none(&self) -> bool {
        self.count == 0
    }

    /// All names that are kept.
    pub fn kept(self) -> Vec<String> {
        if self.all.is_empty() { self.names } else { self.all }
    }
}

impl From<Vec<String>> for Counted {
    fn from(names: Vec<String>) -> Self {
        Self::new(names.len() as u64, names)
    }
}

/// What people lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Losing {
    /// They can no longer see a project, by whatever way.
    Access,
    /// They are no longer in the organization, or can no longer see it.
    Organization,
    /// They can do less, and still see the place.
    Permissions,
    /// A role; what they could see by it they still see.
    Role,
    /// A team that gave them nothing that they lose.
    Team,
    /// The use of a thing, where they are.
    Use,
}

/// One thing that a change would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Somebody or something gets a role. For a team, its people are reported as holders via the team.
    Gives(Box<Grant>),
    /// A role is taken from a holder. `loses`: the provider's codes that nothing else gives them. `still`: the other ways by
    /// which they go on seeing the place; empty where they no longer see it.
    Takes { grant: Box<Grant>, loses: Vec<String>, still: Vec<Via> },
    /// Many people lose the same; counted by the provider as a set. Of nobody: the service does not tell who and how many.
    Lose { people: Counted, what: Losing },
    /// These stop working: keys, certificates, invitations.
    Stops { what: Thing, names: Counted },
    /// These are gone.
    Ends { what: Thing, names: Counted },
    /// These stay behind without the thing or person that they belonged to: `2 keys are left without an owner`.
    Leaves { what: Thing, names: Counted, without: &'static str },
    /// A limit falls. `used`: what was used of it so far, where the service tells.
    Lowers { what: String, from: f64, to: f64, used: Option<f64> },
    /// A setting that other things hang on changes: a key reference, a residency, a unit, a renewal.
    Rewires { what: &'static str, from: Option<String>, to: Option<String> },
    /// What gives access to data from elsewhere changes, such as an encryption key that is kept in another system.
    Rekeys { what: &'static str, from: Option<String>, to: Option<String> },
    /// Nobody owns these any more.
    Ownerless { what: Thing, names: Counted },
    /// A place, such as ``project `Atlas` ``, is left without any of these that is active.
    NoneActive { what: Thing, place: String },
    /// Something that cannot be seen from here may give or take more than is told.
    Unseen(String),
    /// A sentence for the person, which weighs nothing.
    Note(String),
}

/// What the judgement needs to know of the organization that a change is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// What the organization is called.
    pub organization: String,
    /// The mail domains of those who hold power over others in it now; those who are invited do not count. `None`: the service
    /// does not tell.
    pub domains_in_power: Option<BTreeSet<String>>,
    /// How many people, projects and keys it has, where that is known.
    pub people: Option<u64>,
    pub projects: Option<u64>,
    pub keys: Option<u64>,
}

/// All that a change would do, in the order in which a person should read it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    pub list: Vec<Fact>,
    pub about: Surroundings,
    /// How to take it back; absent where that cannot be done.
    pub undo: Option<String>,
}

impl Facts {
    /// A change that takes nothing from anybody.
    pub fn none() -> Self {
        Self::default()
    }

    /// Says in what organization it happens.
    #[must_use]
    pub fn about(mut self, about: Surroundings) -> Self {
        self.about = about;
        self
    }

    #[must_use]
    pub fn fact(mut self, fact: Fact) -> Self {
        self.list.push(fact);
        self
    }

    #[must_use]
    pub fn gives(self, grant: Grant) -> Self {
        self.fact(Fact::Gives(Box::new(grant)))
    }

    /// See [`Fact::Takes`].
    #[must_use]
    pub fn takes(self, grant: Grant, loses: Vec<String>, still: Vec<Via>) -> Self {
        self.fact(Fact::Takes { grant: Box::new(grant), loses, still })
    }

    /// Nothing is added for nobody; likewise below.
    #[must_use]
    pub fn lose(self, what: Losing, people: impl Into<Counted>) -> Self {
        let people = people.into();
        if people.is_none() { self } else { self.fact(Fact::Lose { people, what }) }
    }

    #[must_use]
    pub fn stops(self, what: Thing, names: impl Into<Counted>) -> Self {
        let names = names.into();
        if names.is_none() { self } else { self.fact(Fact::Stops { what, names }) }
    }

    #[must_use]
    pub fn ends(self, what: Thing, names: impl Into<Counted>) -> Self {
        let names = names.into();
        if names.is_none() { self } else { self.fact(Fact::Ends { what, names }) }
    }

    /// See [`Fact::Leaves`]; `without` reads on from `left without`: `an owner`.
    #[must_use]
    pub fn leaves(self, what: Thing, names: impl Into<Counted>, without: &'static str) -> Self {
        let names = names.into();
        if names.is_none() { self } else { self.fact(Fact::Leaves { what, names, without }) }
    }

    /// Nothing is added where the limit does not fall.
    #[must_use]
    pub fn lowers(self, what: impl Into<String>, from: f64, to: f64, used: Option<f64>) -> Self {
        if to < from { self.fact(Fact::Lowers { what: what.into(), from, to, used }) } else { self }
    }

    /// Nothing is added where both are the same.
    #[must_use]
    pub fn rewires(self, what: &'static str, from: Option<String>, to: Option<String>) -> Self {
        if from == to { self } else { self.fact(Fact::Rewires { what, from, to }) }
    }

    /// Nothing is added where both are the same.
    #[must_use]
    pub fn rekeys(self, what: &'static str, from: Option<String>, to: Option<String>) -> Self {
        if from == to { self } else { self.fact(Fact::Rekeys { what, from, to }) }
    }

    #[must_use]
    pub fn ownerless(self, what: Thing, names: impl Into<Counted>) -> Self {
        let names = names.into();
        if names.is_none() { self } else { self.fact(Fact::Ownerless { what, names }) }
    }

    /// See [`Fact::NoneActive`].
    #[must_use]
    pub fn none_active(self, what: Thing, place: impl Into<String>) -> Self {
        self.fact(Fact::NoneActive { what, place: place.into() })
    }

    #[must_use]
    pub fn unseen(self, what: impl Into<String>) -> Self {
        self.fact(Fact::Unseen(what.into()))
    }

    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        self.fact(Fact::Note(note.into()))
    }

    /// Says how the change is taken back.
    #[must_use]
    pub fn undo(mut self, how: impl Into<String>) -> Self {
        self.undo = Some(how.into());
        self
    }
}

/// The mail domain of an address, in lower case; empty where there is none.
pub fn mail_domain(address: &str) -> String {
    address.rsplit_once('@').map(|it| it.1.to_lowercase()).unwrap_or_default()
}
