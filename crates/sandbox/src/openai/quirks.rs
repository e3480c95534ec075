//! How the service departs from its description, where a test asks for it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Answer, Call};

/// Switches, all of them off at the start.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Quirks {
    /// What lists say about their continuation.
    pub pages: Pages,
    /// How errors look.
    pub errors: ErrorShape,
    /// What answers look like that describe something.
    pub disguise: Disguise,
    /// Calls that will fail, the first one that fits first; each is used up by it.
    pub failures: VecDeque<Failure>,
    /// What others do meanwhile: `METHOD PATH`, one after each answer to a `GET`.
    pub meanwhile: VecDeque<String>,
    /// The rule until August 2026: a service account's key goes with its account and not before.
    pub service_account_keys_stay: bool,
    /// How many reads do not find a service account that has just been made.
    pub late_service_accounts: u32,
    /// The policy that new keys have to end within so many seconds.
    pub longest_key_life: Option<i64>,
}

/// What lists say about their continuation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pages {
    #[default]
    Honest,
    /// There is more, and no cursor that leads to it.
    MoreWithoutCursor,
    /// There is always more, until a page is empty.
    EndWithEmptyPage,
    /// From the second page on, the cursor is the one that was just used.
    RepeatCursor,
    /// No `has_more`, but a cursor.
    SayNothing,
}

/// How errors look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorShape {
    #[default]
    Object,
    /// `{"error": "text"}`, as the live service has it for missing scopes.
    Text,
    /// `{"code": 404, "message": "text"}`, as older references have it.
    Flat,
    /// A proxy's page.
    Html,
    Empty,
}

/// What answers look like that describe something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Disguise {
    #[default]
    None,
    /// Optional fields are left out.
    Sparse,
    /// Values that nobody has heard of, and fields too.
    Novel,
}

/// A call that will fail before anything happens.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Failure {
    /// Empty: any.
    pub method: String,
    /// Part of the path; empty: any.
    pub path: String,
    pub status: u16,
    /// `x-should-retry`
    pub should_retry: Option<bool>,
    /// `retry-after-ms`
    pub retry_after_ms: Option<u64>,
    /// `retry-after`
    pub retry_after: Option<String>,
}

impl Failure {
    fn fits(&self, call: &Call) -> bool {
        (self.method.is_empty() || self.method == call.method) && call.segments.join("/").contains(self.path.trim_matches('/'))
    }

    pub(super) fn add_headers(&self, answer: Answer) -> Answer {
        let headers = [
            ("x-should-retry", self.should_retry.map(|it| it.to_string())),
            ("retry-after-ms", self.retry_after_ms.map(|it| it.to_string())),
            ("retry-after", self.retry_after.clone()),
        ];
        headers.into_iter().fold(answer, |answer, (name, value)| match value {
            Some(value) => answer.with_header(name, value),
            None => answer,
        })
    }
}

impl Quirks {
    /// The planned failure of a call, if there is one.
    pub(super) fn failure(&mut self, call: &Call) -> Option<Failure> {
        let at = self.failures.iter().position(|it| it.fits(call))?;
        self.failures.remove(at)
    }

    /// An answer as the service gives it away.
    pub(super) fn disguised(&self, mut body: Value) -> Value {
        match self.disguise {
            Disguise::None => {}
            Disguise::Sparse => each_object(&mut body, &leave_out_optional),
            Disguise::Novel => each_object(&mut body, &make_novel),
        }
        body
    }
}

fn each_object(value: &mut Value, change: &impl Fn(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            // Inside first: what is put in here is not looked into.
            object.values_mut().for_each(|it| each_object(it, change));
            change(object);
        }
        Value::Array(list) => list.iter_mut().for_each(|it| each_object(it, change)),
        _ => {}
    }
}

/// The fields that need not be there, by `object`.
const OPTIONAL: [(&str, &[&str]); 9] = [
    ("organization.project", &["name", "archived_at", "status", "external_key_id", "residency"]),
    ("organization.project.user", &["name", "email"]),
    ("organization.project.api_key", &["expires_at"]),
    ("organization.project.service_account.api_key", &["expires_at"]),
    (
        "project.rate_limit",
        &["max_images_per_1_minute", "max_audio_megabytes_per_1_minute", "max_requests_per_1_day", "batch_1_day_max_input_tokens"],
    ),
    (
        "organization.user",
        &[
            "name",
            "email",
            "role",
            "created",
            "is_default",
            "is_service_account",
            "is_scim_managed",
            "is_scale_tier_authorized_purchaser",
            "api_key_last_used_at",
            "technical_level",
            "developer_persona",
            "user",
            "projects",
        ],
    ),
    ("organization.invite", &["expires_at", "accepted_at"]),
    ("organization.admin_api_key", &["name", "last_used_at"]),
    ("list", &["first_id"]),
];

fn leave_out_optional(object: &mut Map<String, Value>) {
    let name = object.get("object").and_then(Value::as_str).unwrap_or_default();
    if let Some((_, optional)) = OPTIONAL.iter().find(|it| it.0 == name) {
        object.retain(|key, _| !optional.contains(&key.as_str()));
    }
}

/// Fields that hold one of a few words, and a word that is none of them.
const WORDS: [(&str, &str); 6] = [
    ("residency", "MOON_STORAGE"),
    ("group_type", "constellation"),
    ("user_type", "visitor"),
    ("owner_project_access", "dormant"),
    ("status", "simmering"),
    ("principal_type", "constellation"),
];

fn make_novel(object: &mut Map<String, Value>) {
    for (key, word) in WORDS {
        if let Some(value) = object.get_mut(key).filter(|it| it.is_string()) {
            *value = word.into();
        }
    }
    object.insert("x_novel".to_owned(), json!({ "since": "tomorrow", "object": "novelty" }));
}
