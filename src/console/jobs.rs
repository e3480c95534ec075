//! Work of many calls, and the accounts that it is done through.

use rolecall_console::{Connection, Job, JobRow, Pace, Trouble, VerifiedPerson};
use serde_json::{Map, Value, json};

use super::{Program, operator, trouble};
use crate::{
    domain::Timestamp,
    error::CallError,
    guard::{Given, Verdict},
    providers::PaceNow,
    tools::{
        Operation as _,
        context::ListConnections,
        jobs::{CancelJob, GetJob, ListJobs},
    },
};

/// How rows end, in the order in which it is told.
const ENDS: [&str; 7] = ["done", "skipped", "differs", "failed", "refused", "unknown", "cancelled"];
/// Those that somebody should look at.
const AMISS: [&str; 4] = ["failed", "refused", "unknown", "differs"];
/// How many rows of each kind a page shows.
const SHOWN: usize = 100;

impl Program {
    pub(super) async fn all_jobs(&self) -> Result<Vec<Job>, Trouble> {
        let found = self.read(ListJobs::NAME, json!({ "limit": 50 })).await?;
        Ok(found["items"].as_array().into_iter().flatten().map(job).collect())
    }

    pub(super) async fn one_job(&self, id: &str) -> Result<(Job, Vec<JobRow>), Trouble> {
        let found = self.read(GetJob::NAME, json!({ "job": id, "limit": SHOWN })).await?;
        let told = job(&found);
        let mut rows: Vec<JobRow> = Vec::new();
        for outcome in AMISS.iter().filter(|it| found[**it].as_u64().unwrap_or_default() > 0) {
            let amiss = self.read(GetJob::NAME, json!({ "job": id, "limit": SHOWN, "outcome": outcome })).await?;
            rows.extend(amiss["items"].as_array().into_iter().flatten().map(row));
        }
        let rest = found["items"].as_array().into_iter().flatten().map(row).filter(|it| !AMISS.contains(&it.outcome.as_str()));
        rows.extend(rest.collect::<Vec<_>>());
        Ok((told, rows))
    }

    pub(super) async fn mark_of_job(&self, id: &str) -> Result<String, Trouble> {
        let progress = self.app.jobs().progress(id, &operator(None)).await.map_err(|it| trouble(&it))?;
        Ok(format!("{:?} {}", progress.state, progress.message))
    }

    pub(super) async fn cancelled(&self, id: &str, person: &VerifiedPerson) -> Result<(), Trouble> {
        let Value::Object(arguments) = json!({ "job": id }) else { return Err(trouble(&CallError::Internal)) };
        match self.app.call(CancelJob::NAME, arguments, &operator(Some(person)), Given::Nothing).await {
            Ok(Verdict::Done(_)) => Ok(()),
            Ok(_) => Err(trouble(&CallError::Internal)),
            Err(error) => Err(trouble(&error)),
        }
    }

    pub(super) async fn all_connections(&self) -> Result<Vec<Connection>, Trouble> {
        let found = self.read(ListConnections::NAME, Map::new().into()).await?;
        Ok(found["items"].as_array().into_iter().flatten().map(|it| self.connection(it)).collect())
    }

    fn connection(&self, it: &Value) -> Connection {
        let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
        let (name, health) = (text("connection"), text("health"));
        let at = self.app.connections.iter().find(|it| it.name == name);
        // What is wrong, and behind the last semicolon how to mend it.
        let trouble = (health != "ok").then(|| {
            let (message, fix) = health.rsplit_once("; ").unwrap_or((&health, "run `rolecall doctor`"));
            Trouble { message: message.to_owned(), fix: fix.to_owned() }
        });
        Connection {
            provider: text("provider"),
            organization: it["organization"].as_str().map(str::to_owned),
            trouble,
            tools: it["tools"].as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or_default(),
            nouns: it["domains"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
            tells_access: at.is_some_and(|it| it.tells_grants()),
            pace: at.and_then(|it| it.pace()).map(pace),
            name,
        }
    }
}

fn pace(now: PaceNow) -> Pace {
    let PaceNow { waiting, on_the_way, at_once, per_second, paused, failed } = now;
    let paused = paused.and_then(|it| i64::try_from(it.as_millis()).ok());
    let failed = failed.map(|it| (it.at.0, Trouble { message: it.message, fix: it.fix }));
    Pace { waiting, on_the_way, at_once, per_second, paused, failed }
}

fn job(it: &Value) -> Job {
    let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
    let at = |name: &str| it[name].as_str().and_then(|it| chrono::DateTime::parse_from_rfc3339(it).ok()).map(|it| it.timestamp_millis());
    Job {
        id: text("job"),
        tool: text("tool"),
        target: text("target"),
        connection: text("on"),
        principal: text("principal"),
        status: text("status"),
        interrupted: it["interrupted"] == true,
        total: it["total"].as_u64().unwrap_or_default(),
        counts: ENDS.iter().map(|name| (*name, it[*name].as_u64().unwrap_or_default())).collect(),
        created_at: at("created_at").unwrap_or_default(),
        ended_at: at("ended_at"),
        now: Timestamp::now().0,
    }
}

fn row(it: &Value) -> JobRow {
    let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
    JobRow { row: text("step"), tool: text("tool"), target: text("target"), outcome: text("outcome"), reason: text("reason") }
}
