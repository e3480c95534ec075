//! What the service sends, read in every shape that it was described or seen in.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::NaiveDateTime;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::Session;
use crate::{
    domain::{Cursor, List, PageRequest, Timestamp, roles::RoleType},
    error::ProviderError,
    providers::{
        http::{Drained, Reading, Request, drain, filled, items, once, theirs, tolerant},
        meant::{has_address, has_id},
        people::Known,
        role_types,
    },
};

/// As many as the service is known to give at once.
const WHOLE: usize = 1000;

/// A list that comes in pages, and where it stands in the answer.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    pub(super) path: &'static str,
    /// Header and value.
    pub(super) target: Option<(&'static str, String)>,
    pub(super) query: Vec<(&'static str, String)>,
    /// `asc` or `desc`.
    pub(super) direction: &'static str,
    /// The list's key.
    pub(super) key: &'static str,
    /// Keys of an object, or of a list of one object, that the list may be in.
    pub(super) wrappers: &'static [&'static str],
}

impl Listing {
    /// Without a target and parameters of its own, in the order that the service has by default.
    pub(super) fn of(path: &'static str, key: &'static str) -> Self {
        Self { path, target: None, query: Vec::new(), direction: "desc", key, wrappers: &[] }
    }

    /// Counts only roles of these kinds, where any is named.
    pub(super) fn of_types(mut self, asked: &[RoleType]) -> Result<Self, ProviderError> {
        let kinds = role_types::kinds(asked)?;
        if !kinds.is_empty() {
            self.query.push(("roleTypes", kinds.join(",")));
        }
        Ok(self)
    }

    fn request(&self, at: &Session, start: usize, size: usize) -> Request<Reading> {
        let mut request = at.get(self.path);
        if let Some((name, value)) = &self.target {
            request = request.header(name, value);
        }
        request = request.query("startPage", start).query("pageSize", size).query("orderDirection", self.direction);
        for (name, value) in &self.query {
            request = request.query(name, value);
        }
        request
    }

    /// One page, cut by the service. One without anything in it is passed over where the service says that there are more.
    pub(super) async fn page<T: DeserializeOwned>(&self, at: &Session, page: &PageRequest) -> Result<List<T>, ProviderError> {
        let (start, size) = match theirs(page)? {
            None => (1, page.limit),
            // A page of another size would begin elsewhere.
            Some(cursor) => place(&cursor)
                .ok_or_else(|| ProviderError::invalid("the cursor is of another list", "leave `cursor` out for the first page"))?,
        };
        let count = AtomicU64::new(NOT_TOLD);
        let found = filled(Some(start.to_string()), |next| self.fetch(at, next, size, &count)).await?;
        let (items, has_more) = (once(found.items), found.next.is_some());
        let next_cursor = found.next.map(|next| Cursor::after(&format!("{next} {size}")).0);
        let total = Some(count.into_inner()).filter(|it| *it != NOT_TOLD);
        Ok(List { shown: items.len(), items, has_more, next_cursor, total })
    }

    /// Whether the page is one of the service's own, and not of a list that was read whole.
    pub(super) fn is_cut_by_service(page: &PageRequest) -> bool {
        theirs(page).is_ok_and(|cursor| cursor.is_none_or(|it| place(&it).is_some()))
    }

    /// All of it.
    pub(super) async fn all<T>(&self, at: &Session) -> Result<Arc<Vec<T>>, ProviderError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let key = self.request(at, 1, WHOLE).key()?;
        let count = AtomicU64::new(NOT_TOLD);
        at.once(&key, || drain(|next| self.fetch(at, next, WHOLE, &count))).await
    }

    /// The page with this number. There are more where the service counts more pages, or has not given what it counts; where it
    /// counts nothing, after a page that is full. `count` is what it counts in all.
    async fn fetch<T: DeserializeOwned>(
        &self,
        at: &Session,
        number: Option<String>,
        size: usize,
        count: &AtomicU64,
    ) -> Result<Drained<T>, ProviderError> {
        let start = number.and_then(|it| it.parse().ok()).unwrap_or(1);
        let answer = self.request(at, start, size).value().await?;
        let list = self.own_list(&answer)?;
        let items = items(list.as_array().map(Vec::as_slice).unwrap_or_default()).map_err(|what| unreadable(at, &what))?;
        let told = |key: &str| answer.get(key).and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok());
        let (pages, all) = (told("pages"), told("count"));
        if let Some(all) = all {
            count.store(all as u64, Ordering::Relaxed);
        }
        let last = pages.or_else(|| all.map(|it| it.div_ceil(size)));
        let is_capped = pages.is_none() && items.len() < size && all.is_some_and(|all| start * items.len() < all);
        let more = last.map_or(items.len() == size, |last| start < last || (is_capped && !items.is_empty()));
        Ok(Drained { items, next: more.then(|| (start + 1).to_string()) })
    }
}

impl Listing {
    /// The list in an answer: of the one project or organization that was asked about, where the answer tells of which it is.
    fn own_list(&self, answer: &Value) -> Result<Value, ProviderError> {
        let Some((header, wanted)) = &self.target else { return Ok(list(answer, self.key, self.wrappers)) };
        let name = if *header == "project-id" { "projectId" } else { "organizationId" };
        let parts = self.wrappers.iter().filter_map(|it| answer.get(*it)).flat_map(|it| match it {
            Value::Array(parts) => parts.iter().collect(),
            one => vec![one],
        });
        let (own, others): (Vec<&Value>, Vec<&Value>) =
            parts.filter(|it| it.get(name).is_some_and(Value::is_string)).partition(|it| has_address(it[name].as_str(), wanted));
        match (own.first(), others.first()) {
            (Some(own), _) => Ok(list(own, self.key, &[])),
            (None, Some(_)) => Err(ProviderError::conflict(
                "filter_ignored",
                "the service was asked about one place and answered about another",
                "repeat the call; if it stays so, tell the provider's support",
            )),
            (None, None) => Ok(list(answer, self.key, self.wrappers)),
        }
    }
}

/// In the place of a count: the service tells none.
const NOT_TOLD: u64 = u64::MAX;

/// Page and size of a cursor.
fn place(cursor: &str) -> Option<(usize, usize)> {
    let (start, size) = cursor.split_once(' ')?;
    let (start, size) = (start.parse().ok()?, size.parse().ok()?);
    (start > 0 && (1..=100).contains(&size)).then_some((start, size))
}

/// A list at the top or inside a wrapper; a single thing is a list of one.
pub(super) fn list(answer: &Value, key: &str, wrappers: &[&str]) -> Value {
    let inside = |it: &Value| match it.get(key) {
        Some(items @ Value::Array(_)) => Some(items.clone()),
        Some(one @ Value::Object(_)) => Some(Value::Array(vec![one.clone()])),
        _ => None,
    };
    let wrapped = || {
        wrappers.iter().find_map(|wrapper| match answer.get(*wrapper)? {
            Value::Array(items) => items.first().and_then(inside),
            one => inside(one),
        })
    };
    inside(answer).or_else(wrapped).unwrap_or_else(|| Value::Array(Vec::new()))
}

/// A value in this shape; what it holds stays out of the error, since it may be a secret.
pub(super) fn read<T: DeserializeOwned>(at: &Session, value: &Value) -> Result<T, ProviderError> {
    tolerant(value).map_err(|what| unreadable(at, &what))
}

fn unreadable(at: &Session, what: &str) -> ProviderError {
    ProviderError::conflict(
        "unreadable_answer",
        format!("the answer of connection `{}` cannot be read at `{what}`", at.settings.remote.connection),
        "repeat the call; if it stays so, see whether `base_url` leads to the service itself",
    )
}

/// A project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireProject {
    pub(super) project_id: String,
    #[serde(default)]
    pub(super) project_name: String,
    #[serde(default)]
    pub(super) project_active: Option<bool>,
    #[serde(default)]
    pub(super) project_description: Option<String>,
    #[serde(default)]
    pub(super) project_status: Option<i64>,
    #[serde(default)]
    pub(super) organization_id: Option<String>,
    #[serde(default)]
    pub(super) organization_name: Option<String>,
    #[serde(default)]
    pub(super) tokens: Option<Vec<WireToken>>,
    /// Here where a project is one of somebody's.
    #[serde(default)]
    pub(super) roles: Vec<WireRole>,
}

/// A role.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireRole {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default, rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) origin: Option<String>,
}

/// Somebody in a project or organization.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WireMember {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) roles: Vec<WireRole>,
}

impl WireMember {
    /// What a person calls them: the e-mail, where the service tells it.
    pub(super) fn label(&self) -> String {
        let known = [&self.email, &self.name, &self.id];
        known.into_iter().flatten().find(|it| !it.is_empty()).cloned().unwrap_or_default()
    }

    pub(super) fn role_names(&self) -> Vec<String> {
        self.roles.iter().map(|it| it.name.clone()).collect()
    }

    /// What they are found by.
    pub(super) fn known(&self) -> Known<'_> {
        let [id, email, name] = [&self.id, &self.email, &self.name].map(|it| it.as_deref().unwrap_or_default());
        Known { id, email, name, also: None }
    }

    /// Whether an e-mail or id means them.
    pub(super) fn is(&self, wanted: &str) -> bool {
        has_id(self.id.as_deref(), wanted) || has_address(self.email.as_deref(), wanted)
    }
}

/// An organization.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "WireSpellings")]
pub(super) struct WireOrganization {
    pub(super) id: String,
    pub(super) name: String,
    /// Those of the person who was asked about.
    pub(super) projects: Vec<WireProject>,
}

/// An organization in both spellings; one answer may have both.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSpellings {
    organization_id: Option<String>,
    id: Option<String>,
    organization_name: Option<String>,
    name: Option<String>,
    projects: Option<Vec<WireProject>>,
}

impl From<WireSpellings> for WireOrganization {
    fn from(it: WireSpellings) -> Self {
        Self {
            id: it.organization_id.or(it.id).unwrap_or_default(),
            name: it.organization_name.or(it.name).unwrap_or_default(),
            projects: it.projects.unwrap_or_default(),
        }
    }
}

/// A token. Its id is the secret itself and goes nowhere but into requests and, when new, to the secret sink.
#[derive(Clone, Deserialize)]
pub(super) struct WireToken {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) timestamp: Option<String>,
    #[serde(default)]
    pub(super) scope: Option<String>,
}

impl std::fmt::Debug for WireToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WireToken").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A usage limit.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireLimit {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) subscription_type: String,
    #[serde(default)]
    pub(super) usage_unit: String,
    #[serde(default, deserialize_with = "number")]
    pub(super) soft_limit: f64,
    #[serde(default, deserialize_with = "number")]
    pub(super) hard_limit: f64,
    #[serde(default, deserialize_with = "maybe_number")]
    pub(super) used_amount: Option<f64>,
    /// The same in another spelling.
    #[serde(default, deserialize_with = "maybe_number")]
    pub(super) current_usage: Option<f64>,
    #[serde(default, deserialize_with = "maybe_number")]
    pub(super) remaining_usage: Option<f64>,
    #[serde(default)]
    pub(super) valid_until: Option<String>,
    #[serde(default)]
    pub(super) renewal_status: String,
    /// 1 active, 2 expired, 3 used up, 4 cancelled; a text where it was deleted.
    #[serde(default)]
    pub(super) status: Value,
    #[serde(default)]
    pub(super) valid_from: Option<String>,
}

/// Numbers come as such or as text.
fn maybe_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(match Option::<Value>::deserialize(from)? {
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_f64(),
        None => None,
    })
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    maybe_number(from)?.ok_or_else(|| serde::de::Error::custom("not a number"))
}

/// A time of the service, which writes none of its zone: taken as UTC.
pub(super) fn time(text: Option<&String>) -> Option<Timestamp> {
    let text = text?.trim().trim_end_matches('Z');
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some(Timestamp(time.and_utc().timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_found_in_every_wrapping() {
        let roles = json!([{ "name": "one" }]);
        for answer in [
            json!({ "roles": roles }),
            json!({ "project": { "roles": roles } }),
            json!({ "projects": [{ "roles": roles }] }),
            json!({ "project": { "roles": { "name": "one" } } }),
        ] {
            assert_eq!(list(&answer, "roles", &["projects", "project"]), roles, "{answer}");
        }
        assert_eq!(list(&json!({ "projects": [] }), "roles", &["projects"]), json!([]));
    }

    #[test]
    fn an_organization_is_read_in_both_spellings_at_once() {
        for answer in [
            json!({ "id": "1", "name": "Acme" }),
            json!({ "organizationId": "1", "organizationName": "Acme" }),
            json!({ "organizationId": "1", "id": "1", "organizationName": "Acme", "name": "Acme" }),
        ] {
            let read = serde_json::from_value::<WireOrganization>(answer).map(|it| (it.id, it.name)).ok();
            assert_eq!(read, Some(("1".to_owned(), "Acme".to_owned())));
        }
    }

    #[test]
    fn times_are_read_with_and_without_a_zone() {
        let expected = Some(Timestamp(1_793_613_600_000));
        for text in ["2026-11-02T10:00:00", "2026-11-02T10:00:00.000", "2026-11-02T10:00:00Z"] {
            assert_eq!(time(Some(&text.to_owned())), expected, "{text}");
        }
        assert_eq!(time(Some(&"yesterday".to_owned())), None);
    }
}
