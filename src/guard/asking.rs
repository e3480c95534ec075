//! Where a consent comes from: the call's own answer, an approval, or a new question.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Answer, Ask, Fallback, Given, Guard, Question, TTL_SECONDS, Ticket, Verdict, changed, consent, planned,
    record::{Evidence, Record},
    recorder::KeyChange,
    shaped,
};
use crate::{
    domain::{Gravity, Timestamp},
    error::{CallError, ProviderError},
    shape::shape,
    store::{Approval, EntryKind, transaction},
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
        let gravity = record.plan.impact.gravity;
        let gravest = gravity == Gravity::Critical;
        let place = self.settings.asks.of(gravity);
        let needed = self.settings.needed(gravity);
        let now = self.now().await?;
        let ask = |question: Question, timeline: &str| {
            let ticket = Ticket::new(call, &version, (now, record.since), timeline);
            Ok(Err(Verdict::Ask(question, ticket)))
        };
        let elsewhere = if matches!(given, Given::Typed(..)) { place == Ask::Console } else { place != Ask::Client };
        match given {
            // What a client brings is no consent where the operator does not trust clients with it, whenever the question was asked.
            Given::Form(ticket, _) | Given::Typed(ticket, _) if elsewhere => {
                self.accept(record, &ticket, call).await?;
                self.pending(record, call, &version, question, needed).await
            }
            Given::Form(ticket, answer) | Given::Typed(ticket, answer) => {
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
                if self.settings.fallback != Fallback::Token || caller_can_be_asked(record) || gravest || place != Ask::Client {
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
            Given::Nothing | Given::Opens | Given::Shows | Given::Here => {
                let binding = consent::binding(call, &version);
                let wanted = (needed, place.answered_in());
                let mut db = self.db.read().await?;
                let found = db.approval_for(&binding, &record.caller.principal, wanted, now).await?;
                let timeline = db.timeline(&self.db).await?;
                let console = if given == Given::Opens || found.is_some() { db.console().await? } else { None };
                drop(db);
                let is_here = given == Given::Here;
                // One that waits does not stand in the way of a question that can be asked here and now.
                let asks_now = needed == 1 && (is_here && place != Ask::Console || place == Ask::Client && caller_can_be_asked(record));
                // The grave ones are told on a page where there is one; so are all of a client that shows no forms.
                let opens = given == Given::Opens && console.is_some() && (gravity >= Gravity::High || !caller_can_be_asked(record));
                let question = match found {
                    Some(approval) if approval.timeline() == timeline => {
                        if approval.status != "pending" || opens || !asks_now {
                            return by_approval(approval, (now, console.as_deref())).map(Ok);
                        }
                        question
                    }
                    Some(_) => question.once_more(),
                    None => question,
                };
                // What a client shows as a page is asked, whatever is set for clients that cannot.
                let shows = given == Given::Shows && needed == 1 && !caller_can_be_asked(record);
                if opens || shows || place == Ask::Console || place == Ask::Terminal && !is_here {
                    return self.pending(record, call, &version, question, needed).await;
                }
                match (caller_can_be_asked(record) || is_here, self.settings.fallback) {
                    // Who sits in front of the client cannot be told from who approves later: two people answer outside of it.
                    (_, Fallback::Approve | Fallback::Token) if needed > 1 => self.pending(record, call, &version, question, needed).await,
                    (true, _) => ask(question, &timeline),
                    // Writes have no argument for a token: few of them are ever asked about.
                    (false, Fallback::Token) if !gravest && record.tool.effect != Effect::Write => {
                        let ticket = Ticket::new(call, &version, (now, record.since), &timeline);
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
        let now = self.now().await?;
        let forget_at = now.plus_seconds(2 * TTL_SECONDS);
        let nonce = ticket.nonce.as_str();
        let message = if ticket.call != call {
            "the confirmation is for another call"
        } else if ticket.expires_at <= now.0 {
            "the confirmation has expired"
        } else {
            let burnt = transaction!(self.db.recording(), CallError, tx => {
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
        let now = self.now().await?;
        let answered_in = self.settings.asks.of(record.plan.impact.gravity).answered_in();
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
            answered_in: answered_in.to_owned(),
            reason: None,
        };
        let mut body = record.body(None);
        body.insert("outcome".into(), "pending_approval".into());
        body.insert("approval".into(), approval.id.as_str().into());
        let body = Value::from(body);
        let (binding, principal) = (approval.binding.clone(), approval.principal.clone());
        let (binding, principal) = (binding.as_str(), principal.as_str());
        let mut asked = asked(record, &question);
        let (found, console) = transaction!(self.db.recording(), CallError, tx => {
            tx.approvals_turn().await?;
            // The same call may have come a moment earlier, or have used its approval up while this one was planned.
            let (timeline, console) = (tx.timeline(&self.db).await?, tx.console().await?);
            asked["timeline"] = timeline.as_str().into();
            asked["since"] = record.since.0.into();
            approval.question = asked.to_string();
            let found = tx.approval_for(binding, principal, (needed, answered_in), now).await?;
            if let Some(found) = found.filter(|it| it.timeline() == timeline) {
                return Ok((Some(found), console));
            }
            let since = tx.now().await?.0 - millis(self.db.clock().since(record.asked_at));
            if let Some(id) = tx.approval_used(binding, principal, Timestamp(since)).await? {
                return Err(CallError::BadConfirmation { message: format!("approval {id} was used by the same call, which came first") });
            }
            // With another question the same call waits in place of itself, and so adds nothing.
            if !tx.waits(call, principal, now).await? && tx.waiting_approvals(principal, now).await? >= MOST_WAITING {
                return Err(too_many());
            }
            tx.add_approval(&approval, call).await?;
            tx.append(&record.call_id, EntryKind::Refusal, &body).await?;
            Ok((None, console))
        })?;
        match found {
            Some(found) => by_approval(found, (now, console.as_deref())).map(Ok),
            None => Err(pending_error(approval, (now, console.as_deref()))),
        }
    }

    /// The store's time, by which consents end: it is the same for all processes.
    async fn now(&self) -> Result<Timestamp, CallError> {
        Ok(self.db.read().await?.now().await?)
    }

    pub(super) async fn refused(&self, record: &Record<'_>, reason: &str) -> Result<(), CallError> {
        let mut body = record.body(None);
        body.insert("outcome".into(), "refused".into());
        body.insert("reason".into(), reason.into());
        Ok(self.recorder.append(&record.call_id, EntryKind::Refusal, body.into(), KeyChange::None).await?)
    }
}

/// How many changes of one caller may wait for a person at the same time.
const MOST_WAITING: i64 = 20;

fn too_many() -> CallError {
    CallError::NotConfirmed {
        code: "too_many_pending",
        message: format!("{MOST_WAITING} changes of this caller already wait for a person, which is the most that may"),
        fix: format!(
            "ask a person to answer some (`rolecall approvals` lists them), or wait until they expire after {} minutes; then repeat this call",
            TTL_SECONDS / 60
        ),
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// What an approval keeps of its question: what a form would show, and the facts that it is made of, for who shows them better.
/// Nothing in it was written by a model.
fn asked(record: &Record<'_>, question: &Question) -> Value {
    let mut asked = json!({
        "text": question.text,
        "type_this": question.type_this,
        "title": record.tool.title,
        "target": record.plan.target,
        "impact": record.plan.impact,
        "before": record.plan.before,
        "client": record.caller.client,
        "connection": record.connection,
        "losing": record.plan.impact.losses.iter().map(|it| &it.all).collect::<Vec<_>>(),
        "changes": changed::fields(record.plan, record.arguments),
        "rows": record.plan.rows,
    });
    // What has to be typed stays as it is; the rest is for showing.
    for part in ["target", "impact", "before", "losing", "changes", "rows"] {
        shape(&mut asked[part]);
    }
    asked
}

/// What an approval of a call comes to: a yes, a no, or the wait for either.
fn by_approval(approval: Approval, (now, console): (Timestamp, Option<&str>)) -> Result<Evidence, CallError> {
    match approval.status.as_str() {
        "approved" => Ok(Evidence::Approval { id: approval.id }),
        "refused" => {
            let (message, fix) = match &approval.reason {
                Some(reason) => (format!("a person rejected this change: {reason}"), "stop here, and heed the reason"),
                None => ("a person rejected this change".to_owned(), "stop here; ask the person for the reason"),
            };
            Err(CallError::NotConfirmed { code: "refused", message, fix: fix.to_owned() })
        }
        _ => Err(pending_error(approval, (now, console))),
    }
}

fn caller_can_be_asked(record: &Record<'_>) -> bool {
    record.caller.can_ask
}

/// `now` is the store's time, `console` the address of the one that is open.
fn pending_error(approval: Approval, (now, console): (Timestamp, Option<&str>)) -> CallError {
    let question: Value = serde_json::from_str(&approval.question).unwrap_or_default();
    let Approval { id, answered_in, .. } = &approval;
    let address = console.filter(|_| answered_in != Ask::Terminal.answered_in()).map(|it| format!("{it}/q/{id}"));
    let way = match (&address, answered_in.as_str()) {
        (Some(address), "console") => format!("to answer at {address}"),
        (Some(address), _) => format!("to answer at {address}, or to run `rolecall approve {id}` in a terminal"),
        (None, "console") => format!("to run `rolecall console` in a terminal, and to answer approval {id} there"),
        (None, _) => format!("to run `rolecall approve {id}` in a terminal"),
    };
    CallError::PendingApproval {
        expires_in_s: u64::try_from((approval.expires_at - now.0) / 1000).unwrap_or_default(),
        question: question["text"].as_str().unwrap_or_default().to_owned(),
        address,
        fix: format!("ask a person {way}, then repeat this call unchanged"),
        id: approval.id,
    }
}

/// Six letters that a person can type: `k7m2qx`. Unguessable enough for five minutes, and good for nothing but being answered by a person.
fn short_id() -> String {
    const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
    uuid::Uuid::new_v4().as_bytes().iter().take(6).map(|it| char::from(ALPHABET[usize::from(*it) % ALPHABET.len()])).collect()
}
