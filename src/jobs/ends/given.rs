//! What a call gave that is to end, read back from the ledger; and what became of it since.

use serde_json::{Map, Value};

use super::giving::in_words_of;
use crate::{
    domain::{Inverse, Target, Until},
    store::{CallPage, Conn, EndRow, EntryKind, LedgerRow, StoreError},
    tools::{
        self, Operation as _,
        keys::{DeleteApiKey, DeleteServiceAccount},
        roles::UnassignRole,
    },
};

/// Access that was given until a time.
pub(super) struct Given {
    pub(super) end: EndRow,
    pub(super) tool: String,
    pub(super) target: Target,
    pub(super) until: Until,
    pub(super) outcome: Outcome,
    /// The calls that take it away, by ids.
    pub(super) takes: Vec<Inverse>,
    pub(super) roles: Vec<String>,
    /// Whether those are the roles as the service had them, and not as they were asked for.
    pub(super) roles_are_known: bool,
    pub(super) since: Option<String>,
    /// Whether it starts only when an invitation is accepted.
    pub(super) is_invited: bool,
    /// The ids of the places where it was given.
    pub(super) places: Vec<String>,
    /// As they were understood.
    pub(super) arguments: Map<String, Value>,
    /// The call that a person agreed to: its own, or its job's.
    pub(super) agreed_in: String,
    seq: i64,
}

/// What became of the call that was to give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    NotMade,
    /// Nobody has said so yet, or nobody knows.
    Unknown,
}

/// A later call on the same access.
pub(super) struct Later {
    call_id: String,
    /// What it did with it.
    what: &'static str,
}

impl Later {
    /// Why what was given before is over.
    pub(super) fn reason(&self) -> String {
        format!("{}, in call {}", self.what, self.call_id)
    }
}

impl Given {
    /// Reads what a call gave; `None` where the ledger has nothing of it.
    pub(super) async fn read(conn: &mut Conn, end: EndRow) -> Result<Option<Self>, StoreError> {
        let Some(intent) = conn.entries(&end.call_id, EntryKind::Intent).await?.pop() else { return Ok(None) };
        let body = intent.body();
        let outcome = conn.entries(&end.call_id, EntryKind::Outcome).await?.last().map(LedgerRow::body).unwrap_or_default();
        // Where only the end was changed, what was given stands with the call that gave it.
        let (mut first, mut of_first) = (body.clone(), outcome.clone());
        while let Some(earlier) = first["ends"]["moves"].as_str().map(str::to_owned) {
            let Some(intent) = conn.entries(&earlier, EntryKind::Intent).await?.pop() else { break };
            of_first = conn.entries(&earlier, EntryKind::Outcome).await?.last().map(LedgerRow::body).unwrap_or_default();
            first = intent.body();
        }
        let agreed_in = match body["job"].as_str() {
            Some(job) => conn.job(job).await?.map(|it| it.call_id),
            None => None,
        };
        let inverse: Vec<Inverse> = serde_json::from_value(of_first["inverse"].clone()).unwrap_or_default();
        let noted: Vec<Inverse> = serde_json::from_value(first["ends"]["takes"].clone()).unwrap_or_default();
        // What a service gives its id only with the answer is known by what was asked for, should that answer be lost.
        let takes = [inverse, noted].into_iter().find(|it| !it.is_empty()).unwrap_or_else(|| in_other_words(&first).into_iter().collect());
        let gave = &of_first["gave"];
        let roles_are_known = gave.is_object();
        let target = [&of_first["target"], &body["target"]].into_iter().find_map(|it| serde_json::from_value(it.clone()).ok());
        let Some(target) = target else { return Ok(None) };
        let mut arguments = body["arguments"].as_object().cloned().unwrap_or_default();
        arguments.shift_remove("ends_at");
        let zone = body["ends"]["zone"].as_str().unwrap_or("UTC");
        Ok(Some(Self {
            tool: body["tool"].as_str().unwrap_or_default().to_owned(),
            target,
            until: Until::new(crate::domain::Timestamp(end.ends_at), zone),
            outcome: outcome_of(&outcome),
            takes,
            roles: if roles_are_known { roles(gave) } else { roles(&Value::from(arguments.clone())) },
            roles_are_known,
            since: gave["since"].as_str().map(str::to_owned),
            is_invited: gave["status"] == "invited",
            places: serde_json::from_value(first["ends"]["places"].clone()).unwrap_or_default(),
            arguments,
            agreed_in: agreed_in.unwrap_or_else(|| end.call_id.clone()),
            seq: intent.seq,
            end,
        }))
    }

    /// The newest later call that took the same access away, or gave it anew. What the ledger does not know of shows when the taking
    /// is planned.
    pub(super) async fn later(&self, conn: &mut Conn) -> Result<Option<Later>, StoreError> {
        let word = self.target.id.as_deref().unwrap_or(&self.target.name).to_lowercase();
        let mut page = CallPage {
            before: i64::MAX,
            since: None,
            until: None,
            job: None,
            tool: None,
            principal: None,
            outcome: Some("done"),
            word: Some(&word),
            rows: 100,
        };
        let all = tools::all();
        let ended_by = |name: &str| all.iter().find(|it| it.name == name).and_then(|it| it.ended_by);
        let Some(by) = ended_by(&self.tool) else { return Ok(None) };
        loop {
            let rows = conn.calls(&page).await?;
            let Some(last) = rows.last() else { return Ok(None) };
            page.before = last.seq;
            for row in rows.iter().take_while(|it| it.seq > self.seq).filter(|it| it.entry == "intent") {
                let body = row.body();
                let tool = body["tool"].as_str().unwrap_or_default();
                let takes = tool == by;
                if body["connection"] != self.end.connection.as_str() || !(takes || ended_by(tool) == Some(by)) {
                    continue;
                }
                let outcome = conn.outcomes(&[row.call_id.as_str()]).await?.last().map(LedgerRow::body).unwrap_or_default();
                let target = [&outcome["target"], &body["target"]].into_iter().find_map(|it| serde_json::from_value(it.clone()).ok());
                let is_same = target.is_some_and(|it: Target| is_same(&self.target, &it));
                let moves_this = body["ends"]["moves"] == self.end.call_id.as_str();
                if is_same && (by != UnassignRole::NAME || moves_this || self.is_same_role(&body, &outcome)) {
                    let what = match (takes, body["ends"]["moves"].is_string()) {
                        (true, _) => "it was taken away before",
                        (false, true) => "its end was moved",
                        (false, false) => "it was given anew",
                    };
                    return Ok(Some(Later { call_id: row.call_id.clone(), what }));
                }
            }
            if last.seq <= self.seq {
                return Ok(None);
            }
        }
    }

    /// Of roles one by one, somebody may hold several in one place.
    fn is_same_role(&self, body: &Value, outcome: &Value) -> bool {
        let ours = self.takes.first().map(|it| &it.arguments["role"]);
        let theirs =
            [&outcome["inverse"][0]["arguments"]["role"], &body["ends"]["takes"][0]["arguments"]["role"], &body["arguments"]["role"]];
        ours.is_some_and(|ours| theirs.into_iter().find(|it| it.is_string()) == Some(ours))
    }
}

/// The call that takes away what a call gave, by the names that it was called with: somebody has one invitation to a place, but
/// anybody may have made a key that is called so.
fn in_other_words(intent: &Value) -> Option<Inverse> {
    let all = tools::all();
    let by = all.iter().find(|it| intent["tool"] == it.name)?.ended_by?;
    if [DeleteApiKey::NAME, DeleteServiceAccount::NAME].contains(&by) {
        return None;
    }
    let taking = all.iter().find(|it| it.name == by)?;
    let arguments = in_words_of(taking, intent["arguments"].as_object()?);
    Some(Inverse { tool: by.to_owned(), arguments: arguments.into() })
}

fn outcome_of(outcome: &Value) -> Outcome {
    match outcome["outcome"].as_str() {
        Some("done") => Outcome::Done,
        // Some of it was given.
        Some("failed") if outcome["code"] == "partly_done" => Outcome::Unknown,
        Some("failed" | "refused") => Outcome::NotMade,
        _ => Outcome::Unknown,
    }
}

/// Whether two targets are the same thing in the same place: by ids where both have them.
pub(super) fn is_same(one: &Target, other: &Target) -> bool {
    let id = |within: &Option<String>| within.as_deref().and_then(|it| it.rsplit_once('[')).map(|it| it.1.to_owned());
    let same = match (&one.id, &other.id) {
        (Some(one), Some(other)) if one == other => true,
        // A place at a service may have another id than the person in it.
        _ => crate::domain::same_letters(&one.name, &other.name),
    };
    one.kind == other.kind && same && id(&one.within) == id(&other.within)
}

/// The roles of a thing as it is shown.
pub(super) fn roles(thing: &Value) -> Vec<String> {
    let many = thing["roles"].as_array().into_iter().flatten();
    let mut roles: Vec<String> = many.chain(std::iter::once(&thing["role"])).filter_map(Value::as_str).map(crate::domain::fold).collect();
    roles.sort();
    roles.dedup();
    roles
}
