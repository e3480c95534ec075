//! Answers over many connections at once: who can, who somebody is, what was done.
//!
//! What is asked of grants is pure, in [`crate::access`]; here is the reading around it. Every answer says what it could not see,
//! in one shape ([`crate::domain::Gaps`]). Nothing is read of a connection where the caller may not use the tool.

mod actions;
mod activity;
mod explain;
mod find;
mod gather;
mod person;
mod review;
mod words;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{
    error::CallError,
    guard::{Caller, Guard},
    providers::Connection,
    store::Db,
    tools::{
        Operation, Tool,
        access::{ExplainAccess, FindPerson, ReviewAccess},
        context::{ListActivity, ListApprovals},
        decode,
    },
};

pub(crate) use person::{Looked, Somebody};

/// A call of one of the server's own tools: who asks, and about which accounts.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) db: &'a Db,
    pub(crate) guard: &'a Guard,
    pub(crate) tool: &'a Tool,
    pub(crate) caller: &'a Caller,
    /// The accounts that the call is about: all, or the one that it names.
    pub(crate) connections: &'a [Arc<Connection>],
    /// Whether there are other accounts than those, so that calls have to name theirs.
    pub(crate) several: bool,
    /// When the answer has to be there. What was not read by then is told as a gap.
    deadline: Instant,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(
        db: &'a Db,
        guard: &'a Guard,
        tool: &'a Tool,
        caller: &'a Caller,
        connections: &'a [Arc<Connection>],
        several: bool,
    ) -> Self {
        Self { db, guard, tool, caller, connections, several, deadline: Instant::now() + gather::PATIENCE }
    }

    /// The same for whoever plans changes, and would rather wait than leave something out.
    pub(crate) fn patiently(self, patience: Duration) -> Self {
        Self { deadline: Instant::now() + patience, ..self }
    }
}

/// How a tool is answered.
pub(crate) type Answer = for<'a> fn(Ask<'a>, Map<String, Value>) -> BoxFuture<'a, Result<Value, CallError>>;

/// How a tool is answered that is answered here; `None` for those that a connection answers.
pub(crate) fn of(tool: &str) -> Option<Answer> {
    let answer: Answer = match tool {
        ListActivity::NAME => |ask, arguments| told(arguments, move |op| activity::list(ask, op)),
        ListApprovals::NAME => {
            |ask, arguments| told(arguments, move |_: ListApprovals| async move { Ok(ask.guard.waiting(ask.caller).await?) })
        }
        ExplainAccess::NAME => |ask, arguments| told(arguments, move |op| explain::explain(ask, op)),
        FindPerson::NAME => |ask, arguments| told(arguments, move |op| find::find(ask, op)),
        ReviewAccess::NAME => |ask, arguments| told(arguments, move |op| review::review(ask, op)),
        _ => return None,
    };
    Some(answer)
}

/// The result of an answer to an operation, as JSON.
fn told<'a, O, Fut>(arguments: Map<String, Value>, answer: impl FnOnce(O) -> Fut + Send + 'a) -> BoxFuture<'a, Result<Value, CallError>>
where
    O: Operation,
    Fut: Future<Output = Result<O::Output, CallError>> + Send + 'a,
{
    Box::pin(async move { serde_json::to_value(answer(decode(arguments)?).await?).map_err(|_| CallError::Internal) })
}
