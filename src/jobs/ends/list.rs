//! `list_ending_access`, and what an operator is told: what ends when, and what is late.

use serde_json::Value;

use super::{
    super::Engine,
    given::{Given, Outcome},
};
use crate::{
    domain::{
        Cursor, List, PageRequest, Target, Timestamp,
        jobs::{EndState, EndingAccess},
    },
    error::{CallError, ProviderError},
    guard::Caller,
    providers::json,
    store::{Conn, EndRow, StoreError},
    tools::jobs::ListEndingAccess,
};

/// How long after its time access is about to be taken away, before it counts as late.
const SOON_MILLIS: i64 = 120_000;
/// How many rows are read at once.
const AT_ONCE: i64 = 100;
/// How often so many are looked at where all are told together.
const LOOKS: usize = 10;

/// What there is to say about all access that ends, to who runs the server.
#[derive(Debug, Clone, Default)]
pub struct EndsTold {
    /// How many are to come, and when the first.
    pub planned: u64,
    pub next: Option<Timestamp>,
    /// How many are late, could not be taken away, or were left.
    pub late: u64,
    pub failed: u64,
    pub left: u64,
    /// Whether there are more, which were not looked at.
    pub are_more: bool,
    /// Whether a server looked for them in the last minutes.
    pub is_looked_after: bool,
}

impl Engine {
    pub(in crate::jobs) async fn list_ending(&self, caller: &Caller, op: &ListEndingAccess) -> Result<Value, CallError> {
        let (page, all) = (PageRequest::of(op.limit, op.cursor.as_ref()), op.all.unwrap_or_default());
        let mut after = match &page.cursor {
            None => (i64::MIN, String::new()),
            Some(it) => place_of(it).ok_or_else(|| {
                ProviderError::invalid("this is not a cursor of list_ending_access", "leave `cursor` out for the first page")
            })?,
        };
        let principal = Some(caller.principal.as_str()).filter(|_| !caller.is_local());
        let mut conn = self.db.read().await?;
        let now = self.ends_now(&mut conn).await?;
        let mut items: Vec<(String, EndingAccess)> = Vec::new();
        while items.len() <= page.limit {
            let many = AT_ONCE.min(i64::try_from(page.limit + 1).unwrap_or(AT_ONCE));
            let rows = conn.ends_after((after.0, &after.1), principal, !all, many).await?;
            let Some(last) = rows.last() else { break };
            after = (last.ends_at, last.call_id.clone());
            for row in rows {
                let place = format!("{}:{}", row.ends_at, row.call_id);
                let Some(it) = told(&mut conn, row, now).await? else { continue };
                let is_wanted = all || !matches!(it.state, EndState::Ended | EndState::Cancelled);
                items.extend(is_wanted.then_some((place, it)));
            }
        }
        Ok(json(&List::cut(items, page.limit, |it| it.0.clone()).map(|it| it.1))?)
    }

    pub(in crate::jobs) async fn ends_told(&self) -> Result<EndsTold, StoreError> {
        let mut conn = self.db.read().await?;
        let now = self.ends_now(&mut conn).await?;
        let looked = conn.ends_looked_at().await?;
        let mut told = EndsTold { is_looked_after: looked.is_some_and(|it| now.0 - it.0 < SOON_MILLIS), ..EndsTold::default() };
        let mut after = (i64::MIN, String::new());
        for _ in 0..LOOKS {
            let rows = conn.ends_after((after.0, &after.1), None, true, AT_ONCE).await?;
            let Some(last) = rows.last() else { return Ok(told) };
            after = (last.ends_at, last.call_id.clone());
            for row in rows {
                let Some(it) = self::told(&mut conn, row, now).await? else { continue };
                match it.state {
                    EndState::Planned => {
                        told.planned += 1;
                        told.next = told.next.or(Some(it.ends_at));
                    }
                    EndState::Due | EndState::Overdue => told.late += 1,
                    EndState::Failed => told.failed += 1,
                    EndState::Left => told.left += 1,
                    EndState::Ended | EndState::Cancelled => {}
                }
            }
        }
        told.are_more = !conn.ends_after((after.0, &after.1), None, true, 1).await?.is_empty();
        Ok(told)
    }
}

/// An end as lists show it.
async fn told(conn: &mut Conn, end: EndRow, now: Timestamp) -> Result<Option<EndingAccess>, StoreError> {
    let Some(given) = Given::read(conn, end.clone()).await? else { return Ok(None) };
    let mut reason = end.reason.clone();
    let mut state = match end.state.as_str() {
        "ended" => EndState::Ended,
        "left" => EndState::Left,
        "cancelled" => EndState::Cancelled,
        "failed" => EndState::Failed,
        _ if now.0 < end.ends_at => EndState::Planned,
        _ if now.0 < end.ends_at + SOON_MILLIS => EndState::Due,
        _ => EndState::Overdue,
    };
    if end.is_open() && end.state != "taking" {
        if given.outcome == Outcome::NotMade {
            (state, reason) = (EndState::Cancelled, Some("it was not given".into()));
        } else if let Some(later) = given.later(conn).await? {
            (state, reason) = (EndState::Cancelled, Some(later.reason()));
        } else if given.outcome == Outcome::Unknown && reason.is_none() {
            reason = Some("whether it was given is not known yet".into());
        }
    }
    Ok(Some(EndingAccess {
        access: access(&given.target),
        roles: given.roles,
        on: end.connection,
        ends_at: Timestamp(end.ends_at),
        state,
        reason,
        call_id: end.call_id,
        principal: end.principal,
    }))
}

/// `member ana@acme.example in project Atlas`.
fn access(target: &Target) -> String {
    let within = target.within.as_deref().map(|it| it.rsplit_once(" [").map_or(it, |it| it.0));
    let place = within.map(str::to_owned).or_else(|| target.organization.as_ref().map(|it| format!("organization {it}")));
    let place = place.map(|it| format!(" in {it}")).unwrap_or_default();
    format!("{} {}{place}", target.kind.replace('_', " "), target.name)
}

fn place_of(cursor: &Cursor) -> Option<(i64, String)> {
    let text = cursor.key()?;
    let (at, id) = text.split_once(':')?;
    Some((at.parse().ok()?, id.to_owned()))
}
