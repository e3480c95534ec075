//! Service accounts and keys of the demo company.

use serde::Deserialize;

use super::{Ago, Rows, json_array, people::user_id, read};
use crate::{
    domain::fold,
    error::ProviderError,
    store::{Val, args, sha256},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    service_accounts: Vec<ServiceAccount>,
    keys: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceAccount {
    id: String,
    project: String,
    name: String,
    role: String,
}

/// A key of a service account, of a person, or of somebody who has left.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    id: String,
    project: String,
    account: Option<String>,
    person: Option<String>,
    name: String,
    description: Option<String>,
    scopes: Vec<String>,
    #[serde(default)]
    blocked: bool,
    /// Days ago.
    #[serde(default = "three_months")]
    created: i64,
    /// Days from now; negative: it has expired.
    expires: Option<i64>,
    /// Days ago.
    used: Option<i64>,
}

fn three_months() -> i64 {
    90
}

pub(super) fn rows(ago: Ago) -> Result<Vec<Rows>, ProviderError> {
    let Data { service_accounts, keys } = read(include_str!("keys.toml"))?;
    let accounts = service_accounts.iter().map(|it| args![&it.id, &it.project, &it.name, fold(&it.name), &it.role, ago.days(120)]);
    Ok(vec![
        Rows::of("service_accounts", &["id", "project_id", "name", "name_key", "role_id", "created_at"], accounts),
        Rows::of(
            "api_keys",
            &[
                "id",
                "project_id",
                "service_account_id",
                "user_id",
                "name",
                "name_key",
                "description",
                "hash",
                "hint",
                "scopes",
                "status",
                "created_at",
                "expires_at",
                "last_used_at",
            ],
            keys.iter().map(|it| row(ago, it)),
        ),
    ])
}

fn row(ago: Ago, it: &Key) -> [Val; 14] {
    // No value has this hash: what is hashed does not look like a key, so these keys open nothing.
    let hash = sha256(format!("no key, but the demo row {}", it.id));
    let hint = hash[..4].to_owned();
    args![
        &it.id,
        &it.project,
        &it.account,
        it.person.as_deref().map(user_id),
        &it.name,
        fold(&it.name),
        &it.description,
        hash,
        hint,
        json_array(&it.scopes),
        if it.blocked { "blocked" } else { "active" },
        ago.days(it.created),
        it.expires.map(|days| ago.days(-days)),
        it.used.map(|days| ago.days(days))
    ]
}
