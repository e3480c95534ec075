//! The console: what its pages, which are a crate of their own, need of the program. Whoever has signed in is the operator of this
//! machine; what they change goes the way of everybody's changes.

mod access;
mod activity;
mod calls;
mod jobs;
mod open;
mod questions;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

pub use open::{Open, link};
use rolecall_console::{
    ActivityFilter, ActivityPage, Answer, Answered, CallPlan, Connection, Day, Desk, Dossier, Findings, Job, JobRow, Made, Matrix, Mend,
    Question, Scope, Told, Topic, Trouble, Verified, VerifiedPerson, Waiting,
};
use serde_json::{Map, Value};

use crate::{
    app::App,
    error::{CallError, ProviderError, chain},
    guard::{Caller, Given, LOCAL_PRINCIPAL, Verdict},
    store::{StoreError, transaction},
};

/// The program as the pages see it.
struct Program {
    app: Arc<App>,
    /// Changes that were asked for on a page and wait for an answer: made once somebody has agreed.
    asked_here: Mutex<HashMap<String, AskedHere>>,
}

/// A change that was asked for on a page.
struct AskedHere {
    tool: String,
    arguments: Map<String, Value>,
    caller: Caller,
}

/// Who looks at the pages, or changes something there.
fn operator(person: Option<&VerifiedPerson>) -> Caller {
    let client = person.map_or_else(|| "rolecall-console".to_owned(), |it| format!("rolecall-console, {}", it.name()));
    Caller { principal: LOCAL_PRINCIPAL.to_owned(), client, can_ask: false }
}

/// What went wrong, as pages tell it.
fn trouble(error: &CallError) -> Trouble {
    Trouble { message: error.told(), fix: error.fix() }
}

fn store_trouble(error: &StoreError) -> Trouble {
    Trouble { message: chain(error), fix: "run `rolecall doctor`".to_owned() }
}

fn provider_trouble(error: ProviderError) -> Trouble {
    trouble(&CallError::from(error))
}

impl Program {
    /// Calls a tool as the operator, and gets its result.
    async fn read(&self, tool: &str, arguments: Value) -> Result<Value, Trouble> {
        let arguments = if let Value::Object(arguments) = arguments { arguments } else { Map::new() };
        match self.app.call(tool, arguments, &operator(None), Given::Nothing).await {
            Ok(Verdict::Done(result)) => Ok(result),
            Ok(_) => Err(trouble(&CallError::Internal)),
            Err(error) => Err(trouble(&error)),
        }
    }
}

impl Desk for Program {
    fn redeem<'a>(&'a self, code: &'a str) -> Told<'a, Option<String>> {
        Box::pin(async move {
            let used = transaction!(self.app.db, StoreError, tx => { tx.use_code(code).await });
            used.map_err(|it| store_trouble(&it))
        })
    }

    fn mark<'a>(&'a self, topic: &'a Topic) -> Told<'a, String> {
        Box::pin(async move {
            match topic {
                Topic::Waiting => self.mark_of_waiting().await,
                Topic::Question(id) => self.mark_of_question(id).await,
                Topic::Jobs => {
                    Ok(format!("{:?}", self.jobs().await?.iter().map(|it| (&it.id, &it.status, &it.counts)).collect::<Vec<_>>()))
                }
                Topic::Job(id) => self.mark_of_job(id).await,
            }
        })
    }

    fn waiting(&self) -> Told<'_, Vec<Waiting>> {
        Box::pin(self.all_waiting())
    }

    fn question<'a>(&'a self, id: &'a str) -> Told<'a, Option<Question>> {
        Box::pin(self.one_question(id))
    }

    fn answer<'a>(&'a self, id: &'a str, person: &'a VerifiedPerson, answer: Answer) -> Told<'a, Answered> {
        Box::pin(self.take(id, person, answer))
    }

    fn activity<'a>(&'a self, filter: &'a ActivityFilter) -> Told<'a, ActivityPage> {
        Box::pin(self.page_of_activity(filter))
    }

    fn days(&self) -> Told<'_, Vec<Day>> {
        Box::pin(self.last_days())
    }

    fn verify(&self) -> Told<'_, Verified> {
        Box::pin(self.verified())
    }

    fn undo_plan<'a>(&'a self, call: &'a str) -> Told<'a, CallPlan> {
        Box::pin(self.plan_of_undo(call))
    }

    fn undo<'a>(&'a self, call: &'a str, person: &'a VerifiedPerson) -> Told<'a, Made> {
        Box::pin(self.undone(call, person))
    }

    fn jobs(&self) -> Told<'_, Vec<Job>> {
        Box::pin(self.all_jobs())
    }

    fn job<'a>(&'a self, id: &'a str) -> Told<'a, (Job, Vec<JobRow>)> {
        Box::pin(self.one_job(id))
    }

    fn job_table<'a>(&'a self, id: &'a str) -> Told<'a, String> {
        Box::pin(async move { self.app.jobs().table(id, &operator(None)).await.map_err(|it| trouble(&it)) })
    }

    fn cancel_job<'a>(&'a self, id: &'a str, person: &'a VerifiedPerson) -> Told<'a, ()> {
        Box::pin(self.cancelled(id, person))
    }

    fn resume_job<'a>(&'a self, id: &'a str) -> Told<'a, ()> {
        Box::pin(async move { self.app.jobs().resume(Some(id)).await.map(drop).map_err(|it| trouble(&it)) })
    }

    fn connections(&self) -> Told<'_, Vec<Connection>> {
        Box::pin(self.all_connections())
    }

    fn matrix<'a>(&'a self, scope: &'a Scope) -> Told<'a, Matrix> {
        Box::pin(self.whole_matrix(scope))
    }

    fn findings<'a>(&'a self, scope: &'a Scope) -> Told<'a, Option<Findings>> {
        Box::pin(self.reviewed(scope))
    }

    fn mend_plan<'a>(&'a self, scope: &'a Scope, mend: &'a Mend) -> Told<'a, CallPlan> {
        Box::pin(self.plan_of_mend(scope, mend))
    }

    fn mend<'a>(&'a self, scope: &'a Scope, mend: &'a Mend, person: &'a VerifiedPerson) -> Told<'a, Made> {
        Box::pin(self.mended(scope, mend, person))
    }

    fn person<'a>(&'a self, scope: &'a Scope, person: &'a str) -> Told<'a, Dossier> {
        Box::pin(self.about_person(scope, person))
    }

    fn project<'a>(&'a self, scope: &'a Scope, project: &'a str) -> Told<'a, Dossier> {
        Box::pin(self.about_project(scope, project))
    }
}
