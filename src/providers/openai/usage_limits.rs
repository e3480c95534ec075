//! What a project or the organization may spend in a month, and what it has spent: read, since what is set there stops all traffic.

use chrono::{DateTime, Datelike as _, Months, NaiveDate, Utc};
use serde::Deserialize;

use super::{Session, errors::found, projects::WireProject};
use crate::{
    domain::{
        List, Timestamp,
        limits::{Renewal, SubscriptionType, UsageLimit, UsageUnit},
    },
    error::ProviderError,
    providers::http::{Reading, Request, broken},
    tools::limits::ListUsageLimits,
};

/// A limit has no id; there is one at most.
const NAME: &str = "spend_limit";
/// So many days of costs come at once.
const DAYS: usize = 31;
/// A month has no more pages of costs than this.
const PAGES: usize = 5;

/// Amounts are cents.
#[derive(Deserialize)]
struct WireSpendLimit {
    threshold_amount: f64,
    currency: Option<String>,
    enforcement: Option<WireEnforcement>,
}

#[derive(Deserialize)]
struct WireEnforcement {
    status: Option<String>,
}

#[derive(Deserialize)]
struct WireCosts {
    #[serde(default)]
    data: Vec<WireBucket>,
    next_page: Option<String>,
}

#[derive(Deserialize)]
struct WireBucket {
    #[serde(default)]
    results: Vec<WireCost>,
}

#[derive(Deserialize)]
struct WireCost {
    amount: Option<WireAmount>,
}

/// In whole units of the currency.
#[derive(Deserialize)]
struct WireAmount {
    value: Option<f64>,
}

/// `GET …/spend_limit` and `GET /organization/costs`.
pub(super) async fn list(at: &Session, op: &ListUsageLimits) -> Result<List<UsageLimit>, ProviderError> {
    let project = match &op.project {
        Some(named) => Some(at.active_project(named).await?),
        None => None,
    };
    let request = match &project {
        Some(it) => at.get("/organization/projects/{project_id}/spend_limit").path("project_id", &it.id),
        None => at.get("/organization/spend_limit"),
    };
    let Some(limit) = found(request.send::<WireSpendLimit>().await)? else { return Ok(List::whole(Vec::new())) };
    let active = limit.enforcement.and_then(|it| it.status).is_none_or(|it| it != "inactive");
    if op.active.is_some_and(|it| it != active) {
        return Ok(List::whole(Vec::new()));
    }
    let (begins, ends_at) = month(Utc::now());
    let hard_limit = limit.threshold_amount / 100.0;
    let used = spent(at, project.as_ref(), begins).await?;
    let view = UsageLimit {
        usage_limit: NAME.to_owned(),
        organization: at.organization(),
        project: project.map(|it| it.name().to_owned()),
        subscription_type: SubscriptionType::Monthly,
        usage_unit: UsageUnit::Cost,
        // Nothing warns before.
        soft_limit: hard_limit,
        hard_limit,
        renewal: Renewal::Renewable,
        active,
        used,
        remaining: used.map(|it| (hard_limit - it).max(0.0)),
        currency: limit.currency,
        ends_at,
        created_at: None,
    };
    Ok(List::whole(vec![view]))
}

/// When the month began, in seconds, and when it ends.
fn month(now: DateTime<Utc>) -> (i64, Option<Timestamp>) {
    let at = |it: NaiveDate| it.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc();
    let first = now.date_naive().with_day(1).unwrap_or_default();
    (at(first).timestamp(), first.checked_add_months(Months::new(1)).map(|it| Timestamp(at(it).timestamp_millis())))
}

/// What was spent since then; `None` where the key may not see it.
async fn spent(at: &Session, project: Option<&WireProject>, since: i64) -> Result<Option<f64>, ProviderError> {
    let (mut sum, mut page) = (0.0, None::<String>);
    for _ in 0..PAGES {
        let costs: Request<Reading> =
            at.get("/organization/costs").query("start_time", since).query("bucket_width", "1d").query("limit", DAYS);
        let costs = costs.maybe("project_ids[]", project.map(|it| it.id.as_str())).maybe("page", page.as_deref());
        let costs: WireCosts = match costs.send().await {
            Err(ProviderError::Remote(error)) if matches!(error.status, Some(403 | 404)) => return Ok(None),
            other => other?,
        };
        sum += costs.data.iter().flat_map(|it| &it.results).filter_map(|it| it.amount.as_ref()?.value).sum::<f64>();
        match costs.next_page {
            None => return Ok(Some((sum * 100.0).round() / 100.0)),
            next if next == page => break,
            next => page = next,
        }
    }
    Err(broken("does not come to an end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let december = DateTime::from_timestamp(1_798_000_000, 0).expect("a time");
        let (begins, ends) = month(december);
        assert_eq!(Timestamp(begins * 1000).to_string(), "2026-12-01T00:00:00Z");
        assert_eq!(ends.map(|it| it.to_string()).as_deref(), Some("2027-01-01T00:00:00Z"));
    }
}
