//! What was done: the ledger, read back.

use std::collections::{BTreeSet, HashMap};

use chrono::Datelike as _;
use serde_json::Value;

use super::{Caller, Guard, LOCAL_PRINCIPAL};
use crate::{
    domain::{Cursor, List, PageRequest, ReferenceText as _, Timestamp, fold, fold_accents},
    error::ProviderError,
    store::{CallPage, Conn, Db, LedgerRow},
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

    /// The addresses of people that the calls which [`Self::list_activity`] shows were about, of the newest ones; of fewer
    /// where what is looked for `is_address` itself.
    ///
    /// # Errors
    ///
    /// Where the store cannot be used.
    pub(crate) async fn recorded_people(&self, caller: &Caller, is_address: bool) -> Result<BTreeSet<String>, ProviderError> {
        let all = caller.is_local() || self.settings.shared_activity;
        // Whoever gives a name is looked for far back; whoever gives an address is only helped with a slip in it.
        let pages = if is_address { 1 } else { 50 };
        recorded_people(&self.db, Some(caller.principal.as_str()).filter(|_| !all), pages).await
    }
}

/// Lists calls, newest first: those of one principal, or all.
pub(crate) async fn list_activity(db: &Db, op: &ListActivity, principal: Option<&str>) -> Result<List<Activity>, ProviderError> {
    let page = PageRequest::of(op.limit, op.cursor.as_ref());
    let since = op.since.as_deref().map(|it| moment(it, Edge::First)).transpose()?;
    let until = op.until.as_deref().map(|it| moment(it, Edge::Last)).transpose()?;
    let job = op.job.as_ref().map(crate::domain::JobRef::text);
    let tool = op.tool.as_deref().map(known_tool).transpose()?;
    let before = page.cursor.as_ref().map_or(Ok(i64::MAX), parse_cursor)?;
    let member = op.member.as_ref().map(|it| it.text().to_lowercase());
    let sought = op.project.as_ref().map(|it| it.text().to_lowercase()).or_else(|| op.agreed_by.clone());
    let mut wanted = CallPage {
        before,
        since,
        until,
        job,
        tool,
        principal,
        outcome: op.outcome.map(Outcome::name),
        word: member.as_deref(),
        // One more, to see whether there are more; where no index knows what is wanted, many are looked through.
        rows: if sought.is_some() { AT_ONCE } else { i64::try_from(page.limit + 1).unwrap_or(i64::MAX) },
    };
    let mut conn = db.search().await?;
    if let Some(named) = job
        && conn.job(named).await?.is_none_or(|it| principal.is_some_and(|principal| it.principal != principal))
    {
        let fix = "find it with list_jobs".to_owned();
        return Err(ProviderError::NotFound { kind: "job", name: named.to_owned(), scope: String::new(), fix });
    }
    let (mut items, mut looked): (Vec<(i64, Activity)>, i64) = (Vec::new(), 0);
    // What a row says counts, and not by what it was found; so rows are read until enough fit.
    loop {
        let rows = conn.calls(&wanted).await?;
        let Some(last) = rows.last() else { break };
        wanted.before = last.seq;
        let intents: Vec<&str> = rows.iter().filter(|it| it.entry == "intent").map(|it| it.call_id.as_str()).collect();
        // The last word on a call counts.
        let outcomes: HashMap<String, LedgerRow> = conn.outcomes(&intents).await?.into_iter().map(|it| (it.call_id.clone(), it)).collect();
        let bodies: Vec<Value> = rows.iter().map(LedgerRow::body).collect();
        let people = Agreed::read(&mut conn, &bodies).await?;
        let shown = rows
            .iter()
            .zip(&bodies)
            .filter_map(|(row, body)| Some((row.seq, activity((row, body), outcomes.get(&row.call_id), op, (tool, principal), &people)?)));
        items.extend(shown);
        looked += wanted.rows;
        if items.len() > page.limit {
            break;
        }
        if looked >= MOST {
            // The rest is for the next page, which may be as empty.
            let mut list = List::cut(items, page.limit, |it| it.0.to_string());
            list.has_more = true;
            list.next_cursor = Some(Cursor::after(&wanted.before.to_string()).0);
            return Ok(list.map(|it| it.1));
        }
    }
    Ok(List::cut(items, page.limit, |it| it.0.to_string()).map(|it| it.1))
}

/// How many calls are looked through for a page where no index knows what is wanted.
const MOST: i64 = 10_000;

/// Who agreed to what, of some calls.
#[derive(Default)]
struct Agreed {
    /// By approval.
    approvals: HashMap<String, Vec<String>>,
    /// By job: the consent that began it, and the client through which it came.
    jobs: HashMap<String, Value>,
}

impl Agreed {
    async fn read(conn: &mut Conn, bodies: &[Value]) -> Result<Self, ProviderError> {
        let mut agreed = Self::default();
        let named = |bodies: &[Value], field: &str| -> BTreeSet<String> {
            bodies.iter().filter_map(|it| it["consent"][field].as_str()).map(str::to_owned).collect()
        };
        let jobs = named(bodies, "job");
        let begun = conn.beginnings(&jobs.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        agreed.jobs = begun.into_iter().map(|(job, row)| (job, row.body())).collect();
        let mut approvals = named(bodies, "approval");
        approvals.extend(named(&agreed.jobs.values().cloned().collect::<Vec<_>>(), "approval"));
        for (approval, person) in conn.approvers(&approvals.iter().map(String::as_str).collect::<Vec<_>>()).await? {
            agreed.approvals.entry(approval).or_default().push(person);
        }
        Ok(agreed)
    }

    /// Who agreed to a call, in words; `None` where nobody had to.
    fn to(&self, body: &Value) -> Option<String> {
        let consent = &body["consent"];
        let id = |field: &str| consent[field].as_str().unwrap_or_default();
        match consent["mode"].as_str()? {
            "form" => Some(format!("the person at {}", asker(body))),
            "token" => Some(format!("nobody but the caller's own token, of {}", asker(body))),
            "approval" => Some(match self.approvals.get(id("approval")) {
                Some(people) => people.join(" and "),
                None => "somebody whose answer is not in the ledger".to_owned(),
            }),
            "job" => self.jobs.get(id("job")).filter(|it| it["consent"]["mode"] != "job").and_then(|it| self.to(it)),
            _ => None,
        }
    }
}

/// Who asked for a call: whoever sits at this machine, or a caller over HTTP, and the client they use.
fn asker(body: &Value) -> String {
    let (principal, client) = (body["principal"].as_str().unwrap_or_default(), body["client"].as_str().unwrap_or_default());
    let who = if principal == LOCAL_PRINCIPAL { "this machine".to_owned() } else { principal.to_owned() };
    if client.is_empty() { who } else { format!("{who}, with {client}") }
}

/// A call as lists show it; `None` where it was not asked for.
fn activity(
    (row, body): (&LedgerRow, &Value),
    outcome: Option<&LedgerRow>,
    op: &ListActivity,
    (only, principal): (Option<&str>, Option<&str>),
    people: &Agreed,
) -> Option<Activity> {
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
    if op.project.as_ref().is_some_and(|it| !is_about_project(body, it.text())) {
        return None;
    }
    let agreed_by = people.to(body);
    if let Some(wanted) = &op.agreed_by
        && !agreed_by.as_ref().is_some_and(|it| fold_accents(it).contains(&fold_accents(wanted)))
    {
        return None;
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
        place: place(target),
        outcome,
        change: ended.as_ref().and_then(|it| it["change"].as_str()).map(str::to_owned),
        asked_by: asker(body),
        agreed_by,
        job: consent["job"].as_str().or(op.job.as_ref().map(crate::domain::JobRef::text)).map(str::to_owned),
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

async fn recorded_people(db: &Db, principal: Option<&str>, pages: usize) -> Result<BTreeSet<String>, ProviderError> {
    let mut wanted =
        CallPage { before: i64::MAX, since: None, until: None, job: None, tool: None, principal, outcome: None, word: None, rows: AT_ONCE };
    let (mut conn, mut found) = (db.search().await?, BTreeSet::new());
    for _ in 0..pages {
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

/// What the target is in: `project Atlas, organization Acme`.
fn place(target: &Value) -> Option<String> {
    let parts: Vec<String> = [("within", ""), ("organization", "organization ")]
        .into_iter()
        .filter_map(|(name, before)| Some(format!("{before}{}", target[name].as_str().filter(|it| !it.is_empty())?)))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Whether a call was about a project, or about something in it.
fn is_about_project(body: &Value, named: &str) -> bool {
    let (target, arguments) = (&body["target"], &body["arguments"]);
    let is = |it: &Value| it.as_str().is_some_and(|it| fold(it) == fold(named));
    let is_itself = target["kind"] == "project" && (is(&target["name"]) || is(&target["id"]));
    // `project Atlas [prj_atlas]`
    let within = target["within"].as_str().and_then(|it| it.strip_prefix("project ")).unwrap_or_default();
    let is_in = [within, within.split(" [").next().unwrap_or_default()].iter().any(|it| fold(it) == fold(named))
        || within.split(" [").nth(1).is_some_and(|it| fold(it.trim_end_matches(']')) == fold(named));
    let among = |it: &Value| is(it) || it.as_array().is_some_and(|all| all.iter().any(is));
    is_itself || (!within.is_empty() && is_in) || among(&arguments["project"]) || among(&arguments["projects"])
}

/// Which end of a day is meant by it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    First,
    Last,
}

/// A time, as people and programs write it: RFC 3339, a day, `yesterday`, `3 days ago`. Without a zone it is that of the answers. A day
/// as an end is in it.
fn moment(text: &str, edge: Edge) -> Result<i64, ProviderError> {
    let said = fold(text);
    let of_day = |day: chrono::NaiveDate| {
        let day = if edge == Edge::Last { day.succ_opt()? } else { day };
        Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
    };
    let time = chrono::DateTime::parse_from_rfc3339(text.trim()).map(|it| it.timestamp_millis()).ok();
    let day = || of_day(chrono::NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()?);
    let zoneless = || {
        let forms = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
        let time = forms.iter().find_map(|form| chrono::NaiveDateTime::parse_from_str(text.trim(), form).ok())?;
        Some(time.and_utc().timestamp_millis())
    };
    let now = chrono::DateTime::from_timestamp_millis(Timestamp::now().0).unwrap_or_default();
    let ago = || {
        let (count, unit) = match (said.strip_suffix(" ago"), said.strip_prefix("last ")) {
            (Some(since), _) => since.rsplit_once(' ')?,
            (None, Some(last)) => last.rsplit_once(' ').unwrap_or(("1", last)),
            (None, None) => return None,
        };
        let count: i64 =
            if matches!(count, "a" | "an" | "one") { 1 } else { count.parse().ok().filter(|it| (0..=100_000).contains(it))? };
        match unit.trim_end_matches('s') {
            "minute" => Some(now.timestamp_millis() - count * 60_000),
            "hour" => Some(now.timestamp_millis() - count * 3_600_000),
            "day" => of_day(now.date_naive() - chrono::Days::new(count.unsigned_abs())),
            "week" => of_day(now.date_naive() - chrono::Days::new(7 * count.unsigned_abs())),
            _ => None,
        }
    };
    // The last such day that has begun; `last Monday` is none of today's.
    let weekday = || {
        let (name, is_before) = said.strip_prefix("last ").map_or((said.strip_prefix("on ").unwrap_or(&said), false), |it| (it, true));
        let wanted: chrono::Weekday = name.parse().ok()?;
        let back = (7 + now.weekday().num_days_from_monday() - wanted.num_days_from_monday()) % 7;
        let back = if back == 0 && is_before { 7 } else { back };
        of_day(now.date_naive() - chrono::Days::new(u64::from(back)))
    };
    let named = || match said.as_str() {
        "now" => Some(now.timestamp_millis()),
        "today" | "this morning" => of_day(now.date_naive()),
        "this week" => of_day(now.date_naive() - chrono::Days::new(u64::from(now.weekday().num_days_from_monday()))),
        "this month" => of_day(now.date_naive().with_day(1)?),
        "yesterday" => of_day(now.date_naive().pred_opt()?),
        _ => ago().or_else(weekday),
    };
    time.or_else(day).or_else(zoneless).or_else(named).ok_or_else(|| {
        ProviderError::invalid(
            format!("`{text}` is not a time"),
            "write it as 2026-11-22T10:00:00Z, 2026-11-22, yesterday, Monday or 3 days ago",
        )
    })
}

fn parse_cursor(cursor: &Cursor) -> Result<i64, ProviderError> {
    let seq = cursor.key().and_then(|it| it.parse().ok());
    seq.ok_or_else(|| ProviderError::invalid("this is not a cursor of list_activity", "leave `cursor` out for the first page"))
}
