//! Where a consent comes from: the call's own answer, an approval, or a new question.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Answer, Fallback, Given, Guard, Question, TTL_SECONDS, Ticket, Verdict, consent, planned,
    record::{Evidence, Record},
    shaped,
};
use crate::{
    domain::{Gravity, Timestamp},
    error::{CallError, ProviderError},
    store::{Approval, Clock, EntryKind, transaction},
    tools::{Effect, Status},
};

impl Guard {
    /// Looks for the consent that a change needs in the call's answer and in the approvals; without one, answers how to ask for it.
    pub(super) async fn consent(
        &self,
        record: &Record<'_>,
        call: &str,
        question: Question,
        given: Given,
    ) -> Result<Result<Evidence, Verdict>, CallError> {
        let version = record.version.clone();
        let gravest = record.plan.impact.gravity == Gravity::Critical;
        let needed = if gravest && self.settings.second_person { 2 } else { 1 };
        let ask = |question: Question, timeline: &str| {
            let ticket = Ticket::new(call, &version, (record.since, timeline));
            Ok(Err(Verdict::Ask(question, ticket)))
        };
        match given {
            Given::Form(ticket, answer) => {
                let timeline = self.accept(record, &ticket, call).await?;
                let (code, message) = match answer {
                    Answer::Accepted(_) if ticket.timeline != timeline => return ask(question.once_more(), &timeline),
                    Answer::Accepted(_) if ticket.version != version => return ask(question, &timeline), // what was told is no longer so
                    Answer::Accepted(form) if question.is_yes(&form) => {
                        if needed > 1 {
                            return self.pending(record, call, &version, question, needed).await;
                        }
                        return Ok(Ok(Evidence::Form { nonce: ticket.nonce }));
                    }
                    Answer::Accepted(form) if question.type_this.is_some() => ("wrong_confirmation", question.mismatch(&form)),
                    Answer::Accepted(_) => ("wrong_confirmation", "the person sent the form without a yes".to_owned()),
                    Answer::Declined => ("declined", "the person declined".to_owned()),
                    Answer::Cancelled => ("cancelled", "the person closed the question without an answer".to_owned()),
                    // Some clients declare forms and never draw them: the way past them stays open.
                    Answer::Unanswered if self.settings.fallback != Fallback::Refuse => {
                        return self.pending(record, call, &version, question, needed).await;
                    }
                    Answer::Unanswered => ("unanswered", "nobody answered the question in time".to_owned()),
                };
                self.refused(record, code).await?;
                let fix = "stop here; repeat the call only if the person wants to be asked again".to_owned();
                Err(CallError::NotConfirmed { code, message, fix })
            }
            Given::Token(ticket) => {
                if self.settings.fallback != Fallback::Token || caller_can_be_asked(record) || gravest {
                    return Err(CallError::BadConfirmation { message: "a token cannot confirm this call".to_owned() });
                }
                if self.accept(record, &ticket, call).await? != ticket.timeline {
                    return Err(CallError::BadConfirmation { message: consent::WENT_OVER.to_owned() });
                }
                if ticket.version != version {
                    return Err(CallError::Provider(ProviderError::TargetChanged));
                }
                Ok(Ok(Evidence::Token { nonce: ticket.nonce }))
            }
            Given::Nothing => {
                let binding = consent::binding(call, &version);
                let mut db = self.db.read().await?;
                let found = db.approval_for(&binding, &record.caller.principal, needed, Timestamp::now()).await?;
                let timeline = db.timeline(&self.db).await?;
                drop(db);
                let question = match found {
                    Some(approval) if approval.timeline() == timeline => return by_approval(approval).map(Ok),
                    Some(_) => question.once_more(),
                    None => question,
                };
                match (caller_can_be_asked(record), self.settings.fallback) {
                    // Who sits in front of the client cannot be told from who approves later: two people answer outside of it.
                    (_, Fallback::Approve | Fallback::Token) if needed > 1 => self.pending(record, call, &version, question, needed).await,
                    (true, _) => ask(question, &timeline),
                    // Writes have no argument for a token: few of them are ever asked about.
                    (false, Fallback::Token) if !gravest && record.tool.effect != Effect::Write => {
                        let ticket = Ticket::new(call, &version, (record.since, &timeline));
                        let receipt = shaped(&planned(record.plan, Status::ConfirmationRequired, &question));
                        Ok(Err(Verdict::Token { question, ticket, receipt }))
                    }
                    (false, Fallback::Refuse) => {
                        self.refused(record, "cannot_ask").await?;
                        Err(CallError::NotConfirmed {
                            code: "cannot_ask",
                            message: "this change needs a person's consent, and this client cannot ask a person".to_owned(),
                            fix: "use a client that supports elicitation, or run `rolecall call` at a terminal".to_owned(),
                        })
                    }
                    (false, Fallback::Approve | Fallback::Token) => self.pending(record, call, &version, question, needed).await,
                }
            }
        }
    }

    /// Takes a ticket for this call: not expired, for this very call, never seen before. Whatever the answer was, it counts
    /// once. What is not taken is noted in the ledger: somebody may have tried. Answers the store's timeline.
    async fn accept(&self, record: &Record<'_>, ticket: &Ticket, call: &str) -> Result<String, CallError> {
        let now = Timestamp::now();
        let forget_at = now.plus_seconds(2 * TTL_SECONDS);
        let nonce = ticket.nonce.as_str();
        let message = if ticket.call != call {
            "the confirmation is for another call"
        } else if ticket.expires_at <= now.0 {
            "the confirmation has expired"
        } else {
            let burnt = transaction!(self.db, CallError, tx => {
                let timeline = tx.timeline(&self.db).await?;
                Ok(tx.burn(nonce, now, forget_at).await?.then_some(timeline))
            })?;
            match burnt {
                Some(timeline) => return Ok(timeline),
                None => "the confirmation was used before",
            }
        };
        self.refused(record, "confirmation_rejected").await?;
        Err(CallError::BadConfirmation { message: message.to_owned() })
    }

    /// Stores the question as an approval that a person answers outside the model's reach.
    async fn pending(
        &self,
        record: &Record<'_>,
        call: &str,
        version: &str,
        question: Question,
        needed: i64,
    ) -> Result<Result<Evidence, Verdict>, CallError> {
        let now = Timestamp::now();
        let mut approval = Approval {
            id: short_id(),
            binding: consent::binding(call, version),
            principal: record.caller.principal.clone(),
            tool: record.tool.name.to_owned(),
            connection: record.connection.to_owned(),
            question: String::new(), // with the timeline of the transaction that keeps it
            needed,
            status: "pending".to_owned(),
            created_at: now.0,
            expires_at: now.plus_seconds(TTL_SECONDS).0,
        };
        let mut body = record.body(None);
        body.insert("outcome".into(), "pending_approval".into());
        body.insert("approval".into(), approval.id.as_str().into());
        let body = Value::from(body);
        let (binding, principal) = (approval.binding.clone(), approval.principal.clone());
        let (binding, principal) = (binding.as_str(), principal.as_str());
        let found = transaction!(self.db, CallError, tx => {
            // The same call may have come a moment earlier, or have used its approval up while this one was planned.
            let timeline = tx.timeline(&self.db).await?;
            let asked = json!({
                "text": question.text, "type_this": question.type_this, "timeline": timeline, "since": record.since.0
            });
            approval.question = asked.to_string();
            let found = tx.approval_for(binding, principal, needed, now).await?;
            if let Some(found) = found.filter(|it| it.timeline() == timeline) {
                return Ok(Some(found));
            }
            let since = tx.now(&Clock::Machine).await?.0 - millis(Clock::Machine.since(record.asked_at));
            if let Some(id) = tx.approval_used(binding, principal, Timestamp(since)).await? {
                return Err(CallError::BadConfirmation { message: format!("approval {id} was used by the same call, which came first") });
            }
            // With another question the same call waits in place of itself, and so adds nothing.
            if !tx.waits(call, principal, now).await? && tx.waiting_approvals(principal, now).await? >= MOST_WAITING {
                return Err(too_many());
            }
            tx.add_approval(&approval, call).await?;
            tx.append(&record.call_id, EntryKind::Refusal, &body).await?;
            Ok(None)
        })?;
        match found {
            Some(found) => by_approval(found).map(Ok),
            None => Err(pending_error(approval)),
        }
    }

    pub(super) async fn refused(&self, record: &Record<'_>, reason: &str) -> Result<(), CallError> {
        let mut body = record.body(None);
        body.insert("outcome".into(), "refused".into());
        body.insert("reason".into(), reason.into());
        let body = Value::from(body);
        transaction!(self.db, CallError, tx => {
            Ok(tx.append(&record.call_id, EntryKind::Refusal, &body).await?)
        })
    }
}

/// How many changes of one caller may wait for a person at the same time.
const MOST_WAITING: i64 = 20;

fn too_many() -> CallError {
    CallError::NotConfirmed {
        code: "too_many_pending",
        message: format!("{MOST_WAITING} changes of this caller wait for a person already, and no more may"),
        fix: format!(
            "have some answered, see `rolecall approvals`, or wait until they end, {} minutes after they were asked for; then repeat this call",
            TTL_SECONDS / 60
        ),
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// What an approval of a call comes to: a yes, a no, or the wait for either.
fn by_approval(approval: Approval) -> Result<Evidence, CallError> {
    match approval.status.as_str() {
        "approved" => Ok(Evidence::Approval { id: approval.id }),
        "refused" => {
            let fix = "stop here; ask the person for the reason".to_owned();
            Err(CallError::NotConfirmed { code: "refused", message: "a person rejected this change".to_owned(), fix })
        }
        _ => Err(pending_error(approval)),
    }
}

fn caller_can_be_asked(record: &Record<'_>) -> bool {
    record.caller.can_ask
}

fn pending_error(approval: Approval) -> CallError {
    let question: Value = serde_json::from_str(&approval.question).unwrap_or_default();
    CallError::PendingApproval {
        expires_in_s: u64::try_from((approval.expires_at - Timestamp::now().0) / 1000).unwrap_or_default(),
        question: question["text"].as_str().unwrap_or_default().to_owned(),
        id: approval.id,
    }
}

/// Six letters that a person can type: `k7m2qx`. Unguessable enough for five minutes, and good for nothing but being answered by a person.
fn short_id() -> String {
    const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
    uuid::Uuid::new_v4().as_bytes().iter().take(6).map(|it| char::from(ALPHABET[usize::from(*it) % ALPHABET.len()])).collect()
}
