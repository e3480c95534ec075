//! A job's rows as a table for spreadsheets. That of `add_project_members` can be given to it again.

use super::{
    Engine,
    report::{RowTexts, item},
};
use crate::{
    error::CallError,
    store::{JobRecord, JobRow},
    tools::{Operation as _, project_members::AddProjectMembers},
};

impl Engine {
    pub(super) async fn table(&self, job: &JobRecord) -> Result<String, CallError> {
        let people = job.tool == AddProjectMembers::NAME;
        let mut table = csv::Writer::from_writer(Vec::new());
        let header: &[&str] = if people {
            &["project", "member", "roles", "outcome", "reason"]
        } else {
            &["step", "tool", "connection", "target", "outcome", "reason", "id"]
        };
        let mut written = table.write_record(header);
        let mut after = -1;
        loop {
            let rows = self.db.read().await?.job_rows(&job.id, after, None, 500).await?;
            let Some(last) = rows.last() else { break };
            after = last.idx;
            for row in &rows {
                written = written.and_then(|()| table.write_record(if people { person(row) } else { step(row) }));
            }
        }
        let bytes = written.ok().and_then(|()| table.into_inner().ok());
        bytes.and_then(|it| String::from_utf8(it).ok()).ok_or(CallError::Internal)
    }
}

fn person(row: &JobRow) -> Vec<String> {
    let texts = RowTexts::of(row);
    let text = |name: &str| texts.arguments[name].as_str().unwrap_or_default().to_owned();
    vec![text("project"), text("member"), texts.roles().join(";"), state(row), row.reason.clone().unwrap_or_default()]
}

fn step(row: &JobRow) -> Vec<String> {
    let it = item(row);
    let texts = [it.target, Some(state(row)), it.reason, it.id].map(Option::unwrap_or_default);
    [it.step, it.tool, it.on].into_iter().chain(texts).collect()
}

fn state(row: &JobRow) -> String {
    crate::domain::members::ItemOutcome::of(&row.state).name().to_owned()
}
