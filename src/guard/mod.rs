//! The guard: the only place a request is sent from.
//!
//! Policy → plan and impact → consent if needed → intent recorded → sent → outcome recorded. It knows nothing of MCP:
//! it answers with a result, or with a question and a ticket, and whoever called puts the question.

mod activity;
mod approvals;
mod consent;
mod finish;
mod policy;
mod record;
mod unsent;

use std::sync::Arc;

use finish::{Finish, settled, unknown};
use record::{Evidence, Record};
use serde_json::{Map, Value, json};

pub(crate) use activity::list_activity;
pub use approvals::{Answered, approve, refuse};
pub use consent::{Answer, Given, Question, TTL_SECONDS, Ticket, lines};
pub use policy::{AllowLists, Decision, Policy, Subject};
pub(crate) use unsent::{Made, Permit, Plan, Planned, UnsentChange, UnsentRead, version};

use crate::{
    domain::{Gravity, Timestamp},
    error::{CallError, ProviderError},
    providers::Connection,
    secrets::SecretSink,
    shape::shape,
    store::{Approval, Db, EntryKind, RepeatKey, new_id, sha256, transaction},
    tools::{Effect, Tool},
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

/// The operator's settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct GuardSettings {
    pub fallback: Fallback,
    /// Whether the gravest changes need two people.
    pub second_person: bool,
}

/// Who calls. Approvals, keys and consents of one principal are of no use to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub principal: String,
    /// What the client says it is.
    pub client: String,
    /// Whether the client can put a question to a person.
    pub can_ask: bool,
}

/// A change that a caller wants made.
pub(crate) struct ChangeRequest<'a> {
    pub(crate) tool: &'a Tool,
    pub(crate) connection: &'a Arc<Connection>,
    /// As they were understood.
    pub(crate) arguments: Value,
    pub(crate) change: UnsentChange,
    pub(crate) dry_run: bool,
    pub(crate) idempotency_key: Option<String>,
}

/// What the guard has to say when it is not an error.
#[derive(Debug)]
pub enum Verdict {
    /// The receipt.
    Done(Value),
    /// A person has to be asked; the ticket goes back with the answer.
    Ask(Question, Ticket),
    /// The caller may send the ticket back as a token.
    Token { question: Question, ticket: Ticket, receipt: Map<String, Value> },
}

/// The guard.
pub struct Guard {
    db: Db,
    policy: Box<dyn Policy>,
    settings: GuardSettings,
    secrets: SecretSink,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Guard {
    pub fn new(db: Db, policy: Box<dyn Policy>, settings: GuardSettings, secrets: SecretSink) -> Self {
        Self { db, policy, settings, secrets }
    }

    /// Sends a read.
    pub(crate) async fn read(&self, tool: &Tool, connection: &Connection, caller: &Caller, read: UnsentRead) -> Result<Value, CallError> {
        self.allowed(Subject { tool, connection: &connection.name, principal: &caller.principal, impact: None })?;
        Ok(read.send().await?)
    }

    /// Makes a change, or says what it needs first.
    pub(crate) async fn change(&self, request: ChangeRequest<'_>, caller: &Caller, given: Given) -> Result<Verdict, CallError> {
        let ChangeRequest { tool, connection, arguments, change, dry_run, idempotency_key } = request;
        let subject = Subject { tool, connection: &connection.name, principal: &caller.principal, impact: None };
        self.allowed(subject)?;
        let call = consent::call_digest(tool.name, &connection.name, &caller.principal, &arguments);
        let key = idempotency_key.filter(|_| !dry_run).map(|key| RepeatKey {
            principal: caller.principal.clone(),
            connection: connection.name.clone(),
            key,
        });
        if let Some(key) = &key
            && let Some(receipt) = self.replay(tool, connection, key, &call).await?
        {
            return Ok(Verdict::Done(receipt));
        }

        let mut unsent = change.plan().await?.unsent();
        if tool.effect == Effect::Destroy {
            unsent.plan.impact = unsent.plan.impact.at_least(Gravity::Low);
        }
        let plan = unsent.plan.clone();
        let needs_consent = match self.policy.decide(Subject { impact: Some(&plan.impact), ..subject }) {
            Decision::Deny { reason, fix } => return Err(CallError::Denied { reason, fix }),
            Decision::Allow => false,
            Decision::Confirm => true,
        };
        let question = Question::of(tool, &connection.name, &plan);
        if dry_run {
            return Ok(Verdict::Done(preview(&plan, &question, needs_consent)));
        }
        let record = Record { tool, connection, caller, plan: &plan, arguments: &arguments, call_id: new_id("call") };
        let evidence = if needs_consent {
            match self.consent(&record, &call, question, given).await? {
                Ok(evidence) => evidence,
                Err(verdict) => return Ok(verdict),
            }
        } else {
            Evidence::NotNeeded
        };

        let sink = if tool.makes_secret { Some(self.secrets.open(&record.call_id).map_err(CallError::SecretSink)?) } else { None };
        let begun = self.begin(&record, &evidence, &call, key.as_ref()).await;
        if let Err(error) = begun {
            if let Some(sink) = sink {
                sink.discard();
            }
            return Err(error);
        }
        let finish = Finish {
            db: self.db.clone(),
            connection: Arc::clone(connection),
            tool: tool.name,
            call_id: record.call_id.clone(),
            target: json!(plan.target),
            target_name: plan.target.name.clone(),
            makes_secret: tool.makes_secret,
            keyed: key.is_some(),
        };
        let (call_id, target_name) = (record.call_id.clone(), plan.target.name.clone());
        // In a task of its own: a caller who hangs up now must not leave the ledger without an outcome.
        let task = tokio::spawn(async move { finish.run(unsent, sink).await });
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

    fn allowed(&self, subject: Subject<'_>) -> Result<(), CallError> {
        match self.policy.decide(subject) {
            Decision::Deny { reason, fix } => Err(CallError::Denied { reason, fix }),
            Decision::Allow | Decision::Confirm => Ok(()),
        }
    }

    /// The receipt of a call with this key that was made before.
    async fn replay(&self, tool: &Tool, connection: &Connection, key: &RepeatKey, call: &str) -> Result<Option<Value>, CallError> {
        let mut db = self.db.read().await?;
        let Some(repeat) = db.repeat(key).await? else { return Ok(None) };
        if repeat.digest != *call {
            return Err(CallError::KeyReused { key: key.key.clone() });
        }
        if let Some(result) = repeat.result.as_deref().and_then(|it| serde_json::from_str::<Map<String, Value>>(it).ok()) {
            let mut receipt = result;
            receipt.insert("replayed".into(), true.into());
            return Ok(Some(receipt.into()));
        }
        // It was sent and no outcome was written: the provider may tell.
        let intent = db.entries(&repeat.call_id, EntryKind::Intent).await?.pop().map(|it| it.body()).unwrap_or_default();
        drop(db);
        let old = repeat.created_at < Timestamp::now().plus_seconds(-activity::SETTLE_AFTER_SECONDS).0;
        match connection.settle(&repeat.call_id, old).await {
            Some(true) => {
                let mut receipt = settled(&intent["target"], &repeat.call_id, tool.makes_secret);
                receipt["replayed"] = true.into();
                Ok(Some(receipt))
            }
            Some(false) if old => {
                let call_id = repeat.call_id.as_str();
                transaction!(self.db, CallError, tx => { Ok(tx.settle_repeat(call_id, None).await?) })?;
                Ok(None)
            }
            // It has not taken effect yet, and may still.
            Some(false) => Err(in_progress(&key.key)),
            None => Err(unknown(tool.name, intent["target"]["name"].as_str().unwrap_or("its target"), &repeat.call_id, "")),
        }
    }

    /// Finds the consent that a change needs: in what was given, or in an approval; else says how to come by it.
    async fn consent(
        &self,
        record: &Record<'_>,
        call: &str,
        question: Question,
        given: Given,
    ) -> Result<Result<Evidence, Verdict>, CallError> {
        let version = record.plan.version();
        let gravest = record.plan.impact.gravity == Gravity::Critical;
        let needed = if gravest && self.settings.second_person { 2 } else { 1 };
        let ask = |question: Question| {
            let ticket = Ticket::new(call, &version);
            Ok(Err(Verdict::Ask(question, ticket)))
        };
        match given {
            Given::Form(ticket, answer) => {
                self.accept(record, &ticket, call).await?;
                let (code, message) = match answer {
                    Answer::Accepted(_) if ticket.version != version => return ask(question), // what was told is no longer so
                    Answer::Accepted(form) if question.is_yes(&form) => {
                        if needed > 1 {
                            return self.pending(record, call, &version, question, needed).await;
                        }
                        return Ok(Ok(Evidence::Form { nonce: ticket.nonce }));
                    }
                    Answer::Accepted(_) if question.type_this.is_some() => {
                        ("wrong_confirmation", "what was typed is not the target's name")
                    }
                    Answer::Accepted(_) => ("wrong_confirmation", "the form was sent without a yes"),
                    Answer::Declined => ("declined", "the person declined"),
                    Answer::Cancelled => ("cancelled", "the person closed the question"),
                    // Some clients declare forms and never draw them: the way past them stays open.
                    Answer::Unanswered if self.settings.fallback != Fallback::Refuse => {
                        return self.pending(record, call, &version, question, needed).await;
                    }
                    Answer::Unanswered => ("unanswered", "nobody answered the question in time"),
                };
                self.refused(record, code).await?;
                let fix = "leave it, or repeat the call if the person wants to be asked again".to_owned();
                Err(CallError::NotConfirmed { code, message: message.to_owned(), fix })
            }
            Given::Token(ticket) => {
                if self.settings.fallback != Fallback::Token || caller_can_be_asked(record) || gravest {
                    return Err(CallError::BadConfirmation { message: "a token does not confirm this call".to_owned() });
                }
                self.accept(record, &ticket, call).await?;
                if ticket.version != version {
                    return Err(CallError::Provider(ProviderError::TargetChanged));
                }
                Ok(Ok(Evidence::Token { nonce: ticket.nonce }))
            }
            Given::Nothing => {
                let binding = consent::binding(call, &version);
                let existing = self.db.read().await?.approval_for(&binding, &record.caller.principal, Timestamp::now()).await?;
                match existing {
                    Some(approval) if approval.status == "approved" => return Ok(Ok(Evidence::Approval { id: approval.id })),
                    Some(approval) if approval.status == "refused" => {
                        let fix = "leave it; the person may say more".to_owned();
                        return Err(CallError::NotConfirmed { code: "refused", message: "a person refused it".to_owned(), fix });
                    }
                    Some(approval) => return Err(pending_error(approval)),
                    None => {}
                }
                match (caller_can_be_asked(record), self.settings.fallback) {
                    // Who sits in front of the client cannot be told from who approves later: two people answer outside of it.
                    (_, Fallback::Approve | Fallback::Token) if needed > 1 => self.pending(record, call, &version, question, needed).await,
                    (true, _) => ask(question),
                    // Writes have no argument for a token: few of them are ever asked about.
                    (false, Fallback::Token) if !gravest && record.tool.effect != Effect::Write => {
                        let ticket = Ticket::new(call, &version);
                        let receipt = planned(record.plan, "confirmation_required", &question);
                        Ok(Err(Verdict::Token { question, ticket, receipt }))
                    }
                    (false, Fallback::Refuse) => {
                        self.refused(record, "cannot_ask").await?;
                        Err(CallError::NotConfirmed {
                            code: "cannot_ask",
                            message: "this needs a person's consent, and this client cannot ask for it".to_owned(),
                            fix: "use a client that supports elicitation, or do it at a terminal with `rolecall call`".to_owned(),
                        })
                    }
                    (false, Fallback::Approve | Fallback::Token) => self.pending(record, call, &version, question, needed).await,
                }
            }
        }
    }

    /// Takes a ticket for this call: not expired, for this very call, never seen before. Whatever the answer was, it counts
    /// once. What is not taken is noted in the ledger: somebody may have tried.
    async fn accept(&self, record: &Record<'_>, ticket: &Ticket, call: &str) -> Result<(), CallError> {
        let now = Timestamp::now();
        let forget_at = now.plus_seconds(2 * TTL_SECONDS);
        let nonce = ticket.nonce.as_str();
        let message = if ticket.call != call {
            "the confirmation is for another call"
        } else if ticket.expires_at <= now.0 {
            "the confirmation has expired"
        } else if transaction!(self.db, CallError, tx => { Ok(tx.burn(nonce, now, forget_at).await?) })? {
            return Ok(());
        } else {
            "the confirmation was used before"
        };
        self.refused(record, "confirmation_rejected").await?;
        Err(CallError::BadConfirmation { message: message.to_owned() })
    }

    /// Leaves a question for a person outside the model's reach.
    async fn pending(
        &self,
        record: &Record<'_>,
        call: &str,
        version: &str,
        question: Question,
        needed: i64,
    ) -> Result<Result<Evidence, Verdict>, CallError> {
        let now = Timestamp::now();
        let approval = Approval {
            id: short_id(),
            binding: consent::binding(call, version),
            principal: record.caller.principal.clone(),
            tool: record.tool.name.to_owned(),
            connection: record.connection.name.clone(),
            question: json!({ "text": question.text, "type_this": question.type_this }).to_string(),
            needed,
            status: "pending".to_owned(),
            created_at: now.0,
            expires_at: now.plus_seconds(TTL_SECONDS).0,
        };
        let mut body = record.body(None);
        body.insert("outcome".into(), "pending_approval".into());
        body.insert("approval".into(), approval.id.as_str().into());
        let body = Value::from(body);
        transaction!(self.db, CallError, tx => {
            tx.add_approval(&approval).await?;
            tx.append(&record.call_id, EntryKind::Refusal, &body).await?;
            Ok(())
        })?;
        Err(pending_error(approval))
    }

    async fn refused(&self, record: &Record<'_>, reason: &str) -> Result<(), CallError> {
        let mut body = record.body(None);
        body.insert("outcome".into(), "refused".into());
        body.insert("reason".into(), reason.into());
        let body = Value::from(body);
        transaction!(self.db, CallError, tx => {
            Ok(tx.append(&record.call_id, EntryKind::Refusal, &body).await?)
        })
    }

    /// Uses the approval up, takes the key and writes the intent: all of it, or the change is not sent.
    async fn begin(&self, record: &Record<'_>, evidence: &Evidence, call: &str, key: Option<&RepeatKey>) -> Result<(), CallError> {
        let now = Timestamp::now();
        let body = Value::from(record.body(Some(evidence)));
        transaction!(self.db, CallError, tx => {
            if let Evidence::Approval { id } = evidence
                && !tx.use_approval(id, now).await?
            {
                return Err(CallError::BadConfirmation { message: format!("approval {id} was used before or has expired") });
            }
            if let Some(key) = key
                && !tx.claim(key, call, &record.call_id, now).await?
            {
                return Err(in_progress(&key.key));
            }
            tx.append(&record.call_id, EntryKind::Intent, &body).await?;
            Ok(())
        })
    }
}

fn in_progress(key: &str) -> CallError {
    let message = format!("a call with `idempotency_key` `{key}` is under way");
    ProviderError::conflict("call_in_progress", message, "repeat the call in a moment to get its result").into()
}

fn caller_can_be_asked(record: &Record<'_>) -> bool {
    record.caller.can_ask
}

fn pending_error(approval: Approval) -> CallError {
    let question: Value = serde_json::from_str(&approval.question).unwrap_or_default();
    CallError::PendingApproval {
        expires_in_s: u64::try_from((approval.expires_at - Timestamp::now().0) / 1000).unwrap_or_default(),
        question: format!("a person has to agree first: {}", question["text"].as_str().unwrap_or_default()),
        id: approval.id,
    }
}

fn planned(plan: &Plan, status: &str, question: &Question) -> Map<String, Value> {
    let mut receipt = Map::new();
    receipt.insert("status".into(), status.into());
    receipt.insert("target".into(), json!(plan.target));
    if !plan.before.is_null() {
        receipt.insert("before".into(), plan.before.clone());
    }
    if let Some(undo) = &plan.impact.undo {
        receipt.insert("undo".into(), undo.as_str().into());
    }
    receipt.insert("impact".into(), json!(plan.impact));
    receipt.insert("question".into(), question.text.as_str().into());
    receipt
}

fn preview(plan: &Plan, question: &Question, needs_consent: bool) -> Value {
    let mut receipt = planned(plan, "dry_run", question);
    receipt.insert("needs_consent".into(), needs_consent.into());
    if !needs_consent {
        receipt.remove("question");
    }
    let mut receipt = Value::from(receipt);
    shape(&mut receipt);
    receipt
}

/// Six letters that a person can type: `k7m2qx`. Unguessable enough for five minutes, and good for nothing but being answered by a person.
fn short_id() -> String {
    const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
    uuid::Uuid::new_v4().as_bytes().iter().take(6).map(|it| char::from(ALPHABET[usize::from(*it) % ALPHABET.len()])).collect()
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
