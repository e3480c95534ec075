//! What waits for a person, and the answers.

use std::{sync::PoisonError, time::Duration};

use rolecall_console::{Answer, Answered, Gravity, Loss, PlanRow, Question, Reached, Scope, Standing, Trouble, VerifiedPerson, Waiting};
use serde_json::{Value, json};

use super::{AskedHere, Program, store_trouble};
use crate::{
    domain::{
        MemberRef, ProjectRef, Timestamp,
        access::{GrantScope, Holder},
        clean,
    },
    guard::{self, Answering, Given},
    store::{Approval, StoreError},
};

/// How long a service may take to tell who is concerned; the question does not wait for it longer.
const PATIENCE: Duration = Duration::from_secs(2);

impl Program {
    pub(super) async fn all_waiting(&self) -> Result<Vec<Waiting>, Trouble> {
        let found: Result<Vec<Waiting>, StoreError> = async {
            let mut db = self.app.db.read().await?;
            let mut waiting = Vec::new();
            let now = db.now().await?;
            for it in db.open_approvals(now).await? {
                let agreed = if it.needed > 1 { db.votes(&it.id).await? } else { Vec::new() };
                waiting.push(waits(&it, agreed));
            }
            Ok(waiting)
        }
        .await;
        let mut waiting = found.map_err(|it| store_trouble(&it))?;
        waiting.sort_by_key(|it| (std::cmp::Reverse(it.gravity), it.expires_at));
        Ok(waiting)
    }

    pub(super) async fn mark_of_waiting(&self) -> Result<String, Trouble> {
        let found = async {
            let mut db = self.app.db.read().await?;
            let now = db.now().await?;
            db.waiting_mark(now).await
        };
        found.await.map_err(|it| store_trouble(&it))
    }

    pub(super) async fn mark_of_question(&self, id: &str) -> Result<String, Trouble> {
        let found: Result<String, StoreError> = async {
            let mut db = self.app.db.read().await?;
            let Some(it) = db.approval(id).await? else { return Ok(String::new()) };
            let now = db.now().await?;
            Ok(format!("{:?} {:?}", standing(&it, now), db.votes(id).await?))
        }
        .await;
        found.map_err(|it| store_trouble(&it))
    }

    pub(super) async fn one_question(&self, id: &str) -> Result<Option<Question>, Trouble> {
        let found: Result<_, StoreError> = async {
            let mut db = self.app.db.read().await?;
            let Some(it) = db.approval(id).await? else { return Ok(None) };
            let agreed = db.votes(id).await?;
            Ok(Some((it, agreed, db.now().await?)))
        }
        .await;
        let Some((approval, agreed, now)) = found.map_err(|it| store_trouble(&it))? else { return Ok(None) };
        let asked: Value = serde_json::from_str(&approval.question).unwrap_or_default();
        let question = guard::Question::of_approval(&approval);
        // What an older program has stored has its text alone.
        let told: Vec<String> = match strings(&asked["impact"]["notes"]) {
            notes if asked["impact"].is_null() => notes.into_iter().chain(question.text.lines().skip(1).map(str::to_owned)).collect(),
            notes => notes,
        };
        let reached = tokio::time::timeout(PATIENCE, self.concerned(&approval, &asked["target"])).await.ok().flatten();
        Ok(Some(Question {
            standing: standing(&approval, now),
            type_this: question.type_this,
            target_id: text(&asked["target"]["id"]),
            within: text(&asked["target"]["within"]),
            losses: losses(&asked["impact"]["losses"], &asked["losing"]),
            changes: changes(&asked["changes"]),
            notes: told,
            undo: text(&asked["impact"]["undo"]),
            before: fields(&asked["before"]),
            rows: asked["rows"].as_array().into_iter().flatten().map(row).collect(),
            reached,
            waiting: waits(&approval, agreed),
        }))
    }

    /// All whom a change is about, as it is now: not the first few, whom a form would name.
    async fn concerned(&self, approval: &Approval, target: &Value) -> Option<Reached> {
        let connection = self.app.connections.iter().find(|it| it.name == approval.connection)?;
        let (id, name) = (target["id"].as_str()?, target["name"].as_str()?);
        let (scope, title) = match target["kind"].as_str()? {
            "project" => (GrantScope::Project(ProjectRef::try_from(id.to_owned()).ok()?), format!("Who reaches {name} now")),
            "member" | "project_member" | "organization_member" => {
                (GrantScope::Person(MemberRef::try_from(name.to_owned()).ok()?), format!("What {name} reaches now"))
            }
            _ => return None,
        };
        let is_project = matches!(scope, GrantScope::Project(_));
        let grants = connection.grants(scope).await.ok()??;
        let scope = Scope { connection: connection.name.clone(), organization: text(&target["organization"]).unwrap_or_default() };
        let wanted = |holder: &Holder| !is_project || !matches!(holder, Holder::Team(_));
        Some(super::access::reached(title, scope, grants, wanted))
    }

    pub(super) async fn take(&self, id: &str, person: &VerifiedPerson, answer: Answer) -> Result<Answered, Trouble> {
        let taken: Result<Answered, StoreError> = async {
            let db = &self.app.db;
            let who = Answering::in_console(person.name());
            let typed = match answer {
                Answer::Refuse { reason } => {
                    return Ok(match guard::refuse(db, id, who, &reason).await? {
                        guard::Answered::Refused => Answered::Refused,
                        _ => Answered::NotOpen,
                    });
                }
                Answer::Agree { typed } => typed,
            };
            let Some(approval) = db.read().await?.approval(id).await? else { return Ok(Answered::NotOpen) };
            let question = guard::Question::of_approval(&approval);
            let form = if question.type_this.is_some() { json!({ "name": typed.unwrap_or_default() }) } else { json!({ "confirm": true }) };
            if !question.is_yes(&form) {
                return Ok(Answered::Mistyped(question.mismatch(&form)));
            }
            Ok(match guard::approve(db, id, who).await? {
                guard::Answered::Approved => Answered::Approved,
                guard::Answered::Waiting(more) => Answered::Waiting(more),
                guard::Answered::Elsewhere(_) => Answered::Elsewhere,
                guard::Answered::Refused | guard::Answered::NotOpen => Answered::NotOpen,
            })
        }
        .await;
        let answered = taken.map_err(|it| store_trouble(&it))?;
        if answered == Answered::Approved {
            self.make_what_was_asked_here(id);
        }
        Ok(answered)
    }

    /// Makes a change that was asked for on a page, now that somebody has agreed to it.
    fn make_what_was_asked_here(&self, id: &str) {
        let asked = self.asked_here.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        let Some(AskedHere { tool, arguments, caller }) = asked else { return };
        let app = std::sync::Arc::clone(&self.app);
        tokio::spawn(async move {
            if let Err(error) = app.call(&tool, arguments, &caller, Given::Nothing).await {
                tracing::warn!(tool, "what was agreed to in the console was not made: {}", error.told());
            }
        });
    }
}

/// `now` is the store's time.
fn standing(it: &Approval, now: Timestamp) -> Standing {
    let lives = it.expires_at > now.0;
    match it.status.as_str() {
        "used" => Standing::Used,
        "refused" => Standing::Refused(it.reason.clone()),
        "approved" if lives => Standing::Approved,
        "pending" if lives && Answering::in_console("").may(it) => Standing::Open,
        "pending" if lives => Standing::Elsewhere,
        _ => Standing::Expired,
    }
}

fn waits(it: &Approval, agreed: Vec<String>) -> Waiting {
    let asked: Value = serde_json::from_str(&it.question).unwrap_or_default();
    let (target, impact) = (&asked["target"], &asked["impact"]);
    let first = asked["text"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
    let losses = losses(&impact["losses"], &Value::Null);
    // A plan belongs to the server itself; people want to know which accounts it reaches.
    let mut on: Vec<&str> = asked["rows"].as_array().into_iter().flatten().filter_map(|it| it["on"].as_str()).collect();
    on.sort_unstable();
    on.dedup();
    let connection = if on.is_empty() { it.connection.clone() } else { on.join(", ") };
    Waiting {
        id: it.id.clone(),
        does: text(&asked["title"]).unwrap_or_else(|| it.tool.replace('_', " ")),
        noun: text(&target["kind"]).map(|it| if it == "batch" { "plan".to_owned() } else { it.replace('_', " ") }).unwrap_or_default(),
        name: text(&target["name"]).unwrap_or_else(|| first.to_owned()),
        organization: text(&target["organization"]).filter(|it| Some(it.as_str()) != target["name"].as_str()),
        connection,
        // What cannot be read is shown as grave.
        gravity: gravity(&impact["gravity"]).unwrap_or(Gravity::Critical),
        can_be_undone: !impact["undo"].is_null(),
        losses: losses.iter().map(|it| format!("{} {}", it.count, it.what)).collect(),
        client: clean(asked["client"].as_str().unwrap_or_default()).into_owned(),
        principal: it.principal.clone(),
        asked_at: it.created_at,
        expires_at: it.expires_at,
        needed: it.needed,
        agreed,
    }
}

fn gravity(value: &Value) -> Option<Gravity> {
    match value.as_str()? {
        "critical" => Some(Gravity::Critical),
        "high" => Some(Gravity::High),
        "low" => Some(Gravity::Low),
        _ => None,
    }
}

/// `all`: of each loss all who lose by it, where there are more than the examples.
fn losses(value: &Value, all: &Value) -> Vec<Loss> {
    let loss = |(at, it): (usize, &Value)| Loss {
        count: it["count"].as_u64().unwrap_or_default(),
        what: text(&it["what"]).unwrap_or_default(),
        examples: strings(&it["examples"]),
        all: strings(&all[at]),
    };
    value.as_array().into_iter().flatten().enumerate().map(loss).collect()
}

fn changes(value: &Value) -> Vec<(String, String, String)> {
    let change = |it: &Value| Some((text(&it[0])?, text(&it[1])?, text(&it[2])?));
    value.as_array().into_iter().flatten().filter_map(change).collect()
}

fn row(it: &Value) -> PlanRow {
    let target = &it["target"];
    let within = text(&target["within"]).map(|it| format!(", {it}")).unwrap_or_default();
    PlanRow {
        row: text(&it["row"]).unwrap_or_default(),
        does: text(&it["does"]).unwrap_or_default(),
        target: text(&target["name"]).map(|name| format!("{name}{within}")).unwrap_or_default(),
        on: text(&it["on"]).unwrap_or_default(),
        state: text(&it["state"]).unwrap_or_default(),
        gravity: gravity(&it["gravity"]),
        told: strings(&it["told"]),
        losing: it["losing"].as_array().into_iter().flatten().flat_map(strings).collect(),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(text).collect()
}

/// The fields of a thing, as people read them.
fn fields(value: &Value) -> Vec<(String, String)> {
    let told = |value: &Value| match value {
        Value::String(text) => Some(text.clone()).filter(|it| !it.is_empty()),
        Value::Bool(it) => Some(if *it { "yes" } else { "no" }.to_owned()),
        Value::Number(it) => Some(it.to_string()),
        Value::Array(items) => {
            Some(items.iter().map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)).collect::<Vec<_>>().join(", "))
                .filter(|it| !it.is_empty())
        }
        Value::Null | Value::Object(_) => None,
    };
    let fields = value.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.replace('_', " "), told(value)?))).collect()
}
