//! What the ledger tells of a change.

use serde_json::{Map, Value, json};

use super::{Caller, Plan};
use crate::{
    domain::Timestamp,
    shape::{for_ledger, shape},
    store::Mark,
    tools::Tool,
};

/// What the ledger tells of a call.
pub(super) struct Record<'a> {
    pub(super) tool: &'a Tool,
    /// Its name.
    pub(super) connection: &'a str,
    pub(super) caller: &'a Caller,
    pub(super) plan: &'a Plan,
    /// Of what a person is told: see [`Plan::version`].
    pub(super) version: String,
    pub(super) arguments: &'a Value,
    pub(super) call_id: String,
    /// When it was asked for, before anything was looked at.
    pub(super) asked_at: Mark,
    /// The same by the store's time, or when its question first went out.
    pub(super) since: Timestamp,
}

impl Record<'_> {
    pub(super) fn body(&self, evidence: Option<&Evidence>) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("tool".into(), self.tool.name.into());
        body.insert("effect".into(), self.tool.effect.name().into());
        body.insert("connection".into(), self.connection.into());
        body.insert("principal".into(), self.caller.principal.as_str().into());
        body.insert("client".into(), self.caller.client.as_str().into());
        body.insert("target".into(), json!(self.plan.target));
        body.insert("arguments".into(), for_ledger(self.arguments));
        body.insert("impact".into(), json!(self.plan.impact));
        if let Some(evidence) = evidence {
            body.insert("consent".into(), evidence.to_value());
            // What is not sent has no end.
            if let Some(ends) = self.plan.ends.as_ref().and_then(|it| it.noted(self.plan)) {
                body.insert("ends".into(), ends);
            }
        }
        let mut shaped = Value::from(body);
        shape(&mut shaped);
        if let Value::Object(body) = shaped { body } else { Map::new() }
    }
}

/// How a change came to be allowed, for the ledger.
#[derive(Debug, Clone)]
pub(super) enum Evidence {
    NotNeeded,
    Form {
        nonce: String,
    },
    Token {
        nonce: String,
    },
    Approval {
        id: String,
    },
    /// It was told when the job was agreed to.
    Job {
        id: String,
    },
    /// It was told when another call was agreed to: access that ends.
    Agreed {
        call: String,
    },
}

impl Evidence {
    fn to_value(&self) -> Value {
        match self {
            Self::NotNeeded => json!({ "mode": "none" }),
            Self::Form { nonce } => json!({ "mode": "form", "nonce": nonce }),
            Self::Token { nonce } => json!({ "mode": "token", "nonce": nonce }),
            Self::Approval { id } => json!({ "mode": "approval", "approval": id }),
            Self::Job { id } => json!({ "mode": "job", "job": id }),
            Self::Agreed { call } => json!({ "mode": "agreed", "call": call }),
        }
    }
}
