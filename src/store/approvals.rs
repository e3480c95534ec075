//! Pending approvals: questions that wait for a person outside the model's reach.

use super::{Conn, StoreError, args, row};
use crate::domain::Timestamp;

row! {
    /// A question that waits for a person, or was answered.
    pub struct Approval {
        id: String, binding: String, principal: String, tool: String, connection: String, question: String, needed: i64,
        status: String, created_at: i64, expires_at: i64, answered_in: String, reason: Option<String>,
    }
}

impl Approval {
    /// Whether a person can still answer it.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.status == "pending" && self.expires_at > now.0
    }

    /// The store's timeline when it was asked for: one of another than the present is void.
    pub fn timeline(&self) -> String {
        let kept: serde_json::Value = serde_json::from_str(&self.question).unwrap_or_default();
        kept["timeline"].as_str().unwrap_or_default().to_owned()
    }
}

const COLUMNS: &str = "SELECT id, binding, principal, tool, connection, question, needed, status, created_at, expires_at, answered_in, \
                       reason FROM approvals";

impl Conn {
    /// The newest approval for exactly this call that has not expired, for which at least so many people are `needed`, and which is
    /// answered in that place, whichever timeline it is of; for `anywhere`, each serves.
    pub async fn approval_for(
        &mut self,
        binding: &str,
        principal: &str,
        (needed, answered_in): (i64, &str),
        now: Timestamp,
    ) -> Result<Option<Approval>, StoreError> {
        let sql = format!(
            "{COLUMNS} WHERE binding = $1 AND principal = $2 AND status <> 'used' AND expires_at > $3 AND needed >= $4 \
             AND ($5 = 'anywhere' OR answered_in = $5) ORDER BY created_at DESC LIMIT 1"
        );
        self.one(&sql, &args![binding, principal, now.0, needed, answered_in]).await
    }

    /// Waits until no other approval is asked for: two calls at once must not both find that they may.
    pub async fn approvals_turn(&mut self) -> Result<(), StoreError> {
        self.turn("approvals_turn").await
    }

    /// The newest approval of a call that was not used and has not expired, whatever was told about it.
    pub async fn approval_of_call(&mut self, call: &str, principal: &str, now: Timestamp) -> Result<Option<Approval>, StoreError> {
        let sql = format!(
            "{COLUMNS} WHERE call = $1 AND principal = $2 AND status <> 'used' AND expires_at > $3 ORDER BY created_at DESC LIMIT 1"
        );
        self.one(&sql, &args![call, principal, now.0]).await
    }

    /// The approval for exactly this call that was used last, no earlier than `since` by the store's time.
    pub async fn approval_used(&mut self, binding: &str, principal: &str, since: Timestamp) -> Result<Option<String>, StoreError> {
        let sql = "SELECT id FROM approvals WHERE binding = $1 AND principal = $2 AND status = 'used' AND used_at >= $3 \
                   ORDER BY used_at DESC LIMIT 1";
        Ok(self.texts(sql, &args![binding, principal, since.0]).await?.pop())
    }

    /// Whether a call waits for a person already, whatever was told about it.
    pub async fn waits(&mut self, call: &str, principal: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "SELECT COUNT(*) FROM approvals WHERE call = $1 AND principal = $2 AND status = 'pending' AND expires_at > $3";
        Ok(self.number(sql, &args![call, principal, now.0]).await? > 0)
    }

    /// How many changes of a caller wait for a person.
    pub async fn waiting_approvals(&mut self, principal: &str, now: Timestamp) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM approvals WHERE principal = $1 AND status = 'pending' AND expires_at > $2";
        self.number(sql, &args![principal, now.0]).await
    }

    pub async fn approval(&mut self, id: &str) -> Result<Option<Approval>, StoreError> {
        self.one(&format!("{COLUMNS} WHERE id = $1"), &args![id]).await
    }

    /// Those that wait, oldest first.
    pub async fn open_approvals(&mut self, now: Timestamp) -> Result<Vec<Approval>, StoreError> {
        self.all(&format!("{COLUMNS} WHERE status = 'pending' AND expires_at > $1 ORDER BY created_at"), &args![now.0]).await
    }

    /// The same of one caller.
    pub async fn open_approvals_of(&mut self, principal: &str, now: Timestamp) -> Result<Vec<Approval>, StoreError> {
        let sql = format!("{COLUMNS} WHERE principal = $2 AND status = 'pending' AND expires_at > $1 ORDER BY created_at");
        self.all(&sql, &args![now.0, principal]).await
    }

    /// A text that differs whenever what waits does.
    pub async fn waiting_mark(&mut self, now: Timestamp) -> Result<String, StoreError> {
        let sql = "SELECT a.id || ' ' || CAST((SELECT COUNT(*) FROM approval_votes v WHERE v.approval_id = a.id) AS TEXT) FROM approvals a \
                   WHERE a.status = 'pending' AND a.expires_at > $1 ORDER BY a.id";
        Ok(self.texts(sql, &args![now.0]).await?.join(" "))
    }

    /// Adds an approval of a call. Others for the same call wait no longer: what they tell about it is old.
    pub async fn add_approval(&mut self, it: &Approval, call: &str) -> Result<(), StoreError> {
        let sql = "UPDATE approvals SET expires_at = $3 WHERE call = $1 AND principal = $2 AND status = 'pending' AND expires_at > $3";
        self.run(sql, &args![call, &it.principal, it.created_at]).await?;
        let sql = "INSERT INTO approvals (id, binding, principal, tool, connection, question, needed, status, created_at, expires_at, call, \
                   answered_in) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let values = args![
            &it.id,
            &it.binding,
            &it.principal,
            &it.tool,
            &it.connection,
            &it.question,
            it.needed,
            &it.status,
            it.created_at,
            it.expires_at,
            call,
            &it.answered_in
        ];
        self.run(sql, &values).await?;
        Ok(())
    }

    /// Counts a person's agreement; approved once enough different people agreed. Answers how many are still needed,
    /// or `None` where the approval no longer waits.
    pub async fn approve(&mut self, id: &str, person: &str, now: Timestamp, expires_at: Timestamp) -> Result<Option<i64>, StoreError> {
        // Whoever answers it at the same time waits here, and finds it answered.
        self.run("UPDATE approvals SET status = status WHERE id = $1", &args![id]).await?;
        let Some(approval) = self.approval(id).await?.filter(|it| it.is_open(now)) else { return Ok(None) };
        let sql = "INSERT INTO approval_votes (approval_id, person, at) VALUES ($1, $2, $3) ON CONFLICT (approval_id, person) DO NOTHING";
        self.run(sql, &args![id, person, now.0]).await?;
        let votes = self.number("SELECT COUNT(*) FROM approval_votes WHERE approval_id = $1", &args![id]).await?;
        let missing = (approval.needed - votes).max(0);
        if missing == 0 {
            self.run("UPDATE approvals SET status = 'approved', expires_at = $2 WHERE id = $1", &args![id, expires_at.0]).await?;
        }
        Ok(Some(missing))
    }

    /// Turns a waiting approval down, for a reason where one is given; false where it no longer waits.
    pub async fn refuse(&mut self, id: &str, now: Timestamp, reason: Option<&str>) -> Result<bool, StoreError> {
        let sql = "UPDATE approvals SET status = 'refused', reason = $3 WHERE id = $1 AND status = 'pending' AND expires_at > $2";
        Ok(self.run(sql, &args![id, now.0, reason]).await? == 1)
    }

    /// The people who have agreed to an approval so far.
    pub async fn votes(&mut self, id: &str) -> Result<Vec<String>, StoreError> {
        self.texts("SELECT person FROM approval_votes WHERE approval_id = $1 ORDER BY at, person", &args![id]).await
    }

    /// Uses an approval up; false where it was used before.
    pub async fn use_approval(&mut self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let used_at = self.now().await?;
        let sql = "UPDATE approvals SET status = 'used', used_at = $3 WHERE id = $1 AND status = 'approved' AND expires_at > $2";
        Ok(self.run(sql, &args![id, now.0, used_at.0]).await? == 1)
    }

    /// Marks a consent as used; false where it was used before.
    pub async fn burn(&mut self, nonce: &str, now: Timestamp, forget_at: Timestamp) -> Result<bool, StoreError> {
        self.run("DELETE FROM burnt_consents WHERE expires_at < $1", &args![now.0]).await?;
        let sql = "INSERT INTO burnt_consents (nonce, expires_at) VALUES ($1, $2) ON CONFLICT (nonce) DO NOTHING";
        Ok(self.run(sql, &args![nonce, forget_at.0]).await? == 1)
    }

    /// A setting that is made once and then stays, such as the key that seals consents.
    pub async fn setting(&mut self, name: &str, fresh: &str) -> Result<String, StoreError> {
        self.run("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", &args![name, fresh]).await?;
        let values = self.texts("SELECT value FROM settings WHERE name = $1", &args![name]).await?;
        values.into_iter().next().ok_or_else(|| StoreError::Unreadable(format!("setting {name}")))
    }
}
