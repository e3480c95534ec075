//! What was done: the ledger, read back.

use std::collections::HashMap;

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

impl Guard {
    /// Lists calls, newest first: those of the caller, or all for who sits at the machine itself and where the operator has set it so.
    pub(crate) async fn list_activity(&self, op: &ListActivity, caller: &Caller) -> Result<List<Activity>, ProviderError> {
        let all = caller.is_local() || self.settings.shared_activity;
        list_activity(&self.db, op, Some(caller.principal.as_str()).filter(|_| !all)).await
    }
}

/// Lists calls, newest first: those of one principal, or all.
pub(crate) async fn list_activity(db: &Db, op: &ListActivity, principal: Option<&str>) -> Result<List<Activity>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let since = op.since.as_deref().map(parse_since).transpose()?;
    let before = page.cursor.as_ref().map_or(Ok(i64::MAX), parse_cursor)?;
    let member = op.member.as_ref().map(|it| it.text().to_lowercase());
    let mut wanted = CallPage {
        before,
        since,
        tool: op.tool.as_deref(),
        principal,
        outcome: op.outcome.map(Outcome::name),
        word: member.as_deref(),
        // One more, to see whether there are more.
        rows: i64::try_from(page.limit + 1).unwrap_or(i64::MAX),
    };
    let mut conn = db.read().await?;
    let mut items: Vec<(i64, Activity)> = Vec::new();
    // What a row says counts, and not by what it was found; so rows are read until enough fit.
    loop {
        let rows = conn.calls(&wanted).await?;
        let Some(last) = rows.last() else { break };
        wanted.before = last.seq;
        let intents: Vec<&str> = rows.iter().filter(|it| it.entry == "intent").map(|it| it.call_id.as_str()).collect();
        // The last word on a call counts.
        let outcomes: HashMap<String, LedgerRow> = conn.outcomes(&intents).await?.into_iter().map(|it| (it.call_id.clone(), it)).collect();
        items.extend(rows.iter().filter_map(|row| Some((row.seq, activity(row, outcomes.get(&row.call_id), op, principal)?))));
        if items.len() > page.limit {
            break;
        }
    }
    Ok(List::cut(items, page.limit, |it| it.0.to_string()).map(|it| it.1))
}

/// A call as lists show it; `None` where it was not asked for.
fn activity(row: &LedgerRow, outcome: Option<&LedgerRow>, op: &ListActivity, principal: Option<&str>) -> Option<Activity> {
    let body = row.body();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tool = text(&body["tool"]);
    if op.tool.as_ref().is_some_and(|it| *it != tool) || principal.is_some_and(|it| body["principal"] != it) {
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

fn parse_since(text: &str) -> Result<i64, ProviderError> {
    let time = chrono::DateTime::parse_from_rfc3339(text).map(|it| it.timestamp_millis());
    let day = || chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|it| it.and_utc().timestamp_millis());
    time.ok()
        .or_else(day)
        .ok_or_else(|| ProviderError::invalid(format!("`{text}` is not a time"), "write it as 2026-11-22T10:00:00Z or 2026-11-22"))
}

fn parse_cursor(cursor: &Cursor) -> Result<i64, ProviderError> {
    let seq = cursor.key().and_then(|it| it.parse().ok());
    seq.ok_or_else(|| ProviderError::invalid("this is not a cursor of list_activity", "leave `cursor` out for the first page"))
}
