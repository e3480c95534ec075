//! The review that was kept, and what differs from it now.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Line, rules::Rule};
use crate::{
    answers::Ask,
    domain::Timestamp,
    store::{Db, StoreError, sha256, transaction},
    tools::access::{Compared, ReviewAccess},
};

/// So many findings that are no longer so are named.
const NAMED: usize = 20;

/// A review as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(skip)]
    at: i64,
    /// What was read to its end then.
    seen: BTreeSet<String>,
    findings: Vec<KeptFinding>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptFinding {
    id: String,
    source: String,
    what: String,
}

/// What tells reviews of the same from others: who asks, of which accounts, about what.
pub(super) fn scope(ask: &Ask<'_>, op: &ReviewAccess) -> String {
    let accounts: Vec<&str> = ask.connections.iter().map(|it| it.name.as_str()).collect();
    let about = [
        op.organization.as_ref().map(ToString::to_string),
        op.project.as_ref().map(ToString::to_string),
        op.member.as_ref().map(ToString::to_string),
    ];
    sha256(format!("review\n{}\n{accounts:?}\n{:?}", ask.caller.principal, about.map(|it| it.map(|it| it.to_lowercase()))))
}

pub(super) async fn read(db: &Db, scope: &str) -> Result<Option<Kept>, StoreError> {
    let Some((at, found)) = db.read().await?.kept_review(scope).await? else { return Ok(None) };
    let kept: Kept = serde_json::from_str(&found).map_err(|error| StoreError::Unreadable(error.to_string()))?;
    Ok(Some(Kept { at, ..kept }))
}

/// Keeps a review in the place of the one before.
pub(super) async fn write(db: &Db, scope: &str, lines: &[Line], seen: &BTreeSet<String>, now: Timestamp) -> Result<(), StoreError> {
    let findings = lines.iter().map(|it| KeptFinding { id: it.id.clone(), source: it.source(), what: it.what() }).collect();
    let kept = serde_json::to_string(&Kept { at: now.0, seen: seen.clone(), findings });
    let kept = kept.map_err(|error| StoreError::Unreadable(error.to_string()))?;
    transaction!(db, StoreError, tx => { tx.keep_review(scope, now, &kept).await })
}

impl Kept {
    /// Marks what is new, and counts it and what was mended. What was not read to its end then or now is neither.
    pub(super) fn compare(&self, lines: &mut [Line], seen: &BTreeSet<String>) -> Compared {
        let before: BTreeSet<&str> = self.findings.iter().map(|it| it.id.as_str()).collect();
        let mut new = 0;
        for line in lines.iter_mut().filter(|it| self.seen.contains(&it.source())) {
            let is_new = !before.contains(line.id.as_str());
            line.is_new = Some(is_new);
            new += u64::from(is_new);
        }
        let now: BTreeSet<&str> = lines.iter().map(|it| it.id.as_str()).collect();
        let mended: Vec<&KeptFinding> =
            self.findings.iter().filter(|it| seen.contains(&it.source) && !now.contains(it.id.as_str())).collect();
        Compared {
            says: format!("{new} new, {} mended", mended.len()),
            with: Timestamp(self.at),
            new,
            mended: mended.len() as u64,
            no_longer: mended.iter().take(NAMED).map(|it| it.what.clone()).collect(),
        }
    }
}

impl Line {
    /// What it was read from.
    fn source(&self) -> String {
        let source = match self.found.rule {
            Rule::KeyOfLeaver
            | Rule::KeyOfNobody
            | Rule::KeyWithoutAccess
            | Rule::KeyNeverUsed
            | Rule::KeyUnused
            | Rule::KeyOld
            | Rule::KeyWithoutEnd
            | Rule::AccountWithoutKey => "keys",
            Rule::InvitationRanOut => "invitations",
            Rule::RoleWithoutHolder => "roles",
            _ => "grants",
        };
        format!("{}:{source}", self.connection)
    }

    fn what(&self) -> String {
        let place = self.place().map(|it| format!(" in {it}")).unwrap_or_default();
        format!("{} {}{place}", self.found.rule.name(), self.found.subject.name)
    }
}
