//! What is held, place by place.

use std::collections::HashMap;

use crate::{
    access,
    domain::access::{Action, Grant, Holder, Place, Power, State, Via},
};

/// What is held in each place: an organization may have a thousand of them.
pub(super) struct Held<'a> {
    places: HashMap<(&'static str, &'a str), Vec<&'a Grant>>,
    /// Who has power over others in each organization.
    powerful: HashMap<&'a str, Vec<&'a Grant>>,
    /// A role by which somebody owns a place of a kind, as it is held somewhere.
    pub(super) owning: HashMap<&'static str, &'a str>,
}

impl<'a> Held<'a> {
    pub(super) fn of(grants: &'a [Grant]) -> Self {
        let mut held = Self { places: access::by_place(grants), powerful: HashMap::new(), owning: HashMap::new() };
        for it in grants {
            if it.role.owns {
                held.owning.entry(it.place.noun()).or_insert(&it.role.name);
            }
            if let (Place::Organization(organization), Power::OverOthers) = (&it.place, it.role.power) {
                held.powerful.entry(&organization.id).or_default().push(it);
            }
        }
        held
    }

    pub(super) fn at<'s>(&'s self, place: &'s Place) -> impl Iterator<Item = &'a Grant> + Clone + use<'a, 's> {
        self.places.get(&(place.noun(), place.id())).into_iter().flatten().copied()
    }

    /// Somebody who could own a place besides those who do: whoever has most to say in it, else in the organization.
    pub(super) fn candidate(&self, place: &Place, but: &[&Holder]) -> Option<&'a Grant> {
        let is_free = |it: &&Grant| {
            it.state == State::Active && matches!(it.holder, Holder::Person(_)) && !but.iter().any(|owner| owner.is_same(&it.holder))
        };
        let powerful = |it: &&Grant| it.role.power == Power::OverOthers;
        let home = Place::Organization(place.organization().clone());
        let here = || self.at(place).filter(is_free).filter(|it| it.via == Via::Own);
        let mut above = self.powerful.get(home.id()).into_iter().flatten().copied();
        here()
            .find(powerful)
            .or_else(|| above.find(is_free))
            .or_else(|| here().find(|it| it.role.allows.has(Action::Write)))
            .or_else(|| self.at(&home).find(is_free))
    }
}
