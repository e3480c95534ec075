//! Changes of organizations, teams and projects: objects that are read, changed and sent back whole.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Session,
    places::{self, Kind, Place, WirePlace},
};
use crate::{
    domain::{Description, Facts, Inverse, Name, Slug},
    error::ProviderError,
    providers::{
        fields::named,
        http::{Draft, Sent},
    },
};

/// What can be changed of a team and of a project.
pub(super) struct Edit<'a> {
    pub(super) name: Option<&'a Name>,
    pub(super) description: Option<&'a Description>,
    pub(super) slug: Option<&'a Slug>,
    pub(super) clears_description: bool,
}

/// The values that take an edit back.
pub(super) struct Former {
    pub(super) name: Option<Name>,
    pub(super) description: Option<Description>,
    pub(super) slug: Option<Slug>,
    pub(super) clears_description: bool,
}

impl Edit<'_> {
    /// Refuses a name or slug that another thing of its kind in the organization has.
    pub(super) async fn check(&self, at: &Session, place: &Place) -> Result<(), ProviderError> {
        if self.name.is_some() || self.slug.is_some() {
            let name = self.name.map_or(place.name(), Name::as_str);
            places::is_free_in(at, place.kind, &place.home(), name, self.slug, Some(place.id())).await?;
        }
        Ok(())
    }

    /// Refuses an edit that names nothing, and one that sets and empties the same field.
    pub(super) fn named(&self) -> Result<(), ProviderError> {
        let given = [("name", self.name.is_some()), ("description", self.description.is_some()), ("slug", self.slug.is_some())];
        named(&given, if self.clears_description { &["description"] } else { &[] })
    }

    pub(super) fn apply(&self, whole: &mut Map<String, Value>) {
        let description = if self.clears_description { Some(String::new()) } else { self.description.map(ToString::to_string) };
        let fields =
            [("name", self.name.map(ToString::to_string)), ("description", description), ("slug", self.slug.map(ToString::to_string))];
        set(whole, fields);
    }

    /// What was there before, of what is changed.
    pub(super) fn former(&self, before: &WirePlace) -> Former {
        let described = self.description.is_some() || self.clears_description;
        let description = before.description().map(Description::read);
        Former {
            name: self.name.map(|_| Name::read(&before.name)),
            slug: self.slug.and(before.slug()).map(Slug::read),
            clears_description: described && description.is_none(),
            description: description.filter(|_| described),
        }
    }
}

/// Puts texts into an object: those that were given.
pub(super) fn set<'a>(object: &mut Map<String, Value>, fields: impl IntoIterator<Item = (&'a str, Option<String>)>) {
    for (name, value) in fields {
        if let Some(value) = value {
            object.insert(name.to_owned(), value.into());
        }
    }
}

/// Sends a thing back whole. Whether it took effect is seen from what people can change.
pub(super) fn replace<T, V>(at: &Session, place: Place, whole: Map<String, Value>, facts: Facts, undo: Inverse, view: V) -> Draft<T>
where
    T: Serialize + Send + 'static,
    V: Fn(&WirePlace) -> T + Clone + Send + Sync + 'static,
{
    let (sending, looking) = (at.clone(), at.clone());
    let back = (place.clone(), whole.clone(), undo.clone(), view.clone());
    let draft = Draft::new(place.target(), facts, move |permit| async move {
        let reply = place.put(&sending, "").json(Value::Object(whole)).send(&permit).await?;
        let told: WirePlace = reply.read(&format!("see get_{}", place.kind.noun()))?;
        Ok(Sent::after(view(&told)).inverse(undo))
    });
    draft.read_back(move || {
        let (at, (place, whole, undo, view)) = (looking.afresh(), back.clone());
        async move {
            let changed = took_effect(&place.whole(&at).await?, &whole);
            let told = place.read(&at).await?;
            Ok(changed.then(|| Sent::after(view(&told)).inverse(undo)))
        }
    })
}

/// A field that the service leaves out is no evidence.
fn took_effect(told: &Map<String, Value>, sent: &Map<String, Value>) -> bool {
    let text = |object: &Map<String, Value>, name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    ["name", "description", "slug", "website"].iter().all(|name| !told.contains_key(*name) || text(told, name) == text(sent, name))
}

/// Deletes a thing. That it is gone is seen from the list of its kind.
pub(super) fn delete<T: Serialize + Send + 'static>(at: &Session, place: Place, facts: Facts) -> Draft<T> {
    let (sending, looking) = (at.clone(), at.clone());
    let (kind, id) = (place.kind, place.id().to_owned());
    let draft = Draft::new(place.target(), facts, move |permit| async move {
        place.delete(&sending, "").send(&permit).await?;
        Ok(Sent::gone())
    });
    draft.read_back(move || {
        let (at, id) = (looking.afresh(), id.clone());
        async move {
            let there = match kind {
                Kind::Organization => places::organizations(&at).await?.iter().any(|it| it.id == id),
                Kind::Team | Kind::Project => places::all(&at, kind, None).await?.iter().any(|it| it.id() == id),
            };
            Ok((!there).then(Sent::gone))
        }
    })
}
