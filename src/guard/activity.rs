//! What was done: the ledger, read back; and open calls, settled.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::Account;
use crate::{
    domain::{List, PageRequest, ReferenceText as _, Timestamp},
    error::ProviderError,
    store::{Conn, Db, EntryKind, LedgerRow, StoreError, transaction},
    tools::{
        Effect,
        context::{Activity, ListActivity, Outcome},
    },
};

/// An intent this old without an outcome belongs to a process that is gone.
pub(super) const SETTLE_AFTER_SECONDS: i64 = 120;

/// Lists calls, newest first.
pub(crate) async fn list_activity(
    db: &Db,
    accounts: &[std::sync::Arc<impl Account>],
    op: &ListActivity,
) -> Result<List<Activity>, ProviderError> {
    settle(db, accounts).await?;
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let since = op.since.as_deref().map(parse_since).transpose()?.unwrap_or(0);
    let mut before = page.cursor.as_ref().map_or(Ok(i64::MAX), |it| parse_cursor(&it.0))?;
    let mut conn = db.read().await?;
    let mut items: Vec<(i64, Activity)> = Vec::new();
    // Filters look into the rows' JSON, so rows are read until enough fit.
    loop {
        let rows = conn.calls_before(before, since, 200).await?;
        let Some(last) = rows.last() else { break };
        before = last.seq;
        for row in rows {
            if let Some(activity) = activity(&mut conn, &row, op).await? {
                items.push((row.seq, activity));
            }
        }
        if items.len() > page.limit {
            break;
        }
    }
    let has_more = items.len() > page.limit;
    items.truncate(page.limit);
    let next_cursor = items.last().filter(|_| has_more).map(|(seq, _)| URL_SAFE_NO_PAD.encode(format!("1:{seq}")));
    let items: Vec<Activity> = items.into_iter().map(|it| it.1).collect();
    Ok(List { shown: items.len(), items, has_more, next_cursor, total: None })
}

async fn activity(conn: &mut Conn, row: &LedgerRow, op: &ListActivity) -> Result<Option<Activity>, StoreError> {
    let body = row.body();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tool = text(&body["tool"]);
    if op.tool.as_ref().is_some_and(|it| *it != tool) {
        return Ok(None);
    }
    if let Some(member) = &op.member {
        let wanted = member.text().to_lowercase();
        let said = format!("{} {}", body["target"], body["arguments"]).to_lowercase();
        if !said.contains(&format!("\"{wanted}\"")) {
            return Ok(None);
        }
    }
    let ended = match row.entry.as_str() {
        "refusal" => Some(body.clone()),
        _ => conn.entries(&row.call_id, EntryKind::Outcome).await?.last().map(LedgerRow::body),
    };
    let outcome = ended.as_ref().and_then(|it| serde_json::from_value(it["outcome"].clone()).ok()).unwrap_or(Outcome::OutcomeUnknown);
    if op.outcome.is_some_and(|it| it != outcome) {
        return Ok(None);
    }
    let consent = &body["consent"];
    let target = &body["target"];
    Ok(Some(Activity {
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
    }))
}

/// Writes the outcome of calls whose process died in between, where the provider can tell.
async fn settle(db: &Db, accounts: &[std::sync::Arc<impl Account>]) -> Result<(), StoreError> {
    let old = Timestamp::now().plus_seconds(-SETTLE_AFTER_SECONDS);
    let open = db.read().await?.open_intents(old.0).await?;
    for intent in open {
        let connection = intent.body()["connection"].as_str().unwrap_or_default().to_owned();
        let Some(account) = accounts.iter().find(|it| it.name() == connection) else { continue };
        let outcome = match account.settle(&intent.call_id, true).await {
            Some(true) => json!({ "outcome": "done", "settled": true }),
            Some(false) => json!({ "outcome": "failed", "settled": true, "reason": "the server ended before the change was made" }),
            None => continue,
        };
        let call_id = intent.call_id.as_str();
        transaction!(db, StoreError, tx => {
            // Another process may have settled it in the meantime.
            if tx.entries(call_id, EntryKind::Outcome).await?.is_empty() {
                tx.append(call_id, EntryKind::Outcome, &outcome).await?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn parse_since(text: &str) -> Result<i64, ProviderError> {
    let time = chrono::DateTime::parse_from_rfc3339(text).map(|it| it.timestamp_millis());
    let day = || chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|it| it.and_utc().timestamp_millis());
    time.ok()
        .or_else(day)
        .ok_or_else(|| ProviderError::invalid(format!("`{text}` is not a time"), "write it as 2026-11-22T10:00:00Z or 2026-11-22"))
}

fn parse_cursor(cursor: &str) -> Result<i64, ProviderError> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|it| String::from_utf8(it).ok());
    let seq = text.as_deref().and_then(|it| it.strip_prefix("1:")).and_then(|it| it.parse().ok());
    seq.ok_or_else(|| ProviderError::invalid("this is not a cursor of list_activity", "leave `cursor` out for the first page"))
}
