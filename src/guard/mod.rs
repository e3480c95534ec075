//! The guard: the only place a request is sent from, and the only judge of how grave a change is.
//!
//! A change goes one way, alone or as a row of a job: planned, weighed, decided about, consented to if needed, intended, sent,
//! recorded. Planned, it is facts that its provider reports; weighed (`weigh.rs`), it is an impact that a person can read; decided
//! about (`policy.rs`), it is denied, allowed or to be confirmed; intended, it is in the ledger; recorded, its outcome is too.
//! The guard knows nothing of MCP: it answers with a result, or with a question and a ticket, and whoever called puts the
//! question.
//!
//! What can be sent, and the permit to send it, exist in this crate only; within it, only this module makes and spends them:
//!
//! ```compile_fail,E0603
//! use rolecall::guard::Permit;
//! ```
//!
//! ```compile_fail,E0603
//! use rolecall::guard::UnsentChange;
//! ```

mod account;
mod activity;
mod approvals;
mod asking;
mod asks;
mod changed;
mod consent;
mod ends;
mod finish;
mod policy;
mod record;
mod recorder;
mod repeats;
mod row_log;
mod settling;
mod steps;
mod together;
mod unsent;
mod weigh;
mod words;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use record::{Evidence, Record};
use recorder::{KeyChange, Recorder};
use serde_json::{Map, Value, json};
use steps::Cleared;
use tracing::Instrument as _;

pub(crate) use account::Account;
pub(crate) use activity::list_activity;
pub(crate) use approvals::{Answer as ClientAnswer, Shown};
pub use approvals::{Answered, Answering, approve, refuse};
pub use asks::{Ask, Asks};
pub use consent::{Answer, Given, Question, TTL_SECONDS, Ticket, lines};
pub(crate) use ends::{Ending, EndsBy, Taking, beyond, moving};
pub(crate) use finish::{Ended, settled};
pub use policy::{AllowLists, Decision, Policy, Subject};
pub(crate) use row_log::{LogError, RowLog};
pub(crate) use settling::settle_open;
pub(crate) use steps::{Begun, Call, JobCall, JobRequest, LookedBack, RowCall, Step, Told, job_unknown};
pub(crate) use unsent::{Made, Permit, Plan, Planned, Preview, UnsentChange, UnsentRead};
pub use weigh::Trust;
use weigh::too_many;
pub(crate) use weigh::{Bearing, of_plan, sum};

use crate::{
    domain::{ReviewLimits, Timestamp},
    error::{CallError, ProviderError},
    secrets::SecretSink,
    shape::shape,
    store::{Db, EntryKind, FromStore as _, JobRecord, NewRows, RepeatKey, StoreError, sha256, transaction},
    tools::{Operation as _, Receipt, Status, Tool, jobs::Undo},
};

/// What to do when the caller's client cannot ask a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// The call waits for `rolecall approve ID`.
    #[default]
    Approve,
    /// The caller gets a token to send back: weaker, since a model can do that by itself. Never for the gravest changes.
    Token,
    Refuse,
}

impl Fallback {
    /// As it stands in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Token => "token",
            Self::Refuse => "refuse",
        }
    }
}

/// The operator's settings.
#[derive(Debug, Clone, Default)]
pub struct GuardSettings {
    pub fallback: Fallback,
    /// Whether the gravest changes need two people.
    pub second_person: bool,
    /// Whether a caller over HTTP is told what others' calls did.
    pub shared_activity: bool,
    /// Where people are asked.
    pub asks: Asks,
    /// Whose mail domains may be given power with a plain yes.
    pub trust: Trust,
    /// The zone of times that are written without one; by default the machine's.
    pub time_zone: Option<String>,
    /// How many people and things one plan may remove. `None`: of each kind half of what the organization has, see `weigh.rs`.
    pub max_removals: Option<u64>,
    /// What a review of access counts as long.
    pub review: ReviewLimits,
}

/// The principal of whoever sits at the machine itself: at a terminal, or behind a connection that has no names of its own.
pub const LOCAL_PRINCIPAL: &str = "local";

/// Who calls. Approvals, keys and consents of one principal are of no use to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub principal: String,
    /// What the client says it is.
    pub client: String,
    /// Whether the client can put a question to a person.
    pub can_ask: bool,
}

impl Caller {
    /// Whether it is somebody at the machine itself.
    pub(crate) fn is_local(&self) -> bool {
        self.principal == LOCAL_PRINCIPAL
    }
}

/// A change that a caller wants made.
pub(crate) struct ChangeRequest<'a> {
    pub(crate) tool: &'a Tool,
    pub(crate) connection: Arc<dyn Account>,
    /// As they were understood.
    pub(crate) arguments: Value,
    pub(crate) change: UnsentChange,
    pub(crate) dry_run: bool,
    pub(crate) idempotency_key: Option<String>,
    /// When what it gives is to end.
    pub(crate) ends: Option<Ending>,
    /// When it was asked for: see [`Guard::asked_since`].
    pub(crate) since: Timestamp,
}

/// What the guard has to say when it is not an error.
#[derive(Debug)]
pub enum Verdict {
    /// The receipt.
    Done(Value),
    /// A person has to be asked; the ticket goes back with the answer.
    Ask(Question, Ticket),
    /// The caller may send the ticket back as a token.
    Token { question: Question, ticket: Ticket, receipt: Value },
}

/// The guard.
pub struct Guard {
    db: Db,
    recorder: Recorder,
    policy: Box<dyn Policy>,
    settings: GuardSettings,
    secrets: SecretSink,
    /// See [`Guard::records_within`].
    patience: Mutex<Duration>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Guard {
    pub fn new(db: Db, policy: Box<dyn Policy>, settings: GuardSettings, secrets: SecretSink) -> Self {
        let recorder = Recorder::new(db.clone());
        Self { db, recorder, policy, settings, secrets, patience: Mutex::new(finish::PATIENCE) }
    }

    /// Says how long a call waits for its outcome to be recorded, where it is not as long as clients wait.
    pub(crate) fn records_within(&self, time: Duration) {
        *self.patience.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }

    /// The mail domains that the operator trusts with power, where any are named.
    pub(crate) fn trusted_domains(&self) -> Option<BTreeSet<String>> {
        self.settings.trust.domains.clone()
    }

    /// What a review of access counts as long.
    pub(crate) fn review_limits(&self) -> ReviewLimits {
        self.settings.review
    }

    /// Sends a read.
    pub(crate) async fn read(&self, tool: &Tool, connection: &str, caller: &Caller, read: UnsentRead) -> Result<Value, CallError> {
        self.allowed(Subject { tool, connection, principal: &caller.principal, impact: None, gives_power: false })?;
        Ok(read.send().await?)
    }

    /// Makes a change, or says what it needs first. It is a plan of one call that nobody has to keep: planned and weighed, agreed
    /// to, recorded, sent and recorded in the same way as the calls of a job.
    pub(crate) async fn change(&self, request: ChangeRequest<'_>, caller: &Caller, given: Given) -> Result<Verdict, CallError> {
        let ChangeRequest { tool, connection, arguments, change, dry_run, idempotency_key, ends, since } = request;
        let call = Call { tool, connection: Arc::clone(&connection), caller, arguments: &arguments };
        self.may(tool, connection.name(), caller)?;
        let digest = call.digest();
        let key = idempotency_key.filter(|_| !dry_run).map(|key| RepeatKey {
            principal: caller.principal.clone(),
            connection: connection.name().to_owned(),
            key,
        });
        if let Some(key) = &key
            && let Some(receipt) = self.replay(tool, &*connection, key, &digest).await?
        {
            return Ok(Verdict::Done(receipt));
        }
        let (cleared, target_name) =
            match (self.prepared(&call, (change, ends.as_ref(), since), dry_run, &digest, key.as_ref(), given).await, &key) {
                (Ok(Prepared::Begun(cleared, target)), _) => (cleared, target),
                (Ok(Prepared::Verdict(verdict)), _) => return Ok(*verdict),
                // Another call with the key may have been faster: this one has come upon the key, or upon what that one did.
                (Err(error), Some(key)) if error.store_error().is_none() => {
                    return self.replay(tool, &*connection, key, &digest).await?.map(Verdict::Done).ok_or(error);
                }
                (Err(error), _) => return Err(error),
            };
        let call_id = cleared.call_id().to_owned();
        // In a task of its own: a caller who hangs up now must not leave the ledger without an outcome.
        let (recorder, keyed, patience) = (self.recorder.clone(), key.is_some(), self.patience());
        let task = tokio::spawn(async move { cleared.send_and_record(recorder, keyed, patience).await }.in_current_span());
        let receipt = task.await.map_err(|error| {
            tracing::error!(%error, "a change failed inside; its outcome is not known");
            CallError::OutcomeUnknown {
                tool: tool.name.to_owned(),
                target: target_name.clone(),
                fix: format!("look at `{target_name}` with a read before doing anything else"),
                call_id,
            }
        })??;
        Ok(Verdict::Done(receipt))
    }

    /// All that comes before a change is sent, its intent included.
    async fn prepared(
        &self,
        call: &Call<'_>,
        (change, ends, since): (UnsentChange, Option<&Ending>, Timestamp),
        dry_run: bool,
        digest: &str,
        key: Option<&RepeatKey>,
        given: Given,
    ) -> Result<Prepared, CallError> {
        let asked_at = self.db.clock().mark();
        let (tool, connection) = (call.tool, call.connection.name());
        let step = self.plan(tool, connection, call.caller, change, ends).await?;
        let question = Question::of(tool, connection, step.plan());
        if dry_run {
            return Ok(Prepared::Verdict(Box::new(Verdict::Done(preview(step.plan(), &question, step.needs_consent)))));
        }
        let plan = step.plan().clone();
        let record = Record { since, ..call.record(&plan, asked_at) };
        let evidence = if step.needs_consent {
            match self.consent(&record, digest, question, given).await? {
                Ok(evidence) => evidence,
                Err(verdict) => return Ok(Prepared::Verdict(Box::new(verdict))),
            }
        } else {
            Evidence::NotNeeded
        };
        let together = key.is_none() && self.is_kept_together(&step, tool, &evidence);
        let cleared = self.cleared(step, call, &record, &evidence, None)?;
        if together {
            return Ok(Prepared::Begun(Box::new(cleared.together()), plan.target.name.clone()));
        }
        match self.begin(&record, &evidence, digest, key, None).await {
            Ok(()) => Ok(Prepared::Begun(Box::new(cleared), plan.target.name.clone())),
            Err(error) => {
                cleared.discard();
                // The intent may be there all the same, and nobody will send it.
                if error.store_error().is_some_and(StoreError::may_be_committed) {
                    tokio::spawn(finish::abandon(self.db.clone(), record.call_id.clone()));
                }
                Err(match error {
                    CallError::StoreLost { source, .. } => CallError::Store(source),
                    error => error,
                })
            }
        }
    }

    /// Whether a change is recorded in the transaction that makes it: where it is one of the store itself, and nothing else has to be
    /// used up or handed over with it.
    fn is_kept_together(&self, step: &Step, tool: &Tool, evidence: &Evidence) -> bool {
        step.is_kept_in(&self.db) && !tool.makes_secret && !matches!(evidence, Evidence::Approval { .. })
    }

    /// Refuses a plan that takes away more than one plan may. What takes changes back is not held to it: it takes no more than the
    /// same caller has brought.
    pub(crate) fn hold_to_rails<'a>(&self, tool: &Tool, steps: impl Iterator<Item = &'a Bearing>) -> Result<(), CallError> {
        if tool.name == Undo::NAME {
            return Ok(());
        }
        match too_many(self.settings.max_removals, steps) {
            None => Ok(()),
            Some(what) => Err(ProviderError::conflict(
                "too_many_removals",
                what,
                "split it over several calls, each with its own question; the operator of this server sets how many with `guard.max_removals`",
            )
            .into()),
        }
    }

    fn patience(&self) -> Duration {
        *self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn allowed(&self, subject: Subject<'_>) -> Result<(), CallError> {
        match self.policy.decide(subject) {
            Decision::Deny { reason, fix } => Err(CallError::Denied { reason, fix }),
            Decision::Allow | Decision::Confirm => Ok(()),
        }
    }

    /// Uses the approval up, takes the key, keeps the job and writes the intent: all of it, or nothing is sent.
    async fn begin(
        &self,
        record: &Record<'_>,
        evidence: &Evidence,
        call: &str,
        key: Option<&RepeatKey>,
        job: Option<(&JobRecord, NewRows<'_>)>,
    ) -> Result<(), CallError> {
        let body = Value::from(record.body(Some(evidence)));
        if key.is_none() && job.is_none() && !matches!(evidence, Evidence::Approval { .. }) {
            return Ok(self.recorder.append(&record.call_id, EntryKind::Intent, body, KeyChange::None).await?);
        }
        transaction!(self.db.recording(), CallError, tx => {
            let now = tx.now().await?;
            if let Some(key) = key
                && !tx.claim(key, call, &record.call_id, now).await?
            {
                return Err(repeats::in_progress(&key.key));
            }
            if let Evidence::Approval { id } = evidence {
                let timeline = tx.timeline(&self.db).await?;
                let is_current = tx.approval(id).await?.is_some_and(|it| it.timeline() == timeline);
                if !is_current || !tx.use_approval(id, now).await? {
                    let message = format!("approval {id} was used before, has expired, or was given before the database failed over to another server");
                    return Err(CallError::BadConfirmation { message });
                }
            }
            if let Some((job, rows)) = job {
                tx.add_job(job, rows).await?;
            }
            tx.append(&record.call_id, EntryKind::Intent, &body).await?;
            Ok(())
        })
    }
}

/// A change that is ready to be sent.
enum Prepared {
    /// Its intent is in the ledger, or gets there with it; the name is its target's.
    Begun(Box<Cleared>, String),
    Verdict(Box<Verdict>),
}

/// What a plan would do, and what a person is asked about it.
fn planned(plan: &Plan, status: Status, question: &Question) -> Receipt<Value> {
    Receipt {
        before: Some(plan.before.clone()).filter(|it| !it.is_null()),
        undo: plan.impact.undo.clone(),
        ends_at: plan.ends.as_ref().map(|it| it.until.at),
        impact: Some(plan.impact.clone()),
        confirmed_by: question.type_this.clone(),
        question: Some(question.text.clone()),
        ..Receipt::new(status, plan.target.clone())
    }
}

fn preview(plan: &Plan, question: &Question, needs_consent: bool) -> Value {
    let mut receipt = Receipt { needs_consent: Some(needs_consent), ..planned(plan, Status::DryRun, question) };
    if !needs_consent {
        receipt.question = None;
        receipt.confirmed_by = None;
    }
    shaped(&receipt)
}

/// A receipt as it leaves the server: without secrets, invisible characters and overlong texts.
fn shaped(receipt: &Receipt<Value>) -> Value {
    let mut receipt = json!(receipt);
    shape(&mut receipt);
    receipt
}

/// JSON with sorted keys and without nulls, so that the same facts always give the same text.
pub(crate) fn canonical(value: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().filter(|(_, it)| !it.is_null()).collect();
                entries.sort_by_key(|(key, _)| key.as_str());
                entries.into_iter().map(|(key, it)| (key.clone(), sorted(it))).collect::<Map<_, _>>().into()
            }
            Value::Array(items) => items.iter().map(sorted).collect::<Vec<_>>().into(),
            other => other.clone(),
        }
    }
    sorted(value).to_string()
}

/// A digest of a principal's secret, for telling principals apart without keeping it.
pub fn principal_of_token(token: &str) -> String {
    format!("token:{}", &sha256(format!("principal\n{token}"))[..12])
}
