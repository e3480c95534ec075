//! A person's answer to a change that waits, given outside the model's reach.

use serde_json::{Value, json};

use super::{Question, TTL_SECONDS};
use crate::{
    domain::Timestamp,
    store::{Approval, Db, EntryKind, StoreError, transaction},
};

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// The same call, repeated, now runs once.
    Approved,
    /// This many more people have to agree.
    Waiting(i64),
    Refused,
    /// It was answered before, nobody answered in time, or a standby of the store has taken over since it was asked.
    NotOpen,
}

impl Question {
    /// The question that an approval keeps.
    #[must_use]
    pub fn of_approval(approval: &Approval) -> Self {
        let kept: Value = serde_json::from_str(&approval.question).unwrap_or_default();
        let text = |name: &str| kept[name].as_str().map(str::to_owned);
        Self { text: text("text").unwrap_or_default(), type_this: text("type_this"), again: None }
    }
}

/// Agrees to a waiting change, in the name of a person whom the caller vouches for.
///
/// # Errors
///
/// Where the store cannot be used.
pub async fn approve(db: &Db, id: &str, person: &str) -> Result<Answered, StoreError> {
    transaction!(db, StoreError, tx => {
        let (now, timeline) = (Timestamp::now(), tx.timeline(db).await?);
        if tx.approval(id).await?.is_some_and(|it| it.timeline() != timeline) {
            return Ok(Answered::NotOpen);
        }
        let Some(missing) = tx.approve(id, person, now, now.plus_seconds(TTL_SECONDS)).await? else { return Ok(Answered::NotOpen) };
        tx.append(id, EntryKind::Answer, &json!({ "approval": id, "person": person, "answer": "approved", "still_needed": missing })).await?;
        Ok(if missing == 0 { Answered::Approved } else { Answered::Waiting(missing) })
    })
}

/// Turns a waiting change down.
///
/// # Errors
///
/// Where the store cannot be used.
pub async fn refuse(db: &Db, id: &str, person: &str) -> Result<Answered, StoreError> {
    transaction!(db, StoreError, tx => {
        if !tx.refuse(id, Timestamp::now()).await? {
            return Ok(Answered::NotOpen);
        }
        tx.append(id, EntryKind::Answer, &json!({ "approval": id, "person": person, "answer": "refused" })).await?;
        Ok(Answered::Refused)
    })
}
