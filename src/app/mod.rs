//! The program put together: connections, catalog and guard, with no transport yet.

mod across;
mod pages;

use std::{path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::{
    answers::{self, Ask},
    catalog::{Catalog, Envelope, Offer},
    domain::{Timestamp, jobs::Job},
    error::CallError,
    guard::{self, AllowLists, Caller, ChangeRequest, Given, Guard, GuardSettings, Verdict},
    jobs::{Jobs, Wait, Wanted},
    providers::{
        Connection, Prepared,
        builtin::{self, Builtin},
    },
    secrets::SecretSink,
    shape::shape,
    store::{Db, StoreError, patiently, sha256, transaction},
};
use pages::Mark;

/// What a server needs to run.
#[derive(Debug)]
pub struct Setup {
    pub db: Db,
    pub connections: Vec<Connection>,
    pub lists: AllowLists,
    pub guard: GuardSettings,
    pub secrets: SecretSink,
    /// What looks like an account and is not used: whoever wonders where the accounts are is told.
    pub notes: Vec<String>,
}

impl Setup {
    /// The embedded directory alone, with the defaults: everything on offer, secrets in `secrets`.
    pub fn local(db: Db, secrets: PathBuf) -> Self {
        let connection = crate::providers::local::connect("local", db.clone(), crate::providers::local::Settings::default());
        Self {
            db,
            connections: vec![connection],
            lists: AllowLists::default(),
            guard: GuardSettings::default(),
            secrets: SecretSink::Folder(secrets),
            notes: Vec::new(),
        }
    }
}

/// What becomes of a call. Boxed, so that what is behind it is compiled with the library and not with each program that calls.
pub type Called<'a> = BoxFuture<'a, Result<Verdict, CallError>>;

/// Everything behind the protocol. Cheap to share.
#[derive(Debug)]
pub struct App {
    pub catalog: Arc<Catalog>,
    pub connections: Vec<Arc<Connection>>,
    pub db: Db,
    /// What looks like an account and is not used.
    pub notes: Vec<String>,
    guard: Arc<Guard>,
    jobs: Jobs,
}

impl App {
    pub fn new(setup: Setup) -> Self {
        let connections: Vec<Arc<Connection>> = setup.connections.into_iter().map(Arc::new).collect();
        let own = Arc::new(builtin::connect(Builtin { connections: connections.clone(), notes: setup.notes.clone() }));
        let token = setup.guard.fallback == crate::guard::Fallback::Token;
        let catalog = Arc::new(Catalog::new(&connections, &own, &setup.lists, token));
        let guard = Arc::new(Guard::new(setup.db.clone(), Box::new(setup.lists), setup.guard, setup.secrets));
        let jobs = Jobs::new(setup.db.clone(), Arc::clone(&catalog), Arc::clone(&guard));
        Self { catalog, connections, db: setup.db, notes: setup.notes, guard, jobs }
    }

    /// The jobs: work of many calls that outlives the call it came from.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Says how long a call waits for its outcome to be recorded, where it is not as long as clients wait.
    pub fn records_within(&self, time: std::time::Duration) {
        self.guard.records_within(time);
    }

    /// Calls a tool: decode, resolve, guard, send, shape. `given` is what came back for an earlier question.
    pub fn call<'a>(&'a self, tool: &'a str, arguments: Map<String, Value>, caller: &'a Caller, given: Given) -> Called<'a> {
        self.call_and_wait(tool, arguments, caller, given, Wait::default())
    }

    /// The same; `wait` says for how long, should it begin a job.
    pub fn call_and_wait<'a>(
        &'a self,
        tool: &'a str,
        arguments: Map<String, Value>,
        caller: &'a Caller,
        given: Given,
        wait: Wait,
    ) -> Called<'a> {
        Box::pin(patiently(self.called(tool, arguments, caller, given, wait)))
    }

    async fn called(
        &self,
        tool: &str,
        mut arguments: Map<String, Value>,
        caller: &Caller,
        given: Given,
        wait: Wait,
    ) -> Result<Verdict, CallError> {
        let offer = self.catalog.offer(tool)?;
        let envelope = offer.open(&mut arguments)?;
        if offer.is_across() && envelope.connection.is_none() {
            return Ok(Verdict::Done(across::read(self, offer, arguments, caller).await?));
        }
        let connection = offer.connection(envelope.connection.as_deref())?;
        let tool = &offer.tool;
        // What the server itself answers over accounts comes from one of them only where it is about one.
        let from = if tool.spans {
            if let [one] = offer.about(envelope.connection.as_deref())? { Some(one.name.clone()) } else { None }
        } else {
            Some(connection.name.clone())
        };
        let from = from.as_deref();
        let mark = if offer.is_read() { Some(Mark::open(tool.name, from.unwrap_or(&connection.name), &mut arguments)?) } else { None };
        let verdict = if offer.is_job(connection) {
            self.jobs.call(tool, &connection.name, arguments, envelope, caller, given, wait).await?
        } else {
            self.make(offer, connection, arguments, envelope, caller, given).await?
        };
        Ok(match verdict {
            Verdict::Done(mut result) => {
                if let Some(mark) = mark {
                    mark.close(&mut result);
                }
                Verdict::Done(from_connection(from, result))
            }
            Verdict::Token { question, ticket, receipt } => Verdict::Token { question, ticket, receipt: from_connection(from, receipt) },
            ask @ Verdict::Ask(..) => ask,
        })
    }

    /// What the call that began a job would answer now.
    pub fn report<'a>(&'a self, job: &'a Job, caller: &'a Caller) -> BoxFuture<'a, Result<Value, CallError>> {
        Box::pin(async move { Ok(from_connection(Some(&job.on), self.jobs.report(&job.job, caller).await?)) })
    }

    async fn make(
        &self,
        offer: &Offer,
        connection: &Arc<Connection>,
        arguments: Map<String, Value>,
        envelope: Envelope,
        caller: &Caller,
        given: Given,
    ) -> Result<Verdict, CallError> {
        let tool = &offer.tool;
        if let Some(answer) = answers::of(tool.name) {
            self.guard.may(tool, &connection.name, caller)?;
            let about = offer.about(envelope.connection.as_deref().filter(|_| tool.spans))?;
            return Ok(Verdict::Done(
                answer(Ask::new(&self.db, &self.guard, tool, caller, about, self.connections.len() > 1), arguments).await?,
            ));
        }
        if let Some(written) = &envelope.ends_at {
            self.guard.may(tool, &connection.name, caller)?;
            let Wanted { change, arguments, ends, since } =
                self.jobs.wanted(offer, connection, arguments, written, (caller, &given)).await?;
            let Envelope { dry_run, idempotency_key, .. } = envelope;
            let (connection, ends) = (connection.clone(), Some(ends));
            let request = ChangeRequest { tool, connection, arguments, change, dry_run, idempotency_key, ends, since };
            return self.guard.change(request, caller, given).await;
        }
        match offer.prepare(connection, &connection.open(), arguments)? {
            Prepared::Read(read) => Ok(Verdict::Done(self.guard.read(tool, &connection.name, caller, read).await?)),
            Prepared::Change { arguments, change } => {
                let Envelope { dry_run, idempotency_key, .. } = envelope;
                let (connection, since) = (connection.clone(), Timestamp::now());
                let request = ChangeRequest { tool, connection, arguments, change, dry_run, idempotency_key, ends: None, since };
                self.guard.change(request, caller, given).await
            }
        }
    }

    /// Whether an approval waits for an answer yet.
    pub async fn waits(&self, approval: &str) -> Result<bool, StoreError> {
        let mut db = self.db.read().await?;
        let (found, now) = (db.approval(approval).await?, db.now().await?);
        Ok(found.is_some_and(|it| it.is_open(now)))
    }

    /// A question of this caller's, for a page that its client shows; see `Guard::shown`.
    pub(crate) async fn shown(&self, caller: &Caller, approval: &str) -> Result<Option<guard::Shown>, CallError> {
        self.guard.shown(caller, approval).await
    }

    /// Takes an answer from such a page; see `Guard::answered_in_client`.
    pub(crate) async fn answered_in_client(&self, caller: &Caller, approval: &str, answer: &guard::ClientAnswer) -> Result<(), CallError> {
        self.guard.answered_in_client(caller, approval, answer).await
    }

    /// The key that seals consents on their way through clients; the same for all processes on one store.
    pub async fn sealing_key(&self) -> Result<[u8; 32], StoreError> {
        use sha2::Digest as _;
        let fresh = sha256(format!("{}{}", uuid::Uuid::new_v4(), uuid::Uuid::new_v4()));
        let kept = transaction!(self.db.recording(), StoreError, tx => { tx.setting("sealing_key", &fresh).await })?;
        Ok(sha2::Sha256::digest(format!("rolecall consent\n{kept}")).into())
    }
}

/// A result as it leaves the server, with the connection it came from.
fn from_connection(name: Option<&str>, mut result: Value) -> Value {
    if let (Value::Object(fields), Some(name)) = (&mut result, name) {
        fields.insert("connection".into(), name.into());
    }
    shape(&mut result);
    result
}
