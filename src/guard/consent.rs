//! Consent: the question, and what counts as a yes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Plan, canonical};
use crate::{
    domain::{Gravity, Impact, Target, Timestamp, one_line},
    shape::{cut, redact},
    store::sha256,
    tools::Tool,
};

/// How long a question may be answered, and an answer used.
pub const TTL_SECONDS: i64 = 300;

/// What a person is asked. Built from validated arguments and looked-up names only; nothing in it was written by a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub text: String,
    /// What has to be typed; `None` where a yes is enough.
    pub type_this: Option<String>,
    /// Why an earlier answer to it no longer counts, where that is so.
    pub again: Option<&'static str>,
}

/// Why a yes from before a standby took over is void: it may have been used, and the standby may not know.
pub(super) const WENT_OVER: &str = "the database failed over to another server since this was asked, so an earlier answer no longer counts";

impl Question {
    /// `connection` may name several, for people.
    pub(super) fn of(tool: &Tool, connection: &str, plan: &Plan) -> Self {
        let Plan { target, impact, name, .. } = plan;
        let typed = impact.gravity >= Gravity::High;
        let mut text = format!("{}: {}", tool.title, label(target));
        if let Some(within) = &target.within {
            text += &format!(" in {}", safe(within));
        }
        if let Some(organization) = target.organization.as_deref().filter(|it| *it != target.name || target.kind != "organization") {
            text += &format!(", organization {}", safe(organization));
        }
        text += &format!(" (connection {})?", safe(connection));
        for line in lines(impact) {
            text += &format!("\n- {line}");
        }
        text += &match &impact.undo {
            Some(undo) => format!("\nUndo: {}", safe(undo)),
            None => "\nThis cannot be undone.".to_owned(),
        };
        let type_this = typed.then(|| name.clone());
        if let Some(name) = &type_this {
            text += &format!("\nTo confirm, type: {}", safe(name));
        }
        Self { text, type_this, again: None }
    }

    /// The same question, asked once more because the store has gone over to another server.
    pub(super) fn once_more(self) -> Self {
        Self { text: format!("Asked once more: {WENT_OVER}.\n{}", self.text), again: Some(WENT_OVER), ..self }
    }

    /// The form for it: one required field.
    pub fn schema(&self) -> Value {
        match &self.type_this {
            Some(name) => json!({
                "type": "object",
                "properties": { "name": { "type": "string", "title": cut(&format!("Type {} to confirm", safe(name)), 120), "description": "With any other text, nothing is changed." } },
                "required": ["name"],
            }),
            None => json!({
                "type": "object",
                "properties": { "confirm": { "type": "boolean", "title": "Yes, do it", "description": "Without a yes, nothing is changed.", "default": false } },
                "required": ["confirm"],
            }),
        }
    }

    /// Why what the person typed is not a yes: `atlas` is not `Atlas`.
    pub(crate) fn mismatch(&self, form: &Value) -> String {
        let typed = cut(&one_line(form.get("name").and_then(Value::as_str).unwrap_or_default().trim()), 80);
        let wanted = safe(self.type_this.as_deref().unwrap_or_default());
        if typed.is_empty() { format!("nothing was typed instead of `{wanted}`") } else { format!("`{typed}` does not match `{wanted}`") }
    }

    /// Whether an accepted form says yes, read strictly.
    pub(crate) fn is_yes(&self, form: &Value) -> bool {
        match &self.type_this {
            Some(name) => form.get("name").and_then(Value::as_str).is_some_and(|typed| typed.trim() == name.trim()),
            None => form.get("confirm") == Some(&Value::Bool(true)),
        }
    }
}

/// What has to be typed for a target: its name; where nobody can type that as it is shown, its id; else its kind.
pub(super) fn typed_name(target: &Target) -> String {
    let names = [Some(target.name.as_str()), target.id.as_deref()];
    let kind = target.kind.replace('_', " ");
    names.into_iter().flatten().find(|it| is_typable(it)).map_or(kind, str::to_owned)
}

/// Whether a person who reads a text on a form can type it: nothing in it is hidden, cut, folded or redacted when it is shown.
fn is_typable(text: &str) -> bool {
    let spaces_show = text.trim() == text && !text.contains("  ") && text.chars().all(|it| it == ' ' || !it.is_whitespace());
    !text.is_empty() && spaces_show && safe(text) == text
}

/// The impact, a line per fact.
pub fn lines(impact: &Impact) -> Vec<String> {
    let losses = impact.losses.iter().map(|it| {
        let named = it.examples.len() as u64;
        let more = if it.count > named && named > 0 { format!(" and {} more", it.count - named) } else { String::new() };
        let examples = it.examples.iter().map(|it| safe(it)).collect::<Vec<_>>().join(", ");
        let examples = if named > 0 { format!(" ({examples}{more})") } else { String::new() };
        format!("{} {}{examples}", it.count, safe(&it.what))
    });
    // A note is told whole: what stood behind a cut would be agreed to unseen.
    losses.chain(impact.notes.iter().map(|it| whole(it))).collect()
}

fn label(target: &Target) -> String {
    let id = target.id.as_deref().filter(|it| *it != target.name).map(|it| format!(" [{}]", safe(it))).unwrap_or_default();
    format!("{} {}{id}", target.kind.replace('_', " "), safe(&target.name))
}

/// Outsiders' text inside a question: one line, nothing invisible, not long.
fn safe(text: &str) -> String {
    cut(&whole(text), 200)
}

fn whole(text: &str) -> String {
    redact(&one_line(text)).into_owned()
}

/// A question that was asked, to be given back with its answer. It is sealed on its way through a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    #[serde(rename = "n")]
    pub(super) nonce: String,
    /// Digest of tool, connection, caller and arguments.
    #[serde(rename = "c")]
    pub(super) call: String,
    /// Version of what was told.
    #[serde(rename = "v")]
    pub(super) version: String,
    #[serde(rename = "e")]
    pub(super) expires_at: i64,
    /// When the call was asked for; see [`super::Guard::asked_since`].
    #[serde(rename = "s", default)]
    pub(super) since: i64,
    /// The store's timeline when it was asked.
    #[serde(rename = "t", default, skip_serializing_if = "String::is_empty")]
    pub(super) timeline: String,
}

impl Ticket {
    /// `now` is the store's time, `since` when the call was asked for.
    pub(super) fn new(call: &str, version: &str, (now, since): (Timestamp, Timestamp), timeline: &str) -> Self {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let expires_at = now.plus_seconds(TTL_SECONDS).0;
        let (call, version, timeline) = (call.to_owned(), version.to_owned(), timeline.to_owned());
        Self { nonce, call, version, expires_at, since: since.0, timeline }
    }
}

/// What came back for a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The form was sent off with this content.
    Accepted(Value),
    Declined,
    Cancelled,
    /// Nobody answered in time, or the client could not show the question.
    Unanswered,
}

/// How the caller comes to a yes.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    Nothing,
    /// Nothing yet; the client can open pages of the console.
    Opens,
    /// Nothing yet; the client shows the question as a page of its own, on which a person answers.
    Shows,
    /// Nothing yet; a person sits at the terminal of this very process.
    Here,
    /// A person's answer, brought by the client.
    Form(Ticket, Answer),
    /// A person's answer, typed at the terminal of this very process.
    Typed(Ticket, Answer),
    /// The question's own token, sent back by the caller: it shows that the call is the same, no more.
    Token(Ticket),
}

/// What binds a consent to a call: tool, connection, caller, arguments.
pub(super) fn call_digest(tool: &str, connection: &str, principal: &str, arguments: &Value) -> String {
    sha256(canonical(&json!(["call", tool, connection, principal, arguments])))
}

/// What binds an approval to a call and to what was told about it.
pub(super) fn binding(call: &str, version: &str) -> String {
    sha256(format!("approval\n{call}\n{version}"))
}
