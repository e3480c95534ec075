//! Access that ends at a time: which calls gave it, until when, and what became of it.

use serde_json::Value;

use super::{Conn, EntryKind, StoreError, Val, args, row};
use crate::domain::Timestamp;

row! {
    /// Access with an end.
    pub struct EndRow {
        call_id: String, principal: String, connection: String, named: String, ends_at: i64, state: String, reason: Option<String>,
        job: Option<String>, tries: i64, look_at: i64,
    }
}

impl EndRow {
    /// Whether it is still to be taken away.
    pub fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "waiting" | "taking" | "failed")
    }
}

const COLUMNS: &str = "SELECT call_id, principal, connection, named, ends_at, state, reason, job, tries, look_at FROM ends";
const OPEN: &str = "state IN ('waiting', 'taking', 'failed')";
/// What is listed unless all is wanted, as the indexes for it say it.
const TO_LIST: &str = "state IN ('waiting', 'taking', 'failed', 'left')";
/// The name of the setting that says when a server last looked for access to take away.
const LOOKED: &str = "ends_looked_at";

impl Conn {
    /// Keeps the ends that intents name, in the transaction that writes the intents.
    pub(super) async fn add_ends(&mut self, rows: &[(&str, EntryKind, &Value)]) -> Result<(), StoreError> {
        for (call_id, _, body) in rows.iter().filter(|it| it.1 == EntryKind::Intent) {
            let Some(at) = body["ends"]["at"].as_i64() else { continue };
            let text = |name: &str| body[name].as_str().unwrap_or_default();
            let sql = "INSERT INTO ends (call_id, principal, connection, named, ends_at, state, tries, look_at) \
                       VALUES ($1, $2, $3, $4, $5, 'waiting', 0, $5) ON CONFLICT (call_id) DO NOTHING";
            let named = body["target"]["name"].as_str().unwrap_or_default().to_lowercase();
            self.run(sql, &args![*call_id, text("principal"), text("connection"), named, at]).await?;
        }
        Ok(())
    }

    /// Whether anything is still to end.
    pub async fn has_open_ends(&mut self) -> Result<bool, StoreError> {
        let open: Option<(String,)> = self.one(&format!("SELECT call_id FROM ends WHERE {OPEN} LIMIT 1"), &[]).await?;
        Ok(open.is_some())
    }

    /// What is to be taken away or looked at by now, the longest due first.
    pub async fn due_ends(&mut self, now: Timestamp, rows: i64) -> Result<Vec<EndRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE state IN ('waiting', 'failed') AND look_at <= $1 ORDER BY look_at, call_id LIMIT $2");
        self.all(&sql, &args![now.0, rows]).await
    }

    /// What jobs take away.
    pub async fn ends_being_taken(&mut self) -> Result<Vec<EndRow>, StoreError> {
        self.all(&format!("{COLUMNS} WHERE state = 'taking' ORDER BY call_id LIMIT 1000"), &[]).await
    }

    /// What is to end of what has this name.
    pub async fn open_ends_of(&mut self, connection: &str, named: &str) -> Result<Vec<EndRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE connection = $1 AND named = $2 AND {OPEN} ORDER BY call_id DESC LIMIT 100");
        self.all(&sql, &args![connection, named.to_lowercase()]).await
    }

    /// Ends behind a time and call, soonest first; of one principal, or of all; only what is not over, or all.
    pub async fn ends_after(
        &mut self,
        (ends_at, call_id): (i64, &str),
        principal: Option<&str>,
        only_open: bool,
        rows: i64,
    ) -> Result<Vec<EndRow>, StoreError> {
        let mut values = args![ends_at, call_id, rows].to_vec();
        let mut sql = format!("{COLUMNS} WHERE (ends_at, call_id) > ($1, $2)");
        if let Some(principal) = principal {
            values.push(principal.into());
            sql += " AND principal = $4";
        }
        if only_open {
            sql += &format!(" AND {TO_LIST}");
        }
        self.all(&format!("{sql} ORDER BY ends_at, call_id LIMIT $3"), &values).await
    }

    /// Gives ends to the job that takes them away, with what is said of what stays; answers how many were still free.
    pub async fn take_ends(&mut self, calls: &[(String, Option<String>)], job: &str) -> Result<u64, StoreError> {
        let mut taken = 0;
        for (call_id, stays) in calls {
            let sql = "UPDATE ends SET state = 'taking', job = $2, reason = $3 WHERE call_id = $1 AND state IN ('waiting', 'failed')";
            taken += self.run(sql, &args![call_id, job, stays]).await?;
        }
        Ok(taken)
    }

    /// Says what became of an end, unless somebody has said so before. `seen` is how it was found.
    pub async fn change_end(&mut self, seen: &EndRow, state: &str, reason: Option<&str>, look_at: i64) -> Result<bool, StoreError> {
        let tries = seen.tries + i64::from(state == "failed");
        let sql = "UPDATE ends SET state = $2, reason = $3, look_at = $4, tries = $5 WHERE call_id = $1 AND state = $6 AND tries = $7";
        let values = [
            Val::from(&seen.call_id),
            state.into(),
            reason.into(),
            look_at.into(),
            tries.into(),
            Val::from(&seen.state),
            seen.tries.into(),
        ];
        Ok(self.run(sql, &values).await? == 1)
    }

    /// When a server last looked for access to take away, by the store's time.
    pub async fn ends_looked_at(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let noted = self.texts("SELECT value FROM settings WHERE name = $1", &args![LOOKED]).await?;
        Ok(noted.first().and_then(|it| it.parse().ok()).map(Timestamp))
    }

    /// Notes that a server looks.
    pub async fn note_look_at_ends(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.run(sql, &args![LOOKED, now.0.to_string()]).await.map(drop)
    }
}
