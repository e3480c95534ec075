//! Many people into projects of a service, made of many times one person: each row is planned by the provider's own
//! handler for one, in one session, and all of them are planned before the first is sent.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};

use super::{
    Draft, Sent, Session,
    draft::{ReadBackFn, SendFn},
    session::Handle,
};
use crate::{
    domain::{
        Gravity, Impact, Target, fold,
        members::{Batch, BatchItem, ItemOutcome, Member},
    },
    error::ProviderError,
    guard::Permit,
    tools::{
        people::Row,
        project_members::{AddProjectMember, AddProjectMembers},
    },
};

/// How many rows are on their way at once.
const AT_ONCE: usize = 16;
/// How many people or rows a question names of each kind.
const SHOWN: usize = 20;
/// What a handler for one person says of somebody who is in the project: the row is skipped, not failed.
pub(crate) const ALREADY_MEMBER: &str = "already_member";

/// Plans all rows of a batch with `add`, the handler for one person. Rows that cannot be planned do not keep the others back:
/// they come out as failed.
pub(crate) async fn add<S, F>(at: &Session<S>, op: &AddProjectMembers, add: F) -> Result<Draft<Batch>, ProviderError>
where
    S: Send + Sync + 'static,
    F: for<'a> Handle<'a, S, AddProjectMember, Draft<Member>>,
{
    let (rows, problems) = op.rows()?;
    let mut ended: Vec<(usize, BatchItem)> = Vec::new();
    for problem in problems {
        let item = BatchItem {
            member: format!("row {}", problem.number),
            project: String::new(),
            roles: Vec::new(),
            outcome: ItemOutcome::Failed,
            reason: Some(problem.message),
        };
        ended.push((problem.number, item));
    }
    let mut planned: Vec<Planned> = Vec::new();
    let mut first: HashMap<(Option<String>, String), (usize, Vec<String>)> = HashMap::new();
    for row in rows {
        let one = AddProjectMember { project: row.project.clone(), member: row.member.clone(), roles: row.roles.clone() };
        match add(at, &one).await {
            Ok(draft) => {
                let planned_row = Planned::of(&row, draft);
                match first.get(&planned_row.key()) {
                    None => {
                        first.insert(planned_row.key(), (row.number, roles_key(&row)));
                        planned.push(planned_row);
                    }
                    Some((number, roles)) if *roles == roles_key(&row) => {
                        ended.push((row.number, planned_row.item(ItemOutcome::Skipped, format!("duplicate of row {number}"))));
                    }
                    Some((number, _)) => {
                        let reason = format!("gives other roles than row {number}; put all roles into one row");
                        ended.push((row.number, planned_row.item(ItemOutcome::Failed, reason)));
                    }
                }
            }
            Err(error) if stops_all(&error) => return Err(error),
            Err(error) => {
                let (outcome, reason) = match error.code().as_str() {
                    ALREADY_MEMBER => (ItemOutcome::Skipped, error.to_string()),
                    _ => (ItemOutcome::Failed, format!("{error}; {}", error.fix())),
                };
                ended.push((row.number, item(&row, row.member.to_string(), row.project.to_string(), outcome, Some(reason))));
            }
        }
    }
    let impact = impact(&planned, &ended);
    Ok(Draft::new(target(&planned), impact, move |permit| async move { Ok(Sent::after(send(planned, ended, permit).await)) }))
}

/// A row that can be sent.
struct Planned {
    number: usize,
    member: String,
    /// Name and id, as the target says it.
    within: Option<String>,
    project: String,
    organization: Option<String>,
    roles: Vec<String>,
    impact: Impact,
    send: SendFn<Member>,
    read_back: Option<ReadBackFn<Member>>,
}

impl Planned {
    fn of(row: &Row, draft: Draft<Member>) -> Self {
        let Draft { target, impact, send, read_back, .. } = draft;
        let Target { name, within, organization, .. } = target;
        let project = row.project.to_string();
        let roles = row.roles.iter().map(ToString::to_string).collect();
        Self { number: row.number, member: name, within, project, organization, roles, impact, send, read_back }
    }

    /// Person and project, as they were resolved.
    fn key(&self) -> (Option<String>, String) {
        (self.within.clone(), fold(&self.member))
    }

    fn item(&self, outcome: ItemOutcome, reason: String) -> BatchItem {
        let (member, project, roles) = (self.member.clone(), self.project.clone(), self.roles.clone());
        BatchItem { member, project, roles, outcome, reason: Some(reason) }
    }
}

fn item(row: &Row, member: String, project: String, outcome: ItemOutcome, reason: Option<String>) -> BatchItem {
    BatchItem { member, project, roles: row.roles.iter().map(ToString::to_string).collect(), outcome, reason }
}

fn roles_key(row: &Row) -> Vec<String> {
    let mut roles: Vec<String> = row.roles.iter().map(|it| fold(&it.to_string())).collect();
    roles.sort();
    roles.dedup();
    roles
}

/// Whether an error is about the service and not about the row.
fn stops_all(error: &ProviderError) -> bool {
    match error {
        ProviderError::Store(_) => true,
        ProviderError::Remote(remote) => remote.retryable || remote.code == "unauthenticated",
        _ => false,
    }
}

fn target(planned: &[Planned]) -> Target {
    let people: HashSet<String> = planned.iter().map(|it| fold(&it.member)).collect();
    let name = if people.len() == 1 { "1 person".to_owned() } else { format!("{} people", people.len()) };
    let organization = planned.first().and_then(|it| it.organization.clone());
    let organization = organization.filter(|it| planned.iter().all(|row| row.organization.as_ref() == Some(it)));
    let mut projects: Vec<&str> = planned.iter().filter_map(|it| it.within.as_deref()).collect();
    projects.sort_unstable();
    projects.dedup();
    let within = Some(projects.join(", ")).filter(|it| !it.is_empty());
    Target { kind: "batch".into(), name, id: None, within, organization }
}

/// Who gets what, in as few sentences as that takes; and which rows are left out, and why.
fn impact(planned: &[Planned], ended: &[(usize, BatchItem)]) -> Impact {
    let mut impact = if planned.is_empty() {
        Impact::none().note("nobody is to be added")
    } else {
        // Many at once are worth a question, whatever they get.
        Impact::of(Gravity::Low).undo("remove_project_member for each who was added")
    };
    // What is said of each person alone is said once of all it is true of.
    let mut sentences: Vec<(String, Vec<&str>)> = Vec::new();
    for row in planned {
        impact = impact.at_least(row.impact.gravity);
        for note in &row.impact.notes {
            let said = note.strip_suffix(&format!(": {}", row.member)).unwrap_or(note);
            match sentences.iter_mut().find(|it| it.0 == said) {
                Some((_, people)) => people.push(&row.member),
                None => sentences.push((said.to_owned(), vec![&row.member])),
            }
        }
    }
    for (said, people) in sentences {
        impact = impact.note(format!("{said}: {}", listed(&people, people.len())));
    }
    for (outcome, what) in [(ItemOutcome::Skipped, "left out"), (ItemOutcome::Failed, "cannot be added")] {
        let rows: Vec<String> = ended
            .iter()
            .filter(|it| it.1.outcome == outcome)
            .map(|(number, it)| format!("row {number} ({})", it.reason.as_deref().unwrap_or_default()))
            .collect();
        if !rows.is_empty() {
            impact = impact.note(format!("{} {what}: {}", rows.len(), listed(&rows, rows.len())));
        }
    }
    impact
}

fn listed<T: AsRef<str>>(texts: &[T], count: usize) -> String {
    let shown: Vec<&str> = texts.iter().take(SHOWN).map(AsRef::as_ref).collect();
    let more = count.saturating_sub(SHOWN);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// Sends what was planned; each row ends with what is true of it.
async fn send(planned: Vec<Planned>, ended: Vec<(usize, BatchItem)>, permit: Permit) -> Batch {
    let mut items = ended;
    let mut sending = stream::iter(planned.into_iter().map(|row| row.sent(permit.clone()))).buffer_unordered(AT_ONCE);
    while let Some(item) = sending.next().await {
        items.push(item);
    }
    items.sort_by_key(|it| it.0);
    let mut batch = Batch::default();
    for (number, mut item) in items {
        let count = match item.outcome {
            ItemOutcome::Done => &mut batch.done,
            ItemOutcome::Skipped => &mut batch.skipped,
            ItemOutcome::Failed => &mut batch.failed,
            ItemOutcome::Unknown => &mut batch.unknown,
        };
        *count += 1;
        if matches!(item.outcome, ItemOutcome::Failed | ItemOutcome::Unknown) {
            item.reason = item.reason.map(|it| format!("row {number}: {it}"));
        }
        batch.items.push(item);
    }
    batch
}

impl Planned {
    async fn sent(self, permit: Permit) -> (usize, BatchItem) {
        let Self { number, member, project, roles, send, read_back, .. } = self;
        let (outcome, reason) = match send(permit).await {
            Ok(_) => (ItemOutcome::Done, None),
            Err(error @ ProviderError::Unanswered { .. }) => settled(error, read_back).await,
            Err(error) => (ItemOutcome::Failed, Some(format!("{error}; {}", error.fix()))),
        };
        (number, BatchItem { member, project, roles, outcome, reason })
    }
}

/// What became of a row that was sent and not answered: looked up, and never sent again.
async fn settled(error: ProviderError, read_back: Option<ReadBackFn<Member>>) -> (ItemOutcome, Option<String>) {
    let late = matches!(error, ProviderError::Unanswered { late: true, .. });
    let unknown = || (ItemOutcome::Unknown, Some(format!("{error}; look with list_project_members before sending it again")));
    let Some(read) = read_back else { return unknown() };
    // What was taken in may take a moment to show.
    for pause in [0, 250, 1000] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        match read().await {
            Ok(Some(_)) => return (ItemOutcome::Done, Some("no answer came; it has taken effect".into())),
            Ok(None) => {}
            Err(_) => return unknown(),
        }
    }
    if late { unknown() } else { (ItemOutcome::Failed, Some(format!("{error}; it has not taken effect and may be sent again"))) }
}
