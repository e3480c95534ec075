//! What projects may spend in a month, and what they have spent in this one.

use chrono::{Datelike as _, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Openai,
    reply::{Refusal, Reply},
    request::Ask,
};

/// Of one project.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Spending {
    /// Cents.
    pub(super) limit: Option<i64>,
    /// Whole units, on the first day of the month.
    pub(super) spent: f64,
}

const DAY: i64 = 24 * 60 * 60;

pub(super) fn retrieve(state: &Openai, project_id: &str) -> Reply {
    let limit = state.active_project(project_id)?.spending.limit;
    limit.map(|it| view("project.spend_limit", it)).ok_or_else(|| Refusal::missing("spend limit", project_id))
}

/// Nobody has set one for the organization as a whole.
pub(super) fn of_organization() -> Reply {
    Err(Refusal::missing("spend limit", "organization"))
}

fn view(object: &str, cents: i64) -> Value {
    json!({ "object": object, "threshold_amount": cents, "currency": "USD", "interval": "month", "enforcement": { "status": "enforcing" } })
}

/// A bucket for each day, at most `limit` at once.
pub(super) fn costs(state: &Openai, ask: &Ask) -> Reply {
    let names = ["start_time", "end_time", "bucket_width", "limit", "page", "project_ids", "group_by", "api_key_ids", "line_items"];
    let query = ask.query(&names)?;
    let start = query.number("start_time")?.ok_or_else(|| Refusal::bad("start_time", "Missing required parameter: 'start_time'."))?;
    query.word("bucket_width", &["1d"])?;
    let limit = query.number("limit")?.unwrap_or(7);
    if !(1..=180).contains(&limit) {
        return Err(Refusal::bad("limit", "Invalid 'limit': it has to be between 1 and 180."));
    }
    let projects = query.all("project_ids");
    let from = query.one("page")?.map_or(Ok(0), str::parse::<i64>).map_err(|_| Refusal::bad("page", "Unknown page."))?;
    let end = query.number("end_time")?.unwrap_or_else(|| Utc::now().timestamp());
    let first = start - start.rem_euclid(DAY) + from * DAY;
    let days = (0..limit).map(|it| first + it * DAY).filter(|it| *it < end);
    let spent: f64 = state.projects.iter().filter(|it| projects.is_empty() || projects.contains(&it.id)).map(|it| it.spending.spent).sum();
    let is_first = |day: i64| chrono::DateTime::from_timestamp(day, 0).is_some_and(|it| it.day() == 1);
    let buckets: Vec<Value> = days
        .map(|day| {
            let cost = json!({
                "object": "organization.costs.result", "amount": { "value": spent, "currency": "usd" }, "line_item": null, "project_id": null,
            });
            let results = if is_first(day) && spent > 0.0 { vec![cost] } else { Vec::new() };
            json!({ "object": "bucket", "start_time": day, "end_time": day + DAY, "results": results })
        })
        .collect();
    let has_more = first + limit * DAY < end;
    Ok(json!({ "object": "page", "data": buckets, "has_more": has_more, "next_page": has_more.then(|| (from + limit).to_string()) }))
}
