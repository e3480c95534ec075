//! A request as a platform sees it, and its answer.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Value, json};

/// A request, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path's segments, each decoded; a trailing slash gives an empty last one.
    pub segments: Vec<String>,
    /// Names and values in order, decoded.
    pub query: Vec<(String, String)>,
    /// By lower-case name; of a header that comes twice the last one.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Call {
    /// Reads a request's head and body; `target` is path and query as they came.
    #[must_use]
    pub fn new(method: &str, target: &str, headers: BTreeMap<String, String>, body: Vec<u8>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decode = |it: &str| percent_decode_str(it).decode_utf8_lossy().into_owned();
        let segments = path.strip_prefix('/').unwrap_or(path).split('/').map(decode).collect();
        let pair = |it: &str| {
            let (name, value) = it.split_once('=').unwrap_or((it, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        };
        let query = query.split('&').filter(|it| !it.is_empty()).map(pair).collect();
        Self { method: method.to_owned(), segments, query, headers, body }
    }

    /// Method and segments, for a `match`: `("GET", ["v1", "organization", "project", id])`.
    #[must_use]
    pub fn route(&self) -> (&str, Vec<&str>) {
        (&self.method, self.segments.iter().map(String::as_str).collect())
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    /// A header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The token of `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization").and_then(|it| it.strip_prefix("Bearer ")).map(str::trim).filter(|it| !it.is_empty())
    }

    /// The body as JSON; `None` for an empty one or one that is none.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What a platform answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// JSON, with any status.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body }
    }

    /// 200 with JSON.
    #[must_use]
    pub fn ok(body: &impl Serialize) -> Self {
        Self::json(200, body)
    }

    /// A status without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Bytes of a media type.
    #[must_use]
    pub fn bytes(media_type: &str, body: Vec<u8>) -> Self {
        Self { status: 200, headers: vec![("content-type", media_type.to_owned())], body }
    }

    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn text(status: u16, media_type: &str, body: &str) -> Self {
        Self { status, headers: vec![("content-type", media_type.to_owned())], body: body.as_bytes().to_vec() }
    }

    pub(super) fn no_such_path() -> Self {
        Self::json(404, &json!({ "message": "the sandbox has nothing here" }))
    }
}
