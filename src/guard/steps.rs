//! The one way of a change: planned and weighed, held against what was agreed to, recorded, sent. A call alone and the calls of a
//! job take it alike; a job's are sent under its one consent.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Account, Bearing, Caller, Decision, Ending, Given, Guard, Permit, Plan, Preview, Question, Subject, UnsentChange, Verdict, consent,
    finish::{Ended, Finish, settled},
    preview,
    record::{Evidence, Record},
    recorder::Recorder,
    unsent::Unsent,
};
use crate::{
    domain::{Facts, Gravity, Impact, Loss, Target, Timestamp, same_letters},
    error::{CallError, ProviderError},
    secrets::OpenSink,
    store::{Db, FromStore as _, JobRecord, Mark, NewRows, RepeatKey, StoreError, new_id},
    tools::{Effect, Tool},
};

/// A job that a caller wants begun.
pub(crate) struct JobRequest<'a> {
    pub(crate) tool: &'a Tool,
    /// The name of its connection, or the server's own.
    pub(crate) connection: &'a str,
    /// The connections of its calls, for people.
    pub(crate) on: &'a str,
    pub(crate) caller: &'a Caller,
    pub(crate) arguments: &'a Value,
    /// What all of its calls come to.
    pub(crate) plan: &'a Plan,
    /// A fingerprint over every step, including those that need no consent.
    pub(crate) version: String,
    pub(crate) needs_consent: bool,
    pub(crate) dry_run: bool,
    pub(crate) key: Option<RepeatKey>,
    /// When the call came, before anything was planned.
    pub(crate) asked_at: Mark,
    /// See [`Guard::asked_since`].
    pub(crate) since: Timestamp,
    /// With the call's id still missing.
    pub(crate) job: JobRecord,
    pub(crate) rows: NewRows<'a>,
}

/// What became of the wish for a job.
pub(crate) enum Begun {
    /// It is in the store, and its intent in the ledger.
    Job(JobRecord),
    Verdict(Verdict),
}

/// A change that is planned and weighed.
pub(crate) struct Step {
    unsent: Unsent,
    title: &'static str,
    effect: Effect,
    pub(super) needs_consent: bool,
}

/// Which call of whom a change is.
pub(crate) struct Call<'a> {
    pub(crate) tool: &'a Tool,
    pub(crate) connection: Arc<dyn Account>,
    pub(crate) caller: &'a Caller,
    /// As they were understood.
    pub(crate) arguments: &'a Value,
}

impl Call<'_> {
    pub(super) fn digest(&self) -> String {
        consent::call_digest(self.tool.name, self.connection.name(), &self.caller.principal, self.arguments)
    }

    /// What the ledger tells of it, under an id of its own.
    pub(super) fn record<'b>(&'b self, plan: &'b Plan, asked_at: Mark) -> Record<'b> {
        Record {
            tool: self.tool,
            connection: self.connection.name(),
            caller: self.caller,
            plan,
            version: plan.version(),
            arguments: self.arguments,
            call_id: new_id("call"),
            asked_at,
            since: Timestamp::now(),
        }
    }
}

/// What a person was told about a call of a job; kept with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) version: String,
    pub(crate) target: Target,
    pub(crate) impact: Impact,
    /// Whether it was part of the question.
    pub(crate) asked: bool,
    /// Whether it was told before its place was there: who or what it is about counts then, and how grave it is.
    #[serde(default)]
    pub(crate) foreseen: bool,
}

/// Which call of which job a row is.
pub(crate) struct RowCall<'a> {
    pub(crate) job: &'a str,
    /// Whether the job was taken up again when what a person has agreed to was old.
    pub(crate) is_late: bool,
    pub(crate) call: Call<'a>,
}

/// A call that may be sent as soon as its intent is recorded.
pub(crate) struct Cleared {
    unsent: Unsent,
    finish: Finish,
    sink: Option<OpenSink>,
    intent: Value,
    /// Whether its intent is recorded with it, and not before.
    is_together: bool,
}

/// What is recorded of a call before it is sent.
pub(crate) struct Intent {
    pub(super) call_id: String,
    pub(super) body: Value,
}

/// What reading back says about a call whose answer was lost.
pub(crate) enum LookedBack {
    Made(Ended),
    NotMade,
    /// Nobody can be asked just now.
    NotNow,
    /// There is no way to tell.
    Unknown,
}

impl Step {
    pub(crate) fn plan(&self) -> &Plan {
        &self.unsent.plan
    }

    /// Whether it is made in one transaction of this store.
    pub(super) fn is_kept_in(&self, db: &Db) -> bool {
        self.unsent.kept_in.as_ref().is_some_and(|it| it.is_same(db))
    }

    /// The tool's title.
    pub(crate) fn title(&self) -> &'static str {
        self.title
    }

    /// What is kept of what a person was told; `asked` where the question is about all calls of the job.
    pub(crate) fn told(&self, asked: bool) -> Told {
        let Plan { target, impact, .. } = self.plan();
        Told {
            version: self.plan().version(),
            target: target.clone(),
            impact: impact.clone(),
            asked: asked || self.needs_consent,
            foreseen: false,
        }
    }
}

impl Told {
    /// Whether what would happen now is a part of what was told: earlier calls of the job, or others, may have done some of it.
    fn covers(&self, plan: &Plan) -> bool {
        let (told, now) = (&self.impact, &plan.impact);
        // As many others are not the same.
        let names = |told: &Loss, now: &Loss| {
            let all_were_named = told.examples.len() as u64 == told.count;
            !all_were_named || now.examples.iter().all(|it| told.examples.contains(it))
        };
        let loses_no_more = now.losses.iter().all(|it| {
            told.losses.iter().any(|told| number_aside(&told.what) == number_aside(&it.what) && told.count >= it.count && names(told, it))
        });
        let is_same = if self.foreseen {
            same_letters(&self.target.name, &plan.target.name) || (self.target.id.is_some() && self.target.id == plan.target.id)
        } else {
            self.target == plan.target && now.notes.iter().all(|it| told.notes.contains(it))
        };
        self.asked && is_same && now.gravity <= told.gravity && loses_no_more && (now.undo.is_some() || told.undo.is_none())
    }
}

/// What is lost in words that are the same for one and for many: earlier calls of a job may have left one of several.
fn number_aside(what: &str) -> String {
    let plain = |word: &str| match word {
        "person" => "people".to_owned(),
        "is" => "are".to_owned(),
        word => word.trim_end_matches('s').to_owned(),
    };
    what.split(' ').map(plain).collect::<Vec<_>>().join(" ")
}

impl Cleared {
    pub(crate) fn call_id(&self) -> &str {
        &self.finish.call_id
    }

    /// What the ledger is to say before it is sent.
    pub(crate) fn intent(&self) -> Intent {
        Intent { call_id: self.finish.call_id.clone(), body: self.intent.clone() }
    }

    /// Sends it. The permit says that its intent is recorded.
    pub(crate) async fn send(self, permit: Permit) -> Ended {
        self.finish.send(permit, self.unsent, self.sink).await
    }

    /// Sends a call alone, whose intent was recorded with its consent, and records how it ended.
    /// The call waits for the record as long as `patience`.
    pub(super) async fn send_and_record(self, recorder: Recorder, keyed: bool, patience: Duration) -> Result<Value, CallError> {
        if self.is_together {
            return self.finish.run_together(recorder, self.intent, self.unsent, patience).await;
        }
        self.finish.run(recorder, keyed, self.unsent, self.sink, patience).await
    }

    /// The same, to be recorded in the transaction that makes it.
    pub(super) fn together(self) -> Self {
        Self { is_together: true, ..self }
    }

    /// Puts it away unsent.
    pub(crate) fn discard(self) {
        if let Some(sink) = self.sink {
            sink.discard();
        }
    }
}

fn finish(call: &Call<'_>, plan: &Plan, call_id: &str) -> Finish {
    Finish {
        connection: Arc::clone(&call.connection),
        tool: call.tool.name,
        call_id: call_id.to_owned(),
        target: json!(plan.target),
        target_name: plan.target.name.clone(),
        ends_at: plan.ends.as_ref().map(|it| it.until.at),
        makes_secret: call.tool.makes_secret,
    }
}

impl Guard {
    /// Whether this tool may be called here at all.
    pub(crate) fn may(&self, tool: &Tool, connection: &str, caller: &Caller) -> Result<(), CallError> {
        self.allowed(Subject { tool, connection, principal: &caller.principal, impact: None, gives_power: false })
    }

    /// Plans a change and weighs it; nothing is sent. `ends`: when what it gives is to end, which is told with it.
    pub(crate) async fn plan(
        &self,
        tool: &Tool,
        connection: &str,
        caller: &Caller,
        change: UnsentChange,
        ends: Option<&Ending>,
    ) -> Result<Step, CallError> {
        let subject = Subject { tool, connection, principal: &caller.principal, impact: None, gives_power: false };
        self.allowed(subject)?;
        let mut unsent = change.plan().await?.weighed(tool.effect == Effect::Destroy, &self.settings.trust);
        if let Some(ends) = ends {
            unsent.plan.ends_with(ends.clone());
        }
        let needs_consent = match self.policy.decide(Subject {
            impact: Some(&unsent.plan.impact),
            gives_power: unsent.plan.bearing.gives_power,
            ..subject
        }) {
            Decision::Deny { reason, fix } => return Err(CallError::Denied { reason, fix }),
            Decision::Allow => false,
            Decision::Confirm => true,
        };
        Ok(Step { unsent, title: tool.title, effect: tool.effect, needs_consent })
    }

    /// Weighs what a call would do that its provider can plan only once an earlier call of its job is made, from what is known of it
    /// now. Answers what a person is told, what it adds to the whole, and what has to be typed for it.
    ///
    /// # Errors
    ///
    /// Where the policy does not allow it.
    pub(crate) fn foresee(
        &self,
        tool: &Tool,
        connection: &str,
        caller: &Caller,
        target: Target,
        facts: Facts,
    ) -> Result<(Told, Bearing, String), CallError> {
        let preview = Preview { target, facts, before: Value::Null, after: None };
        let plan = Plan::of(&preview, tool.effect == Effect::Destroy, &self.settings.trust);
        let subject =
            Subject { tool, connection, principal: &caller.principal, impact: Some(&plan.impact), gives_power: plan.bearing.gives_power };
        self.allowed(subject)?;
        // Nobody has planned it, and so it is part of the question where it gives anything.
        let asked = tool.effect != Effect::Write || self.policy.decide(subject) == Decision::Confirm;
        let version = plan.version();
        let Plan { target, impact, name, bearing, .. } = plan;
        Ok((Told { version, target, impact, asked, foreseen: true }, bearing, name))
    }

    /// Makes a step ready for sending: the ledger's words for it, and a place for its secret.
    pub(super) fn cleared(
        &self,
        step: Step,
        call: &Call<'_>,
        record: &Record<'_>,
        evidence: &Evidence,
        job: Option<&str>,
    ) -> Result<Cleared, CallError> {
        let mut intent = record.body(Some(evidence));
        if let Some(job) = job {
            intent.insert("job".into(), job.into());
        }
        let sink = if call.tool.makes_secret { Some(self.secrets.open(&record.call_id).map_err(CallError::SecretSink)?) } else { None };
        let finish = finish(call, record.plan, &record.call_id);
        Ok(Cleared { unsent: step.unsent, finish, sink, intent: intent.into(), is_together: false })
    }

    /// Holds a call against what a person was told about it: `None` where it could not be planned before, because it builds on an
    /// earlier one. Such a one was agreed to as something small: it gives nobody power over others, and takes little away.
    ///
    /// # Errors
    ///
    /// Where it goes beyond that, or its secret could not be handed over.
    pub(crate) fn clear(&self, step: Step, told: Option<&Told>, call: &RowCall<'_>) -> Result<Cleared, CallError> {
        let plan = step.plan();
        match told {
            _ if !step.needs_consent => {}
            Some(told) if told.version == plan.version() || (!call.is_late && told.covers(plan)) => {}
            Some(_) => return Err(CallError::Provider(ProviderError::TargetChanged)),
            // What gives is weighed by who gets it, and an earlier call may have made an insider of them: it may give no power at all.
            None if step.effect == Effect::Access && plan.impact.gravity == Gravity::None => {}
            None if step.effect == Effect::Destroy && plan.impact.gravity <= Gravity::Low => {}
            None => {
                let what = consent::lines(&plan.impact).join("; ");
                return Err(CallError::NotConfirmed {
                    code: "needs_own_consent",
                    message: format!("what it does was not known when the job was agreed to: {what}"),
                    fix: "call it on its own, so that a person is asked".to_owned(),
                });
            }
        }
        let was_asked = step.needs_consent || told.is_some_and(|it| it.asked);
        let evidence = if was_asked { Evidence::Job { id: call.job.to_owned() } } else { Evidence::NotNeeded };
        let plan = plan.clone();
        let record = call.call.record(&plan, self.db.clock().mark());
        self.cleared(step, &call.call, &record, &evidence, Some(call.job))
    }

    /// Whether a call took effect before, under this id. A secret that is found so is handed over.
    pub(crate) async fn look_back(&self, step: Step, call: &RowCall<'_>, call_id: &str) -> LookedBack {
        let finish = finish(&call.call, step.plan(), call_id);
        let Some(reading) = step.unsent.look_back() else { return LookedBack::Unknown };
        drop(step);
        let made = match reading.await {
            Ok(Some(made)) => made,
            Ok(None) => return LookedBack::NotMade,
            Err(error) if error.is_down() => return LookedBack::NotNow,
            Err(_) => return LookedBack::Unknown,
        };
        // Where the process that is gone has left a file for it, that one stays: it may hold the secret.
        let sink = if made.secret.is_some() { self.secrets.open(call_id).ok() } else { None };
        let is_lost = call.call.tool.makes_secret && sink.is_none();
        let mut ended = finish.done(made, &[], sink).await;
        if let Ok(receipt) = &mut ended.result
            && is_lost
        {
            receipt["secret"] = settled(&Value::Null, call_id, true)["secret"].take();
        }
        LookedBack::Made(ended)
    }

    /// Begins a job, or says what it needs first. Nothing is sent yet: the job is in the store, for whoever works on it.
    pub(crate) async fn begin_job(&self, request: JobRequest<'_>, given: Given) -> Result<Begun, CallError> {
        let JobRequest {
            tool,
            connection,
            on,
            caller,
            arguments,
            plan,
            version,
            needs_consent,
            dry_run,
            key,
            asked_at,
            since,
            mut job,
            rows,
        } = request;
        let question = Question::of(tool, on, plan);
        if dry_run {
            return Ok(Begun::Verdict(Verdict::Done(preview(plan, &question, needs_consent))));
        }
        let call = JobCall { tool, connection, caller, arguments }.digest();
        let record = Record { tool, connection, caller, plan, version, arguments, call_id: new_id("call"), asked_at, since };
        let evidence = if needs_consent {
            match self.consent(&record, &call, question, given).await? {
                Ok(evidence) => evidence,
                Err(verdict) => return Ok(Begun::Verdict(verdict)),
            }
        } else {
            Evidence::NotNeeded
        };
        job.call_id.clone_from(&record.call_id);
        if let Err(error) = self.begin(&record, &evidence, &call, key.as_ref(), Some((&job, rows))).await {
            self.begun_all_the_same(&job, error).await?;
        }
        Ok(Begun::Job(job))
    }
}

impl Guard {
    /// Looks for a job whose commit was not answered: where it was taken in, some process works on it.
    async fn begun_all_the_same(&self, job: &JobRecord, error: CallError) -> Result<(), CallError> {
        if !error.store_error().is_some_and(StoreError::may_be_committed) {
            return Err(error);
        }
        let found = async { self.db.read().await?.job(&job.id).await }.await;
        // That it is not there yet proves nothing.
        if matches!(found, Ok(Some(_))) { Ok(()) } else { Err(job_unknown(job)) }
    }
}

/// What is said of a job that has begun, or may have, where no more can be told.
pub(crate) fn job_unknown(job: &JobRecord) -> CallError {
    let target: Value = serde_json::from_str(&job.target).unwrap_or_default();
    CallError::OutcomeUnknown {
        tool: job.tool.clone(),
        target: target["name"].as_str().unwrap_or("its target").to_owned(),
        fix: format!("its job `{}` may have begun and goes on by itself: see get_job; do not repeat the call before", job.id),
        call_id: job.call_id.clone(),
    }
}

/// A call that begins a job.
pub(crate) struct JobCall<'a> {
    pub(crate) tool: &'a Tool,
    pub(crate) connection: &'a str,
    pub(crate) caller: &'a Caller,
    pub(crate) arguments: &'a Value,
}

impl JobCall<'_> {
    pub(super) fn digest(&self) -> String {
        consent::call_digest(self.tool.name, self.connection, &self.caller.principal, self.arguments)
    }
}
