//! The service's JSON. One generation of its gateway writes `display_name` and leaves zero values out, another writes
//! `displayName` and zero values: both are read, by what reads all answers. What is not named here is not checked, least of all a project's `config`,
//! which can hold the credentials of its storage.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::{
    domain::Timestamp,
    error::ProviderError,
    providers::{http::Reply, meant::has_address},
};

/// Null is what is written where nothing is there.
pub(super) fn lenient<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A thing as the service answers with it after a change.
pub(super) trait Answered: DeserializeOwned {
    fn id(&self) -> &str;

    /// Reads the answer. One that names nothing tells as little as none: `fix` says which read tells more.
    fn read(reply: &Reply, fix: &str) -> Result<Self, ProviderError> {
        let it: Self = reply.read(fix)?;
        if it.id().is_empty() {
            return Err(ProviderError::Unanswered {
                message: "the change was sent, and the service's answer does not say what came of it".into(),
                fix: fix.to_owned(),
                late: false,
            });
        }
        Ok(it)
    }
}

macro_rules! answered {
    ($($type:ident: $($field:ident).+;)+) => {$(
        impl Answered for $type {
            fn id(&self) -> &str {
                &self.$($field).+
            }
        }
    )+};
}

answered! {
    WireOrg: id;
    WireUser: id;
    WireSeat: user.id;
    WireProject: id;
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireOrgs {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) orgs: Vec<WireOrg>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireOrg {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) description: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) logo_url: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) subscription_id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) audit: WireAudit,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireAudit {
    #[serde(default, deserialize_with = "lenient")]
    created: WireStamp,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct WireStamp {
    #[serde(default, deserialize_with = "lenient")]
    timestamp: WireNumber,
}

/// A 64-bit number, which JSON of gRPC writes as a text.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged)]
enum WireNumber {
    #[default]
    None,
    Text(String),
    Number(i64),
}

impl WireAudit {
    /// When the thing was made. The unit is not documented and told by the size: no two units share a date from 1973 to 5138.
    pub(super) fn created_at(&self) -> Option<Timestamp> {
        let number = match &self.created.timestamp {
            WireNumber::None => None,
            WireNumber::Text(text) => text.parse().ok(),
            WireNumber::Number(number) => Some(*number),
        };
        let number = number.filter(|it| *it > 0)?;
        Some(Timestamp(match number {
            it if it < 100_000_000_000 => it * 1000,
            it if it < 100_000_000_000_000 => it,
            it if it < 100_000_000_000_000_000 => it / 1000,
            it => it / 1_000_000,
        }))
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireUser {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) display_name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) email: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) status: String,
}

impl WireUser {
    /// What a person calls this one.
    pub(super) fn label(&self) -> &str {
        if self.email.is_empty() { &self.id } else { &self.email }
    }

    pub(super) fn has_email(&self, email: &str) -> bool {
        has_address(self.email.as_str(), email)
    }
}

/// Somebody in an organization or a project. `role` is a text whose form is not documented: a title or an id.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireSeat {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) user: WireUser,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) role: String,
    /// Whether it is somebody who is not a member of the organization; where it is missing, the list tells.
    #[serde(default)]
    pub(super) external: Option<bool>,
}

/// The people of an organization, or of a project.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireSeats {
    #[serde(default)]
    org_users: Vec<WireSeat>,
    #[serde(default)]
    project_users: Vec<WireSeat>,
    #[serde(default)]
    users: Vec<WireSeat>,
    #[serde(default)]
    external_users: Vec<WireSeat>,
}

impl WireSeats {
    /// All of them, each once, though the list be told by several of its names; each says whether it is external.
    pub(super) fn everybody(self) -> Vec<WireSeat> {
        let marked = |list: Vec<WireSeat>, external: bool| {
            list.into_iter().map(move |it| WireSeat { external: Some(it.external.unwrap_or(external)), ..it })
        };
        let members = [self.org_users, self.project_users, self.users].concat();
        let mut seen = HashSet::new();
        let everybody = marked(members, false).chain(marked(self.external_users, true));
        everybody.filter(|it| !it.user.id.is_empty() && seen.insert(it.user.id.clone())).collect()
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireProjects {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) projects: Vec<WireProject>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireProject {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) description: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) org: WireNamed,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) audit: WireAudit,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct WireNamed {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireConfigs {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) roles: Vec<WireRole>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) permissions: Vec<WirePermission>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireRole {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) permissions: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WirePermission {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) action: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) resource: String,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::providers::http::tolerant;

    #[expect(clippy::needless_pass_by_value, reason = "a literal is given")]
    fn from_value<T: DeserializeOwned>(told: Value) -> Result<T, String> {
        tolerant(&told)
    }

    #[test]
    fn both_spellings_and_nulls_are_read() {
        let older: WireOrg =
            from_value(json!({ "id": "o-1", "name": "Acme", "subscription_id": "s-1", "more": 1 })).expect("an organization");
        let newer: WireOrg = from_value(json!({
            "id": "o-1", "name": "Acme", "description": "", "logoUrl": "", "subscriptionId": "s-1", "stats": {}, "audit": null,
        }))
        .expect("an organization");
        assert_eq!(format!("{older:?}"), format!("{newer:?}"));
        let seats: WireSeats = from_value(json!({
            "orgUsers": [{ "user": { "id": "u-1", "displayName": "Ada" }, "role": "Owner" }, { "user": { "id": "u-2" }, "external": true }],
            "externalUsers": [{ "user": { "id": "u-3", "display_name": "Eve" }, "role": null }],
        }))
        .expect("people");
        let told: Vec<_> = seats.everybody().into_iter().map(|it| (it.user.display_name, it.external)).collect();
        assert_eq!(told, [("Ada".into(), Some(false)), (String::new(), Some(true)), ("Eve".into(), Some(true))]);
    }

    #[test]
    fn a_time_is_read_in_any_unit() {
        for timestamp in
            [json!("1700000000"), json!(1_700_000_000), json!("1700000000000"), json!("1700000000000000"), json!("1700000000000000000")]
        {
            let audit: WireAudit = from_value(json!({ "created": { "timestamp": timestamp, "by": { "id": "u-1" } } })).expect("an audit");
            assert_eq!(audit.created_at(), Some(Timestamp(1_700_000_000_000)), "{timestamp}");
        }
        assert_eq!(WireAudit::default().created_at(), None);
    }
}
