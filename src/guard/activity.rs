//! What was done: the ledger, read back.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{Caller, Guard};
use crate::{
    domain::{Cursor, List, PageRequest, ReferenceText as _, Timestamp},
    error::ProviderError,
    store::{CallPage, Db, LedgerRow},
    tools::{
        Effect,
        context::{Activity, ListActivity, Outcome},
    },
};

/// How many calls are looked through at once for the people whom they were about.
const AT_ONCE: i64 = 200;

impl Guard {
    /// Lists calls, newest first: those of the caller, or all for who sits at the machine itself and where the operator has set it so.
    pub(crate) async fn list_activity(&self, op: &ListActivity, caller: &Caller) -> Result<List<Activity>, ProviderError> {
        let all = caller.is_local() || self.settings.shared_activity;
        list_activity(&self.db, op, Some(caller.principal.as_str()).filter(|_| !all)).await
    }

    /// The addresses of people that the calls which [`Self::list_activity`] shows were about, of the newest ones.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub(crate) async fn recorded_people(&self, caller: &Caller) -> Result<BTreeSet<String>, ProviderError> {
        let all = caller.is_local() || self.settings.shared_activity;
        recorded_people(&self.db, Some(caller.principal.as_str()).filter(|_| !all)).await
    }
}

/// Lists calls, newest first: those of one principal, or all.
pub(crate) async fn list_activity(db: &Db, op: &ListActivity, principal: Option<&str>) -> Result<List<Activity>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let since = op.since.as_deref().map(parse_since).transpose()?;
    let tool = op.tool.as_deref().map(known_tool).transpose()?;
    let before = page.cursor.as_ref().map_or(Ok(i64::MAX), parse_cursor)?;
    let member = op.member.as_ref().map(|it| it.text().to_lowercase());
    let mut wanted = CallPage {
        before,
        since,
        tool,
        principal,
        outcome: op.outcome.map(Outcome::name),
        word: member.as_deref(),
        // One more, to see whether there are more.
        rows: i64::try_from(page.limit + 1).unwrap_or(i64::MAX),
    };
    let mut conn = db.search().await?;
    let mut items: Vec<(i64, Activity)> = Vec::new();
    // What a row says counts, and not by what it was found; so rows are read until enough fit.
    loop {
        let rows = conn.calls(&wanted).await?;
        let Some(last) = rows.last() else { break };
        wanted.before = last.seq;
        let intents: Vec<&str> = rows.iter().filter(|it| it.entry == "intent").map(|it| it.call_id.as_str()).collect();
        // The last word on a call counts.
        let outcomes: HashMap<String, LedgerRow> = conn.outcomes(&intents).await?.into_iter().map(|it| (it.call_id.clone(), it)).collect();
        items.extend(rows.iter().filter_map(|row| Some((row.seq, activity(row, outcomes.get(&row.call_id), op, (tool, principal))?))));
        if items.len() > page.limit {
            break;
        }
    }
    Ok(List::cut(items, page.limit, |it| it.0.to_string()).map(|it| it.1))
}

/// A call as lists show it; `None` where it was not asked for.
fn activity(
    row: &LedgerRow,
    outcome: Option<&LedgerRow>,
    op: &ListActivity,
    (only, principal): (Option<&str>, Option<&str>),
) -> Option<Activity> {
    let body = row.body();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tool = text(&body["tool"]);
    if only.is_some_and(|it| it != tool) || principal.is_some_and(|it| body["principal"] != it) {
        return None;
    }
    if let Some(member) = &op.member {
        let wanted = member.text().to_lowercase();
        let said = format!("{} {}", body["target"], body["arguments"]).to_lowercase();
        if !said.contains(&format!("\"{wanted}\"")) {
            return None;
        }
    }
    let ended = match row.entry.as_str() {
        "refusal" => Some(body.clone()),
        _ => outcome.map(LedgerRow::body),
    };
    let outcome = ended.as_ref().and_then(|it| serde_json::from_value(it["outcome"].clone()).ok()).unwrap_or(Outcome::OutcomeUnknown);
    if op.outcome.is_some_and(|it| it != outcome) {
        return None;
    }
    let consent = &body["consent"];
    let target = &body["target"];
    Some(Activity {
        call_id: row.call_id.clone(),
        at: Timestamp(row.at),
        tool,
        effect: serde_json::from_value::<Effect>(body["effect"].clone()).ok(),
        on: text(&body["connection"]),
        target: format!("{} {}", text(&target["kind"]), text(&target["name"])),
        outcome,
        principal: text(&body["principal"]),
        client: text(&body["client"]),
        consent: consent["mode"].as_str().filter(|it| *it != "none").map(str::to_owned),
        reason: ended.as_ref().and_then(|it| it["reason"].as_str()).map(str::to_owned),
    })
}

/// The tool that is named.
fn known_tool(name: &str) -> Result<&'static str, ProviderError> {
    let all: Vec<&'static str> = crate::tools::all().iter().map(|it| it.name).collect();
    let plain = |it: &str| it.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect::<String>();
    if let Some(found) = all.iter().find(|it| plain(it) == plain(name)) {
        return Ok(found);
    }
    let mut near = crate::tools::near(name, all.iter().copied());
    if near.is_empty() {
        // A verb alone is a beginning.
        near = all.iter().copied().filter(|it| it.split('_').next() == Some(plain(name).as_str())).collect();
    }
    let fix = match near.as_slice() {
        [] => "give the name of a tool, such as remove_project_member, or leave `tool` out".to_owned(),
        near => format!("give the whole name of one tool: {}", near.join(", ")),
    };
    Err(ProviderError::NotFound { kind: "tool", name: name.chars().take(80).collect(), scope: String::new(), fix })
}

async fn recorded_people(db: &Db, principal: Option<&str>) -> Result<BTreeSet<String>, ProviderError> {
    const PAGES: usize = 50;
    let mut wanted = CallPage { before: i64::MAX, since: None, tool: None, principal, outcome: None, word: None, rows: AT_ONCE };
    let (mut conn, mut found) = (db.search().await?, BTreeSet::new());
    for _ in 0..PAGES {
        let rows = conn.calls(&wanted).await?;
        let Some(last) = rows.last() else { break };
        wanted.before = last.seq;
        for body in rows.iter().map(LedgerRow::body).filter(|it| principal.is_none_or(|principal| it["principal"] == principal)) {
            addresses(&body["target"], &mut found);
            addresses(&body["arguments"], &mut found);
        }
    }
    Ok(found)
}

fn addresses(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => found.extend(Some(text.to_lowercase()).filter(|it| it.contains('@') && !it.contains(char::is_whitespace))),
        Value::Array(items) => items.iter().for_each(|it| addresses(it, found)),
        Value::Object(fields) => fields.values().for_each(|it| addresses(it, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn parse_since(text: &str) -> Result<i64, ProviderError> {
    let time = chrono::DateTime::parse_from_rfc3339(text).map(|it| it.timestamp_millis());
    let day = || chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|it| it.and_utc().timestamp_millis());
    // Without a zone it is that of the answers.
    let zoneless = || {
        let forms = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
        let time = forms.iter().find_map(|form| chrono::NaiveDateTime::parse_from_str(text, form).ok())?;
        Some(time.and_utc().timestamp_millis())
    };
    time.ok()
        .or_else(day)
        .or_else(zoneless)
        .ok_or_else(|| ProviderError::invalid(format!("`{text}` is not a time"), "write it as 2026-11-22T10:00:00Z or 2026-11-22"))
}

fn parse_cursor(cursor: &Cursor) -> Result<i64, ProviderError> {
    let seq = cursor.key().and_then(|it| it.parse().ok());
    seq.ok_or_else(|| ProviderError::invalid("this is not a cursor of list_activity", "leave `cursor` out for the first page"))
}
