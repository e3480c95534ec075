//! Changes that are asked for on a page: what they would do, and the way to them, which is everybody's.

use std::sync::PoisonError;

use rolecall_console::{CallPlan, Made, Mend, Scope, Trouble, VerifiedPerson};
use serde_json::{Map, Value};

use super::{AskedHere, Program, operator, trouble};
use crate::{
    error::CallError,
    guard::{Given, Verdict, lines},
};

impl Program {
    /// What a call would do; nothing is changed.
    pub(super) async fn plan_of(&self, tool: &str, mut arguments: Map<String, Value>) -> Result<CallPlan, Trouble> {
        arguments.insert("dry_run".into(), true.into());
        let plan = self.read(tool, arguments.into()).await?;
        let question = plan["question"].as_str().map_or_else(
            || serde_json::from_value(plan["impact"].clone()).map(|impact| lines(&impact).join("\n")).unwrap_or_default(),
            str::to_owned,
        );
        let question = if question.is_empty() {
            format!("{}: {}", tool.replace('_', " "), plan["target"]["name"].as_str().unwrap_or_default())
        } else {
            question
        };
        Ok(CallPlan { question, needs_consent: plan["needs_consent"] == true })
    }

    /// Asks for a change as the operator. Where somebody has to agree, it is made once somebody has.
    pub(super) async fn made(&self, tool: &str, arguments: Map<String, Value>, person: &VerifiedPerson) -> Result<Made, Trouble> {
        let caller = operator(Some(person));
        match self.app.call(tool, arguments.clone(), &caller, Given::Nothing).await {
            Ok(Verdict::Done(result)) => Ok(Made::Done(summary(&result))),
            Err(CallError::PendingApproval { id, .. }) => {
                let mut asked = self.asked_here.lock().unwrap_or_else(PoisonError::into_inner);
                asked.insert(id.clone(), AskedHere { tool: tool.to_owned(), arguments, caller });
                Ok(Made::Asks(id))
            }
            Ok(_) => Err(trouble(&CallError::Internal)),
            Err(error) => Err(trouble(&error)),
        }
    }

    pub(super) async fn plan_of_mend(&self, scope: &Scope, mend: &Mend) -> Result<CallPlan, Trouble> {
        self.plan_of(&mend.tool, self.still_mends(scope, mend).await?).await
    }

    pub(super) async fn mended(&self, scope: &Scope, mend: &Mend, person: &VerifiedPerson) -> Result<Made, Trouble> {
        self.made(&mend.tool, self.still_mends(scope, mend).await?, person).await
    }

    /// The arguments of a call that mends something which a review still finds: no other call is made from its page.
    async fn still_mends(&self, scope: &Scope, mend: &Mend) -> Result<Map<String, Value>, Trouble> {
        let found = self.reviewed(scope).await?.map(|it| it.list).unwrap_or_default();
        let arguments = serde_json::from_str(&mend.arguments).ok();
        found.iter().any(|it| it.mend.as_ref() == Some(mend)).then_some(arguments).flatten().ok_or_else(|| Trouble {
            message: "the review finds nothing any more that this call would mend".to_owned(),
            fix: "look at the findings again".to_owned(),
        })
    }
}

/// What a call has come to, in a line: of a job, how many rows ended how.
fn summary(result: &Value) -> String {
    let counts = ["done", "skipped", "differs", "failed", "refused", "unknown", "cancelled", "pending"];
    let told = counts.iter().filter_map(|it| result[*it].as_u64().filter(|count| *count > 0).map(|count| format!("{count} {it}")));
    let told = told.collect::<Vec<_>>().join(", ");
    if told.is_empty() { result["status"].as_str().unwrap_or_default().replace('_', " ") } else { told }
}
